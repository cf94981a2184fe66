"""Spherical codes that exist in every dimension or for every number of points."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.linalg import helmert
from torch import Tensor

from constellations.checks import integer, require
from constellations.sphere import Points, as_points, random_points


def as_code(points: Points, name: str) -> Tensor:
    """At least two unit vectors ``[N, d]`` in float64."""
    x = as_points(points, name)
    require(x.ndim == 2 and len(x) >= 2, name, "of shape [N, d] with N >= 2", tuple(x.shape))
    return x.to(torch.float64)


def max_inner_product(points: Points) -> float:
    """Largest inner product of two different points of a code ``[N, d]``, ``N >= 2``.

    >>> round(max_inner_product(simplex(5)), 12)
    -0.25
    """
    x = as_code(points, "points")
    return (x @ x.T).fill_diagonal_(-2.0).max().item()


def simplex(n: int) -> Tensor:
    """The ``n`` vertices of a regular simplex in ``R^(n-1)``: inner products ``-1/(n-1)``, shape ``[n, n-1]``.

    >>> round((simplex(4) @ simplex(4).T)[0, 1].item(), 12)
    -0.333333333333
    """
    integer(n, "n", 2)
    return torch.from_numpy(np.ascontiguousarray(helmert(n).T) * math.sqrt(n / (n - 1)))


def cross_polytope(dim: int) -> Tensor:
    """The ``2 dim`` points ``+-e_i`` of ``R^dim``: inner products 0 and -1, shape ``[2 dim, dim]``.

    >>> cross_polytope(2).tolist()
    [[1.0, 0.0], [0.0, 1.0], [-1.0, -0.0], [-0.0, -1.0]]
    """
    integer(dim, "dim", 1)
    identity = torch.eye(dim, dtype=torch.float64)
    return torch.cat([identity, -identity])


def regular_polygon(n: int) -> Tensor:
    """``n`` equally spaced points of the circle, shape ``[n, 2]``, for ``n >= 2``."""
    integer(n, "n", 2)
    angles = 2 * math.pi * torch.arange(n, dtype=torch.float64) / n
    return torch.stack([angles.cos(), angles.sin()], dim=-1)


def greedy_code(dim: int, max_inner_product: float, *, n_candidates: int, seed: int) -> Tensor:
    """Random points kept one after another while all inner products stay at most ``max_inner_product``.

    The simplest code of exponential size: ``n_candidates`` uniform points are tried, those too near an earlier
    one are dropped. Returns ``[n, dim]``, ``n >= 1``.

    >>> len(greedy_code(3, 0.5, n_candidates=2000, seed=0)) >= 8
    True
    """
    integer(dim, "dim", 2)
    integer(n_candidates, "n_candidates", 1)
    require(-1 <= max_inner_product < 1, "max_inner_product", "in [-1, 1)", max_inner_product)
    candidates = random_points(n_candidates, dim, seed=seed).numpy()
    kept = []
    while len(candidates):
        kept.append(candidates[0])
        candidates = candidates[1:][candidates[1:] @ kept[-1] <= max_inner_product]
    return torch.from_numpy(np.stack(kept))


def derived_code(points: Tensor, inner_product: float) -> Tensor:
    """The points at ``inner_product`` from the first one, projected orthogonally to it and normalised.

    A point with largest inner product ``a`` turns, at ``inner_product = a``, into a code one dimension lower with
    largest inner product ``a / (1 + a)``: 1/2 gives 1/3, then 1/4. Coordinates are in the orthogonal complement.

    >>> derived_code(simplex(4), -1 / 3).shape
    torch.Size([3, 2])
    """
    first = points[0]
    chosen = points[(points @ first - inner_product).abs() < 1e-9]
    require(len(chosen), "inner_product", "one between the first point and another", inner_product)
    frame = torch.cat([first[:, None], torch.eye(len(first), dtype=first.dtype)], dim=1)
    projected = chosen @ torch.linalg.qr(frame).Q[:, 1:]
    return projected / projected.norm(dim=-1, keepdim=True)
