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

from constellations.losses.sigmoid import PUBLISHED_EPSILON


@dataclass(frozen=True)
class Workspace:
    """Buffers for P edges: ``first``, ``second`` and their gradients ``[P, d+1, N]``, ``logits`` ``[P, N, N]``."""

    first: Tensor
    second: Tensor
    d_first: Tensor
    d_second: Tensor
    logits: Tensor
    spare: Tensor | None

    @classmethod
    def create(cls, batch: int, dim: int, n_pairs: int, *, published: bool, like: Tensor) -> Workspace:
        """Empty buffers of the type and device of ``like``."""
        first, second, d_first, d_second = (like.new_empty(batch, dim + 1, n_pairs) for _ in range(4))
        second[:, dim] = 1
        logits = like.new_empty(batch, n_pairs, n_pairs)
        return cls(first, second, d_first, d_second, logits, torch.empty_like(logits) if published else None)


def exact_slopes_(z: Tensor) -> None:
    """Replace logits ``[..., N, N]`` by ``dL/dz`` of the exact loss: ``sigmoid(z)``, on the diagonal ``-sigmoid(-z)``."""
    diagonal = z.diagonal(dim1=-2, dim2=-1)
    matching = torch.sigmoid(-diagonal).neg_()
    z.sigmoid_()
    diagonal.copy_(matching)


def published_slopes_(z: Tensor, spare: Tensor) -> None:
    """The same for the authors' clamped loss, as automatic differentiation evaluates it in the precision of ``z``.

    With ``p = sigmoid(z)``: ``p (1-p) / (1 - p + eps)``, and ``-p (1-p) / (p + eps)`` on the diagonal. Where ``1 - p``
    rounds to 0, in float32 beyond a logit of about 17, the slope is exactly 0.
    """
    diagonal = z.diagonal(dim1=-2, dim2=-1)
    p = torch.sigmoid(diagonal)
    matching = -(p * (1 - p)) / (p + PUBLISHED_EPSILON)
    z.sigmoid_()
    torch.sub(1, z, out=spare)
    z.mul_(spare)
    z.div_(spare.add_(PUBLISHED_EPSILON))
    diagonal.copy_(matching)


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
    torch.bmm(work.first.transpose(1, 2), work.second, out=work.logits)
    if work.spare is None:
        exact_slopes_(work.logits)
    else:
        published_slopes_(work.logits, work.spare)
    torch.bmm(work.second, work.logits.transpose(1, 2), out=work.d_first)
    if second:
        torch.bmm(work.first, work.logits, out=work.d_second)
    by_scale = (work.first[:, :dim] * work.d_first[:, :dim]).flatten(1).sum(1)
    return by_scale, work.d_first[:, dim].sum(1)
