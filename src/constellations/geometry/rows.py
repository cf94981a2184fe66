"""What losses that compare within a row ask for: InfoNCE and the triplet loss.

Both see a configuration only through the differences ``s_ii - s_ij`` of a row. Their zero-loss sets are therefore larger
than the constellations: every row may have its own threshold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from constellations.certificates import LossBounds, softplus
from constellations.checks import finite, integer, nonnegative, plain, positive
from constellations.geometry import inner_products


@dataclass(frozen=True)
class RowGap:
    """Smallest ``s_ii - s_ij`` over ``j != i`` (rows) and ``s_jj - s_ij`` over ``i != j`` (columns)."""

    rows: Any
    columns: Any


def row_gap(u: Any, v: Any) -> RowGap:
    """The gaps that InfoNCE and the triplet loss see: rows (columns) against their own matching entry.

    ``rows = min_{i != j} (s_ii - s_ij)``, ``columns = min_{i != j} (s_jj - s_ij)``; both at least ``2 m*``.
    ``[..., N, d]``; floats for one configuration, tensors of shape ``[...]`` otherwise.

    >>> row_gap(torch.eye(3), torch.eye(3))
    RowGap(rows=1.0, columns=1.0)
    """
    s = inner_products(u, v)
    off = torch.eye(s.shape[-1], dtype=torch.bool, device=s.device)
    diagonal = s.diagonal(dim1=-2, dim2=-1)
    rows = (diagonal[..., :, None] - s).masked_fill(off, torch.inf).amin((-2, -1))
    columns = (diagonal[..., None, :] - s).masked_fill(off, torch.inf).amin((-2, -1))
    return RowGap(rows.item(), columns.item()) if s.ndim == 2 else RowGap(rows, columns)


def triplet_threshold(u: Any, v: Any) -> Any:
    """Largest ``a`` with zero triplet loss: ``2 min_{i != j} (s_ii - s_ij) >= 4 m*`` (Observation 4).

    >>> triplet_threshold(torch.eye(3), torch.eye(3))
    2.0
    """
    return 2 * row_gap(u, v).rows


def info_nce_bounds(gap: Any, *, n_pairs: int, inverse_temperature: Any) -> LossBounds:
    r"""Bracket InfoNCE, summed over rows: ``l(-t g) <= L <= N log(1 + (N-1) e^{-t g})``, ``g`` the row gap.

    So its infimum over ``t`` is 0 iff ``g > 0``, a weaker condition than ``m* > 0``.

    >>> bounds = info_nce_bounds(0.5, n_pairs=4, inverse_temperature=20.0)
    >>> f"{bounds.lower:.3e} {bounds.upper:.3e}"
    '4.540e-05 5.448e-04'
    """
    n = integer(n_pairs, "n_pairs", 2)
    z = positive(inverse_temperature, "inverse_temperature") * finite(gap, "gap")
    return LossBounds(softplus(-z), plain(n * softplus(math.log(n - 1) - z)))


def info_nce_only_example() -> tuple[torch.Tensor, torch.Tensor]:
    """Three pairs in the plane that InfoNCE drives to zero loss, by rows and by columns, although ``m* < 0``.

    Angles 0, 180, 225 degrees for ``u`` and 60, 180, 225 for ``v``; both gaps are ``1 - 1/sqrt(2)``.

    >>> round(row_gap(*info_nce_only_example()).columns, 6)
    0.292893
    """
    angles = torch.deg2rad(torch.tensor([[0.0, 180.0, 225.0], [60.0, 180.0, 225.0]], dtype=torch.float64))
    u, v = torch.stack([angles.cos(), angles.sin()], dim=-1)
    return u, v


def largest_row_gap(n_pairs: Any) -> Any:
    """``N/(N-1)``: no configuration of ``N`` pairs, in any dimension, has a larger row gap.

    Attained by a regular simplex with ``u = v``. Even the *mean* of ``s_ii - s_ij`` cannot exceed it, by the
    inequality of Lee, Chang and Sohn (2024).

    >>> largest_row_gap([2, 5]).tolist()
    [2.0, 1.25]
    """
    n = finite(n_pairs, "n_pairs")
    if not (n >= 2).all():
        raise ValueError(f"n_pairs must be at least 2, got {n_pairs!r}")
    return plain(n / (n - 1))


def info_nce_minimum(*, n_pairs: int, inverse_temperature: Any) -> Any:
    """``N log(1 + (N-1) e^{-t N/(N-1)})``: the least InfoNCE, summed over rows, at a fixed ``t``.

    A lower bound in every dimension (Jensen's inequality and :func:`largest_row_gap`); for ``d >= N-1`` a regular
    simplex with ``u = v`` attains it, at *every* ``t``: InfoNCE has no collapsed regime.

    >>> round(info_nce_minimum(n_pairs=2, inverse_temperature=1.0), 6)
    0.253856
    """
    n = integer(n_pairs, "n_pairs", 2)
    t = positive(inverse_temperature, "inverse_temperature")
    return plain(n * softplus(math.log(n - 1) - t * n / (n - 1)))


def triplet_minimum(*, n_pairs: int, margin_parameter: Any) -> Any:
    """``N(N-1) max(0, a - 2N/(N-1))``: the least triplet loss at margin parameter ``a >= 0``, for ``d >= N-1``.

    A lower bound in every dimension. Zero up to ``a = 2N/(N-1)``, twice the largest row gap.

    >>> triplet_minimum(n_pairs=3, margin_parameter=[1.0, 4.0]).tolist()
    [0.0, 6.0]
    """
    n = integer(n_pairs, "n_pairs", 2)
    excess = nonnegative(margin_parameter, "margin_parameter") - 2 * largest_row_gap(n)
    return plain(n * (n - 1) * np.maximum(excess, 0.0))
