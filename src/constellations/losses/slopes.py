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

from constellations.losses.arguments import Matching, full_precision

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


def exact_slopes_(z: Tensor, matching: Matching, start: int = 0) -> None:
    """Replace logits ``[..., m, N]`` by ``dL/dz`` of the exact loss: ``sigmoid(z)``, for matching pairs ``-sigmoid(-z)``.

    The rows are those from ``start`` on of the whole table.
    """
    matching.flip_(z, start)
    matching.flip_(z.sigmoid_(), start)


def published_slopes_(z: Tensor, spare: Tensor, start: int = 0) -> None:
    """The same for the authors' clamped loss, as automatic differentiation evaluates it in the precision of ``z``.

    With ``p = sigmoid(z)``: ``p (1-p) / (1 - p + eps)``, and ``-p (1-p) / (p + eps)`` for matching pairs, those of the
    diagonal. Where ``1 - p`` rounds to 0, in float32 beyond a logit of about 17, the slope is exactly 0.
    """
    diagonal = z.diagonal(offset=start, dim1=-2, dim2=-1)
    p = torch.sigmoid(diagonal)
    matching = -(p * (1 - p)) / (p + PUBLISHED_EPSILON)
    z.sigmoid_()
    torch.sub(1, z, out=spare)
    z.mul_(spare)
    z.div_(spare.add_(PUBLISHED_EPSILON))
    diagonal.copy_(matching)


def product(a: Tensor, b: Tensor, total: Tensor | None = None) -> Tensor:
    """A batched product, or added in place, with sums in float32 at least: a GPU multiplies bfloat16 numbers so."""
    if a.dtype == torch.bfloat16:
        added = torch.bmm(a, b, out_dtype=torch.float32)
        return added if total is None else total.add_(added)
    return torch.bmm(a, b) if total is None else total.baddbmm_(a, b)


def loss_(s: Tensor, t: Tensor, b: Tensor, matching: Matching, start: int, *, slopes: bool) -> Tensor:
    """Summed loss ``[R]`` of a block of inner products ``[R, m, N]``; with ``slopes`` they are replaced by ``dL/dz``."""
    size = max(1, TILE // (s.shape[0] * s.shape[2]))
    total = s.new_zeros(s.shape[0])
    for k, x in enumerate([s] if s.is_cuda or torch.compiler.is_compiling() else s.split(size, dim=1)):
        x.mul_(t[:, None, None]).sub_(b[:, None, None])
        matching.flip_(x, start + k * size)
        total += entries(x).sum((1, 2))
        if slopes:
            torch.threshold_(x, -80.0 if x.dtype == torch.float32 else -700.0, -torch.inf).sigmoid_()  # never subnormal
            matching.flip_(x, start + k * size)
    return total


class ClosedLoss(torch.autograd.Function):
    """Summed exact loss ``[R]`` of points ``[R, M, d]``, ``[R, N, d]`` at scalars ``[R]``; its gradients in all four.

    All is computed in the forward pass, ``size`` rows at a time: three products, and memory for ``R * size * N`` logits
    beside gradients of the points' size. Differentiable again, then with the whole matrix. Of bfloat16 points the inner
    products are those of the numbers as they are, and slopes are rounded to bfloat16 before they multiply points.
    """

    @staticmethod
    def forward(
        u: Tensor, v: Tensor, t: Tensor, b: Tensor, matching: Matching, size: int, gradients: bool
    ) -> tuple[Tensor, ...]:
        total, pull, wide = torch.zeros_like(t), torch.zeros_like(t), t[:, None, None]
        by_u, by_v = (torch.zeros_like(x, dtype=t.dtype) if gradients else x for x in (u, v))
        for start in range(0, u.shape[1], size):
            rows = u[:, start : start + size]
            z = product(rows, v.mT)
            total += loss_(z, t, b, matching, start, slopes=gradients)
            if gradients:
                pull += z.sum((1, 2))
                z = z.to(u.dtype)
                product(z, v, by_u[:, start : start + size])
                product(z.mT, rows, by_v)
            del z
        if not gradients:
            return (total,)
        by_t = (u * by_u).sum((1, 2))
        return total, by_u.mul_(wide), by_v.mul_(wide), by_t, -pull

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
            return wide * closed[0], wide * closed[1], g * closed[2], g * closed[3], None, None, None
        u, v = full_precision(u, v)
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
