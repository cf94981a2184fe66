"""Optimisers, finite batches and labels of the synchroniser, against automatic differentiation and the definitions."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from constellations import losses, sphere, training

FEW = dict(n_pairs=7, dim=3, seeds=range(3), dtype=torch.float64)
DOCUMENTS = torch.rand(7, 4, generator=torch.Generator().manual_seed(0)) < 0.4


def mean_gradients(
    u: Tensor, v: Tensor, log_t: Tensor, offset: Tensor, *, name: str = "relative_bias", labels=None
) -> list[Tensor]:
    """Of the mean loss, summed over runs, in points on their spheres, ``log t`` and the bias."""
    given = [x.detach().clone().requires_grad_() for x in (u, v, log_t, offset)]
    u, v = (sphere.normalize(x) if not x.requires_grad else x / x.norm(dim=-1, keepdim=True) for x in given[:2])
    scalars = {"inverse_temperature": given[2].exp(), name: given[3]}
    losses.sigmoid_loss(u, v, **scalars, labels=labels, reduction="mean").sum().backward()
    return [x.grad for x in given]


def start(result) -> list[Tensor]:
    return [result.u, result.v, result.inverse_temperature.log(), result.relative_bias]


@pytest.mark.parametrize("labels", [None, [0, 0, 1, 2, 3, 4, 4], DOCUMENTS], ids=["pairs", "groups", "documents"])
@pytest.mark.parametrize("t", [1.0, 30.0, 1000.0])
def test_one_step_of_descent_is_down_the_gradient_of_the_mean_loss(labels, t):
    common = dict(**FEW, inverse_temperature=t, relative_bias=0.1, labels=labels, optimizer=training.Descent())
    before = training.synchronize(**common, n_steps=0)
    after = training.synchronize(**common, n_steps=1, learning_rate=0.3)
    shifted = [x - 0.3 * g for x, g in zip(start(before), mean_gradients(*start(before), labels=labels), strict=True)]
    for x, y in zip(start(after), [*(sphere.normalize(x) for x in shifted[:2]), *shifted[2:]], strict=True):
        assert torch.allclose(x, y, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("optimizer", [training.Adam(beta1=0.5, beta2=0.9, epsilon=1e-3), training.Adam(beta2=0.99)])
def test_the_constants_of_adam_are_those_of_torch(optimizer):
    common = dict(**FEW, bias=1.0, optimizer=optimizer)
    at = training.synchronize(**common, n_steps=0)
    held = [at.u, at.v, at.inverse_temperature.log(), at.bias]
    theirs = torch.optim.Adam(held, lr=0.01, betas=(optimizer.beta1, optimizer.beta2), eps=optimizer.epsilon)
    for _ in range(20):
        for x, gradient in zip(held, mean_gradients(*held, name="bias"), strict=True):
            x.grad = gradient
        theirs.step()
        for x in held[:2]:
            x /= x.norm(dim=-1, keepdim=True)
    ours = training.synchronize(**common, n_steps=20)
    for x, y in zip([ours.u, ours.v, ours.inverse_temperature.log(), ours.bias], held, strict=True):
        assert torch.allclose(x, y, atol=1e-9)


@pytest.mark.parametrize(
    "bad", [dict(beta1=1.0), dict(beta2=-0.1), dict(beta2=1.0), dict(epsilon=0.0), dict(epsilon=math.inf)]
)
def test_bad_constants_of_adam_are_named(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        training.Adam(**bad)


def moved(batch_size: int | None, n_steps: int = 1, **given) -> Tensor:
    """Which points ``[R, k, N]`` have left their places."""
    common = dict(n_pairs=12, dim=4, relative_bias=0.2, batch_size=batch_size, optimizer=training.Descent(), **given)
    before, after = (training.synchronize(**common, n_steps=n) for n in (0, n_steps))
    return ((before.points - after.points).abs() > 1e-5).any(-1)


@pytest.mark.parametrize("options", [{}, dict(n_modalities=3)])
def test_a_step_moves_the_pairs_of_its_batch_and_no_others(options):
    left = moved(5, seeds=range(6), learning_rate=0.1, **options)
    assert bool((left == left[:, :1]).all())
    assert bool((left.sum(-1) == 5).all())
    assert len({tuple(run[0].tolist()) for run in left}) > 1
    assert bool(moved(5, n_steps=60, seeds=range(6), learning_rate=0.1, **options).all())


def test_a_locked_modality_stays_in_batches_too():
    left = moved(5, seeds=range(3), learning_rate=0.1, locked=1)
    assert left[:, 0].sum() == 15
    assert not left[:, 1].any()


@pytest.mark.parametrize("name", ["bias", "relative_bias"])
def test_a_step_is_down_the_mean_loss_of_its_batch(name):
    common = dict(n_pairs=9, dim=3, seeds=[5], dtype=torch.float64, batch_size=4, optimizer=training.Descent())
    before = training.synchronize(**common, **{name: 0.3}, n_steps=0)
    after = training.synchronize(**common, **{name: 0.3}, n_steps=1, learning_rate=0.5)
    batch = ((before.u - after.u).abs() > 1e-9).any(-1)[0].nonzero().flatten()
    log_t, offset = before.inverse_temperature.log(), getattr(before, name)
    gradients = mean_gradients(before.u[:, batch], before.v[:, batch], log_t, offset, name=name)
    u = sphere.normalize(before.u[:, batch] - 0.5 * gradients[0])
    assert torch.allclose(after.u[:, batch], u, atol=1e-12)
    assert torch.allclose(after.inverse_temperature.log(), log_t - 0.5 * gradients[2], atol=1e-12)
    assert torch.allclose(getattr(after, name), offset - 0.5 * gradients[3], rtol=1e-9)


def test_batches_belong_to_the_seed_not_to_the_chunk_or_the_thread():
    common = dict(n_pairs=20, dim=3, batch_size=6, n_steps=70, dtype=torch.float64)
    together = training.synchronize(seeds=[3, 1, 4], **common)
    apart = training.synchronize(seeds=[3, 1, 4], **common, chunk_size=1, n_threads=2)
    assert torch.allclose(together.points, apart.points, atol=1e-9)
    again = training.synchronize(seeds=[4], **common)
    assert torch.allclose(together.points[2:], again.points, atol=1e-9)


def test_a_batch_of_all_pairs_is_no_batch():
    common = dict(**FEW, n_steps=30, bias=1.0)
    whole, batch = training.synchronize(**common), training.synchronize(**common, batch_size=7)
    assert torch.allclose(whole.points, batch.points, atol=1e-9)
    assert torch.allclose(whole.bias, batch.bias, atol=1e-9)


def test_labels_that_pair_are_no_labels():
    common = dict(**FEW, n_steps=30, bias=1.0, record_every=10)
    whole, labelled = training.synchronize(**common), training.synchronize(**common, labels=torch.eye(7) > 0)
    assert torch.allclose(whole.points, labelled.points, atol=1e-9)
    assert torch.allclose(whole.history.xi, labelled.history.xi, atol=1e-9)


@pytest.mark.parametrize("locked", [None, 0, 1])
def test_documents_are_measured_and_locked_like_pairs(locked):
    result = training.synchronize(**FEW, n_steps=40, relative_bias=0.1, labels=DOCUMENTS, locked=locked)
    assert result.u.shape == (3, 7, 3)
    assert result.v.shape == (3, 4, 3)
    assert result.counts == (7, 4)
    if locked is not None:
        first = sphere.random_points(result.counts[locked], 3, seed=0, stream=locked)
        assert torch.equal(result.points[0, locked, : result.counts[locked]], first)
    s = result.u @ result.v.mT
    low, high = s[:, DOCUMENTS].amin(1), s[:, ~DOCUMENTS].amax(1)
    assert torch.allclose(result.margin, (low - high) / 2)
    scalars = dict(inverse_temperature=result.inverse_temperature, relative_bias=result.relative_bias)
    assert torch.allclose(result.loss, losses.sigmoid_loss(result.u, result.v, **scalars, labels=DOCUMENTS))
    assert bool(result.xi.isnan().all())


def test_many_rows_of_documents_are_treated_a_few_at_a_time():
    matching = torch.rand(900, 400, generator=torch.Generator().manual_seed(1)) < 0.1
    common = dict(n_pairs=900, dim=3, seeds=[0], dtype=torch.float64, labels=matching, relative_bias=0.1)
    before, after = (training.synchronize(**common, n_steps=n, optimizer=training.Descent()) for n in (0, 1))
    gradients = mean_gradients(*start(before), labels=matching)
    assert torch.allclose(after.u, sphere.normalize(before.u - 0.01 * gradients[0]), rtol=0, atol=1e-14)
    assert torch.allclose(after.relative_bias, before.relative_bias - 0.01 * gradients[3], rtol=1e-12)


def test_all_pairs_of_four_documents_are_separated_in_three_dimensions():
    """Every query has two relevant documents of four: six queries, at the middles of a tetrahedron's edges."""
    queries = torch.combinations(torch.arange(4), 2)
    relevant = torch.zeros(6, 4, dtype=torch.bool).scatter_(1, queries, True)
    result = training.synchronize(n_pairs=6, dim=3, seeds=range(4), labels=relevant, n_steps=3000)
    assert bool((result.margin > 0.5).any())


def test_the_history_holds_what_a_shorter_run_ends_with():
    common = dict(**FEW, relative_bias=0.2)
    log = training.synchronize(**common, n_steps=20, record_every=10).history
    for s, n_steps in enumerate(log.steps.tolist()):
        end = training.synchronize(**common, n_steps=n_steps)
        for name in ("loss", "inverse_temperature", "relative_bias", "margin", "optimal_relative_bias", "xi"):
            assert torch.equal(getattr(log, name)[s], getattr(end, name)), name


def test_the_first_step_on_any_loss_has_the_length_of_the_learning_rate():
    """Adam's first step is the sign of the gradient, here that of the logarithm of the temperature."""
    pull = lambda u, v, t: losses.info_nce(u, v, inverse_temperature=t)
    common = dict(n_pairs=4, dim=3, seeds=range(3), inverse_temperature=10.0, train_inverse_temperature=True)
    found = training.minimize(pull, **common, n_steps=1, learning_rate=0.02)
    assert (found.inverse_temperature / 10).log().abs().tolist() == pytest.approx([0.02] * 3, rel=1e-3)
