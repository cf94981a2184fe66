"""Constructions and spherical codes against their stated inner products."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc

from constellations import bounds, constructions
from constellations import constructions as c
from constellations.geometry import inner_products, linear_representation_gap, separation
from constellations.losses import rows
from constellations.sphere import normalize, random_points

units = st.floats(0.02, 1.0)
biases = st.floats(-0.98, 0.98)
seeds = st.integers(0, 10_000)


def off_diagonal_max(gram):
    return gram.clone().fill_diagonal_(-9).max().item()


@pytest.mark.parametrize("code", c.known_spherical_codes(), ids=lambda code: code.name)
def test_each_listed_code_has_its_size_and_its_largest_inner_product(code):
    if not code.builder:
        with pytest.raises(ValueError, match="not available"):
            code.points()
        assert -1 < code.max_inner_product < 1
        return
    x = code.points()
    assert x.shape == (code.n_points, code.dim) and x.dtype == torch.float64
    assert (x.norm(dim=-1) - 1).abs().max() < 1e-14
    if code.n_points <= 5000:
        assert abs(off_diagonal_max(x @ x.T) - code.max_inner_product) < 1e-14


def test_leech_vectors_are_the_minimal_vectors():
    vectors = constructions.leech_vectors()
    assert vectors.shape == (196560, 24)
    assert len(np.unique(vectors, axis=0)) == 196560
    assert (vectors.astype(int) ** 2).sum(1).tolist() == [32] * 196560
    generator = np.random.default_rng(0)
    rows = np.r_[0, 1103, 1104, 98255, 98256, 196559, generator.integers(0, 196560, 20)]
    products = vectors[rows].astype(np.float32) @ vectors.T.astype(np.float32)
    values, counts = np.unique(products, return_counts=True)
    assert values.tolist() == [-32, -16, -8, 0, 8, 16, 32]
    assert (counts / len(rows)).tolist() == [1, 4600, 47104, 93150, 47104, 4600, 1]


def test_golay_code_is_self_dual_with_the_right_weights():
    words = constructions.golay_codewords().astype(int)
    weights, counts = np.unique(words.sum(1), return_counts=True)
    assert dict(zip(weights.tolist(), counts.tolist(), strict=True)) == {0: 1, 8: 759, 12: 2576, 16: 759, 24: 1}
    assert not (words[:200] @ words.T % 2).any()


@pytest.mark.parametrize("n", [2, 3, 10, 300])
def test_simplex(n):
    x = c.simplex(n)
    gram = x @ x.T
    assert x.shape == (n, n - 1)
    assert (gram - torch.full((n, n), -1 / (n - 1), dtype=torch.float64).fill_diagonal_(1)).abs().max() < 1e-13


def test_derived_codes_follow_the_rule_a_over_one_plus_a():
    x, alpha = c.known_spherical_codes()[-3].points(), 0.5
    assert len(x) == 240
    for n in (56, 27, 16, 10):
        x, alpha = c.derived_code(x, alpha), alpha / (1 + alpha)
        assert len(x) == n and abs(off_diagonal_max(x @ x.T) - alpha) < 1e-13
    with pytest.raises(ValueError, match="inner_product must be one between"):
        c.derived_code(x, 0.77)


def test_greedy_code_is_a_maximal_code_among_its_candidates():
    candidates = random_points(500, 4, seed=3)
    x = c.greedy_code(4, 0.4, n_candidates=500, seed=3)
    assert off_diagonal_max(x @ x.T) <= 0.4
    covered = (candidates @ x.T).max(dim=1).values
    assert (covered > 0.4).all()


@settings(max_examples=60, deadline=None)
@given(seed=seeds, b=biases, n=st.integers(2, 12), d=st.integers(2, 6))
def test_a_code_becomes_a_constellation_with_the_stated_margin_and_bias(seed, b, n, d):
    x = random_points(n, d, seed=seed)
    u, v = c.from_spherical_code(x, relative_bias=b)
    assert u.shape == (n, d + 1) and u.dtype == torch.float64
    found = separation(u, v)
    assert math.isclose(found.relative_bias, b, abs_tol=1e-12)
    assert math.isclose(found.margin, bounds.code_margin(c.max_inner_product(x), b), abs_tol=1e-12)
    assert linear_representation_gap(u, v).xi < 1e-24


@settings(max_examples=60, deadline=None)
@given(seed=seeds, b=st.floats(-0.9, 0.45), share=st.floats(0.01, 0.999))
def test_the_derived_phi_of_theorem_3_3_vanishes(seed, b, share):
    """With delta^2 = 2m/(1-alpha), phi^2 = (2b + 2 - delta^2 (3+alpha))/4 is 0: one extra dimension suffices."""
    margin = share * min(1 - b, (1 + b) / 3)
    alpha = bounds.alpha(margin, b)
    squared = 2 * margin / (1 - alpha)
    assert math.isclose(squared, (1 + b + margin) / 2, rel_tol=1e-9)
    assert abs(2 * b + 2 - squared * (3 + alpha)) < 1e-9


@settings(max_examples=60, deadline=None)
@given(seed=seeds, delta=units, share=st.floats(-1, 1), b=biases)
def test_construction_1_moves_margin_and_bias_as_stated(seed, delta, share, b):
    u, v = c.from_spherical_code(random_points(6, 3, seed=seed), relative_bias=b)
    phi = share * math.sqrt(1 - delta * delta)
    before, after = separation(u, v), separation(*c.lift(u, v, delta=delta, phi=phi))
    assert math.isclose(after.margin, delta**2 * before.margin, abs_tol=1e-12)
    shift = 2 * phi**2 + delta**2 - 1
    assert math.isclose(after.relative_bias, delta**2 * before.relative_bias + shift, abs_tol=1e-12)


@settings(max_examples=100, deadline=None)
@given(d=st.integers(2, 400), alpha=st.floats(0.0, 0.999))
def test_a_cap_is_smaller_than_half_its_sine_to_the_d_minus_one(d, alpha):
    """The covering step of Theorem 3.3: Gamma_d(alpha) <= (1 - alpha^2)^((d-1)/2) / 2."""
    measure = betainc((d - 1) / 2, 0.5, 1 - alpha**2) / 2
    assert measure <= (1 - alpha**2) ** ((d - 1) / 2) / 2 * (1 + 1e-9)


@pytest.mark.parametrize(("margin", "bias"), [(0.15, 0.1), (0.2, 0.0), (0.1, -0.4)])
def test_constellations_to_order_have_the_guaranteed_number_of_pairs(margin, bias):
    alpha = bounds.alpha(margin, bias)
    for d in (3, 5, 8):
        u, v = c.from_spherical_code(c.greedy_code(d - 1, alpha, n_candidates=3000, seed=d), relative_bias=bias)
        found = separation(u, v)
        assert found.margin >= margin - 1e-12 and math.isclose(found.relative_bias, bias, abs_tol=1e-12)
        assert len(u) >= 2 * (1 - alpha**2) ** (-(d - 2) / 2)


def separated(u, v):
    found = separation(u, v)
    return found.margin, found.relative_bias


def midpoint_slack(u, v):
    """``alpha`` at the measured margin and relative bias less the largest cosine of two midpoints."""
    m, b = separated(u, v)
    return (1 + b - 3 * m) / (1 + b + m) - c.max_inner_product(c.midpoints(u, v))


@settings(max_examples=200, deadline=None)
@given(seed=seeds, n=st.integers(2, 12), d=st.integers(2, 6), noise=st.floats(0, 3))
def test_midpoints_are_a_spherical_code_whatever_the_sign_of_the_margin(seed, n, d, noise):
    u = random_points(n, d, seed=seed)
    v = normalize(u + noise * random_points(n, d, seed=seed, stream=1))
    m, b = separated(u, v)
    if 1 + b + m > 1e-3 and (u + v).norm(dim=-1).min() > 1e-6:
        assert midpoint_slack(u, v) >= -1e-9


@pytest.mark.parametrize("seed", range(6))
def test_no_descent_breaks_the_midpoint_theorem(seed):
    """Adversarial search: gradient descent on the slack itself ends at 0, not below."""
    n, d = 4 + seed, 3 + seed % 2
    points = torch.stack([random_points(n, d, seed=seed, stream=s) for s in (0, 1)])
    points[1] += 2 * (seed % 3) * points[0]
    points.requires_grad_(True)
    optimiser = torch.optim.Adam([points], lr=0.02)
    eye = torch.eye(n, dtype=torch.bool)
    slacks = []
    for _ in range(400):
        u, v = points / points.norm(dim=-1, keepdim=True)
        s = u @ v.T
        low, high = s.diagonal().min(), s.masked_fill(eye, -2).max()
        middle = (u + v) / (u + v).norm(dim=-1, keepdim=True)
        cosine = (middle @ middle.T).masked_fill(eye, -2).max()
        slack = 2 * (1 + high) / (1 + low) - 1 - cosine
        if 1 + low > 1e-2:
            slacks.append(slack.item())
        optimiser.zero_grad()
        (slack * slack + slack - 0.05 * low).backward()
        optimiser.step()
    assert min(slacks) >= -1e-9 and min(slacks) < slacks[0]


@settings(max_examples=60, deadline=None)
@given(seed=seeds, b=st.floats(-0.9, 0.9), n=st.integers(2, 9), d=st.integers(2, 5))
def test_the_lifted_code_is_tight_in_the_midpoint_theorem(seed, b, n, d):
    x = random_points(n, d, seed=seed)
    u, v = c.from_spherical_code(x, relative_bias=b)
    if b <= (1 + c.max_inner_product(x)) / 2:
        assert abs(midpoint_slack(u, v)) < 1e-9
    assert (c.midpoints(u, v)[:, :d] - x).abs().max() < 1e-9 or b > 0


def test_lift_works_on_batches():
    u = torch.stack([random_points(5, 3, seed=s) for s in range(4)])
    v = torch.stack([random_points(5, 3, seed=s, stream=1) for s in range(4)])
    lifted = c.lift(u, v, delta=0.5, phi=0.2)
    one = c.lift(u[2], v[2], delta=0.5, phi=0.2)
    assert lifted[0].shape == (4, 5, 5)
    assert torch.equal(lifted[1][2], one[1])


@settings(max_examples=40, deadline=None)
@given(seed=seeds, k=st.integers(2, 7), delta=units)
def test_construction_2_gives_the_same_constellation_to_every_pair_of_modalities(seed, k, delta):
    x = random_points(5, 3, seed=seed)
    modalities = c.simplex_modalities(x, n_modalities=k, delta=delta)
    alpha, lift = c.max_inner_product(x), (1 - delta**2) / (k - 1)
    assert modalities.shape == (k, 5, 3 + k - 1)
    for a in range(k):
        for b in range(a):
            found = separation(modalities[a], modalities[b])
            assert math.isclose(found.matching, delta**2 - lift, abs_tol=1e-12)
            assert math.isclose(found.non_matching, alpha * delta**2 - lift, abs_tol=1e-12)


@settings(max_examples=80, deadline=None)
@given(seed=seeds, p=st.floats(-1, 1), share=st.floats(-1, 1))
def test_compose_realises_every_combination(seed, p, share):
    q = share * (1 - abs(p))
    x, y = random_points(7, 3, seed=seed), random_points(7, 2, seed=seed, stream=1)
    u, v = c.compose(x, y, p=p, q=q)
    assert (inner_products(u, v) - p * (x @ x.T) - q * (y @ y.T)).abs().max() < 1e-12


@pytest.mark.parametrize("n", [4, 6, 8, 14, 30, 100])
@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_antiprism_margin_and_when_it_wins(n, share):
    c1 = math.cos(2 * math.pi / n)
    b = share / (3 - 2 * c1)
    found = separation(*c.antiprism(n, relative_bias=b))
    assert math.isclose(found.margin, 2 * b * (1 - c1), abs_tol=1e-12)
    assert math.isclose(found.relative_bias, b, abs_tol=1e-12)
    polygon = bounds.code_margin(c.max_inner_product(c.regular_polygon(n)), b)
    if abs(b - 1 / (5 + 2 * c1)) > 1e-9:
        assert (found.margin > polygon) == (b > 1 / (5 + 2 * c1))


@pytest.mark.parametrize("delta", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("n", [2, 5, 40])
def test_double_constant_embedding(n, delta):
    s = inner_products(*c.double_constant_embedding(n, delta=delta))
    off = s[~torch.eye(n, dtype=torch.bool)]
    assert (s.diagonal() - (2 * delta**2 - 1)).abs().max() < 1e-13
    assert (off - (delta**2 * (n - 2) / (n - 1) - 1)).abs().max() < 1e-13


@settings(max_examples=40, deadline=None)
@given(seed=seeds, delta=units, t=st.floats(0.1, 50), b=biases)
def test_adapters_change_only_temperature_and_bias(seed, delta, t, b):
    u, v = random_points(4, 3, seed=seed), random_points(4, 3, seed=seed, stream=1)
    logits = t * (inner_products(c.adapt_locked(u, delta=delta), c.adapt_trained(v, delta=delta)) - b)
    moved = t * delta**2 * (inner_products(u, v) - (b + 1 - delta**2) / delta**2)
    assert (logits - moved).abs().max() < 1e-11 * max(t, 1)


def test_adapters_keep_the_dtype_and_the_gradient():
    x = random_points(3, 2, seed=0).float().requires_grad_(True)
    out = c.adapt_locked(x, delta=0.5)
    out[:, :2].sum().backward()
    assert out.dtype == torch.float32 and torch.equal(x.grad, torch.full_like(x, 0.5))


@pytest.mark.parametrize("dim", [3, 4, 7, 20])
@pytest.mark.parametrize("n_wedge", [3, 10, 100])
def test_tight_family_satisfies_the_sign_condition(dim, n_wedge):
    u, v = c.tight_modality_gap(dim, n_wedge=n_wedge)
    found = separation(u, v)
    assert u.shape == (n_wedge + dim - 1, dim)
    assert found.matching > 0 > found.non_matching
    assert torch.equal(u[n_wedge:], v[n_wedge:])
    assert (u[:n_wedge, -1] > 0).all() and (v[:n_wedge, -1] < 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: c.simplex(1), "n must be an integer of at least 2, got 1"),
        (lambda: c.cross_polytope(0), "dim must be an integer of at least 1"),
        (lambda: c.from_spherical_code(c.simplex(3), relative_bias=1.0), "relative_bias"),
        (lambda: c.from_spherical_code([[1.0, 0.0]], relative_bias=0.0), "N >= 2"),
        (lambda: c.from_spherical_code([[1.0, 0.0], [1.0, 0.0]], relative_bias=0.0), "distinct"),
        (lambda: c.from_spherical_code([[1.0, 0.0], [0.0, 2.0]], relative_bias=0.0), "norm 1"),
        (lambda: c.lift(c.simplex(3), c.simplex(3), delta=0.8, phi=0.7), r"phi.*at most 0.6"),
        (lambda: c.lift(c.simplex(3), c.simplex(3), delta=0.0, phi=0.0), "delta must be in"),
        (lambda: c.simplex_modalities(c.simplex(3), n_modalities=1, delta=0.5), "n_modalities"),
        (lambda: c.simplex_modalities(c.simplex(3), n_modalities=2, delta=1.5), "delta must be in"),
        (lambda: c.compose(c.simplex(3), c.simplex(4), p=0.1, q=0.1), "same number"),
        (lambda: c.compose(c.simplex(3), c.simplex(3), p=0.9, q=-0.2), r"\|p\| \+ \|q\|"),
        (lambda: c.antiprism(5, relative_bias=0.1), "even"),
        (lambda: c.antiprism(6, relative_bias=0.51), r"\(0, 0.5\]"),
        (lambda: c.double_constant_embedding(1, delta=0.5), "n_pairs"),
        (lambda: c.double_constant_embedding(3, delta=-0.5), "delta"),
        (lambda: c.adapt_locked(c.simplex(3), delta=0.0), "delta"),
        (lambda: c.adapt_trained([[2.0, 0.0]], delta=0.5), "norm 1"),
        (lambda: c.tight_modality_gap(2, n_wedge=5), "dim must be an integer of at least 3"),
        (lambda: c.tight_modality_gap(3, n_wedge=2), "n_wedge"),
        (lambda: c.greedy_code(1, 0.5, n_candidates=10, seed=0), "dim"),
        (lambda: c.greedy_code(3, 1.5, n_candidates=10, seed=0), "max_inner_product"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(seeds, st.integers(1, 6), st.integers(2, 7), st.integers(2, 9))
@settings(max_examples=100, deadline=None)
def test_one_more_dimension_turns_a_threshold_per_row_into_one_for_all(seed, dim, n_rows, n_columns):
    shape = np.random.default_rng(seed)
    u, v = (normalize(shape.standard_normal((40, n, dim))) for n in (n_rows, n_columns))
    s = u @ v.mT
    # Any relation is separated by some thresholds: cut each row between two of its products.
    products = s.sort(dim=-1).values
    cut = torch.as_tensor(shape.integers(1, n_columns, (40, n_rows, 1)))
    below, above = products.gather(-1, cut - 1), products.gather(-1, cut)
    thresholds, half = (above + below)[..., 0] / 2, (above - below)[..., 0].amin(-1) / 2
    lifted_u, lifted_v = constructions.one_threshold(u, v, thresholds)
    for side in (lifted_u, lifted_v):
        assert side.shape[-1] == dim + 1 and (side.norm(dim=-1) - 1).abs().max() < 1e-12
    signed = torch.where(s >= above, 1.0, -1.0) * (lifted_u @ lifted_v.mT)
    largest = thresholds.abs().amax(-1)
    assert (signed.amin((-2, -1)) - half / (1 + largest)).min() >= -1e-12
    assert (half / (1 + largest) - half / (2 - half)).min() >= -1e-12


def test_one_threshold_of_pairs_is_a_constellation_and_the_bound_is_attained():
    u, v = rows.info_nce_only_example()
    s = inner_products(u, v)
    rivals = (s - 9 * torch.eye(3)).amax(-1)
    lifted = separation(*constructions.one_threshold(u, v, (s.diagonal() + rivals) / 2))
    gap = 1 - math.sqrt(0.5)
    assert lifted.margin == pytest.approx(gap / 2 / (1 + (1 + math.sqrt(0.5)) / 2), abs=1e-12)
    same = constructions.one_threshold(u, v, [0.0, 0.0, 0.0])
    assert torch.equal(same[0][:, :2], u) and torch.equal(same[1][:, 2], torch.zeros(3, dtype=torch.float64))


@pytest.mark.parametrize("thresholds, message", [([0.0], "shape"), ([0.0, math.nan, 0.0], "finite")])
def test_one_threshold_refuses_what_is_no_threshold_per_row(thresholds, message):
    with pytest.raises(ValueError, match=message):
        constructions.one_threshold(*rows.info_nce_only_example(), thresholds)
