"""Retrieval bounds against all batches, listed, and the pairs that attain the best of them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.studies import batches
from constellations.certificates import retrieval_failure_bounds
from constellations.geometry import nearest_neighbour_accuracy
from constellations.losses import sigmoid_loss
from constellations.sphere import normalize, random_points


def test_enumerated_batches_respect_every_bound():
    trials = batches.enumerate_batches(n_pairs=5, n_trials=40, seed=3)
    assert trials.n_batches == 26
    assert trials.closed_form_error < 1e-12
    assert trials.failing.shape == trials.bounds.weighted.shape == (40 * 4,)
    for bound in (trials.bounds.proposition_1, trials.bounds.two_entries, trials.bounds.weighted):
        assert np.all(trials.failing <= bound * (1 + 1e-9))
    assert 0 < trials.failing.mean() < 1


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 12), data=st.data())
def test_the_weighted_bound_is_attained_at_every_number_of_failing_rows_and_batch_size(n, data):
    k, size = data.draw(st.integers(0, n)), data.draw(st.integers(2, n))
    u, v = batches.attaining_pairs(n, n_failing=k)
    assert 1 - nearest_neighbour_accuracy(u, v) == pytest.approx(k / n)
    t = 60 * math.sqrt(n)
    at = {"inverse_temperatures": [t], "relative_biases": [math.log((size - 1) / (n - 1)) / t]}
    loss = batches.least_expected_loss(u, v, [size], **at)
    bound = retrieval_failure_bounds(loss, n_pairs=n, batch_size=size)
    assert bound.weighted[0] == pytest.approx(k / n, abs=1e-9)


def test_a_full_batch_costs_the_sigmoid_loss_at_the_best_of_the_grid():
    u, v = random_points(9, 3, seed=0), random_points(9, 3, seed=1)
    grid = {"inverse_temperatures": [1.0, 5.0], "relative_biases": [-0.2, 0.0, 0.7]}
    whole = [
        float(sigmoid_loss(u, v, inverse_temperature=t, relative_bias=b))
        for t in grid["inverse_temperatures"]
        for b in grid["relative_biases"]
    ]
    assert batches.least_expected_loss(u, v, [9], **grid)[0] == pytest.approx(min(whole), rel=1e-12)


def test_the_best_of_a_grid_is_still_a_bound():
    u = random_points(12, 3, seed=5)
    v = normalize(0.6 * u + 0.4 * random_points(12, 3, seed=5, stream=1))
    grid = {"inverse_temperatures": np.geomspace(1, 100, 15), "relative_biases": np.linspace(-0.5, 1, 15)}
    sizes = np.array([2, 6, 12])
    loss = batches.least_expected_loss(u, v, sizes, **grid)
    bounds = retrieval_failure_bounds(loss, n_pairs=12, batch_size=sizes)
    failing = 1 - nearest_neighbour_accuracy(u, v)
    assert 0 < failing < 1
    assert np.all(bounds.weighted >= failing)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: batches.enumerate_batches(n_pairs=15, n_trials=1, seed=0), "n_pairs"),
        (lambda: batches.enumerate_batches(n_pairs=4, n_trials=0, seed=0), "n_trials"),
        (lambda: batches.attaining_pairs(4, n_failing=5), "n_failing must be at most n_pairs = 4, got 5"),
        (lambda: batches.attaining_pairs(1, n_failing=0), "n_pairs"),
        (
            lambda: batches.least_expected_loss(
                torch.eye(3), torch.eye(3), [4], inverse_temperatures=[1.0], relative_biases=[0.0]
            ),
            "batch_size",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
