"""The identity behind Theorem 3.4 and its consequences."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import constructions as c
from constellations.bounds import margin_upper_bound
from constellations.geometry import linear_representation_gap
from constellations.geometry.budget import margin_budget
from constellations.sphere import random_points


def random_modalities(k, n, d, seed):
    return torch.stack([random_points(n, d, seed=seed, stream=a) for a in range(k)])


@settings(max_examples=100, deadline=None)
@given(
    k=st.integers(2, 6),
    n=st.integers(2, 9),
    d=st.integers(1, 8),
    seed=st.integers(0, 10_000),
    m=st.floats(-2, 2),
    b=st.floats(-2, 2),
)
def test_the_identity_holds_for_all_unit_vectors_and_all_reals(k, n, d, seed, m, b):
    budget = margin_budget(random_modalities(k, n, d, seed), margin=m, relative_bias=b)
    assert abs(budget.residual) < 1e-11
    assert budget.spread >= 0 and budget.centre >= 0


@settings(max_examples=60, deadline=None)
@given(k=st.integers(2, 5), extra=st.integers(0, 6), d=st.integers(2, 6), seed=st.integers(0, 10_000))
def test_every_term_is_nonnegative_at_the_optimal_margin(k, extra, d, seed):
    budget = margin_budget(random_modalities(k, k + extra, d, seed))
    assert min(budget.total, budget.spread, budget.centre, budget.matching, budget.non_matching) > -1e-12


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 9), d=st.integers(1, 6), seed=st.integers(0, 10_000))
def test_two_modalities_give_the_paper_s_xi_and_the_inequality_of_lee_chang_and_sohn(n, d, seed):
    x = random_modalities(2, n, d, seed)
    u, v = x
    budget = margin_budget(x, margin=0.3, relative_bias=-0.1)
    assert math.isclose(2 * budget.spread, linear_representation_gap(u, v).xi, abs_tol=1e-12)
    assert math.isclose(2 * budget.centre, (u + v).mean(0).square().sum().item(), abs_tol=1e-12)
    assert math.isclose(budget.total, 1 - 0.1 - (3 - 4 / n) * 0.3, abs_tol=1e-12)
    s = u @ v.T
    off = (s.sum() - s.trace()) / n**2
    slack = off - ((n - 2) / (2 * n**2) * s.trace() - 0.5)
    assert math.isclose(2 * slack.item(), budget.spread + budget.centre, abs_tol=1e-12)


@pytest.mark.parametrize("k", [2, 3, 6])
@pytest.mark.parametrize("n", [6, 20])
@pytest.mark.parametrize("delta", [0.75, 0.95, 1.0])
def test_simplex_with_construction_2_is_the_equality_case(k, n, delta):
    budget = margin_budget(c.simplex_modalities(c.simplex(n), n_modalities=k, delta=delta))
    for term in (budget.total, budget.spread, budget.centre, budget.matching, budget.non_matching):
        assert abs(term) < 1e-12


@settings(max_examples=40, deadline=None)
@given(n=st.integers(3, 8), delta=st.floats(0.2, 1.0), size=st.floats(1e-3, 0.5), seed=st.integers(0, 10_000))
def test_leaving_the_double_constant_embedding_costs_margin(n, delta, size, seed):
    """The equality case of Theorem 3.4 is isolated up to rotation: any other direction leaves slack."""
    x = torch.stack(c.double_constant_embedding(n, delta=delta))
    moved = x + size * random_modalities(2, n, n, seed)
    moved = moved / moved.norm(dim=-1, keepdim=True)
    assert abs(margin_budget(x).total) < 1e-12 < margin_budget(moved).total


def test_any_code_with_construction_2_has_no_spread_but_another_centre():
    budget = margin_budget(c.simplex_modalities(random_points(7, 3, seed=1), n_modalities=3, delta=0.9))
    assert abs(budget.spread) < 1e-14 and budget.centre > 1e-3


def test_a_batch_agrees_with_its_members():
    batch = torch.stack([random_modalities(3, 5, 4, seed) for seed in range(4)])
    together = margin_budget(batch)
    alone = margin_budget(batch[2])
    assert together.total.shape == (4,)
    assert together.total[2].item() == alone.total and together.centre[2].item() == alone.centre


def test_float32_points_are_measured_in_float64():
    x = random_modalities(2, 30, 5, 0)
    assert math.isclose(margin_budget(x.float()).total, margin_budget(x).total, abs_tol=1e-6)
    assert abs(margin_budget(x.float()).residual) < 1e-6


def test_the_limit_over_k_modalities():
    assert margin_upper_bound(0.5, n_modalities=2) == 0.5
    assert margin_upper_bound(0.9, n_modalities=5) == pytest.approx(0.1)
    assert margin_upper_bound(-0.9, n_modalities=5) == 0.0
    assert margin_upper_bound(0.0, n_modalities=3, n_pairs=3) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: margin_budget(torch.eye(3)), r"shape \[..., k, N, d\]"),
        (lambda: margin_budget(torch.eye(3).expand(1, 3, 3)), "k, N >= 2"),
        (lambda: margin_budget(2 * torch.eye(3).expand(2, 3, 3)), "norm 1"),
        (lambda: margin_budget(torch.eye(3).expand(2, 3, 3), margin=0.1), "both margin and relative_bias"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
