r"""Losses of a batch of configurations and their gradients by hand.

With ``z_ij = t s'_ij - b`` (or ``t (s'_ij - b_rel)``), where ``s' = s`` or, behind an adapter,
``s' = delta^2 s - (1 - delta^2)``, every gradient follows from ``G_ij = dL/dz_ij``:

.. math::
    \partial L/\partial U = t \delta^2\, G V, \quad \partial L/\partial V = t \delta^2\, G^\top U, \quad
    \partial L/\partial b = -\textstyle\sum G, \quad \partial L/\partial t = \textstyle\sum G s'.

Points are stored as ``[runs, k, d, N]``: products of a ``d x N`` with an ``N x N`` matrix are several times faster than
those of ``N x N`` with ``N x d``. A row ``-c`` below ``t delta^2 U`` and a row of ones below ``V`` make one product of the
logits, and give the row sums of ``G`` on the way back.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from constellations.losses.sigmoid import PUBLISHED_EPSILON

LOG_T, BIAS, ADAPTER = range(3)


@dataclass(frozen=True)
class Coefficients:
    """``z = slope * s - offset`` per run, and what the chain rule needs. All of shape ``[runs]``."""

    slope: Tensor
    offset: Tensor
    inverse_temperature: Tensor
    delta: Tensor


def coefficients(scalars: Tensor, *, relative: bool, adapter: bool) -> Coefficients:
    """From the trained scalars ``[runs, 3]``: log t, b or b_rel, and the adapter's x with ``delta = sigmoid(x)``."""
    t = scalars[:, LOG_T].exp()
    offset = t * scalars[:, BIAS] if relative else scalars[:, BIAS]
    if not adapter:
        return Coefficients(t, offset, t, torch.ones_like(t))
    delta = torch.sigmoid(scalars[:, ADAPTER])
    return Coefficients(t * delta**2, offset + t * (1 - delta**2), t, delta)


class Objective:
    """Mean loss per edge, summed over the edges: gradients of a batch of runs, in buffers made once."""

    def __init__(
        self, n_runs: int, edges: tuple[tuple[int, int], ...], n_modalities: int, n_pairs: int, dim: int,
        *, relative: bool, adapter: bool, published: bool, dtype: torch.dtype, device: torch.device,
    ) -> None:  # fmt: skip
        self.relative, self.adapter, self.published = relative, adapter, published
        self.shape = (n_runs, len(edges), n_pairs, dim)
        empty = {"dtype": dtype, "device": device}
        self.left = torch.empty(n_runs, len(edges), dim + 1, n_pairs, **empty)
        self.right = torch.ones(n_runs, len(edges), dim + 1, n_pairs, **empty)
        self.logits = torch.empty(n_runs * len(edges), n_pairs, n_pairs, **empty)
        self.first = torch.tensor([a for a, _ in edges], device=device)
        self.second = torch.tensor([b for _, b in edges], device=device)
        self.from_first = torch.zeros(n_modalities, len(edges), **empty)
        self.from_second = torch.zeros(n_modalities, len(edges), **empty)
        for index, (a, b) in enumerate(edges):
            self.from_first[a, index] = self.from_second[b, index] = 1

    def gradients(self, points: Tensor, scalars: Tensor, to_points: Tensor, to_scalars: Tensor) -> None:
        """Write the gradients by points ``[runs, k, d, N]`` and scalars ``[runs, 3]`` into the last two arguments."""
        n_runs, n_edges, n, dim = self.shape
        c = coefficients(scalars, relative=self.relative, adapter=self.adapter)
        slope = c.slope[:, None, None, None]
        u = points.index_select(1, self.first)
        torch.mul(u, slope, out=self.left[:, :, :dim])
        self.left[:, :, dim] = -c.offset[:, None, None]
        self.right[:, :, :dim] = points.index_select(1, self.second)
        left, right = (x.view(n_runs * n_edges, dim + 1, n) for x in (self.left, self.right))
        torch.bmm(left.transpose(1, 2), right, out=self.logits)
        g = published_slopes(self.logits) if self.published else exact_slopes(self.logits)
        scale = 1.0 / n**2
        by_v = torch.bmm(right, g.transpose(1, 2)).mul_(scale).view(n_runs, n_edges, dim + 1, n)
        by_u = torch.bmm(left[:, :dim], g).mul_(scale)
        sum_gs = (by_v[:, :, :dim] * u).sum((1, 2, 3))
        sum_g = by_v[:, :, dim].sum((1, 2))
        flat = torch.matmul(self.from_first, (by_v[:, :, :dim] * slope).reshape(n_runs, n_edges, dim * n))
        flat += torch.matmul(self.from_second, by_u.view(n_runs, n_edges, dim * n))
        to_points.copy_(flat.view(points.shape))
        self._scalars(c, scalars, sum_g, sum_gs, to_scalars)

    def _scalars(self, c: Coefficients, scalars: Tensor, sum_g: Tensor, sum_gs: Tensor, out: Tensor) -> None:
        t, squared = c.inverse_temperature, c.delta**2
        adapted = squared * sum_gs - (1 - squared) * sum_g
        if self.relative:
            out[:, LOG_T] = t * (adapted - scalars[:, BIAS] * sum_g)
            out[:, BIAS] = -t * sum_g
        else:
            out[:, LOG_T] = t * adapted
            out[:, BIAS] = -sum_g
        out[:, ADAPTER] = 2 * squared * (1 - c.delta) * t * (sum_gs + sum_g) if self.adapter else 0.0


def exact_slopes(z: Tensor) -> Tensor:
    """``dL/dz`` of the exact loss, in place: ``sigmoid(z)`` off the diagonal and ``-sigmoid(-z)`` on it."""
    diagonal = z.diagonal(dim1=-2, dim2=-1)
    matching = torch.sigmoid(-diagonal).neg_()
    z.sigmoid_()
    diagonal.copy_(matching)
    return z


def published_slopes(z: Tensor) -> Tensor:
    """``dL/dz`` of ``-log(p + eps)`` and ``-log(1 - p + eps)``, ``p = sigmoid(z)``, rounded as the authors' code rounds."""
    p = z.sigmoid_()
    q = 1 - p
    diagonal = p.diagonal(dim1=-2, dim2=-1)
    matching = -(diagonal * (1 - diagonal)) / (diagonal + PUBLISHED_EPSILON)
    p.mul_(q).div_(q.add_(PUBLISHED_EPSILON))
    diagonal.copy_(matching)
    return p


def entry_losses(z: Tensor, *, published: bool) -> Tensor:
    """Losses of logits ``[..., N, N]``, entry by entry, in the precision of ``z``."""
    diagonal = torch.eye(z.shape[-1], dtype=torch.bool, device=z.device)
    if not published:
        return -logsigmoid(torch.where(diagonal, z, -z))
    p = torch.sigmoid(z)
    return -torch.log(torch.where(diagonal, p, 1 - p) + PUBLISHED_EPSILON)
