r"""Gradients of the summed sigmoid loss, by three batched products and one sigmoid for a strip of edges.

A strip holds the edges of one modality ``U`` with some that are neighbours in memory, ``V`` side by side. Points are stored
column by column, ``[..., d, N]``: multiplying ``[d, N]`` by ``[N, N]`` is about three times faster than ``[N, N]`` by
``[N, d]``. With scale ``a`` and offset ``o`` per run the logit is ``z = a s - o``, one product of

.. math:: A = \begin{pmatrix} a U \\ -o \end{pmatrix}, \qquad B = \begin{pmatrix} V \\ 1 \end{pmatrix}, \qquad z = A^T B,

and with ``G = dL/dz`` the products ``B G^T`` and ``a U G`` hold ``dL/dU / a``, the row sums of G, and ``dL/dV``. The row of
ones is stored below the points, so that nothing is copied.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from constellations.losses.arguments import Matching
from constellations.losses.slopes import exact_slopes_, published_slopes_


class StripGradients:
    """The products of a strip of edges in R runs, in buffers made once; all their logits or a few rows of them at a time.

    Parameters
    ----------
    first, second:
        Points over a row of ones, ``[R, d + 1, N]`` of one modality and ``[R, d + 1, w M]`` of ``w`` others.
    d_first, d_second:
        Where the gradients go, ``[R, d, N]`` and ``[R, d, w M]``, or None for those that are not trained.
    scale, offset:
        ``[R]``, read at every call: the logits are ``scale <u_i, v_j> - offset``, ``scale > 0``.
    width:
        The number ``w``.
    matching:
        Which pairs of each edge match; with the clamped loss those of the diagonal.
    room:
        Space for the logits held at once (at least those of 16 rows), and again for the clamped loss; all strips share it.
    adds:
        Add to the gradients that are there, instead of writing over them.

    After a call ``by_scale`` and ``by_offset`` ``[R]`` are ``scale dL/dscale`` and ``-dL/doffset``.
    """

    def __init__(
        self,
        first: Tensor,
        second: Tensor,
        d_first: Tensor,
        d_second: Tensor | None,
        *,
        scale: Tensor,
        offset: Tensor,
        width: int,
        matching: Matching,
        room: list[Tensor],
        adds: bool,
    ) -> None:
        self.first, self.second, self.d_first, self.d_second = first[:, :-1], second, d_first, d_second
        self.matching, self.adds, self.zero, (n_runs, rows, n_first) = matching, adds, scale.new_zeros(()), first.shape
        self.scale, self.offset = scale[:, None, None], offset[:, None].expand(n_runs, n_first)
        scaled, by_first = scale.new_empty(2, n_runs, rows, n_first)
        self.points, self.minus_offset = scaled[:, :-1], scaled[:, -1]
        self.by_points, self.row_sums = by_first[:, :-1], by_first[:, -1]
        self.spare, self.by_second = torch.empty_like(d_first), second.new_empty(n_runs, rows - 1, second.shape[2])
        self.by_scale, self.by_offset = scale.new_empty(2, n_runs)
        size = min(n_first, max(16, len(room[0]) // (n_runs * second.shape[2])))
        self.blocks = []
        parts = zip(scaled.split(size, 2), by_first.split(size, 2), strict=True)
        for k, (part, by_part) in enumerate(parts):
            shape = n_runs, part.shape[2], second.shape[2]
            logits = [y[: math.prod(shape)].view(shape) for y in room]
            tables = [z.unflatten(2, (width, -1)).transpose(1, 2) for z in logits]
            self.blocks.append((k * size, part.mT, part[:, :-1], logits[0], logits[0].mT, tables, by_part))

    def __call__(self) -> None:
        """Gradients at the points and scalars of this moment."""
        torch.mul(self.first, self.scale, out=self.points)
        torch.neg(self.offset, out=self.minus_offset)
        for start, rows, points, logits, columns, tables, by_part in self.blocks:
            torch.bmm(rows, self.second, out=logits)
            if len(tables) > 1:
                published_slopes_(tables[0], tables[1], start)
            else:
                exact_slopes_(tables[0], self.matching, start)
            torch.bmm(self.second, columns, out=by_part)
            if self.d_second is not None:
                torch.baddbmm(self.by_second, points, logits, beta=float(start > 0), out=self.by_second)
        torch.mul(self.points, self.by_points, out=self.spare)
        torch.sum(self.spare, (1, 2), out=self.by_scale)
        torch.sum(self.row_sums, 1, out=self.by_offset)
        torch.addcmul(self.d_first if self.adds else self.zero, self.by_points, self.scale, out=self.d_first)
        if self.d_second is not None:
            (self.d_second.add_ if self.adds else self.d_second.copy_)(self.by_second)
