"""Theorem 3.6 made computable, sharpened by one, and where it is tight."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import constructions as c
from constellations import modality_gap as mg
from constellations.geometry import separation
from constellations.sphere import random_points


def rotation(dim, seed):
    return torch.linalg.qr(random_points(dim, dim, seed=seed, stream=9)).Q


@pytest.mark.parametrize(("n", "d"), [(5, 3), (6, 3), (8, 3), (6, 4), (9, 4), (8, 6)])
def test_at_least_one_more_than_n_minus_d_is_separated(n, d):
    configurations = mg.sign_condition_samples(n, d, n_runs=40, seed=n * 1000 + d)
    assert len(configurations) >= 15
    for u, v in configurations:
        found = mg.separating_direction(u, v)
        assert found.n_negative >= found.guaranteed == n - d + 1
        assert len(found.support) <= d
        assert found.u_projection.min() > found.distance - 1e-9
        outside = [j for j in range(n) if j not in found.support]
        assert (found.v_projection[outside] < 0).all()


@settings(max_examples=50, deadline=None)
@given(dim=st.integers(3, 8), n_wedge=st.integers(3, 40), seed=st.integers(0, 10_000))
def test_the_tight_family_attains_the_bound_in_any_position(dim, n_wedge, seed):
    u, v = c.tight_modality_gap(dim, n_wedge=n_wedge)
    turn, order = rotation(dim, seed), np.random.default_rng(seed).permutation(len(u))
    found = mg.separating_direction((u @ turn)[order], (v @ turn)[order])
    assert found.n_negative == found.guaranteed == n_wedge
    assert len(found.support) <= dim


@settings(max_examples=60, deadline=None)
@given(n=st.integers(5, 14), d=st.integers(3, 5), b=st.floats(-0.9, -0.1), seed=st.integers(0, 10_000))
def test_theorem_3_6_needs_no_sign_of_the_matching_products(n, d, b, seed):
    """Negative relative bias beyond the margin: every s_ij is negative, the matching ones too."""
    if n < d + 2:
        return
    u, v = c.from_spherical_code(random_points(n, d - 1, seed=seed), relative_bias=b)
    u = u + 0.3 * random_points(n, d, seed=seed, stream=5) * -separation(u, v).non_matching
    u = u / u.norm(dim=-1, keepdim=True)
    if separation(u, v).non_matching >= 0:
        return
    found = mg.separating_direction(u, v)
    assert found.n_negative >= found.guaranteed


@pytest.mark.parametrize(("n", "d"), [(8, 3), (9, 5), (20, 8)])
def test_points_clear_the_hyperplane_by_the_smallest_non_matching_product(n, d):
    for u, v in mg.sign_condition_samples(n, d, n_runs=20, seed=n):
        found = mg.separating_direction(u, v)
        outside = [j for j in range(n) if j not in found.support]
        assert found.distance >= found.clearance - 1e-12 > 0
        assert (found.v_projection[outside] <= -found.clearance / found.distance + 1e-12).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u, v: mg.separating_direction(u[:4], v[:4]), r"at least dim \+ 2 = 5.*got 4"),
        (lambda u, v: mg.separating_direction(u, u), r"s_ij < 0 for all i != j, got s_ij = .* for \("),
        (lambda u, v: mg.separating_direction(2 * u, v), "norm 1"),
        (lambda u, v: mg.separating_direction(u.expand(2, -1, -1), v.expand(2, -1, -1)), "one configuration"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*c.tight_modality_gap(3, n_wedge=6))
