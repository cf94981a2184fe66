"""What a locked side allows: no other side beats the bounds, and some attain them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import modality_gap as mg
from constellations.geometry import separation
from constellations.losses import sigmoid_loss
from constellations.sphere import normalize, random_points


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), t=st.floats(0.1, 1e4), n_pairs=st.integers(60, 100), effort=st.floats(0.0, 1.0))
def test_a_locked_random_side_keeps_the_loss_above_n_log_2_at_bias_zero(seed, t, n_pairs, effort):
    """Whatever v is: random, copied from u, or pushed towards the best compromise."""
    u, v = (random_points(n_pairs, 10, seed=seed, stream=k) for k in (0, 1))
    spanned = mg.distance_to_cone_of_others(u) <= 1e-9
    v = normalize(effort * (u - u.mean(0)) + (1 - effort) * v)
    loss = sigmoid_loss(u, v, inverse_temperature=t, bias=0.0)
    assert loss.item() >= spanned.sum() * math.log(2)
    assert spanned.all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n_pairs=st.integers(2, 30), dim=st.integers(2, 6), noise=st.floats(0.0, 1.5))
def test_no_other_side_beats_the_locked_bound(seed, n_pairs, dim, noise):
    u, v = (random_points(n_pairs, dim, seed=seed, stream=k) for k in (0, 1))
    v = normalize(u + noise * v)
    s = separation(u, v)
    bound = mg.locked_margin_bound(u, relative_bias=s.relative_bias)
    assert s.margin <= bound + 1e-12


@pytest.mark.parametrize("seed", range(3))
def test_the_locked_bound_is_concave_and_peaks_at_half_the_hull_distance(seed):
    u = random_points(40, 6, seed=seed)
    grid = np.linspace(-1, 1, 41)
    curve = np.array([mg.locked_margin_bound(u, relative_bias=b, tolerance=1e-9) for b in grid])
    assert (np.diff(curve, 2) <= 1e-7).all()
    peak = mg.distance_to_hull_of_others(u).min() / 2
    assert curve.max() <= peak + 1e-7
    assert curve.max() >= peak - 0.01
    assert curve[20] == pytest.approx(0.0, abs=1e-7)


def test_locked_bound_of_an_orthonormal_side_is_attained():
    u = torch.eye(5, dtype=torch.float64)
    s = separation(u, u)
    assert mg.locked_margin_bound(u, relative_bias=0.5) == pytest.approx(s.margin, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(2, 12), d=st.integers(2, 5), b=st.floats(-0.9, 0.9), seed=st.integers(0, 10_000))
def test_the_locked_bound_is_that_of_a_brute_force_over_directions(n, d, b, seed):
    """Column by column, from many points of the ball: below the bound always, and near it in the plane."""
    u = random_points(n, d, seed=seed)
    bound = mg.locked_margin_bound(u, relative_bias=b, tolerance=1e-9)
    directions = random_points(3000, d, seed=seed, stream=3)
    s = u @ torch.cat([directions * r for r in (0.0, 0.25, 0.5, 0.75, 1.0)]).T
    others = torch.stack([torch.cat([s[:j], s[j + 1 :]]).amax(0) for j in range(n)])
    best = torch.minimum(s - b, b - others).amax(1).min().item()
    assert best <= bound + 1e-9
    if d == 2:
        assert bound <= best + 0.13


@pytest.mark.parametrize("bad", [{"relative_bias": 1.5}, {"relative_bias": math.nan}, {"tolerance": 0.0}])
def test_locked_margin_bound_rejects_bad_options(bad):
    name = next(iter(bad))
    with pytest.raises(ValueError, match=name):
        mg.locked_margin_bound(np.eye(3), **{"relative_bias": 0.0, **bad})


@pytest.mark.parametrize("u", [np.ones((3, 2)), np.eye(3)[:1], np.eye(3)[None], np.full((3, 2), np.nan)])
def test_locked_bound_rejects_bad_points(u):
    with pytest.raises(ValueError, match=r"u must|one configuration|n_pairs must"):
        mg.locked_margin_bound(u, relative_bias=0.0)
