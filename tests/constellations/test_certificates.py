"""Bounds that a loss value proves, against brute force and against random configurations of every kind."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from constellations import certificates as c
from constellations import losses
from constellations.constructions import double_constant_embedding
from constellations.geometry import separation
from constellations.losses import rows
from constellations.sphere import normalize

LOG2 = math.log(2)


configurations = st.tuples(st.integers(2, 7), st.integers(2, 5), st.integers(0, 10_000), st.floats(0, 1))
temperatures = st.floats(-2, 3).map(lambda x: 10.0**x)


@settings(max_examples=60, deadline=None)
@given(configurations, temperatures)
def test_sandwich_of_the_optimal_loss(noisy_pairs, setting, t):
    u, v = noisy_pairs(*setting)
    margin = separation(u, v).margin
    assume(t * margin < 600)
    bounds = c.optimal_loss_bounds(margin, n_pairs=len(u), inverse_temperature=t)
    infimum = losses.optimal_bias(u, v, inverse_temperature=t).loss
    assert bounds.lower * (1 - 1e-9) <= infimum <= bounds.upper * (1 + 1e-9)


@pytest.mark.parametrize("delta", [0.0, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("t", [0.1, 5.0, 60.0])
@pytest.mark.parametrize("n", [2, 3, 10])
def test_double_constant_embeddings_attain_the_upper_bound(n, t, delta):
    u, v = double_constant_embedding(n, delta=delta)
    bounds = c.optimal_loss_bounds(separation(u, v).margin, n_pairs=n, inverse_temperature=t)
    assert losses.optimal_bias(u, v, inverse_temperature=t).loss == pytest.approx(bounds.upper, rel=1e-9)


def test_one_dominating_pair_approaches_the_lower_bound():
    u, v = double_constant_embedding(5, delta=1.0)
    v = v.clone()
    v[0] = normalize((0.45 * v[0] + 0.55 * v[1])[None])[0]
    margin = separation(u, v).margin
    ratios = []
    for t in (20.0, 200.0):
        bounds = c.optimal_loss_bounds(margin, n_pairs=5, inverse_temperature=t)
        ratios.append(losses.optimal_bias(u, v, inverse_temperature=t).loss / bounds.lower)
    assert margin < 0
    assert ratios[1] == pytest.approx(1.0, abs=1e-6)
    assert ratios[0] >= 1 - 1e-12


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 1000), st.floats(-1, 1), temperatures)
def test_upper_bound_is_below_both_simple_ones(n, margin, t):
    assume(t * margin < 600)  # beyond, losses are denormal
    upper = c.optimal_loss_bounds(margin, n_pairs=n, inverse_temperature=t).upper

    def spread(shift):
        return n * c.softplus(-t * margin + shift) + n * (n - 1) * c.softplus(-t * margin - shift)

    assert upper <= min(spread(0.0), spread(math.log(n - 1) / 2)) * (1 + 1e-9)
    assert upper <= 2 * n * math.sqrt(n - 1) * math.exp(min(-t * margin, 600.0)) * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 100), st.floats(-50, 50))
def test_bias_shift_is_the_minimiser(n, z):
    def total(shift):
        return c.softplus(-z + shift) + (n - 1) * c.softplus(-z - shift)

    best = c.optimal_bias_shift(z, n_pairs=n)
    assert all(total(best) <= total(best + step) * (1 + 1e-12) for step in (-1e-2, 1e-2, -1.0, 1.0))


def test_theorem_3_2_the_rate_is_the_margin():
    u, v = double_constant_embedding(6, delta=0.8)
    s = separation(u, v)
    t = 2000.0 / s.margin / 10
    best = losses.optimal_bias(u, v, inverse_temperature=t)
    assert -math.log(best.loss) / t == pytest.approx(s.margin, rel=0.03)
    assert best.relative_bias == pytest.approx(s.relative_bias, abs=0.02)


@settings(max_examples=80, deadline=None)
@given(configurations, temperatures, st.floats(-1.5, 1.5))
def test_any_loss_certifies_the_margin_and_the_retrieval(noisy_pairs, setting, t, relative_bias):
    u, v = noisy_pairs(*setting)
    loss = losses.sigmoid_loss(u, v, inverse_temperature=t, relative_bias=relative_bias).item()
    if loss > 0:
        assert separation(u, v).margin >= c.certified_margin(loss, inverse_temperature=t) - 1e-9
    s = u @ v.T
    failing = int(((s - s.diagonal()[:, None]).fill_diagonal_(-1).amax(1) >= 0).sum())
    assert failing <= c.certified_failures(loss * (1 + 1e-12))


def test_certificate_inverts_the_lower_bound_over_many_scales():
    margins = np.array([-0.9, -0.1, 0.0, 0.1, 0.9])
    for t in (0.5, 30.0, 700.0):
        lower = c.optimal_loss_bounds(margins, n_pairs=3, inverse_temperature=t).lower
        np.testing.assert_allclose(c.certified_margin(lower, inverse_temperature=t), margins, atol=1e-12)


def test_observation_3_every_term_bounds_the_loss(noisy_pairs):
    u, v = noisy_pairs(6, 3, 4, 0.5)
    z = losses.signed_logits(u, v, inverse_temperature=8.0, bias=None, relative_bias=0.1)
    terms = torch.nn.functional.softplus(-z)
    loss = losses.sigmoid_loss(u, v, inverse_temperature=8.0, relative_bias=0.1).item()
    assert terms.min() >= 0
    assert terms.max().item() <= loss <= 36 * terms.max().item()


@settings(max_examples=40, deadline=None)
@given(configurations, temperatures, st.floats(-1, 1), st.data())
def test_retrieval_bounds_hold_over_all_batches(noisy_pairs, setting, t, relative_bias, data):
    u, v = noisy_pairs(*setting)
    n = len(u)
    batch_size = data.draw(st.integers(2, n))
    z = losses.signed_logits(u, v, inverse_temperature=t, bias=None, relative_bias=relative_bias)
    entries = torch.nn.functional.softplus(-z).numpy()
    batches = itertools.combinations(range(n), batch_size)
    brute = np.mean([entries[np.ix_(batch, batch)].sum() for batch in batches])
    expected = c.expected_batch_loss(entries, batch_size=batch_size)
    assert expected == pytest.approx(brute, rel=1e-9)
    bounds = c.retrieval_failure_bounds(expected, n_pairs=n, batch_size=batch_size)
    s = u @ v.T
    for scores in (s, s.T):
        failing = ((scores - scores.diagonal()[:, None]).fill_diagonal_(-1).amax(1) >= 0).double().mean().item()
        assert failing <= bounds.weighted * (1 + 1e-9)
    assert bounds.weighted <= bounds.two_entries * (1 + 1e-12)
    assert 2 * bounds.two_entries <= bounds.proposition_1


def test_the_weighted_bound_is_attained():
    # Every row owns one failing rival at the balancing bias; all other entries cost nothing.
    n, b = 9, 4
    rho = (b - 1) / (n - 1)
    entries = np.zeros((n, n))
    for i in range(n):
        entries[i, i] = c.softplus(math.log(rho))
        entries[i, (i + 1) % n] = c.softplus(-math.log(rho))
    expected = c.expected_batch_loss(entries, batch_size=b)
    assert c.retrieval_failure_bounds(expected, n_pairs=n, batch_size=b).weighted == pytest.approx(1.0)


@settings(max_examples=60, deadline=None)
@given(configurations)
def test_triplet_threshold_is_exact_and_at_least_four_margins(noisy_pairs, setting):
    u, v = noisy_pairs(*setting)
    threshold = rows.triplet_threshold(u, v)
    assert threshold >= 4 * separation(u, v).margin - 1e-12
    assert losses.triplet(u, v, margin_parameter=threshold - 1e-9).item() == 0.0
    assert losses.triplet(u, v, margin_parameter=threshold + 1e-6).item() > 0.0


@settings(max_examples=60, deadline=None)
@given(configurations, temperatures)
def test_info_nce_bounds(noisy_pairs, setting, t):
    u, v = noisy_pairs(*setting)
    gap = rows.row_gap(u, v)
    assert min(gap.rows, gap.columns) >= 2 * separation(u, v).margin - 1e-12
    assume(t * gap.rows < 600)
    bounds = c.info_nce_bounds(gap.rows, n_pairs=len(u), inverse_temperature=t)
    loss = losses.info_nce(u, v, inverse_temperature=t).item()
    assert bounds.lower * (1 - 1e-9) <= loss <= bounds.upper * (1 + 1e-9)


def test_the_example_is_info_nce_optimal_but_no_constellation():
    u, v = rows.info_nce_only_example()
    gap = rows.row_gap(u, v)
    assert gap.rows == pytest.approx(1 - math.sqrt(0.5))
    assert gap.columns == pytest.approx(1 - math.sqrt(0.5))
    assert separation(u, v).margin == pytest.approx((0.5 - math.sqrt(0.5)) / 2)
    assert losses.info_nce(u, v, inverse_temperature=300.0, symmetric=True).item() < 1e-30
    assert losses.optimal_bias(u, v, inverse_temperature=300.0).loss > 2 * LOG2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: c.optimal_loss_bounds(0.1, n_pairs=1, inverse_temperature=1.0), "n_pairs"),
        (lambda: c.optimal_loss_bounds(0.1, n_pairs=3, inverse_temperature=0.0), "inverse_temperature"),
        (lambda: c.optimal_loss_bounds(math.nan, n_pairs=3, inverse_temperature=1.0), "margin"),
        (lambda: c.certified_margin(0.0, inverse_temperature=1.0), "loss"),
        (lambda: c.certified_failures(-1.0), "loss"),
        (lambda: c.failure_weight(0.0), "rho"),
        (lambda: c.retrieval_failure_bounds(1.0, n_pairs=5, batch_size=6), "batch_size"),
        (lambda: c.retrieval_failure_bounds(1.0, n_pairs=1, batch_size=1), "n_pairs"),
        (lambda: c.expected_batch_loss(np.ones((2, 3)), batch_size=2), "entries"),
        (lambda: c.expected_batch_loss(np.ones((2, 2)), batch_size=3), "batch_size"),
        (lambda: rows.row_gap(torch.ones(3, 2), torch.ones(3, 2)), "norm"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_proposition_1_is_the_published_bound():
    bounds = c.retrieval_failure_bounds(0.5 * LOG2, n_pairs=100, batch_size=20)
    assert bounds.proposition_1 == pytest.approx(100 * 0.5 / (20 * 19), rel=1e-12)
    assert bounds.two_entries == pytest.approx(99 * 0.5 / (2 * 20 * 19), rel=1e-12)


def test_each_failing_row_costs_two_log_two_and_no_less():
    rows = np.array([1, 2, 7])
    assert c.certified_failures(rows * 2 * LOG2 * (1 + 1e-12)).tolist() == [1, 2, 7]
    assert c.certified_failures(rows * 2 * LOG2 * (1 - 1e-12)).tolist() == [0, 1, 6]
    twins = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    loss = losses.sigmoid_loss(twins, twins, inverse_temperature=1.0, relative_bias=1.0).item()
    assert c.certified_failures(loss * (1 + 1e-12)) == 2


@pytest.mark.parametrize("z", [-400.0, -1e4, -1e8])
def test_the_bias_shift_of_a_badly_wrong_configuration(z):
    # Where -z is large the quadratic in e^c is (N - 2) e^{-z} = e^c.
    assert c.optimal_bias_shift(z, n_pairs=12) == pytest.approx(math.log(10) - z, rel=1e-12)


@pytest.mark.parametrize("x", [-1e5, -745.0, -40.0, 0.0, 40.0, 710.0, 1e5])
def test_softplus_at_every_scale(x):
    assert c.softplus(x) == pytest.approx(max(x, 0.0) + math.log1p(math.exp(-abs(x))), rel=1e-14)


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-3, 50), st.floats(-20, 20))
def test_the_failure_weight_is_the_least_of_its_sum(rho, x):
    weight = c.failure_weight(rho)
    assert weight <= (c.softplus(-x) + rho * c.softplus(x)) * (1 + 1e-12)
    assert weight == pytest.approx(c.softplus(math.log(rho)) + rho * c.softplus(-math.log(rho)), rel=1e-12)
