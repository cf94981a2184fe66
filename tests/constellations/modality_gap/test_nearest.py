"""Nearest points of hulls and cones, against brute force over faces."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import constructions as c
from constellations import modality_gap as mg
from constellations.sphere import normalize, random_points


def test_min_norm_point_against_brute_force_over_faces():
    for seed in range(20):
        x = random_points(7, 3, seed=seed) * 0.8 + torch.tensor([0.5, 0.2, 0.1])
        point, weights = mg.min_norm_point(x)
        assert weights.min() >= 0 and abs(weights.sum() - 1) < 1e-12
        best = min(
            face
            for size in (1, 2, 3, 4)
            for rows in itertools.combinations(x.numpy(), size)
            if (face := norm_of_face(np.array(rows))) is not None
        )
        assert abs(np.linalg.norm(point) - best) < 1e-9


def norm_of_face(rows):
    """Distance of the affine hull from the origin where its foot is a convex combination, else None."""
    gram = np.block([[rows @ rows.T, np.ones((len(rows), 1))], [np.ones((1, len(rows))), np.zeros((1, 1))]])
    weights = np.linalg.lstsq(gram, np.r_[np.zeros(len(rows)), 1.0], rcond=None)[0][:-1]
    inside = weights.min() >= -1e-9 and abs(weights.sum() - 1) < 1e-9
    return np.linalg.norm(weights @ rows) if inside else None


def test_min_norm_point_with_many_ties_has_a_small_support():
    """All points of a cap's rim are equally near: Caratheodory leaves at most d of them."""
    angles = torch.linspace(0, 2 * math.pi, 61, dtype=torch.float64)[:-1]
    rim = torch.stack([0.6 * angles.cos(), 0.6 * angles.sin(), torch.full_like(angles, 0.8)], dim=-1)
    point, weights = mg.min_norm_point(torch.cat([rim, rim]))
    assert np.count_nonzero(weights) <= 3
    assert np.allclose(point, [0, 0, 0.8], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 20), d=st.integers(1, 6), shift=st.floats(0, 3), seed=st.integers(0, 10_000))
def test_min_norm_point_is_optimal_and_its_support_independent(n, d, shift, seed):
    """Optimal iff the hyperplane through the point, normal to it, has all points on its far side."""
    x = (random_points(n, d, seed=seed) + shift * random_points(1, d, seed=seed, stream=1)).numpy()
    point, weights = mg.min_norm_point(x)
    assert weights.min() >= 0 and math.isclose(weights.sum(), 1, abs_tol=1e-12)
    np.testing.assert_allclose(weights @ x, point, atol=1e-12)
    assert (x @ point).min() >= point @ point - 1e-9
    kept = np.c_[x, np.ones(n)][weights > 0]
    assert np.linalg.matrix_rank(kept, tol=1e-9) == len(kept)


def test_proposition_4_every_u_is_at_least_s_ii_away_from_the_cone_of_the_others():
    for u, v in mg.sign_condition_samples(7, 3, n_runs=20, seed=5):
        assert (mg.distance_to_cone_of_others(u) - (u * v).sum(-1).numpy()).min() > -1e-12
    assert np.allclose(mg.distance_to_cone_of_others(c.regular_polygon(8)), 0.0)
    assert np.allclose(mg.distance_to_cone_of_others(torch.eye(3)), 1.0)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(2, 30), d=st.integers(2, 6), noise=st.floats(0, 1.5), seed=st.integers(0, 10_000))
def test_no_other_side_has_a_gap_above_the_distance_to_the_hull_of_the_others(n, d, noise, seed):
    u = random_points(n, d, seed=seed)
    s = u @ normalize(u + noise * random_points(n, d, seed=seed, stream=1)).T
    gap = s.diagonal().min() - (s - 4 * torch.eye(n)).max()
    assert gap <= mg.distance_to_hull_of_others(u).min() + 1e-9


def test_distances_of_an_orthonormal_side():
    """The foot is the mean of the others, and the best other side attains the distance."""
    best = normalize(torch.full((5, 5), -0.25, dtype=torch.float64).fill_diagonal_(1.0))
    np.testing.assert_allclose(mg.distance_to_hull_of_others(torch.eye(5)), math.sqrt(5 / 4), atol=1e-12)
    assert best[0, 0] - best[0, 1] == pytest.approx(math.sqrt(5 / 4), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 14), d=st.integers(2, 5), seed=st.integers(0, 10_000))
def test_points_in_the_cone_of_the_others_have_no_separating_direction(n, d, seed):
    u = random_points(n, d, seed=seed)
    inside = mg.distance_to_cone_of_others(u) <= 1e-9
    s = u @ random_points(4000, d, seed=seed, stream=7).T
    for j in range(n):
        separates = (s[j] > 0) & (torch.cat([s[:j], s[j + 1 :]]) <= 0).all(0)
        assert not (inside[j] and bool(separates.any()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u, v: mg.distance_to_cone_of_others(u[:1]), "N >= 2"),
        (lambda u, v: mg.distance_to_hull_of_others(u[:1]), "N >= 2, got"),
        (lambda u, v: mg.distance_to_hull_of_others(u[None]), "one set"),
        (lambda u, v: mg.min_norm_point(torch.full((2, 2), torch.nan)), "points must be finite"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*c.tight_modality_gap(3, n_wedge=6))
