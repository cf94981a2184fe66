"""The sigmoid loss of one configuration or many: exact and published variants, any labels, whole or in chunks."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from constellations.checks import choice, integer
from constellations.losses.arguments import Labels, Matching, Number, full_precision, scalar
from constellations.losses.slopes import PUBLISHED_EPSILON, ClosedLoss
from constellations.sphere import Points, as_pairs

Variant = Literal["exact", "published"]
Reduction = Literal["sum", "mean", "per_pair"]
VARIANTS, REDUCTIONS = ("exact", "published"), ("sum", "mean", "per_pair")


def sigmoid_loss(
    u: Points,
    v: Points,
    *,
    inverse_temperature: Number,
    bias: Number | None = None,
    relative_bias: Number | None = None,
    labels: Labels | None = None,
    variant: Variant = "exact",
    reduction: Reduction = "sum",
    chunk_size: int | None = None,
) -> Tensor:
    r"""Sigmoid contrastive loss of ``N`` pairs, or of ``M`` points against ``N`` with any of their pairs matching.

    .. math::
        L = \sum_{(i,j)\ \text{matching}} \log(1 + e^{-t s_{ij} + b}) + \sum_{\text{others}} \log(1 + e^{t s_{ij} - b}),
        \qquad b = t\, b_{rel}.

    Parameters
    ----------
    u:
        Unit vectors ``[..., N, d]``, ``N >= 2``, a tensor or an array. Gradients flow through tensors. Half precision is
        computed in float32; of bfloat16 points on a GPU the products are those of bfloat16 numbers, with sums and logits
        in float32.
    v:
        Unit vectors of the same shape: ``v_i`` belongs to ``u_i`` unless ``labels`` say otherwise.
    inverse_temperature:
        ``t > 0``, a scalar or one value per configuration (shape ``[...]``).
    bias:
        ``b``, a scalar or ``[...]``; left out if ``relative_bias`` is given.
    relative_bias:
        ``b_rel = b / t`` (Definition 1 of the paper), a scalar or ``[...]``; left out if ``bias`` is given.
    labels:
        ``None``: ``u_i`` matches ``v_i`` alone. Otherwise ``u`` may be ``[..., M, d]``, and a boolean matrix ``[M, N]``
        says which pairs match, or integer group ids do, equal for matching points: ``[N]`` for both sides, or a tuple
        of ``[M]`` for ``u`` and ``[N]`` for ``v``.
    variant:
        ``"exact"`` is right to relative 1e-12 in float64 at logits up to 1e4;
        ``"published"`` is the clamped ``-log(sigmoid(x) + 1e-8)`` of the authors' notebooks.
    reduction:
        ``"sum"`` (the paper), ``"mean"`` over all pairs (the authors' notebooks), or ``"per_pair"``, the sum over the
        number of rows ``u_i`` (SigLIP).
    chunk_size:
        Evaluate that many rows at a time, forward and backward, and hold only ``chunk_size * N`` logits at once.

    Returns
    -------
    Tensor of the leading shape ``[...]``, float32 or float64.

    Notes
    -----
    The exact loss computes its gradients in the forward pass. A second derivative holds the whole matrix.
    While ``torch.compile`` traces, values are not checked.

    Examples
    --------
    >>> eye = torch.eye(2, dtype=torch.float64)
    >>> round(sigmoid_loss(eye, eye, inverse_temperature=10.0, relative_bias=0.5).item(), 6)
    0.026861
    >>> round(sigmoid_loss(eye, eye, inverse_temperature=10.0, relative_bias=0.5, labels=[0, 0]).item(), 6)
    10.026861
    """
    choice(variant, "variant", VARIANTS)
    choice(reduction, "reduction", REDUCTIONS)
    u, v = as_pairs(u, v, matched=labels is None, at_least=2 if labels is None else 1)
    u, v = full_precision(u, v, operands=variant != "exact")
    t, b = scalars(u, inverse_temperature, bias, relative_bias)
    matching = Matching.of(labels, u.shape[-2], v.shape[-2], device=u.device)
    total = summed(u, v, t, b, matching, variant=variant, size=chunk_size)
    return total / count(reduction, u.shape[-2], v.shape[-2])


def scalars(
    points: Tensor, t: Number, bias: Number | None, relative_bias: Number | None, *, checked: bool = True
) -> tuple[Tensor, Tensor]:
    """``t`` and ``b`` of points ``[..., N, d]``, from one of the two biases."""
    if (bias is None) == (relative_bias is None):
        raise ValueError(f"give exactly one of bias and relative_bias, got {bias!r} and {relative_bias!r}")
    t = scalar(t, "inverse_temperature", points, positive=True, checked=checked)
    if relative_bias is not None:
        return t, t * scalar(relative_bias, "relative_bias", points, checked=checked)
    assert bias is not None
    return t, scalar(bias, "bias", points, checked=checked)


def count(reduction: str, n_rows: int, n_columns: int) -> int:
    """What a reduction divides the sum by."""
    return {"sum": 1, "mean": n_rows * n_columns, "per_pair": n_rows}[reduction]


def signed_logits(
    u: Points,
    v: Points,
    *,
    inverse_temperature: Number,
    bias: Number | None = None,
    relative_bias: Number | None = None,
) -> Tensor:
    """Logits ``[..., N, N]``: matching pairs carry a plus sign, others a minus.

    The loss of an entry is ``-log sigmoid(signed logit)``.
    """
    u, v = full_precision(*as_pairs(u, v))
    return -_wrongness(u, v, *scalars(u, inverse_temperature, bias, relative_bias), Matching(), 0)


def summed(u: Tensor, v: Tensor, t: Tensor, b: Tensor, matching: Matching, *, variant: str, size: int | None) -> Tensor:
    """Summed loss ``[...]`` of points in full precision, without any check of values."""
    size = u.shape[-2] if size is None else integer(size, "chunk_size", 1)
    with torch.autocast(u.device.type, enabled=False):
        if variant == "exact":
            return _closed(u, v, t, b, matching, size)
        blocks = u.split(size, dim=-2)
        run = _published if len(blocks) == 1 else partial(checkpoint, _published, use_reentrant=False)
        return torch.stack([run(x, v, t, b, matching, k * size) for k, x in enumerate(blocks)]).sum(0)


def _closed(u: Tensor, v: Tensor, t: Tensor, b: Tensor, matching: Matching, size: int) -> Tensor:
    leading = u.shape[:-2]
    flat = [x.reshape(-1, *x.shape[-2:]) for x in (u, v)]
    flat += [x.expand(leading).reshape(-1) for x in (t, b)]
    gradients = torch.is_grad_enabled() and any(x.requires_grad for x in flat)
    return ClosedLoss.apply(*flat, matching, size, gradients)[0].reshape(leading)


def _wrongness(u: Tensor, v: Tensor, t: Tensor, b: Tensor, matching: Matching, start: int) -> Tensor:
    """Logits of a block of rows, with the sign that makes them expensive."""
    z = t[..., None, None] * (u @ v.mT) - b[..., None, None]
    return torch.where(matching.mask(z, start), -z, z)


def _published(u: Tensor, v: Tensor, t: Tensor, b: Tensor, matching: Matching, start: int) -> Tensor:
    """The clamped loss of a block of rows, left to automatic differentiation."""
    x = _wrongness(u, v, t, b, matching, start)
    kept = torch.where(matching.mask(x, start), torch.sigmoid(-x), 1 - torch.sigmoid(x))
    return -torch.log(kept + PUBLISHED_EPSILON).sum((-2, -1))
