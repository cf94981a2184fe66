"""The sigmoid loss of one configuration without its N x N graph: closed gradients and measurements, by blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

PUBLISHED_EPSILON = 1e-8
BLOCK = 4_000_000  # entries of the logit matrix held at once


def exact_slopes_(z: Tensor, start: int = 0) -> None:
    """Replace logits ``[..., M, N]`` by ``dL/dz`` of the exact loss: ``sigmoid(z)``, for matching pairs ``-sigmoid(-z)``.

    The rows are those from ``start`` on of the ``N x N`` table.
    """
    diagonal = z.diagonal(offset=start, dim1=-2, dim2=-1)
    matching = torch.sigmoid(-diagonal).neg_()
    z.sigmoid_()
    diagonal.copy_(matching)


def published_slopes_(z: Tensor, spare: Tensor, start: int = 0) -> None:
    """The same for the authors' clamped loss, as automatic differentiation evaluates it in the precision of ``z``.

    With ``p = sigmoid(z)``: ``p (1-p) / (1 - p + eps)``, and ``-p (1-p) / (p + eps)`` for matching pairs. Where ``1 - p``
    rounds to 0, in float32 beyond a logit of about 17, the slope is exactly 0.
    """
    diagonal = z.diagonal(offset=start, dim1=-2, dim2=-1)
    p = torch.sigmoid(diagonal)
    matching = -(p * (1 - p)) / (p + PUBLISHED_EPSILON)
    z.sigmoid_()
    torch.sub(1, z, out=spare)
    z.mul_(spare)
    z.div_(spare.add_(PUBLISHED_EPSILON))
    diagonal.copy_(matching)


def loss_gradients(
    u: Tensor, v: Tensor, inverse_temperature: Tensor, relative_bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    r"""Gradients of the exact *mean* sigmoid loss in ``u, v [N, d]``, ``t`` and ``b_rel``, by blocks of rows.

    With ``P_ij = sigmoid(t (s_ij - b_rel))`` and ``P_ii - 1`` on the diagonal,

    .. math::
        N^2 \nabla_U = t P V, \quad N^2 \nabla_V = t P^\top U, \quad
        N^2 \partial_t = \sum P_{ij} (s_{ij} - b_{rel}), \quad N^2 \partial_{b_{rel}} = -t \sum P_{ij}.

    One exponential per pair, and no graph: several times faster than differentiating :func:`losses.sigmoid_loss`, to
    which it is equal.
    """
    pu, pv, total = torch.zeros_like(u), torch.zeros_like(v), u.new_zeros(())
    for rows, logits in _logits(u, v, inverse_temperature, relative_bias):
        matching = logits.diagonal(offset=rows.start)
        corner = -torch.sigmoid(-matching)
        weights = logits.clamp_min_(-80).sigmoid_()  # no subnormal numbers
        weights.diagonal(offset=rows.start).copy_(corner)
        pu[rows] = weights @ v
        pv += weights.T @ u[rows]
        total += weights.sum()
    t, scale = inverse_temperature, len(u) ** -2
    t_gradient = (u * pu).sum() - relative_bias * total
    return pu * (t * scale), pv * (t * scale), t_gradient * scale, -t * total * scale


def _logits(u: Tensor, v: Tensor, t: Tensor, relative_bias: Tensor) -> Iterator[tuple[slice, Tensor]]:
    size = max(1, BLOCK // len(v))
    for start in range(0, len(u), size):
        rows = slice(start, min(start + size, len(u)))
        yield rows, (u[rows] @ v.T).sub_(relative_bias).mul_(t)


@torch.no_grad()
def measure(u: Tensor, v: Tensor, t: Tensor, b_rel: Tensor) -> tuple[float, ...]:
    """Summed exact loss, ``t``, ``b_rel``, ``m*`` and ``b*_rel`` of the training pairs."""
    total, low, high = 0.0, torch.inf, -torch.inf
    for rows, logits in _logits(u, v, t, b_rel):
        matching = logits.diagonal(offset=rows.start)
        low = min(low, float(matching.min()))
        total -= float(logsigmoid(matching).double().sum())
        matching.fill_(-torch.inf)
        high = max(high, float(logits.max()))
        total -= float(logsigmoid(-logits).sum(1).double().sum())
    margin, centre = (low - high) / (2 * float(t)), (low + high) / (2 * float(t)) + float(b_rel)
    return total, float(t), float(b_rel), margin, centre
