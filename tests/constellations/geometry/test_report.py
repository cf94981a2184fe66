"""The report on large embedding sets: against brute force, as a command, with bad input, and with every file format."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import bounds, constructions, geometry, losses, sphere
from constellations.geometry.distribution import loss_at_best_bias, means, nearest_others, non_matching_histogram
from constellations.geometry.large import hardest
from constellations.geometry.matches import matches
from constellations.geometry.report import measure


def labelled(n_images: int, n_texts: int, dim: int, seed: int, *, signal: float = 1.0):
    """Images that lean towards their texts, in float64."""
    texts = sphere.random_points(n_texts, dim, seed=seed)
    labels = torch.from_numpy(np.random.default_rng(seed).integers(0, n_texts, n_images))
    images = sphere.normalize(signal * texts[labels] + sphere.random_points(n_images, dim, seed=seed, stream=1))
    return images, texts, labels


def brute(images, texts, labels):
    """Matching [M] and the [M, N-1] non-matching products."""
    s = images.double() @ texts.double().T
    own = torch.zeros_like(s, dtype=torch.bool)
    own[torch.arange(len(images)), labels] = True
    return s[own], s[~own].reshape(len(images), -1)


RELEVANCE = ("rows", "matrix", "groups")


def scene(kind, m, n, dim, seed, signal):
    """Float32 images and texts with labels of one kind and the mask that they mean, not all true or false."""
    images, texts, rows = labelled(m, n, dim, seed, signal=signal)
    rng = np.random.default_rng(seed)
    if kind == "rows":
        labels, mask = (rows, torch.arange(n)), rows[:, None] == torch.arange(n)
    elif kind == "matrix":
        mask = torch.from_numpy(rng.random((m, n)) < 0.3)
        mask[0, 0], mask[0, 1] = True, False
        labels = mask
    else:
        labels = np.r_[0, rng.integers(0, 4, m - 1)], np.r_[0, 5, rng.integers(0, 4, n - 2)]
        mask = torch.from_numpy(labels[0][:, None] == labels[1])
    return images.float(), texts.float(), labels, mask


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(RELEVANCE), st.integers(2, 60), st.integers(2, 40), st.integers(2, 40), st.integers(0, 10**6),
    st.floats(0, 3), st.booleans(),
)  # fmt: skip
def test_hardest_equals_brute_force_with_and_without_screen(kind, m, n, dim, seed, signal, screen):
    images, texts, labels, mask = scene(kind, m, n, dim, seed, signal)
    s = images.double() @ texts.double().T
    found = hardest(images, texts, matches(labels, m, n), most=5, screen=screen)
    largest = s[~mask].sort(descending=True).values[:5]
    np.testing.assert_allclose(found.largest, largest, atol=1e-12)
    assert not mask[found.pairs[:, 0], found.pairs[:, 1]].any()
    np.testing.assert_allclose(s[found.pairs[:, 0], found.pairs[:, 1]], largest, atol=1e-12)
    np.testing.assert_allclose(found.matching.sort().values, s[mask].sort().values, atol=1e-12)
    for who, axis in ((found.found_rows, 1), (found.found_columns, 0)):
        own, others = s.masked_fill(~mask, -2).amax(axis), s.masked_fill(mask, -2).amax(axis)
        clear = (own - others).abs() > 1e-5
        assert (who == (own > others) & (own > -2))[clear].all()


@pytest.mark.parametrize("screen", [True, False])
@pytest.mark.parametrize("signal", [0.0, 0.3, 4.0])
def test_hardest_over_many_blocks(screen, signal):
    """More than one block of rows and of columns; few, some and all images are found."""
    texts = sphere.random_points(9000, 16, seed=0).float()
    images = sphere.normalize(signal * texts[:1500] + sphere.random_points(1500, 16, seed=1).float())
    own = torch.arange(1500)
    found = hardest(images, texts, matches((own, torch.arange(9000)), 1500, 9000), most=7, screen=screen)
    s = images.double() @ texts.double().T
    mine = s[own, own].clone()
    s[own, own] = -2
    np.testing.assert_allclose(found.largest, s.flatten().topk(7).values, atol=1e-12)
    for who, others, mine_here in (
        (found.found_rows, s.amax(1), mine),
        (found.found_columns, s.amax(0), torch.cat([mine, torch.full((7500,), -2.0)])),
    ):
        clear = (mine_here - others).abs() > 1e-5
        assert (who == (mine_here > others))[clear].all()


@pytest.mark.parametrize("screen", [True, False])
def test_hardest_with_ties_and_collapse(screen):
    """All products equal 1: nobody is found, the maximum is 1, and no matching pair is taken for another."""
    points = torch.ones(600, 16) / 4
    found = hardest(points, points, matches(None, 600, 600), most=3, screen=screen)
    assert (found.largest == 1).all() and not found.found_rows.any() and not found.found_columns.any()
    assert (found.pairs[:, 0] != found.pairs[:, 1]).all()


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(RELEVANCE), st.integers(2, 30), st.integers(2, 20), st.integers(0, 10**6))
def test_the_report_on_labels_of_every_kind_equals_brute_force(kind, m, n, seed):
    images, texts, labels, mask = scene(kind, m, n, 12, seed, 1.0)
    images, texts = sphere.normalize(images.double()), sphere.normalize(texts.double())
    s, t = images @ texts.T, 9.0
    found = measure(images, texts, labels=labels, inverse_temperature=t)
    exact = geometry.separation(images, texts, labels=labels)
    assert found.extreme.margin == pytest.approx(exact.margin, abs=1e-12)
    assert found.extreme.relative_bias == pytest.approx(exact.relative_bias, abs=1e-12)
    assert found.mean.matching == pytest.approx(s[mask].mean().item(), abs=1e-12)
    assert found.mean.non_matching == pytest.approx(s[~mask].mean().item(), abs=1e-12)
    own, others = s.masked_fill(~mask, -2), s.masked_fill(mask, -2)
    for share, axis in ((found.retrieval_accuracy, 1), (found.text_retrieval_accuracy, 0)):
        right = (own.amax(axis) > others.amax(axis))[mask.any(axis)]
        assert share == pytest.approx(right.double().mean().item())
    i, j = mask.nonzero(as_tuple=True)
    x = images[i] - texts[j]
    assert found.xi == pytest.approx((x - x.mean(0)).square().sum(1).mean().item(), abs=1e-12)
    assert found.loss.infimum == pytest.approx(losses_of(s[mask], s[~mask], t, found.loss.bias), rel=1e-3)
    assert found.loss.lower <= found.loss.infimum * 1.001 and found.loss.infimum <= found.loss.upper * 1.001


def test_what_the_modality_gap_of_the_report_means():
    """Relative modality gap and centroids against sums over all pairs of points."""
    images, texts, _ = labelled(30, 30, 6, 3)
    found = measure(images, texts)
    off = ~torch.eye(30, dtype=torch.bool)
    within = [(1 - x @ x.T)[off].mean().item() for x in (images, texts)]
    across = (1 - (images * texts).sum(1)).mean().item()
    assert found.relative_modality_gap == pytest.approx(across / (sum(within) / 2 + across), abs=1e-12)
    assert found.distance_of_means == pytest.approx((images.mean(0) - texts.mean(0)).norm().item(), abs=1e-12)
    assert found.allowed_margin == pytest.approx(bounds.margin_bracket(30, 6, found.extreme.relative_bias))


def test_report_agrees_with_geometry():
    u = sphere.random_points(80, 12, seed=3)
    v = sphere.normalize(u + 0.4 * sphere.random_points(80, 12, seed=4))
    found, exact = measure(u, v), geometry.separation(u, v)
    assert found.extreme.margin == pytest.approx(exact.margin, abs=1e-12)
    assert found.extreme.relative_bias == pytest.approx(exact.relative_bias, abs=1e-12)
    assert found.extreme.matching_index == exact.matching_index
    assert found.extreme.non_matching_index == exact.non_matching_index
    assert (found.mean.margin, found.mean.relative_bias) == pytest.approx(geometry.mean_margin(u, v), abs=1e-12)
    matching, others = geometry.matching_and_non_matching(u, v)
    assert found.trimmed.matching == pytest.approx(np.quantile(matching, 0.05), abs=1e-12)
    assert found.trimmed.non_matching == pytest.approx(np.quantile(others, 0.95), abs=2e-4)
    shift = geometry.linear_representation_gap(u, v)
    assert found.xi == pytest.approx(shift.xi, abs=1e-12)
    assert found.mean_of_norms - found.norm_of_mean == pytest.approx(found.xi, abs=1e-12)
    assert found.retrieval_accuracy == geometry.nearest_neighbour_accuracy(u, v)
    assert found.text_retrieval_accuracy == geometry.nearest_neighbour_accuracy(v, u)
    assert found.unmatched_mean_of_norms == pytest.approx((2 - 2 * (u @ v.T)).mean().item(), abs=1e-12)


@pytest.mark.parametrize("signal", [0.0, 3.0])
def test_many_images_per_text(signal):
    images, texts, labels = labelled(500, 30, 24, 1, signal=signal)
    matching, others = brute(images, texts, labels)
    found = measure(images, texts, labels=(labels, torch.arange(30)), inverse_temperature=20.0)
    assert found.mean.matching == pytest.approx(matching.mean().item(), abs=1e-12)
    assert found.mean.non_matching == pytest.approx(others.mean().item(), abs=1e-12)
    assert found.retrieval_accuracy == (matching > others.max(1).values).double().mean().item()
    x = images - texts[labels]
    assert found.xi == pytest.approx((x - x.mean(0)).square().sum(1).mean().item(), abs=1e-12)
    t, bias = 20.0, found.loss.bias
    total = losses_of(matching, others, t, bias)
    assert found.loss.infimum == pytest.approx(total, rel=1e-3)
    nearby = [losses_of(matching, others, t, bias + step) for step in (-0.2, 0.2)]
    assert min(nearby) > total
    assert found.loss.lower <= total <= found.loss.upper


def losses_of(matching, others, t, bias):
    softplus = torch.nn.functional.softplus
    return (softplus(bias - t * matching).sum() + softplus(t * others - bias).sum()).item()


def test_loss_agrees_with_the_loss_module_and_certifies():
    u = sphere.random_points(40, 64, seed=0)
    found = measure(u, u, inverse_temperature=30.0)
    exact = losses.optimal_bias(u, u, inverse_temperature=30.0)
    assert found.loss.infimum == pytest.approx(exact.loss, rel=1e-3)
    assert found.loss.bias == pytest.approx(exact.bias, abs=2e-3)
    assert found.loss.certified_margin <= found.extreme.margin


def test_brackets_and_guarantee():
    found = measure(torch.eye(6), torch.eye(6))
    assert found.required_dimension == bounds.required_dimension(6, 0.5, 0.5)
    assert found.required_dimension[0] <= 6 and not found.modality_gap_guaranteed
    assert measure(torch.eye(4), -torch.eye(4)).required_dimension is None


def test_a_modality_gap_is_guaranteed_from_d_plus_two_pairs_on():
    """Theorem 3.6: ``m > |b_rel|`` and ``N >= d + 2``."""
    for n_wedge in (3, 6):
        assert measure(*constructions.tight_modality_gap(3, n_wedge=n_wedge)).modality_gap_guaranteed
    simplex = constructions.simplex(4)
    found = measure(simplex, simplex)
    assert found.extreme.margin > found.extreme.relative_bias > 0 and not found.modality_gap_guaranteed


def test_sampled_histogram_is_close_and_reproducible():
    images, texts, labels = labelled(4000, 50, 16, 2)
    pairs = matches((labels, torch.arange(50)), 4000, 50)
    full = non_matching_histogram(images, texts, pairs)
    sampled = non_matching_histogram(images, texts, pairs, most=50_000, seed=5)
    again = non_matching_histogram(images, texts, pairs, most=50_000, seed=5)
    assert full.exact and full.counts.sum() == 4000 * 49
    assert sampled.n_images == 1000 and not sampled.exact and (sampled.counts == again.counts).all()
    assert sampled.quantile(0.95) == pytest.approx(full.quantile(0.95), abs=0.02)
    one, other = (loss_at_best_bias(np.full(4000, 0.5), h, inverse_temperature=5.0)[0] for h in (full, sampled))
    assert one == pytest.approx(other, rel=0.05)


def test_histogram_counts_products_of_plus_and_minus_one():
    texts = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    found = non_matching_histogram(texts, texts, matches(None, 3, 3))
    assert found.counts.sum() == 6 and found.counts[-1] == 2 and found.counts[0] == 4


def test_means_and_nearest_others():
    images, texts, labels = labelled(90, 20, 8, 7)
    _, others = brute(images, texts, labels)
    pairs = matches((labels, torch.arange(20)), 90, 20)
    found = means(images, texts, pairs)
    assert found.mean.non_matching == pytest.approx(others.mean().item(), abs=1e-12)
    index, value = nearest_others(images, texts, pairs)
    assert (index != labels).all()
    np.testing.assert_allclose(value, others.max(1).values, atol=1e-6)
    np.testing.assert_allclose((images * texts[index]).sum(1), value, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inverse_temperature": 0.0}, "inverse_temperature"),
        ({"sampled_products": 0}, "sampled_products"),
        ({"labels": torch.tensor([0, 1])}, "group ids"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        measure(torch.eye(3), torch.eye(3), **options)


def test_no_matrix_is_made():
    """Nothing that the report allocates is larger than a block of 512 x 8,192 products, whatever the number of pairs."""
    points = sphere.random_points(9000, 4, seed=0).float()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as watched:
        measure(points, points, sampled_products=10**6)
    largest = max(event.self_cpu_memory_usage for event in watched.events())
    assert 512 * 8192 * 4 <= largest <= 512 * 8192 * 8


def test_counts_that_differ_need_labels():
    with pytest.raises(ValueError, match="one per text, the row of its image"):
        measure(torch.eye(3), torch.eye(3)[:2])
