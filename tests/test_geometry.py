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
    assert s.min_matching == pytest.approx(min(matching), abs=1e-14)
    assert s.max_non_matching == pytest.approx(max(non_matching.values()), abs=1e-14)
    assert matching[s.matching_index] == pytest.approx(s.min_matching, abs=1e-14)
    assert non_matching[s.non_matching_index] == pytest.approx(s.max_non_matching, abs=1e-14)
    assert s.gap == pytest.approx(2 * s.margin, abs=1e-15)
    assert s.relative_bias + s.margin == pytest.approx(s.min_matching, abs=1e-14)


@given(SIZES)
def test_separation_does_not_change_under_rotation_permutation_and_exchange(size):
    u, v = pairs(size)
    rng = np.random.default_rng(size[2])
    rotation = torch.from_numpy(np.linalg.qr(rng.standard_normal((size[1], size[1])))[0])
    order = torch.from_numpy(rng.permutation(size[0]))
    s = geometry.separation(u, v)
    for other in (
        geometry.separation((u @ rotation)[order], (v @ rotation)[order]),
        geometry.separation(v, u),
    ):
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
            assert int(s.matching_index[a, b]) == one.matching_index
            assert xi.xi[a, b].item() == pytest.approx(
                geometry.linear_representation_gap(u[a, b], v[a, b]).xi
            )
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


@given(SIZES, st.floats(0.0, 0.45))
def test_trimmed_margin_uses_numpy_quantiles(size, fraction):
    u, v = pairs(size)
    matching, non_matching = brute_force(u, v)
    low, high = np.quantile(matching, fraction), np.quantile(list(non_matching.values()), 1 - fraction)
    margin, relative_bias = geometry.trimmed_margin(u, v, fraction=fraction)
    assert margin == pytest.approx((low - high) / 2, abs=1e-12)
    assert relative_bias == pytest.approx((low + high) / 2, abs=1e-12)
    margin, relative_bias = geometry.mean_margin(u, v)
    assert margin == pytest.approx((np.mean(matching) - np.mean(list(non_matching.values()))) / 2, abs=1e-12)


def test_trimming_nothing_gives_the_separation():
    u, v = pairs((10, 4, 0))
    s = geometry.separation(u, v)
    assert geometry.trimmed_margin(u, v, fraction=0.0) == pytest.approx(
        (s.margin, s.relative_bias), abs=1e-14
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u, v: geometry.separation(2 * u, v), "norm 1"),
        (lambda u, v: geometry.separation(u, v[:4]), "same shape"),
        (lambda u, v: geometry.separation(u[:1], v[:1]), "n_pairs"),
        (lambda u, v: geometry.separation(u * float("nan"), v), "finite"),
        (lambda u, v: geometry.is_constellation(u, v, margin=-0.1, relative_bias=0.0), "margin"),
        (
            lambda u, v: geometry.is_constellation(u, v, margin=0.1, relative_bias=float("nan")),
            "relative_bias",
        ),
        (lambda u, v: geometry.trimmed_margin(u, v, fraction=0.5), "fraction"),
        (lambda u, v: geometry.trimmed_margin(u[None], v[None]), "one configuration"),
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
