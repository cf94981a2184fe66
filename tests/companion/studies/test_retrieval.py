"""Retrieval under perturbation and approximate search, against brute force and against the margin's guarantees."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.studies import retrieval
from constellations.geometry import nearest_neighbour_accuracy, separation
from constellations.sphere import normalize, random_points


def constellation(n: int, d: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A lifted spherical code, so that the margin is positive and the two modalities differ."""
    x = random_points(n, d, seed=seed)
    side = torch.full((n, 1), 0.6, dtype=torch.float64)
    return torch.cat([0.8 * x, side], 1), torch.cat([0.8 * x, -side], 1)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(2, 6), st.integers(0, 10_000), st.floats(0, 0.999))
def test_corollary_1_a_displacement_below_the_margin_changes_nothing(n, d, seed, fraction):
    u, v = constellation(n, d, seed)
    margin = separation(u, v).margin
    assert nearest_neighbour_accuracy(u, v) == 1.0
    if margin > 1e-9:
        assert retrieval.recall_under_noise(u, v, radius=fraction * margin, seed=seed, n_draws=3) == 1.0
    assert float(retrieval.breaking_radius(u, v).min()) >= margin - 1e-12


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 8), st.integers(2, 5), st.integers(0, 10_000))
def test_the_breaking_radius_breaks(n, d, seed):
    u, v = constellation(n, d, seed)
    radius = retrieval.breaking_radius(u, v)
    for i in range(n):
        s = u[i] @ v.T
        reach = (s[i] - s) / (v - v[i]).norm(dim=1)
        reach[i] = math.inf
        j = int(reach.argmin())
        assert radius[i].item() == pytest.approx(reach[j].item())
        direction = (v[j] - v[i]) / (v[j] - v[i]).norm()
        for scale, wins in ((1 - 1e-6, True), (1 + 1e-6, False)):
            scores = (u[i] + scale * radius[i] * direction) @ v.T
            assert bool(scores[i] >= scores[j]) is wins


def test_noise_far_beyond_the_margin_hurts_and_repeats():
    u, v = constellation(60, 4, 1)
    far = retrieval.recall_under_noise(u, v, radius=2.0, seed=3, n_draws=4)
    assert far < 0.6
    assert far == retrieval.recall_under_noise(u, v, radius=2.0, seed=3, n_draws=4)
    assert far != retrieval.recall_under_noise(u, v, radius=2.0, seed=4, n_draws=4)


def test_exhaustive_search_agrees_with_the_matrix():
    u = random_points(300, 8, seed=0)
    v = normalize(u + 0.9 * random_points(300, 8, seed=1))
    result = retrieval.search(u, v)
    np.testing.assert_array_equal(result.found, (u @ v.T).argmax(1).numpy())
    assert result.recall == pytest.approx(nearest_neighbour_accuracy(u, v))
    assert result.stored_error == 0.0


@pytest.mark.parametrize(
    ("rough", "fine"),
    [
        (("HNSW2,Flat", "efConstruction=2,efSearch=1"), ("HNSW32,Flat", "efConstruction=128,efSearch=256")),
        (("IVF64,Flat", "nprobe=1"), ("IVF64,Flat", "nprobe=64")),
        (("PQ2x2np", ""), ("PQ16x8np", "")),
    ],
)
def test_a_finer_index_finds_more_and_repeats(rough, fine):
    u = random_points(1000, 16, seed=0)
    v = normalize(u + 0.15 * random_points(1000, 16, seed=1))
    low, high, again = (retrieval.search(u, v, index=i, settings=s) for i, s in (rough, fine, rough))
    assert low.recall < high.recall
    assert high.recall > 0.97
    np.testing.assert_array_equal(low.found, again.found)


def test_quantisation_below_the_margin_cannot_change_the_answer():
    x = torch.eye(16, dtype=torch.float64)
    result = retrieval.search(x, x, index="PQ4x4np")
    assert result.stored_error < separation(x, x).margin
    assert result.recall == 1.0


def test_one_thread_is_used_and_the_setting_restored():
    import faiss

    before = faiss.omp_get_max_threads()
    retrieval.search(torch.eye(4), torch.eye(4))
    assert faiss.omp_get_max_threads() == before


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: retrieval.search(x, x, index="IVF99,Flat"), "suit 8 vectors of dimension 8.*number of clusters"),
        (lambda x: retrieval.search(x, x, index="IVF4,Flat", settings="nprobe=0"), "nprobe=0"),
        (lambda x: retrieval.search(x, x, settings="nprobe=2"), "nprobe=2"),
        (lambda x: retrieval.search(x, x, index="HNSW1,Flat"), "at least 2 links"),
        (lambda x: retrieval.search(x, x, index="PQ3x4"), "multiple of the number of subquantizers"),
        (lambda x: retrieval.search(x, x, index="PQ4x6"), "number of clusters"),
        (lambda x: retrieval.search(x, x, index="nonsense"), "index .*nonsense"),
        (lambda x: retrieval.search(x[None], x[None]), "one configuration"),
        (lambda x: retrieval.search(2 * x, x), "norm"),
        (lambda x: retrieval.recall_under_noise(x, x, radius=-1.0, seed=0), "radius"),
        (lambda x: retrieval.recall_under_noise(x, x, radius=1.0, seed=0, n_draws=0), "n_draws"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.eye(8, dtype=torch.float64))
