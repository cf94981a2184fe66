"""InfoNCE and the triplet loss, and the gaps within rows that they ask for.

Both see a configuration only through the differences ``s_ii - s_ij`` of a row. Their zero-loss sets are therefore larger
than the constellations: every row may have its own threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from constellations.losses.arguments import Number, diagonal, full_precision, scalar
from constellations.sphere import Points, as_pairs


def info_nce(u: Points, v: Points, *, inverse_temperature: Number, symmetric: bool = False) -> Tensor:
    r"""InfoNCE ``sum_i -log softmax_j(t s_ij)_i``, summed over rows; ``symmetric=True`` adds the columns.

    Returns a tensor of the leading shape. Source: van den Oord et al. 2018; CLIP uses the symmetric form.
    """
    u, v = full_precision(*as_pairs(u, v))
    t = scalar(inverse_temperature, "inverse_temperature", u, positive=True)
    with torch.autocast(u.device.type, enabled=False):
        logits = t[..., None, None] * (u @ v.mT)
        rows = _row_info_nce(logits)
        return rows + _row_info_nce(logits.mT) if symmetric else rows


def _row_info_nce(logits: Tensor) -> Tensor:
    """``sum_i log(1 + sum_{j != i} exp(z_ij - z_ii))``, which stays accurate when the loss is near zero."""
    rivals = (logits - logits.diagonal(dim1=-2, dim2=-1)[..., None]).masked_fill(diagonal(logits), -torch.inf)
    return -logsigmoid(-torch.logsumexp(rivals, dim=-1)).sum(-1)


def triplet(u: Points, v: Points, *, margin_parameter: Number) -> Tensor:
    r"""Triplet loss ``sum_{i != j} relu(|u_i - v_i|^2 - |u_i - v_j|^2 + a)``, ``a = margin_parameter`` (Observation 4)."""
    u, v = full_precision(*as_pairs(u, v))
    a = scalar(margin_parameter, "margin_parameter", u)
    with torch.autocast(u.device.type, enabled=False):
        s = u @ v.mT
        excess = torch.relu(2 * (s - s.diagonal(dim1=-2, dim2=-1)[..., None]) + a[..., None, None])
        return excess.masked_fill(diagonal(s), 0.0).sum((-2, -1))


@dataclass(frozen=True)
class RowGap:
    """Smallest ``s_ii - s_ij`` over ``j != i`` (rows) and ``s_jj - s_ij`` over ``i != j`` (columns)."""

    rows: Any
    columns: Any


def row_gap(u: Points, v: Points) -> RowGap:
    """The gaps that InfoNCE and the triplet loss see: rows (columns) against their own matching entry.

    ``rows = min_{i != j} (s_ii - s_ij)``, ``columns = min_{i != j} (s_jj - s_ij)``; both at least ``2 m*``.
    ``[..., N, d]``; floats for one configuration, tensors of shape ``[...]`` otherwise.

    >>> row_gap(torch.eye(3), torch.eye(3))
    RowGap(rows=1.0, columns=1.0)
    """
    u, v = as_pairs(u, v)
    s = u @ v.transpose(-1, -2)
    own, mask = s.diagonal(dim1=-2, dim2=-1), diagonal(s)
    rows = (own[..., :, None] - s).masked_fill(mask, torch.inf).amin((-2, -1))
    columns = (own[..., None, :] - s).masked_fill(mask, torch.inf).amin((-2, -1))
    return RowGap(rows.item(), columns.item()) if s.ndim == 2 else RowGap(rows, columns)


def triplet_threshold(u: Points, v: Points) -> float | Tensor:
    """Largest ``a`` with zero triplet loss: ``2 min_{i != j} (s_ii - s_ij) >= 4 m*`` (Observation 4).

    >>> triplet_threshold(torch.eye(3), torch.eye(3))
    2.0
    """
    return 2 * row_gap(u, v).rows


def info_nce_only_example() -> tuple[Tensor, Tensor]:
    """Three pairs in the plane that InfoNCE drives to zero loss, by rows and by columns, although ``m* < 0``.

    Angles 0, 180, 225 degrees for ``u`` and 60, 180, 225 for ``v``; both gaps are ``1 - 1/sqrt(2)``.

    >>> round(row_gap(*info_nce_only_example()).columns, 6)
    0.292893
    """
    angles = torch.deg2rad(torch.tensor([[0.0, 180.0, 225.0], [60.0, 180.0, 225.0]], dtype=torch.float64))
    u, v = torch.stack([angles.cos(), angles.sin()], dim=-1)
    return u, v
