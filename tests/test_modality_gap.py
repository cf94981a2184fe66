"""Theorem 3.6 made computable: directions, linear programs, mixed-integer maxima, perceptron."""

import itertools
import math

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


def barely_separated(n, d, *, runs, seed, steps=700):
    return mg.sign_condition_samples(n, d, n_runs=runs, seed=seed, n_steps=steps)


CASES = [(4, 2 + 1), (5, 3), (6, 3), (8, 3), (6, 4), (9, 4), (8, 6)]


@pytest.mark.parametrize(("n", "d"), CASES[1:])
def test_at_least_one_more_than_n_minus_d_is_separated(n, d):
    configurations = barely_separated(n, d, runs=40, seed=n * 1000 + d)
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


@pytest.mark.parametrize("dim", [3, 4, 5])
@pytest.mark.parametrize("n_wedge", [3, 8])
def test_no_hyperplane_separates_more_of_the_tight_family(dim, n_wedge):
    u, v = c.tight_modality_gap(dim, n_wedge=n_wedge)
    program = mg.linear_separability(u, v)
    assert not program.separable and program.upper_bound < 1e-9
    for all_u in (False, True):
        best = mg.max_separable(u, v, all_u=all_u)
        assert best.proven and best.n_separated == n_wedge


@pytest.mark.parametrize("seed", range(4))
def test_mixed_integer_maximum_against_brute_force(seed):
    """In the plane every split is made by a direction just beside one normal to a point."""
    u, v = random_points(9, 2, seed=seed), random_points(9, 2, seed=seed, stream=1)
    angles = torch.linspace(0, 2 * math.pi, 200_001, dtype=torch.float64)
    h = torch.stack([angles.cos(), angles.sin()])
    counts = ((u @ h > 0) & (v @ h < 0)).sum(0)
    best = mg.max_separable(u, v)
    assert best.n_separated == counts.max() and best.proven
    assert int(best.separated.sum()) == best.n_separated


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
@given(n=st.integers(2, 9), d=st.integers(1, 5), seed=st.integers(0, 10_000))
def test_linear_program_and_nearest_point_agree(n, d, seed):
    u, v = random_points(n, d, seed=seed), random_points(n, d, seed=seed, stream=1)
    program = mg.linear_separability(u, v)
    largest = np.linalg.norm(mg.min_norm_point(torch.cat([u, -v]))[0])
    assert program.separable == (largest > 1e-7)
    assert program.margin <= largest + 1e-9 <= program.upper_bound + 2e-9
    if program.separable:
        assert (u @ program.direction > 0).all() and (v @ program.direction < 0).all()


def test_affine_separability_is_weaker():
    u, v = c.double_constant_embedding(6, delta=0.7)
    shift = torch.tensor([0.0] * 5 + [0.5])
    moved_u, moved_v = (x + shift for x in (u, v))
    pushed = [x / x.norm(dim=-1, keepdim=True) for x in (moved_u, moved_v)]
    assert not mg.linear_separability(pushed[0], pushed[0].flip(0)).separable
    high = c.lift(c.simplex(4), c.simplex(4), delta=0.5, phi=0.8)
    assert mg.linear_separability(*high, affine=True).separable
    cap_u, cap_v = torch.tensor([[0.6, 0.8], [-0.6, 0.8]]), torch.tensor([[0.8, 0.6], [-0.8, 0.6]])
    assert not mg.linear_separability(cap_u, cap_v).separable
    assert mg.linear_separability(cap_u, cap_v, affine=True).separable


@settings(max_examples=30, deadline=None)
@given(n=st.integers(3, 20), d=st.integers(2, 6), seed=st.integers(0, 10_000))
def test_perceptron_keeps_novikoffs_bound(n, d, seed):
    points = random_points(2 * n, d, seed=seed)
    normal = random_points(1, d, seed=seed, stream=5)[0]
    flipped = points * torch.sign(points @ normal)[:, None]
    u, v = flipped[:n], -flipped[n:]
    largest = np.linalg.norm(mg.min_norm_point(torch.cat([u, -v]))[0])
    found = mg.perceptron(u, v, max_updates=1_000_000)
    assert found.converged and found.n_updates <= 1 / largest**2
    assert (found.u_projection > 0).all() and (found.v_projection < 0).all()


def test_perceptron_reports_errors_where_no_hyperplane_exists():
    found = mg.perceptron(*c.tight_modality_gap(3, n_wedge=6), max_updates=500)
    assert not found.converged and found.n_errors >= 2 and found.n_updates == 500


def test_proposition_4_every_u_is_at_least_s_ii_away_from_the_cone_of_the_others():
    for u, v in barely_separated(7, 3, runs=20, seed=5):
        assert (mg.distance_to_cone_of_others(u) - (u * v).sum(-1).numpy()).min() > -1e-12
    assert np.allclose(mg.distance_to_cone_of_others(c.regular_polygon(8)), 0.0)
    assert np.allclose(mg.distance_to_cone_of_others(torch.eye(3)), 1.0)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(5, 14), d=st.integers(3, 5), b=st.floats(-0.9, -0.1), seed=st.integers(0, 10_000))
def test_theorem_3_6_needs_no_sign_of_the_matching_products(n, d, b, seed):
    """Negative relative bias beyond the margin: every s_ij is negative, the matching ones too."""
    if n < d + 2:
        return
    u, v = c.from_spherical_code(random_points(n, d - 1, seed=seed), relative_bias=b)
    u = u + 0.3 * random_points(n, d, seed=seed, stream=5) * -separation(u, v).max_non_matching
    u = u / u.norm(dim=-1, keepdim=True)
    if separation(u, v).max_non_matching >= 0:
        return
    found = mg.separating_direction(u, v)
    assert found.n_negative >= found.guaranteed


@pytest.mark.parametrize(("n", "d"), [(8, 3), (9, 5), (20, 8)])
def test_points_clear_the_hyperplane_by_the_smallest_non_matching_product(n, d):
    for u, v in barely_separated(n, d, runs=20, seed=n):
        found = mg.separating_direction(u, v)
        outside = [j for j in range(n) if j not in found.support]
        assert found.distance >= found.clearance - 1e-12 > 0
        assert (found.v_projection[outside] <= -found.clearance / found.distance + 1e-12).all()


def test_proposition_5_no_four_pairs_in_the_plane():
    assert barely_separated(4, 2, runs=60, seed=0, steps=400) == []
    assert len(barely_separated(3, 2, runs=60, seed=0, steps=400)) >= 10


def test_samples_satisfy_the_sign_condition_barely_and_follow_from_their_seed():
    found = mg.sign_condition_samples(8, 5, n_runs=12, seed=3)
    assert len(found) >= 8
    for u, v in found:
        mg.check_sign_condition(u, v)
        assert separation(u, v).margin < 0.1
    again = mg.sign_condition_samples(8, 5, n_runs=12, seed=3)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(found, again, strict=True))


@settings(max_examples=50, deadline=None)
@given(b=st.floats(-0.9, 0.9), seed=st.integers(0, 10_000))
def test_zero_bias_lift_divides_the_margin_by_one_plus_abs_b(b, seed):
    u, v = c.from_spherical_code(random_points(6, 3, seed=seed), relative_bias=b)
    before, after = separation(u, v), separation(*mg.zero_bias_lift(u, v, relative_bias=b))
    assert math.isclose(after.margin, before.margin / (1 + abs(b)), abs_tol=1e-12)
    assert abs(after.relative_bias) < 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_negative_relative_bias_gives_an_affine_hyperplane(seed):
    n, d, b = 12, 4, -0.4
    u, v = c.from_spherical_code(random_points(n, d - 1, seed=seed), relative_bias=b)
    found = mg.separating_direction(*mg.zero_bias_lift(u, v, relative_bias=b))
    h, offset = found.direction[:-1], found.direction[-1] * math.sqrt(-b)
    assert (u @ h + offset > 0).all()
    assert (v @ h + offset < 0).sum() >= n - d


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u, v: mg.separating_direction(u[:4], v[:4]), r"at least dim \+ 2 = 5.*got 4"),
        (lambda u, v: mg.check_sign_condition(u, -u), "s_ii > 0"),
        (lambda u, v: mg.distance_to_cone_of_others(u[:1]), "N >= 2"),
        (lambda u, v: mg.separating_direction(u, u), r"s_ij < 0 for all i != j, got s_ij = .* for \("),
        (lambda u, v: mg.separating_direction(2 * u, v), "norm 1"),
        (lambda u, v: mg.separating_direction(u.expand(2, -1, -1), v.expand(2, -1, -1)), "one configuration"),
        (lambda u, v: mg.linear_separability(u, v[:-1]), "same shape"),
        (lambda u, v: mg.max_separable(u, v, resolution=0.5), "resolution"),
        (lambda u, v: mg.max_separable(u, v, time_limit=0), "time_limit"),
        (lambda u, v: mg.max_separable(torch.cat([u, -u]), torch.cat([v, -v]), all_u=True), "no direction"),
        (lambda u, v: mg.perceptron(u, v, max_updates=0), "max_updates"),
        (lambda u, v: mg.min_norm_point(torch.full((2, 2), torch.nan)), "finite"),
        (lambda u, v: mg.zero_bias_lift(u, v, relative_bias=1.5), "relative_bias"),
        (lambda u, v: mg.sign_condition_samples(1, 3, n_runs=2, seed=0), "n_pairs must be at least 2"),
        (lambda u, v: mg.sign_condition_samples(5, 3, n_runs=0, seed=0), "n_runs"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*c.tight_modality_gap(3, n_wedge=6))
