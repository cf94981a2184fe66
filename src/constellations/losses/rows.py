"""InfoNCE and the triplet loss, for comparison with the sigmoid loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from constellations.losses.sigmoid import _finite, _positive
from constellations.sphere import as_pairs


def info_nce(u: Any, v: Any, *, inverse_temperature: Any, symmetric: bool = False) -> Tensor:
    r"""InfoNCE ``sum_i -log softmax_j(t s_ij)_i``, summed over rows; ``symmetric=True`` adds the columns.

    Returns a tensor of the leading shape. Source: van den Oord et al. 2018; CLIP uses the symmetric form.
    """
    u, v = as_pairs(u, v)
    logits = _positive(inverse_temperature, "inverse_temperature", u)[..., None, None] * (
        u @ v.transpose(-1, -2)
    )
    rows = _row_info_nce(logits)
    return rows + _row_info_nce(logits.transpose(-1, -2)) if symmetric else rows


def _row_info_nce(logits: Tensor) -> Tensor:
    """``sum_i log(1 + sum_{j != i} exp(z_ij - z_ii))``, which stays accurate when the loss is near zero."""
    n = logits.shape[-1]
    differences = logits - logits.diagonal(dim1=-2, dim2=-1)[..., None]
    rivals = differences.masked_fill(torch.eye(n, dtype=torch.bool, device=logits.device), -torch.inf)
    return -logsigmoid(-torch.logsumexp(rivals, dim=-1)).sum(-1)


def triplet(u: Any, v: Any, *, margin_parameter: float) -> Tensor:
    r"""Triplet loss ``sum_{i != j} relu(|u_i - v_i|^2 - |u_i - v_j|^2 + a)``, ``a = margin_parameter`` (Observation 4)."""
    u, v = as_pairs(u, v)
    a = _finite(margin_parameter, "margin_parameter", u)
    s = u @ v.transpose(-1, -2)
    excess = torch.relu(2 * (s - s.diagonal(dim1=-2, dim2=-1)[..., None]) + a)
    return excess.masked_fill(torch.eye(s.shape[-1], dtype=torch.bool, device=s.device), 0.0).sum((-2, -1))
