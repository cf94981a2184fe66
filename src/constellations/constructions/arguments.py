"""What constructions ask of their arguments, and constant coordinates."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from constellations.sphere import as_pairs, as_points


def append(x: Tensor, *values: float) -> Tensor:
    """``x`` with constant coordinates appended on the last axis."""
    columns = [x.new_full((*x.shape[:-1], 1), value) for value in values]
    return torch.cat([x, *columns], dim=-1)


def as_code(points: Any, name: str) -> Tensor:
    """At least two unit vectors ``[N, d]`` in float64."""
    x = as_points(points, name)
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"{name} must have shape [N, d] with N >= 2, got {tuple(x.shape)}")
    return x.to(torch.float64)


def as_float64_pairs(u: Any, v: Any) -> tuple[Tensor, Tensor]:
    """Two matched sets of unit vectors in float64."""
    u, v = as_pairs(u, v)
    return u.to(torch.float64), v.to(torch.float64)


def require_integer(value: int, name: str, at_least: int) -> None:
    """Raise unless ``value`` is an integer of at least ``at_least``."""
    if isinstance(value, bool) or int(value) != value or value < at_least:
        raise ValueError(f"{name} must be an integer of at least {at_least}, got {value!r}")
