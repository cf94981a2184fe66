"""The mathematical claims of the chapters on locked encoders, many modalities and large temperatures."""

import math
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import bounds, constructions, geometry, losses, sphere

seeds = st.integers(0, 10_000)


def pair(n_pairs: int, dim: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(sphere.random_points(n_pairs, dim, seed=seed, stream=stream) for stream in (0, 1))


@settings(max_examples=60, deadline=None)
@given(
    seed=seeds,
    n_pairs=st.integers(2, 12),
    dim=st.integers(2, 8),
    t=st.floats(0.05, 50.0),
    relative_bias=st.floats(-2.0, 2.0),
    delta=st.floats(0.2, 1.0),
)
def test_observation_1_is_an_identity(seed, n_pairs, dim, t, relative_bias, delta):
    u, v = pair(n_pairs, dim, seed)
    explicit = losses.sigmoid_loss(
        constructions.adapt_locked(u, delta=delta),
        constructions.adapt_trained(v, delta=delta),
        inverse_temperature=t,
        relative_bias=relative_bias,
    )
    implicit = losses.sigmoid_loss(
        u, v, inverse_temperature=t * delta**2, relative_bias=(relative_bias + 1 - delta**2) / delta**2
    )
    assert explicit.item() == pytest.approx(implicit.item(), rel=1e-12, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, delta=st.floats(0.2, 1.0))
def test_an_adapter_moves_margin_and_relative_bias_affinely(seed, delta):
    u, v = pair(9, 4, seed)
    before = geometry.separation(u, v)
    after = geometry.separation(constructions.adapt_locked(u, delta=delta), constructions.adapt_trained(v, delta=delta))
    assert after.margin == pytest.approx(delta**2 * before.margin, abs=1e-12)
    assert after.relative_bias == pytest.approx(delta**2 * before.relative_bias - (1 - delta**2), abs=1e-12)


def code(n_pairs: int, dim: int, seed: int) -> tuple[torch.Tensor, float]:
    x = sphere.random_points(n_pairs, dim, seed=seed)
    return x, constructions.max_inner_product(x)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, k=st.integers(2, 9), n_pairs=st.integers(2, 9), dim=st.integers(2, 6), delta=st.floats(0.1, 1.0))
def test_construction_2_separates_every_edge_alike(seed, k, n_pairs, dim, delta):
    x, alpha = code(n_pairs, dim, seed)
    points = constructions.simplex_modalities(x, n_modalities=k, delta=delta)
    assert points.shape[:2] == (k, n_pairs)
    for a, c in combinations(range(k), 2):
        s = geometry.separation(points[a], points[c])
        assert s.margin == pytest.approx(delta**2 * (1 - alpha) / 2, abs=1e-12)
        shift = (1 - delta**2) / (k - 1)
        assert s.relative_bias == pytest.approx(delta**2 * (1 + alpha) / 2 - shift, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, k=st.integers(2, 6), t=st.floats(1.0, 300.0), edge_bits=st.integers(1, 2**15 - 1))
def test_construction_2_has_zero_loss_on_every_graph(seed, k, t, edge_bits):
    """The summed loss of any graph is below its number of edges times N^2 log(1 + exp(-t m))."""
    x, alpha = code(6, 4, seed)
    points = constructions.simplex_modalities(x, n_modalities=k, delta=0.9)
    edges = [e for bit, e in enumerate(combinations(range(k), 2)) if edge_bits >> bit & 1] or [(0, 1)]
    margin = 0.81 * (1 - alpha) / 2
    relative_bias = 0.81 * (1 + alpha) / 2 - 0.19 / (k - 1)
    total = sum(
        losses.sigmoid_loss(points[a], points[c], inverse_temperature=t, relative_bias=relative_bias).item()
        for a, c in edges
    )
    assert 0 < total <= len(edges) * 36 * math.log1p(math.exp(-t * margin)) * (1 + 1e-9)


def slack_of_averages(points: torch.Tensor) -> tuple[float, float]:
    """Left and right side of the identity behind the k-modality bound, at the averages over all pairs."""
    k, n, _ = points.shape
    s = torch.einsum("aid,cjd->acij", points, points)
    across = ~torch.eye(k, dtype=torch.bool)
    diagonal = s.diagonal(dim1=-2, dim2=-1)[across]
    matching = diagonal.mean()
    non_matching = (s[across].sum() - diagonal.sum()) / (k * (k - 1) * n * (n - 1))
    m, b = (matching - non_matching) / 2, (matching + non_matching) / 2
    left = k * (k - 1) * n * (1 + (k - 1) * b - (k + 1 - 2 * k / n) * m)
    sums = points.sum(1)
    spread = sum(
        (points[a] - points[c]).square().sum() - (sums[a] - sums[c]).square().sum() / n
        for a, c in combinations(range(k), 2)
    )
    return left.item(), (spread + (k - 1) / n * sums.sum(0).square().sum()).item()


@settings(max_examples=60, deadline=None)
@given(seed=seeds, k=st.integers(2, 7), n_pairs=st.integers(2, 12), dim=st.integers(2, 6))
def test_the_k_modality_bound_rests_on_an_identity(seed, k, n_pairs, dim):
    points = torch.stack([sphere.random_points(n_pairs, dim, seed=seed, stream=a) for a in range(k)])
    left, right = slack_of_averages(points)
    assert left == pytest.approx(right, abs=1e-9)
    assert right >= 0


@settings(max_examples=60, deadline=None)
@given(seed=seeds, k=st.integers(2, 6), extra=st.integers(0, 8), dim=st.integers(2, 6), noise=st.floats(0, 1))
def test_no_k_modality_configuration_beats_the_bound(seed, k, extra, dim, noise):
    n_pairs = k + extra
    x = sphere.random_points(n_pairs, dim, seed=seed, stream=99)
    points = torch.stack(
        [sphere.normalize(x + noise * sphere.random_points(n_pairs, dim, seed=seed, stream=a)) for a in range(k)]
    )
    edges = [geometry.separation(points[a], points[c]) for a, c in combinations(range(k), 2)]
    low, high = min(e.matching for e in edges), max(e.non_matching for e in edges)
    m, b = (low - high) / 2, (low + high) / 2
    assert (k + 1 - 2 * k / n_pairs) * m <= 1 + (k - 1) * b + 1e-9
    assert m <= bounds.margin_upper_bound(b, n_pairs=n_pairs, n_modalities=k) + 1e-9


@pytest.mark.parametrize("k", [2, 3, 4, 8, 14, 20])
@pytest.mark.parametrize("delta", [0.3, 0.7, 1.0])
def test_a_simplex_attains_the_k_modality_bound(k, delta):
    n_pairs = 24
    x = sphere.normalize(torch.eye(n_pairs, dtype=torch.float64) - 1 / n_pairs)
    s = geometry.separation(*constructions.simplex_modalities(x, n_modalities=k, delta=delta)[:2])
    assert (k + 1 - 2 * k / n_pairs) * s.margin == pytest.approx(1 + (k - 1) * s.relative_bias, abs=1e-12)


def test_a_star_may_exceed_the_bound_of_the_complete_graph():
    """All leaves may coincide: the star's edges then reach the two-modality bound."""
    k, n_pairs = 6, 20
    x = sphere.normalize(torch.eye(n_pairs, dtype=torch.float64) - 1 / n_pairs)
    hub, leaf = constructions.simplex_modalities(x, n_modalities=2, delta=0.7)
    s = geometry.separation(hub, leaf)
    assert (3 - 4 / n_pairs) * s.margin == pytest.approx(1 + s.relative_bias, abs=1e-12)
    assert (k + 1 - 2 * k / n_pairs) * s.margin > 1 + (k - 1) * s.relative_bias
