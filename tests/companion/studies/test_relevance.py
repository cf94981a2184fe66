"""Queries with several relevant documents: explicit embeddings, slopes of the losses, and what training reports."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.studies import relevance
from constellations.constructions import one_threshold
from constellations.geometry import separation
from constellations.sphere import random_points

LOSSES = ("sigmoid", "each", "average", "any")


def brute_force(z, sets, loss):
    """The summed loss of one table of logits ``[n, M]`` from its definition, one query after the other."""
    total = z.new_zeros(())
    for query, own in enumerate(sets.T.tolist()):
        column = z[:, query]
        rivals = column[[j for j in range(len(z)) if j not in own]]
        best = column[own]
        if loss == "sigmoid":
            total = total + torch.log1p(torch.exp(-best)).sum() + torch.log1p(torch.exp(rivals)).sum()
        elif loss == "each":
            total = total + sum(torch.log1p(torch.exp(rivals - p).sum()) for p in best) / len(own)
        elif loss == "any":
            total = total + torch.log1p(torch.exp(rivals).sum() / torch.exp(best).sum())
        else:
            total = total + torch.logsumexp(column, 0) - best.mean()
    return total


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(LOSSES), st.integers(1, 3), st.integers(0, 3), st.integers(0, 10**6), st.floats(-20, 20))
def test_slopes_are_the_gradients_of_the_losses_near_zero_loss_too(loss, k, extra, seed, lead):
    rng = np.random.default_rng(seed)
    n, n_queries = k + 1 + extra, 4
    sets = torch.tensor(np.stack([rng.permutation(n)[:k] for _ in range(n_queries)], axis=1))
    z = torch.tensor(rng.normal(size=(n, n_queries)))
    z.scatter_add_(0, sets, torch.full_like(z, lead))
    if loss == "sigmoid":
        z -= lead / 2
    z.requires_grad_()
    (expected,) = torch.autograd.grad(brute_force(z, sets, loss), z)
    found = relevance.slopes_(z.detach().clone()[None], sets[None], loss)[0]
    rtol, atol = (0, 1e-12) if loss == "average" else (1e-9, 1e-16)
    torch.testing.assert_close(found, expected, rtol=rtol, atol=atol)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(1, 9))
def test_the_moment_curve_puts_every_set_ahead_and_one_dimension_up_gives_it_one_threshold(k, more):
    n = k + more
    sets = torch.combinations(torch.arange(n), k)
    u, v = relevance.moment_curve(n, k)
    relevant = relevance.membership(sets, n)
    gaps = relevance.query_gaps(u, v, relevant)
    assert u.shape == (math.comb(n, k), 2 * k)
    assert v.shape == (n, 2 * k)
    assert gaps.margin.min() > 0
    assert (u @ v.T).topk(k).indices.sort(-1).values.tolist() == sets.tolist()
    lifted = one_threshold(u, v, gaps.relative_bias)
    promised = gaps.margin.min() / (1 + gaps.relative_bias.abs().max())
    assert separation(*lifted, labels=relevant).margin >= promised - 1e-12


@pytest.mark.parametrize(("n", "k"), [(5, 1), (6, 2), (7, 3), (8, 5)])
def test_sparse_rows_have_the_stated_margin_at_threshold_zero_below_the_ceiling(n, k):
    u, v, relevant = relevance.sparse_rows(torch.combinations(torch.arange(n), k), n)
    found = separation(u, v, labels=relevant)
    assert found.margin == pytest.approx(1 / (1 + 2 * math.sqrt(k)), abs=1e-12)
    assert found.relative_bias == pytest.approx(0, abs=1e-12)
    assert found.margin <= n / (2 * math.sqrt(k * (n - 1) * (n - k)))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_no_margin_of_the_matrix_exceeds_that_of_the_queries(seed):
    sets = torch.combinations(torch.arange(6), 2)
    relevant = relevance.membership(sets, 6)
    u, v = random_points(len(sets), 4, seed=seed), random_points(6, 4, seed=seed, stream=1)
    gaps = relevance.query_gaps(u, v, relevant)
    for row, own, margin in zip(u @ v.T, sets, gaps.margin, strict=True):
        others = [j for j in range(6) if j not in own.tolist()]
        assert margin.item() == pytest.approx((row[own].min() - row[others].max()).item() / 2, abs=1e-12)
    assert separation(u, v, labels=relevant).margin <= gaps.margin.min() + 1e-12


@pytest.mark.parametrize("loss", LOSSES)
def test_training_reports_the_margins_of_its_points_and_repeats(loss):
    sets = torch.combinations(torch.arange(5), 2)
    options = {"n_documents": 5, "seeds": range(2), "loss": loss, "n_steps": 150}
    both = relevance.train(sets, dims=[3, 4], **options)
    relevant = relevance.membership(sets, 5)
    assert both.u.shape == (2, 2, 10, 4)
    assert bool((both.u[0, ..., 3] == 0).all() and (both.v[0, ..., 3] == 0).all())
    assert both.one_threshold[1, 1].item() == separation(both.u[1, 1], both.v[1, 1], labels=relevant).margin
    assert both.per_query[0, 1] == relevance.query_gaps(both.u[0, 1], both.v[0, 1], relevant).margin.min()
    assert torch.equal(both.u, relevance.train(sets, dims=[3, 4], **options).u)
    alone = relevance.train(sets, dims=[3], **options)
    torch.testing.assert_close(alone.v[0], both.v[0, ..., :3], rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("loss", "key"), [("sigmoid", "one_threshold"), ("each", "per_query"), ("average", "per_query")]
)
def test_training_separates_what_has_room(loss, key):
    sets = torch.combinations(torch.arange(6), 2)
    found = relevance.train(sets, n_documents=6, dims=[6], seeds=[0, 1], loss=loss, n_steps=600)
    assert bool((getattr(found, key) > 0.05).all())
    assert bool((found.inverse_temperature != 10).all())


def test_an_unknown_loss_is_named():
    with pytest.raises(ValueError, match="loss must be one of"):
        relevance.train(torch.tensor([[0]]), n_documents=2, dims=[2], seeds=[0], loss="softmax")
