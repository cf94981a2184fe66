"""Margins, relative biases, constellations, retrieval and linear shifts against brute force."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from constellations import geometry
from constellations.sphere import normalize, random_points

SIZES = st.tuples(st.integers(2, 12), st.integers(1, 6), st.integers(0, 10_000))


def pairs(size):
    n_pairs, dim, seed = size
    return random_points(n_pairs, dim, seed=seed), random_points(n_pairs, dim, seed=seed, stream=1)


def brute_force(u, v):
    u, v = u.numpy(), v.numpy()
    matching = [float(u[i] @ v[i]) for i in range(len(u))]
    non_matching = {(i, j): float(u[i] @ v[j]) for i in range(len(u)) for j in range(len(u)) if i != j}
    return matching, non_matching


@given(SIZES)
def test_separation_is_the_brute_force_one_with_its_witnesses(size):
    u, v = pairs(size)
    matching, non_matching = brute_force(u, v)
    s = geometry.separation(u, v)
    assert s.matching == pytest.approx(min(matching), abs=1e-14)
    assert s.non_matching == pytest.approx(max(non_matching.values()), abs=1e-14)
    (i, j) = s.matching_index
    assert i == j and matching[i] == pytest.approx(s.matching, abs=1e-14)
    assert non_matching[s.non_matching_index] == pytest.approx(s.non_matching, abs=1e-14)
    assert s.gap == pytest.approx(2 * s.margin, abs=1e-15)
    assert s.relative_bias + s.margin == pytest.approx(s.matching, abs=1e-14)


@given(SIZES)
def test_separation_does_not_change_under_rotation_permutation_and_exchange(size):
    u, v = pairs(size)
    rng = np.random.default_rng(size[2])
    rotation = torch.from_numpy(np.linalg.qr(rng.standard_normal((size[1], size[1])))[0])
    order = torch.from_numpy(rng.permutation(size[0]))
    s = geometry.separation(u, v)
    for other in (geometry.separation((u @ rotation)[order], (v @ rotation)[order]), geometry.separation(v, u)):
        assert other.margin == pytest.approx(s.margin, abs=1e-13)
        assert other.relative_bias == pytest.approx(s.relative_bias, abs=1e-13)


@given(SIZES)
def test_a_configuration_is_a_constellation_exactly_up_to_its_margin(size):
    u, v = pairs(size)
    s = geometry.separation(u, v)
    margin = max(s.margin, 0.0)
    holds = geometry.is_constellation(u, v, margin=margin, relative_bias=s.relative_bias)
    assert holds == (s.margin >= -1e-9)
    assert not geometry.is_constellation(u, v, margin=margin + 1e-6, relative_bias=s.relative_bias)


def test_a_constellation_keeps_both_inequalities_and_needs_no_slack_where_nothing_is_rounded():
    holds = lambda margin, b: geometry.is_constellation(np.eye(4), np.eye(4), margin=margin, relative_bias=b, atol=0.0)
    assert holds(0.5, 0.5) and holds(0.25, 0.25) and holds(0.25, 0.75) and holds(0.0, 0.0)
    assert not holds(0.5, 0.5 + 1e-6) and not holds(0.5, 0.5 - 1e-6)


def test_batches_agree_with_single_configurations():
    u = torch.stack([random_points(9, 4, seed=k) for k in range(6)]).reshape(2, 3, 9, 4)
    v = torch.stack([random_points(9, 4, seed=k, stream=1) for k in range(6)]).reshape(2, 3, 9, 4)
    s, xi = geometry.separation(u, v), geometry.linear_representation_gap(u, v)
    accuracy = geometry.nearest_neighbour_accuracy(u, v)
    for a in range(2):
        for b in range(3):
            one = geometry.separation(u[a, b], v[a, b])
            assert s.margin[a, b].item() == pytest.approx(one.margin, abs=1e-15)
            assert tuple(s.non_matching_index[a, b].tolist()) == one.non_matching_index
            assert tuple(s.matching_index[a, b].tolist()) == one.matching_index
            assert xi.xi[a, b].item() == pytest.approx(geometry.linear_representation_gap(u[a, b], v[a, b]).xi)
            assert accuracy[a, b].item() == geometry.nearest_neighbour_accuracy(u[a, b], v[a, b])


@given(SIZES)
def test_matching_and_non_matching_partition_the_inner_products(size):
    u, v = pairs(size)
    matching, non_matching = geometry.matching_and_non_matching(u, v)
    expected_matching, expected = brute_force(u, v)
    assert np.allclose(matching, expected_matching, atol=1e-14)
    assert np.allclose(non_matching, list(expected.values()), atol=1e-14)


@given(SIZES)
def test_xi_is_its_definition(size):
    u, v = pairs(size)
    x = (u - v).numpy()
    result = geometry.linear_representation_gap(u, v)
    mean_of_norms, norm_of_mean = (x**2).sum(1).mean(), (x.mean(0) ** 2).sum()
    assert result.xi == pytest.approx(mean_of_norms - norm_of_mean, abs=1e-12)
    assert result.mean_of_norms == pytest.approx(mean_of_norms, abs=1e-12)
    assert result.norm_of_mean == pytest.approx(norm_of_mean, abs=1e-12)
    norms = np.linalg.norm(x, axis=1).mean() - np.linalg.norm(x.mean(0))
    assert result.xi_unsquared == pytest.approx(norms, abs=1e-12)
    assert result.xi >= 0 and result.xi_unsquared >= -1e-12


def test_a_common_shift_has_xi_zero_to_rounding():
    x = random_points(50, 6, seed=0)
    delta = 0.6
    last = torch.full((50, 1), (1 - delta**2) ** 0.5, dtype=torch.float64)
    u, v = torch.cat([delta * x, last], -1), torch.cat([delta * x, -last], -1)
    assert geometry.linear_representation_gap(u, v).xi < 1e-28


@given(SIZES)
def test_retrieval_counts_rows_that_beat_every_rival(size):
    u, v = pairs(size)
    s = (u @ v.T).numpy()
    wins = sum(all(s[i, i] > s[i, j] for j in range(len(s)) if j != i) for i in range(len(s)))
    assert geometry.nearest_neighbour_accuracy(u, v) == wins / len(s)


def test_a_tie_is_a_failure():
    u = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    v = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert geometry.nearest_neighbour_accuracy(u, v) == 0.0


@given(SIZES)
def test_mean_margin_is_the_gap_of_the_means(size):
    matching, non_matching = brute_force(*pairs(size))
    margin, relative_bias = geometry.mean_margin(*pairs(size))
    assert margin == pytest.approx((np.mean(matching) - np.mean(list(non_matching.values()))) / 2, abs=1e-12)
    assert relative_bias + margin == pytest.approx(np.mean(matching), abs=1e-12)


LABELLED = st.tuples(st.integers(2, 9), st.integers(2, 9), st.integers(1, 5), st.integers(0, 10_000))


@given(LABELLED)
def test_labels_of_every_kind_give_the_brute_force_separation(size):
    """Relevance, the row of every partner, group ids: M and N differ."""
    m, n, dim, seed = size
    u, v = random_points(m, dim, seed=seed), random_points(n, dim, seed=seed, stream=1)
    rng = np.random.default_rng(seed)
    relevant, rows = rng.random((m, n)) < 0.4, rng.integers(0, n, m)
    groups = rng.integers(0, 3, m), rng.integers(0, 3, n)
    kinds = [
        (relevant, relevant),
        ((rows, np.arange(n)), rows[:, None] == np.arange(n)),
        (groups, groups[0][:, None] == groups[1]),
    ]
    s = u @ v.T
    for labels, mask in kinds:
        if mask.all() or not mask.any():
            with pytest.raises(ValueError, match="matching and non-matching"):
                geometry.separation(u, v, labels=labels)
            continue
        found = geometry.separation(u, v, labels=labels)
        own, others = s[torch.from_numpy(mask)], s[torch.from_numpy(~mask)]
        assert (found.matching, found.non_matching) == (own.min().item(), others.max().item())
        assert s[found.matching_index] == found.matching and mask[found.matching_index]
        assert s[found.non_matching_index] == found.non_matching and not mask[found.non_matching_index]


def test_the_diagonal_is_the_relevance_matrix_of_matched_pairs():
    u, v = pairs((7, 4, 2))
    assert geometry.separation(u, v, labels=np.eye(7, dtype=bool)) == geometry.separation(u, v)
    assert geometry.separation(u, v, labels=(np.arange(7), np.arange(7))) == geometry.separation(u, v)


@pytest.mark.parametrize("change", [lambda x: x.astype(">f8"), lambda x: x[::-1][::-1], lambda x: x.astype("f2"),
                                    lambda x: np.asfortranarray(x), lambda x: x.astype(np.longdouble)])  # fmt: skip
def test_every_numpy_layout_means_the_same_points(change):
    u, v = (np.eye(4)[k] for k in ([0, 1, 2, 3], [0, 1, 3, 2]))
    assert geometry.separation(change(u), change(v)).margin == geometry.separation(u, v).margin == -0.5
    reversed_view = np.eye(5)[::-1]
    assert geometry.separation(reversed_view, reversed_view).margin == 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u, v: geometry.separation(2 * u, v), "norm 1"),
        (lambda u, v: geometry.separation(u, v[:4]), "same shape"),
        (lambda u, v: geometry.separation(u[:1], v[:1]), "n_pairs"),
        (lambda u, v: geometry.separation(u * float("nan"), v), "finite"),
        (lambda u, v: geometry.is_constellation(u, v, margin=-0.1, relative_bias=0.0), "margin"),
        (lambda u, v: geometry.is_constellation(u, v, margin=0.1, relative_bias=float("nan")), "relative_bias"),
        (lambda u, v: geometry.separation(u, v, labels=[0, 1]), "group ids, 5 of u and 5 of v"),
        (lambda u, v: geometry.separation(u, v, labels=[0, 1, 2, 3, 0.5]), "integer group ids"),
        (lambda u, v: geometry.separation(u, v[:4], labels=np.eye(5, dtype=bool)), r"shape \(5, 4\)"),
        (lambda u, v: geometry.separation(u, v[:4], labels=([1] * 5, [1] * 5)), "5 of u and 4 of v"),
        (lambda u, v: geometry.separation(u, v, labels=[1] * 5), "matching and non-matching"),
    ],
)
def test_bad_input_is_named(call, message):
    u, v = pairs((5, 3, 0))
    with pytest.raises(ValueError, match=message):
        call(u, v)


def test_float32_configurations_agree_with_float64():
    u, v = pairs((200, 10, 1))
    single = geometry.separation(normalize(u.float()), normalize(v.float()))
    assert single.margin == pytest.approx(geometry.separation(u, v).margin, abs=1e-6)
