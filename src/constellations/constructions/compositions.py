"""Inner products that are sums of those of two codes; antiprisms."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from constellations.constructions.arguments import as_code, require_integer
from constellations.constructions.codes import regular_polygon


def compose(x: Any, y: Any, *, p: float, q: float) -> tuple[Tensor, Tensor]:
    r"""Realise ``s_ij = p <x_i, x_j> + q <y_i, y_j>`` in ``R^{d1+d2}``, for any ``|p| + |q| <= 1``.

    .. math::
        U = (X\cos\theta, Y\sin\theta), \; V = (X\cos\eta, Y\sin\eta), \quad
        \theta, \eta = \tfrac12\bigl(\arccos(p-q) \pm \arccos(p+q)\bigr)

    because ``cos cos = p`` and ``sin sin = q`` are half the sum and difference of ``cos(theta -+ eta) = p +- q``.

    Raises
    ------
    ValueError
        For different numbers of points or ``|p| + |q| > 1``.

    Examples
    --------
    >>> u, v = compose(regular_polygon(4), [[1.0], [-1.0], [1.0], [-1.0]], p=0.6, q=0.3)
    >>> torch.round(u @ v.T, decimals=6)[0].tolist()
    [0.9, -0.3, -0.3, -0.3]
    """
    x, y = as_code(x, "x"), as_code(y, "y")
    if len(x) != len(y):
        raise ValueError(f"x and y must have the same number of points, got {len(x)} and {len(y)}")
    if not abs(p) + abs(q) <= 1 + 1e-12:
        raise ValueError(f"p and q must satisfy |p| + |q| <= 1, got p = {p!r}, q = {q!r}")
    total, difference = math.acos(_clip(p + q)), math.acos(_clip(p - q))
    theta, eta = (difference + total) / 2, (difference - total) / 2
    return (
        torch.cat([math.cos(theta) * x, math.sin(theta) * y], dim=-1),
        torch.cat([math.cos(eta) * x, math.sin(eta) * y], dim=-1),
    )


def antiprism(n_pairs: int, *, relative_bias: float) -> tuple[Tensor, Tensor]:
    r"""An even polygon composed with alternating signs, in ``R^3``: margin ``2 b (1 - cos(2 pi/N))``.

    With ``c1 = cos(2 pi/N)``, ``c2 = cos(4 pi/N)``: ``p = 2b/(1+c1)`` and ``q = p (c1-c2)/2`` make nearest and
    next-nearest neighbours equally near. Beats :func:`from_spherical_code` on the ``N``-gon exactly when
    ``b_rel > 1/(5 + 2 c1)``.

    Parameters
    ----------
    n_pairs:
        Even ``N >= 4``.
    relative_bias:
        In ``(0, 1/(3 - 2 c1)]``.

    Examples
    --------
    >>> from constellations.geometry import separation
    >>> s = separation(*antiprism(6, relative_bias=0.5))
    >>> round(s.margin, 12), round(s.relative_bias, 12)
    (0.5, 0.5)
    """
    require_integer(n_pairs, "n_pairs", 4)
    if n_pairs % 2:
        raise ValueError(f"n_pairs must be even, got {n_pairs}")
    c1, c2 = math.cos(2 * math.pi / n_pairs), math.cos(4 * math.pi / n_pairs)
    largest = 1 / (3 - 2 * c1)
    if not 0 < relative_bias <= largest + 1e-12:
        raise ValueError(
            f"relative_bias must be in (0, {largest:.6g}] for n_pairs {n_pairs}, got {relative_bias!r}"
        )
    p = 2 * relative_bias / (1 + c1)
    signs = 1.0 - 2.0 * (torch.arange(n_pairs, dtype=torch.float64) % 2)
    return compose(regular_polygon(n_pairs), signs[:, None], p=p, q=p * (c1 - c2) / 2)


def _clip(x: float) -> float:
    return min(max(x, -1.0), 1.0)
