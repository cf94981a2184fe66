r"""Gradients of the summed sigmoid loss of one edge, by three batched products and one sigmoid.

Points are stored column by column, ``[..., d, N]``: multiplying ``[d, N]`` by ``[N, N]`` is about three times faster than
``[N, N]`` by ``[N, d]``. With scale ``a`` and offset ``o`` per run the logit is ``z = a s - o``, one product of

.. math:: A = \begin{pmatrix} a U \\ -o \end{pmatrix}, \qquad B = \begin{pmatrix} V \\ 1 \end{pmatrix}, \qquad z = A^T B,

and with ``G = dL/dz`` the products ``B G^T`` and ``A G`` hold ``dL/dU / a``, the row sums of G, and ``dL/dV``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from constellations.losses.slopes import exact_slopes_, published_slopes_


@dataclass(frozen=True)
class Workspace:
    """Buffers for P edges: ``first``, ``second`` and their gradients ``[P, d+1, N]``, ``logits`` ``[P, M, N]``.

    Logits are made and used M rows at a time, so that they stay in the cache.
    """

    first: Tensor
    second: Tensor
    d_first: Tensor
    d_second: Tensor
    logits: Tensor
    spare: Tensor | None

    @classmethod
    def create(
        cls, batch: int, dim: int, n_pairs: int, *, published: bool, like: Tensor, entries: int = 2**60
    ) -> Workspace:
        """Buffers of the type and device of ``like``, with at most ``entries`` logits at once (but a few rows)."""
        rows = min(n_pairs, max(16, entries // (batch * n_pairs)))
        first, second, d_first, d_second = (like.new_empty(batch, dim + 1, n_pairs) for _ in range(4))
        second[:, dim] = 1
        logits = like.new_empty(batch, rows, n_pairs)
        return cls(first, second, d_first, d_second, logits, torch.empty_like(logits) if published else None)


def edge_gradients(
    u: Tensor, v: Tensor, scale: Tensor, offset: Tensor, work: Workspace, *, second: bool = True
) -> tuple[Tensor, Tensor]:
    """Gradients of the loss of a batch of edges, with the logits ``scale * <u_i, v_j> - offset``.

    Parameters
    ----------
    u, v:
        ``[P, d, N]``.
    scale, offset:
        ``[P]``, ``scale > 0``.
    work:
        Buffers of the same P. Afterwards ``work.d_first[:, :d]`` holds ``dL/du / scale`` and ``work.d_second[:, :d]``
        holds ``dL/dv``.
    second:
        ``False`` leaves ``dL/dv`` out, for a locked v.

    Returns
    -------
    ``scale * dL/dscale`` and ``-dL/doffset``, each ``[P]``.
    """
    dim = u.shape[-2]
    torch.mul(u, scale[:, None, None], out=work.first[:, :dim])
    work.first[:, dim] = -offset[:, None]
    work.second[:, :dim] = v
    if work.logits.shape[1] == u.shape[-1]:
        slopes = _slopes(work.first, work, 0)
        torch.bmm(work.second, slopes.transpose(1, 2), out=work.d_first)
        if second:
            torch.bmm(work.first, slopes, out=work.d_second)
    else:
        _row_by_row(work, second)
    by_scale = (work.first[:, :dim] * work.d_first[:, :dim]).flatten(1).sum(1)
    return by_scale, work.d_first[:, dim].sum(1)


def _slopes(rows: Tensor, work: Workspace, start: int) -> Tensor:
    """``dL/dz`` of the rows ``[P, d+1, m]`` from ``start`` on, ``[P, m, N]``, in the workspace."""
    z = work.logits[:, : rows.shape[2]]
    torch.bmm(rows.transpose(1, 2), work.second, out=z)
    if work.spare is None:
        exact_slopes_(z, start)
    else:
        published_slopes_(z, work.spare[:, : rows.shape[2]], start)
    return z


def _row_by_row(work: Workspace, second: bool) -> None:
    """Both gradients from a few rows of the logits at a time."""
    work.d_second.zero_()
    size = work.logits.shape[1]
    for start in range(0, work.first.shape[2], size):
        rows = work.first[:, :, start : start + size]
        slopes = _slopes(rows, work, start)
        work.d_first[:, :, start : start + size] = torch.bmm(work.second, slopes.transpose(1, 2))
        if second:
            work.d_second.baddbmm_(rows, slopes)
