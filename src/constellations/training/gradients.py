r"""Gradients of the summed sigmoid loss of an edge, by three batched products and one sigmoid.

Points are stored column by column, ``[..., d, N]``: multiplying ``[d, N]`` by ``[N, N]`` is about three times faster than
``[N, N]`` by ``[N, d]``. With scale ``a`` and offset ``o`` per run the logit is ``z = a s - o``, one product of

.. math:: A = \begin{pmatrix} a U \\ -o \end{pmatrix}, \qquad B = \begin{pmatrix} V \\ 1 \end{pmatrix}, \qquad z = A^T B,

and with ``G = dL/dz`` the products ``B G^T`` and ``a U G`` hold ``dL/dU / a``, the row sums of G, and ``dL/dV``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from constellations.losses.slopes import exact_slopes_, published_slopes_


class EdgeGradients:
    """The products of E edges in R runs, in buffers made once; all their logits or a few rows of them at a time.

    Parameters
    ----------
    edges:
        Pairs ``(a, c)`` of modalities, of which ``a`` is trained.
    x, dx:
        Points ``[R, d, N]`` of every modality, and where the gradients of the trained ones go.
    scale, offset:
        ``[R]``, read at every call: the logits are ``scale <u_i, v_j> - offset``, ``scale > 0``.
    matching:
        Which pairs match, boolean ``[N_u, N_v]``; by default the diagonal.
    published:
        The clamped loss instead of the exact one, without ``matching``.
    entries:
        Logits held at once (but at least 16 rows), so that they stay in the cache.
    adds:
        Add to the gradients that are there, instead of writing over them.

    After a call ``by_scale`` and ``by_offset`` ``[R]`` are ``scale dL/dscale`` and ``-dL/doffset``.
    """

    def __init__(
        self,
        edges: Sequence[tuple[int, int]],
        x: Mapping[int, Tensor],
        dx: Mapping[int, Tensor],
        *,
        scale: Tensor,
        offset: Tensor,
        matching: Tensor | None,
        published: bool,
        entries: int,
        adds: bool,
    ) -> None:
        self.sides = [[x[a][None] for a in side] for side in zip(*edges, strict=True)]
        (n_runs, dim, n_first), n_second = self.sides[0][0][0].shape, self.sides[1][0].shape[3]
        batch = len(edges) * n_runs
        first, d_first = (scale.new_empty(batch, dim + 1, n_first) for _ in range(2))
        self.second, self.d_second = scale.new_ones(batch, dim + 1, n_second), scale.new_empty(batch, dim, n_second)
        a, b, d_a = (y.view(len(edges), n_runs, dim + 1, -1) for y in (first, self.second, d_first))
        self.u, self.v, self.d_u = (y[:, :, :dim] for y in (a, b, d_a))
        self.minus_offset, self.row_sums = a[:, :, dim], d_a[:, :, dim]
        self.scale, self.offset = scale[:, None, None], offset[:, None].expand_as(self.minus_offset)
        self.spare = scale.new_empty(self.u.shape)
        self.by_scale, self.by_offset = torch.empty_like(scale), torch.empty_like(scale)
        size = min(n_first, max(16, entries // (batch * n_second)))
        logits = scale.new_empty(batch, size, n_second)
        self.signs = None if matching is None else 1 - 2 * matching.to(scale)
        self.spare_logits = torch.empty_like(logits) if published else None
        self.blocks = [
            (k * size, rows.transpose(1, 2), rows[:, :dim], logits[:, : rows.shape[2]], d_rows)
            for k, (rows, d_rows) in enumerate(zip(first.split(size, 2), d_first.split(size, 2), strict=True))
        ]
        self.writes, written = [], set(dx) if adds else set()
        for (i, j), d_u, d_v in zip(edges, self.d_u, self.d_second.unflatten(0, (-1, n_runs)), strict=True):
            new = partial(torch.mul, d_u, self.scale, out=dx[i])
            self.writes.append(partial(dx[i].addcmul_, d_u, self.scale) if i in written else new)
            if j in dx:
                self.writes.append(partial(dx[j].add_ if j in written else dx[j].copy_, d_v))
            written |= {i, j}
        self.by_second = any(c in dx for _, c in edges)

    def __call__(self) -> None:
        """Gradients at the points, the scale and the offset of this moment."""
        u, v = (torch.cat(side) if len(side) > 1 else side[0] for side in self.sides)
        torch.mul(u, self.scale, out=self.u)
        torch.neg(self.offset, out=self.minus_offset)
        self.v.copy_(v)
        for start, rows, points, logits, d_rows in self.blocks:
            torch.bmm(rows, self.second, out=logits)
            if self.signs is not None:
                signs = self.signs[start : start + logits.shape[1]]
                logits.mul_(signs).sigmoid_().mul_(signs)
            elif self.spare_logits is not None:
                published_slopes_(logits, self.spare_logits[:, : logits.shape[1]], start)
            else:
                exact_slopes_(logits, start)
            torch.bmm(self.second, logits.transpose(1, 2), out=d_rows)
            if self.by_second:
                torch.baddbmm(self.d_second, points, logits, beta=float(start > 0), out=self.d_second)
        torch.mul(self.u, self.d_u, out=self.spare)
        torch.sum(self.spare, (0, 2, 3), out=self.by_scale)
        torch.sum(self.row_sums, (0, 2), out=self.by_offset)
        for write in self.writes:
            write()
