r"""Gradients of the summed sigmoid loss of an edge, by three batched products and one sigmoid.

Points are stored column by column, ``[..., d, N]``: multiplying ``[d, N]`` by ``[N, N]`` is about three times faster than
``[N, N]`` by ``[N, d]``. With scale ``a`` and offset ``o`` per run the logit is ``z = a s - o``, one product of

.. math:: A = \begin{pmatrix} a U \\ -o \end{pmatrix}, \qquad B = \begin{pmatrix} V \\ 1 \end{pmatrix}, \qquad z = A^T B,

and with ``G = dL/dz`` the products ``B G^T`` and ``a U G`` hold ``dL/dU / a``, the row sums of G, and ``dL/dV``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from constellations.losses.slopes import exact_slopes_, published_slopes_


class EdgeGradients:
    """The products of E edges in R runs, in buffers made once; all their logits or a few rows of them at a time.

    Parameters
    ----------
    shape:
        ``(E, R, d, N_u, N_v)``.
    scale, offset:
        ``[R]``, read at every call: the logits are ``scale <u_i, v_j> - offset``, ``scale > 0``.
    published:
        The clamped loss instead of the exact one.
    matching:
        Which pairs match, boolean ``[N_u, N_v]``; by default the diagonal.
    entries:
        Logits held at once (but at least 16 rows), so that they stay in the cache.

    After a call ``d_first`` ``[E, R, d, N_u]`` is ``dL/du / scale`` and ``d_second`` is ``dL/dv``; ``by_scale`` and
    ``by_offset`` ``[R]`` are ``scale dL/dscale`` and ``-dL/doffset``.
    """

    def __init__(
        self,
        shape: tuple[int, int, int, int, int],
        *,
        scale: Tensor,
        offset: Tensor,
        published: bool,
        entries: int,
        matching: Tensor | None = None,
    ) -> None:
        n_edges, n_runs, dim, n_first, n_second = shape
        batch = n_edges * n_runs
        first, d_first = (scale.new_empty(batch, dim + 1, n_first) for _ in range(2))
        self.second = scale.new_ones(batch, dim + 1, n_second)
        self.d_second = scale.new_empty(n_edges, n_runs, dim, n_second)
        self.flat_d_second = self.d_second.flatten(0, 1)
        self.signs = None if matching is None else 1 - 2 * matching.to(scale)
        a, b, d_a = (x.view(n_edges, n_runs, dim + 1, -1) for x in (first, self.second, d_first))
        self.u, self.v, self.d_first = (x[:, :, :dim] for x in (a, b, d_a))
        self.minus_offset, self.row_sums = a[:, :, dim], d_a[:, :, dim]
        self.scale, self.offset = scale[:, None, None], offset[:, None].expand_as(self.minus_offset)
        self.spare = scale.new_empty(n_edges, n_runs, dim, n_first)
        self.by_scale, self.by_offset = torch.empty_like(scale), torch.empty_like(scale)
        size = min(n_first, max(16, entries // (batch * n_second)))
        self.logits = scale.new_empty(batch, size, n_second)
        self.spare_logits = torch.empty_like(self.logits) if published else None
        parts = zip(range(0, n_first, size), first.split(size, 2), d_first.split(size, 2), strict=True)
        self.blocks = [
            (start, rows.transpose(1, 2), rows[:, :dim], self.logits[:, : rows.shape[2]], d_rows)
            for start, rows, d_rows in parts
        ]

    def __call__(self, u: Tensor, v: Tensor, *, second: bool = True) -> None:
        """Gradients at points ``[E, R, d, N]``; ``second=False`` leaves ``dL/dv`` out, for a locked v."""
        torch.mul(u, self.scale, out=self.u)
        torch.neg(self.offset, out=self.minus_offset)
        self.v.copy_(v)
        for start, rows, points, logits, d_rows in self.blocks:
            torch.bmm(rows, self.second, out=logits)
            self._slopes(logits, start)
            torch.bmm(self.second, logits.transpose(1, 2), out=d_rows)
            if second:
                beta = 1.0 if start else 0.0
                torch.baddbmm(self.flat_d_second, points, logits, beta=beta, out=self.flat_d_second)
        torch.mul(self.u, self.d_first, out=self.spare)
        torch.sum(self.spare, (0, 2, 3), out=self.by_scale)
        torch.sum(self.row_sums, (0, 2), out=self.by_offset)

    def _slopes(self, logits: Tensor, start: int) -> None:
        """``dL/dz`` in place of the logits."""
        if self.signs is not None:
            signs = self.signs[start : start + logits.shape[1]]
            logits.mul_(signs).sigmoid_().mul_(signs)
        elif self.spare_logits is None:
            exact_slopes_(logits, start)
        else:
            published_slopes_(logits, self.spare_logits[:, : logits.shape[1]], start)
