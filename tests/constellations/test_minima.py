"""How small a loss can be: the bounds hold for random configurations and are attained by those that are named."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import losses, minima
from constellations.constructions import double_constant_embedding
from constellations.geometry import separation
from constellations.sphere import normalize, random_points

configurations = st.tuples(st.integers(2, 7), st.integers(2, 5), st.integers(0, 10_000), st.floats(0, 1))
temperatures = st.floats(-2, 3).map(lambda x: 10.0**x)


@settings(max_examples=60, deadline=None)
@given(configurations, temperatures, st.floats(-30, 30))
def test_fixed_temperature_bound_holds_in_every_dimension(noisy_pairs, setting, t, bias):
    u, v = noisy_pairs(*setting)
    floor = minima.minimum(n_pairs=len(u), inverse_temperature=t, bias=bias)
    loss = losses.sigmoid_loss(u, v, inverse_temperature=t, bias=bias).item()
    assert loss >= floor.loss * (1 - 1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.floats(0.01, 200), st.floats(-200, 200))
def test_double_constant_embedding_attains_the_fixed_temperature_minimum(n, t, bias):
    floor = minima.minimum(n_pairs=n, inverse_temperature=t, bias=bias)
    grid = np.linspace(0, 1, 401)
    values = n * minima.profile(grid, n_pairs=n, inverse_temperature=t, bias=bias)
    assert floor.loss <= values.min() * (1 + 1e-9) + 1e-300
    u, v = double_constant_embedding(n, delta=floor.delta)
    loss = losses.sigmoid_loss(u, v, inverse_temperature=t, bias=bias).item()
    assert loss == pytest.approx(floor.loss, rel=1e-6, abs=1e-280)


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 200), st.floats(0.05, 50), st.floats(-60, 60))
def test_collapse_conditions(n, t, bias):
    found = minima.minimum(n_pairs=n, inverse_temperature=t, bias=bias)
    antipodal = t + bias - minima.antipodal_threshold(n)
    aligned = bias - minima.aligned_bias_threshold(n, inverse_temperature=t)
    if abs(antipodal) > 1e-6:
        assert (found.shape == "antipodal") == (antipodal < 0)
    if abs(aligned) > 1e-6:
        assert (found.shape == "aligned") == (aligned > 0)


@pytest.mark.parametrize("relative_bias", [-0.6, -0.2, 0.0, 0.3, 0.8])
def test_large_temperature_recovers_the_equality_case_of_theorem_3_4(relative_bias):
    n, t = 12, 4000.0
    x = minima.minimum(n_pairs=n, inverse_temperature=t, bias=t * relative_bias).x
    u, v = double_constant_embedding(n, delta=math.sqrt(x))
    assert (3 - 4 / n) * separation(u, v).margin == pytest.approx(1 + separation(u, v).relative_bias, abs=1e-9)
    best = (1 + relative_bias) / (3 - 4 / n)
    if best + relative_bias <= 1:
        assert separation(u, v).margin == pytest.approx(best, abs=2e-3)


def copied(n: int, copies: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random pairs in groups that share their text."""
    groups = random_points(n // copies, 3, seed=seed, stream=1)
    return random_points(n, 3, seed=seed), groups.repeat_interleave(copies, 0)


def expected_batch_loss(u: torch.Tensor, v: torch.Tensor, t: float, b: float, size: int) -> float:
    """The mean over all batches of ``size`` of the pairs: a non-matching entry is in fewer of them than a matching one."""
    n = len(u)
    entries = torch.nn.functional.softplus(-losses.signed_logits(u, v, inverse_temperature=t, bias=b), threshold=50.0)
    own = entries.diagonal().sum()
    return (size / n * (own + (size - 1) / (n - 1) * (entries.sum() - own))).item()


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 4), st.integers(1, 4), st.integers(0, 10**6), temperatures, st.floats(-2, 2), st.data())
def test_no_loss_with_duplicates_is_below_their_floor(copies, groups, seed, t, relative_bias, data):
    n = copies * groups
    size = data.draw(st.integers(2, n))
    floor = minima.duplicates_minimum(n_pairs=n, copies=copies, batch_size=size)
    loss = expected_batch_loss(*copied(n, copies, seed), t, t * relative_bias, size)
    assert loss >= floor * (1 - 1e-12)


@pytest.mark.parametrize(("n", "copies", "size"), [(6, 2, 6), (6, 3, 6), (6, 2, 3), (12, 4, 5)])
def test_the_floor_of_duplicates_is_approached(n, copies, size):
    w = normalize(torch.eye(n // copies, dtype=torch.float64) - copies / n).repeat_interleave(copies, 0)
    t, kappa = 1e3, (copies - 1) * (size - 1) / (n - 1)
    loss = expected_batch_loss(w, w, t, t + math.log(kappa), size)
    assert loss == pytest.approx(minima.duplicates_minimum(n_pairs=n, copies=copies, batch_size=size), rel=1e-9)


@pytest.mark.parametrize(
    ("copies", "size", "floor"),
    [(2, 60, 83.178), (3, 60, 114.573), (5, 60, 150.121), (3, 20, 22.015), (3, 10, 7.10), (5, 20, 31.36)],
)
def test_floors_that_training_came_near(copies, size, floor):
    found = minima.duplicates_minimum(n_pairs=60, copies=copies, batch_size=size)
    assert found == pytest.approx(floor, abs=5e-3)


def test_one_duplicated_pair_costs_four_log_two_and_a_group_its_entropy():
    assert minima.duplicates_minimum(n_pairs=2, copies=2) == pytest.approx(4 * math.log(2))
    for g in (3, 7):
        entropy = g * (g * math.log(g) - (g - 1) * math.log(g - 1))
        assert minima.duplicates_minimum(n_pairs=g, copies=g) == pytest.approx(entropy)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: minima.profile([0.5, 1.5], n_pairs=3, inverse_temperature=1.0, bias=0.0), "x must"),
        (lambda: minima.minimum(n_pairs=3, inverse_temperature=-1.0, bias=0.0), "inverse_temp"),
        (lambda: minima.minimum(n_pairs=3, inverse_temperature=1.0, bias=math.inf), "bias"),
        (lambda: minima.minimum(n_pairs=3, inverse_temperature=[1.0], bias=0.0), "single"),
        (lambda: minima.duplicates_minimum(n_pairs=5, copies=2), "multiple of copies"),
        (lambda: minima.duplicates_minimum(n_pairs=4, copies=1), "copies"),
        (lambda: minima.duplicates_minimum(n_pairs=4, copies=2, batch_size=5), "batch_size"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
