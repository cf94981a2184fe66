r"""The exact sigmoid loss in closed form: entries, slopes, and the gradients they give, by blocks of rows.

With logits ``z_ij = t s_ij - b`` and ``x_ij = z_ij``, ``-z_ij`` for matching pairs, an entry costs ``log(1 + e^x)`` and its
slope is ``G_ij = dL/dz_ij = sigmoid(x)``, ``-sigmoid(x)`` for matching pairs. Then

.. math::
    \nabla_U = t\, G V, \qquad \nabla_V = t\, G^\top U, \qquad
    \partial_t = \langle U, G V \rangle, \qquad \partial_b = -\sum G_{ij}.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from constellations.losses.arguments import Matching

PUBLISHED_EPSILON = 1e-8
TILE = 2**17  # entries turned into slopes at a time, so that they stay in the cache


def entries(x: Tensor) -> Tensor:
    """``log(1 + e^x)``, right to the last digits at every ``x``.

    Parameters
    ----------
    x:
        Logits of any shape, of the sign that costs.
    """
    return softplus(x, threshold=40.0)


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


def loss_(z: Tensor, matching: Matching, start: int, *, slopes: bool) -> Tensor:
    """Summed loss of a block of logits ``[R, m, N]``; with ``slopes`` they are replaced by ``dL/dz``."""
    size = max(1, TILE // (z.shape[0] * z.shape[2]))
    lowest = -80.0 if z.dtype == torch.float32 else -700.0  # below it slopes are 0: no subnormal numbers
    total = z.new_zeros(z.shape[0])
    for k, x in enumerate(z.split(size, dim=1)):
        matching.flip_(x, start + k * size)
        total += entries(x).sum((1, 2))
        if slopes:
            torch.threshold_(x, lowest, -torch.inf).sigmoid_()
            matching.flip_(x, start + k * size)
    return total


class ClosedLoss(torch.autograd.Function):
    """Summed exact loss ``[R]`` of points ``[R, M, d]``, ``[R, N, d]`` at scalars ``[R]``; its gradients in all four.

    All is computed in the forward pass, ``size`` rows at a time: three products, and memory for ``R * size * N`` logits
    beside gradients of the points' size. Differentiable again, then with the whole matrix.
    """

    @staticmethod
    def forward(
        u: Tensor, v: Tensor, t: Tensor, b: Tensor, matching: Matching, size: int, gradients: bool
    ) -> tuple[Tensor, ...]:
        scaled = u * t[:, None, None]
        total, pull = torch.zeros_like(t), torch.zeros_like(t)
        by_u, by_v = (torch.empty_like(u), torch.zeros_like(v)) if gradients else (u, v)
        for start in range(0, u.shape[1], size):
            rows = scaled[:, start : start + size]
            z = (rows @ v.mT).sub_(b[:, None, None])
            total += loss_(z, matching, start, slopes=gradients)
            if gradients:
                pull += z.sum((1, 2))
                torch.bmm(z, v, out=by_u[:, start : start + size])
                by_v.baddbmm_(z.mT, rows)
            del z
        if not gradients:
            return (total,)
        by_t = (u * by_u).sum((1, 2))
        return total, by_u.mul_(t[:, None, None]), by_v, by_t, -pull

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*inputs[:4], *output[1:])
        ctx.matching = inputs[4]

    @staticmethod
    def backward(ctx: Any, g: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        u, v, t, b, *closed = ctx.saved_tensors
        wide = g[:, None, None]
        if closed and not torch.is_grad_enabled():
            by_u, by_v, by_t, by_b = closed
            return wide * by_u, wide * by_v, g * by_t, g * by_b, None, None, None
        s = u @ v.mT
        mask = ctx.matching.mask(s)
        z = t[:, None, None] * s - b[:, None, None]
        slopes = wide * torch.where(mask, -torch.sigmoid(-z), torch.sigmoid(z))
        scaled = slopes * t[:, None, None]
        by_t, by_b = (slopes * s).sum((1, 2)), -slopes.sum((1, 2))
        return scaled @ v, scaled.mT @ u, by_t, by_b, None, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, *given: Any) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        """The mapped axis joins the configurations: ``[B, R, ...]`` is ``[B R, ...]``."""
        tensors = [
            x.movedim(axis, 0) if axis is not None else x.expand(info.batch_size, *x.shape)
            for x, axis in zip(given[:4], in_dims, strict=False)
        ]
        results = ClosedLoss.apply(*(x.flatten(0, 1) for x in tensors), *given[4:])
        return tuple(x.unflatten(0, (info.batch_size, -1)) for x in results), (0,) * len(results)
