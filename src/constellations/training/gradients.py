r"""Gradients of the summed sigmoid loss of an edge, by three batched products and one sigmoid.

Points are stored column by column, ``[..., d, N]``: multiplying ``[d, N]`` by ``[N, N]`` is about three times faster than
``[N, N]`` by ``[N, d]``. With scale ``a`` and offset ``o`` per run the logit is ``z = a s - o``, one product of

.. math:: A = \begin{pmatrix} a U \\ -o \end{pmatrix}, \qquad B = \begin{pmatrix} V \\ 1 \end{pmatrix}, \qquad z = A^T B,

and with ``G = dL/dz`` the products ``B G^T`` and ``a U G`` hold ``dL/dU / a``, the row sums of G, and ``dL/dV``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from constellations.losses.slopes import exact_slopes_, published_slopes_


@dataclass(frozen=True)
class _Rows:
    """Some rows of the logits, and views of what they are made from and go to."""

    start: int
    first: Tensor
    points: Tensor
    logits: Tensor
    spare: Tensor | None
    d_first: Tensor

    def slopes(self) -> None:
        """``dL/dz`` in place of the logits."""
        if self.spare is None:
            exact_slopes_(self.logits, self.start)
        else:
            published_slopes_(self.logits, self.spare, self.start)


class EdgeGradients:
    """The products of E edges in R runs, in buffers made once; all their logits or a few rows of them at a time.

    Parameters
    ----------
    shape:
        ``(E, R, d, N_u, N_v)``.
    published:
        The clamped loss instead of the exact one.
    entries:
        Logits held at once (but at least 16 rows), so that they stay in the cache.
    d_second:
        Where to write ``dL/dv`` ``[E R, d, N_v]``, if anywhere special.

    After a call ``d_first`` ``[E, R, d, N_u]`` is ``dL/du / scale``, and ``d_second`` is ``dL/dv``.
    """

    def __init__(
        self,
        shape: tuple[int, int, int, int, int],
        *,
        published: bool,
        entries: int,
        like: Tensor,
        d_second: Tensor | None = None,
    ) -> None:
        n_edges, n_runs, dim, n_first, n_second = shape
        batch = n_edges * n_runs
        first, d_first = (like.new_empty(batch, dim + 1, n_first) for _ in range(2))
        self.second = like.new_ones(batch, dim + 1, n_second)
        self.d_second = like.new_empty(batch, dim, n_second) if d_second is None else d_second
        a, b, d_a = (x.view(n_edges, n_runs, dim + 1, -1) for x in (first, self.second, d_first))
        self.u, self.v, self.d_first = (x[:, :, :dim] for x in (a, b, d_a))
        self.minus_offset, self.row_sums = a[:, :, dim], d_a[:, :, dim]
        self.spare = like.new_empty(n_edges, n_runs, dim, n_first)
        size = min(n_first, max(16, entries // (batch * n_second)))
        logits = like.new_empty(batch, size, n_second)
        spare = torch.empty_like(logits) if published else None
        self.blocks = []
        for start in range(0, n_first, size):
            rows = slice(start, min(start + size, n_first))
            held = slice(0, rows.stop - start)
            x = first[:, :, rows]
            buffers = logits[:, held], None if spare is None else spare[:, held], d_first[:, :, rows]
            self.blocks.append(_Rows(start, x, x[:, :dim], *buffers))

    def __call__(
        self, u: Tensor, v: Tensor, scale: Tensor, offset: Tensor, *, second: bool = True
    ) -> tuple[Tensor, Tensor]:
        """Gradients at points ``[E, R, d, N]`` with the logits ``scale <u_i, v_j> - offset``, both ``[R, 1, 1]``.

        ``second=False`` leaves ``dL/dv`` out, for a locked v. Returns ``scale dL/dscale`` and ``-dL/doffset``, ``[R]``.
        """
        torch.mul(u, scale, out=self.u)
        torch.neg(offset[..., 0].expand_as(self.minus_offset), out=self.minus_offset)
        self.v.copy_(v)
        for rows in self.blocks:
            torch.bmm(rows.first.transpose(1, 2), self.second, out=rows.logits)
            rows.slopes()
            torch.bmm(self.second, rows.logits.transpose(1, 2), out=rows.d_first)
            if second:
                beta = float(rows.start > 0)
                torch.baddbmm(self.d_second, rows.points, rows.logits, beta=beta, out=self.d_second)
        torch.mul(self.u, self.d_first, out=self.spare)
        return self.spare.flatten(2).sum(2).sum(0), self.row_sums.sum(2).sum(0)
