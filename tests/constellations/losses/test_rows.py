"""Losses that compare within a row: what they ask for, their global minima, and descent on any loss."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import certificates, losses, minima
from constellations.geometry import inner_products, separation
from constellations.losses import rows
from constellations.sphere import normalize, random_points
from constellations.training import minimize

sizes = st.tuples(st.integers(2, 9), st.integers(1, 6), st.integers(0, 10_000))


def simplex(n: int) -> torch.Tensor:
    return normalize(torch.eye(n, dtype=torch.float64) - 1 / n)


def info_nce_loss(u, v, t):
    return losses.info_nce(u, v, inverse_temperature=t)


@settings(max_examples=60, deadline=None)
@given(sizes)
def test_no_row_gap_exceeds_the_largest_not_even_on_average(size):
    n, d, seed = size
    u, v = (random_points(n, d, seed=seed, stream=k) for k in (0, 1))
    s = inner_products(u, v)
    matching = s.diagonal().mean()
    others = (s.sum() - s.diagonal().sum()) / (n * (n - 1))
    assert (matching - others).item() <= minima.largest_row_gap(n) + 1e-12
    assert rows.row_gap(u, v).rows <= minima.largest_row_gap(n) + 1e-12


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("t", [0.1, 3.0, 50.0])
def test_aligned_simplex_attains_every_minimum(n, t):
    w = simplex(n)
    assert rows.row_gap(w, w).rows == pytest.approx(minima.largest_row_gap(n))
    loss = losses.info_nce(w, w, inverse_temperature=t).item()
    assert loss == pytest.approx(minima.info_nce_minimum(n_pairs=n, inverse_temperature=t), rel=1e-9)
    a = 2 * minima.largest_row_gap(n) + t
    floor = minima.triplet_minimum(n_pairs=n, margin_parameter=a)
    assert losses.triplet(w, w, margin_parameter=a).item() == pytest.approx(floor, rel=1e-9)
    assert losses.triplet(w, w, margin_parameter=a - t - 1e-9).item() == 0


@settings(max_examples=60, deadline=None)
@given(sizes, st.floats(-2, 2.5), st.floats(0, 6))
def test_minima_bound_every_configuration(size, log_t, a):
    n, d, seed = size
    u, v = (random_points(n, d, seed=seed, stream=k) for k in (0, 1))
    floor = minima.info_nce_minimum(n_pairs=n, inverse_temperature=10**log_t)
    assert losses.info_nce(u, v, inverse_temperature=10**log_t).item() >= floor * (1 - 1e-9)
    floor = minima.triplet_minimum(n_pairs=n, margin_parameter=a)
    assert losses.triplet(u, v, margin_parameter=a).item() >= floor - 1e-9


def test_descent_reaches_the_global_minimum_of_info_nce():
    result = minimize(
        info_nce_loss, n_pairs=5, dim=5, seeds=[0, 1], inverse_temperature=2.0,
        train_inverse_temperature=False, n_steps=1500,
    )  # fmt: skip
    floor = minima.info_nce_minimum(n_pairs=5, inverse_temperature=2.0)
    assert result.loss.tolist() == pytest.approx([floor, floor], rel=1e-6)
    assert result.inverse_temperature.tolist() == pytest.approx([2.0, 2.0])


def test_descent_reports_what_it_reached_and_does_not_depend_on_its_batch():
    both = minimize(info_nce_loss, n_pairs=6, dim=3, seeds=[3, 4], n_steps=60)
    one = minimize(info_nce_loss, n_pairs=6, dim=3, seeds=[4], n_steps=60)
    torch.testing.assert_close(both.u[1], one.u[0], rtol=0, atol=1e-9)
    assert both.margin[0].item() == separation(both.u[0], both.v[0]).margin
    assert both.inverse_temperature[0].item() != 10.0
    assert both.row_gap[1].item() == rows.row_gap(both.u[1], both.v[1]).rows
    begun = minimize(info_nce_loss, n_pairs=6, dim=3, seeds=[3], n_steps=1, learning_rate=1e-12)
    torch.testing.assert_close(begun.u[0], random_points(6, 3, seed=3), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: minima.largest_row_gap(1), "n_pairs"),
        (lambda: minima.info_nce_minimum(n_pairs=1, inverse_temperature=1.0), "n_pairs"),
        (lambda: minima.info_nce_minimum(n_pairs=3, inverse_temperature=-1.0), "inverse_temperature"),
        (lambda: minima.triplet_minimum(n_pairs=3, margin_parameter=-1.0), "margin_parameter"),
        (lambda: certificates.info_nce_bounds(math.nan, n_pairs=3, inverse_temperature=1.0), "gap"),
        (lambda: minimize(info_nce_loss, n_pairs=3, dim=2, seeds=[]), "seeds"),
        (lambda: minimize(info_nce_loss, n_pairs=3, dim=2, seeds=[0], inverse_temperature=-1.0), "inverse_t"),
        (lambda: minimize(info_nce_loss, n_pairs=3, dim=2, seeds=[0], inverse_temperature=[1.0, 2.0]), "inverse_t"),
        (lambda: minimize(info_nce_loss, n_pairs=3, dim=2, seeds=[0], n_steps=0), "n_steps"),
        (lambda: minimize(info_nce_loss, n_pairs=3, dim=2, seeds=[0], learning_rate=0.0), "learning_rate"),
        (lambda: minimize(info_nce_loss, n_pairs=1, dim=2, seeds=[0]), "n_pairs"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_info_nce_and_triplet_against_brute_force():
    u, v = (random_points(8, 3, seed=5, stream=k) for k in (0, 1))
    t, a = 7.0, 0.5
    s = (u @ v.T).numpy()
    rows = sum(np.log(np.exp(t * s[i]).sum()) - t * s[i, i] for i in range(8))
    columns = sum(np.log(np.exp(t * s[:, i]).sum()) - t * s[i, i] for i in range(8))
    assert losses.info_nce(u, v, inverse_temperature=t).item() == pytest.approx(rows, rel=1e-12)
    both = losses.info_nce(u, v, inverse_temperature=t, symmetric=True).item()
    assert both == pytest.approx(rows + columns, rel=1e-12)
    distances = ((u[:, None] - v[None]) ** 2).sum(-1).numpy()
    expected = sum(max(distances[i, i] - distances[i, j] + a, 0) for i in range(8) for j in range(8) if i != j)
    assert losses.triplet(u, v, margin_parameter=a).item() == pytest.approx(expected, rel=1e-12)


def test_info_nce_near_zero_keeps_its_digits():
    eye = torch.eye(4, dtype=torch.float64)
    value = losses.info_nce(eye, eye, inverse_temperature=60.0).item()
    assert value == pytest.approx(4 * math.log1p(3 * math.exp(-60.0)), rel=1e-12)
