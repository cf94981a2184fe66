"""Constellations from codes by shrinking and appending coordinates: Constructions 1 and 2, adapters."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from constellations.bounds import code_margin
from constellations.checks import finite, integer, require
from constellations.constructions.codes import as_code, max_inner_product, simplex
from constellations.sphere import Points, as_pairs, as_points, normalize


def append(x: Tensor, *values: float) -> Tensor:
    """``x`` with constant coordinates appended on the last axis."""
    return torch.cat([x, *(x.new_full((*x.shape[:-1], 1), value) for value in values)], dim=-1)


def midpoints(u: Points, v: Points) -> Tensor:
    r"""The normalised midpoints ``(U_i + V_i)/|U_i + V_i|``: a spherical code, ``[..., N, d]`` in float64.

    If ``(u, v)`` is an ``(m, b_rel)``-constellation with ``1 + b_rel + m > 0``, their inner products are at most
    ``alpha(m, b_rel)``, whatever the sign of ``m``, as long as ``m <= 1 + b_rel``: the midpoint theorem, proved in
    :mod:`constellations.bounds`. So ``N_MRB(d, m, b_rel) <= N_SC(d, alpha)``. A pair of opposite points has no midpoint
    and raises a ValueError.

    >>> points = simplex(4)
    >>> torch.allclose(midpoints(*from_spherical_code(points, relative_bias=0.2))[:, :3], points)
    True
    """
    u, v = as_pairs(u, v)
    return normalize(u.to(torch.float64) + v.to(torch.float64))


def from_spherical_code(points: Points, *, relative_bias: float) -> tuple[Tensor, Tensor]:
    r"""A code ``[N, d]`` turned into a constellation ``[N, d+1]`` with the given optimal relative bias.

    .. math::
        U_i = (\delta X_i, \sqrt{1-\delta^2}), \quad V_i = (\delta X_i, -\sqrt{1-\delta^2}), \quad
        \delta^2 = \frac{2(1+b_{rel})}{3+\alpha}

    with ``alpha`` the code's largest inner product; the margin is :func:`constellations.bounds.code_margin`. Above
    ``b_rel = (1+alpha)/2``, where ``delta = 1`` and ``U = V``, both get the *same* last coordinate and
    ``delta^2 = 2(1-b_rel)/(1-alpha)``: ``U = V`` with margin ``1 - b_rel``.

    Parameters
    ----------
    points:
        Unit vectors, ``N >= 2``, no two of them equal.
    relative_bias:
        Between -1 and 1, neither included.

    Notes
    -----
    Theorem 3.3 of the paper with one extra dimension in place of two.

    Examples
    --------
    >>> from constellations.constructions import cross_polytope
    >>> from constellations.geometry import separation
    >>> s = separation(*from_spherical_code(cross_polytope(3), relative_bias=0.0))
    >>> round(s.margin, 12), abs(round(s.relative_bias, 12))
    (0.333333333333, 0.0)
    """
    x = as_code(points, "points")
    alpha = max_inner_product(x)
    require(alpha < 1 - 1e-15, "points", "distinct: inner products below 1", alpha)
    code_margin(alpha, relative_bias)  # refuses a relative bias out of range
    squared = 2 * (1 + relative_bias) / (3 + alpha)
    side = -1.0
    if squared > 1:
        squared, side = 2 * (1 - relative_bias) / (1 - alpha), 1.0
    delta, rest = math.sqrt(squared), math.sqrt(max(1 - squared, 0.0))
    return append(delta * x, rest), append(delta * x, side * rest)


def lift(u: Points, v: Points, *, delta: float, phi: float) -> tuple[Tensor, Tensor]:
    r"""Construction 1: two more dimensions move a constellation within the existence region.

    .. math::
        U'_i = (\delta U_i, \varphi, r), \quad V'_i = (\delta V_i, \varphi, -r), \quad r^2 = 1-\delta^2-\varphi^2,

    so that ``s'_ij = delta^2 s_ij + phi^2 - r^2``: ``m' = delta^2 m``, ``b' = delta^2 b + phi^2 - r^2``.

    Parameters
    ----------
    u, v:
        Unit vectors ``[..., N, d]``; the result is ``[..., N, d+2]``.
    delta, phi:
        ``0 < delta <= 1`` and ``delta^2 + phi^2 <= 1``.

    Examples
    --------
    >>> from constellations.constructions import cross_polytope
    >>> u, v = lift(cross_polytope(2), cross_polytope(2), delta=0.6, phi=0.0)
    >>> round((u[0] @ v[0]).item(), 12)
    -0.28
    """
    u, v = (side.to(torch.float64) for side in as_pairs(u, v))
    _check_delta(delta)
    rest = 1 - delta * delta - phi * phi
    require(rest >= -1e-12, "phi", f"of size at most {math.sqrt(1 - delta * delta):.6g}: delta^2 + phi^2 <= 1", phi)
    last = math.sqrt(max(rest, 0.0))
    return append(delta * u, phi, last), append(delta * v, phi, -last)


def simplex_modalities(points: Points, *, n_modalities: int, delta: float) -> Tensor:
    r"""Construction 2: ``k`` modalities ``U^(a)_i = (delta X_i, sqrt(1-delta^2) w_a)``, ``w`` a regular simplex.

    Between any two of them matching inner products are ``delta^2 - (1-delta^2)/(k-1)``, all others at most
    ``alpha delta^2 - (1-delta^2)/(k-1)``, with ``alpha`` the code's largest inner product.

    Parameters
    ----------
    points:
        Code ``[N, d]``, ``N >= 2``.
    n_modalities:
        ``k >= 2``.
    delta:
        In (0, 1].

    Returns
    -------
    Tensor
        ``[k, N, d + k - 1]``.

    Examples
    --------
    >>> from constellations.constructions import cross_polytope
    >>> simplex_modalities(cross_polytope(3), n_modalities=4, delta=0.8).shape
    torch.Size([4, 6, 6])
    """
    x = as_code(points, "points")
    _check_delta(delta)
    integer(n_modalities, "n_modalities", 2)
    suffix = math.sqrt(1 - delta * delta) * simplex(n_modalities)
    k, n = n_modalities, len(x)
    body = (delta * x).expand(k, n, -1)
    return torch.cat([body, suffix[:, None, :].expand(k, n, -1)], dim=-1)


def double_constant_embedding(n_pairs: int, *, delta: float) -> tuple[Tensor, Tensor]:
    """``u_i = (delta w_i, sqrt(1-delta^2))``, ``v_i = (delta w_i, -sqrt(1-delta^2))``, ``w`` the ``N``-point simplex.

    All matching inner products equal ``2 delta^2 - 1``, all others ``delta^2 (N-2)/(N-1) - 1``; shape ``[N, N]``.
    ``delta`` in [0, 1]; 0 is the antipodal collapse, 1 gives ``u = v``. (Lee, Chang and Sohn 2024.)

    >>> u, v = double_constant_embedding(3, delta=1.0)
    >>> torch.equal(u, v)
    True
    """
    require(0 <= delta <= 1, "delta", "in [0, 1]", delta)
    integer(n_pairs, "n_pairs", 2)
    w, rest = delta * simplex(n_pairs), math.sqrt(1 - delta * delta)
    return append(w, rest), append(w, -rest + 0.0)


def one_threshold(u: Points, v: Points, thresholds: Points) -> tuple[Tensor, Tensor]:
    r"""One more dimension turns a threshold ``c_i`` for every row into the single threshold 0.

    .. math::
        U'_i = (a_i U_i, -a_i c_i / \sqrt C), \quad V'_j = (V_j, \sqrt C) / \sqrt{1+C}, \quad
        a_i = (1 + c_i^2/C)^{-1/2}, \quad C = \max_i |c_i|,

    so that ``s'_ij = a_i (s_ij - c_i) / sqrt(1 + C)``: where ``|s_ij - c_i| >= m`` it keeps its sign and at least
    ``m / (1 + C)``. Chapter 14 proves it, for pairs and for any relation of queries and documents.

    Parameters
    ----------
    u, v:
        Unit vectors ``[..., M, d]`` and ``[..., N, d]``; the results have ``d + 1`` coordinates.
    thresholds:
        ``c``, shape ``[..., M]``; all zero appends a zero.

    Examples
    --------
    >>> u, v = one_threshold([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5])
    >>> ((u @ v.T) * 3).round(decimals=12).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    u, v = (side.to(torch.float64) for side in as_pairs(u, v, at_least=1, matched=False))
    c = torch.as_tensor(finite(thresholds, "thresholds"))
    shape = tuple(u.shape[:-1])
    require(c.shape == shape, "thresholds", f"of shape {shape}, one per row", tuple(c.shape))
    largest = c.abs().amax(-1, keepdim=True)
    slope = c / largest.clamp(min=1e-300).sqrt()
    rows = torch.cat([u, -slope[..., None]], dim=-1) / (1 + slope**2).sqrt()[..., None]
    last = largest.sqrt()[..., None].expand(*v.shape[:-1], 1)
    return rows, torch.cat([v, last], dim=-1) / (1 + largest).sqrt()[..., None]


def adapt_locked(x: Points, *, delta: float) -> Tensor:
    """Adapter of the locked encoder in Observation 1: ``(delta x, sqrt(1-delta^2))``, ``[..., N, d]`` to ``d+1``.

    >>> adapt_locked([[1.0, 0.0]], delta=0.6).tolist()
    [[0.6, 0.0, 0.8]]
    """
    return _adapt(x, delta, 1.0)


def adapt_trained(x: Points, *, delta: float) -> Tensor:
    """Adapter of the trained encoder in Observation 1: ``(delta x, -sqrt(1-delta^2))``, ``[..., N, d]`` to ``d+1``.

    >>> adapt_trained([[1.0, 0.0]], delta=0.6).tolist()
    [[0.6, 0.0, -0.8]]
    """
    return _adapt(x, delta, -1.0)


def _adapt(x: Points, delta: float, side: float) -> Tensor:
    _check_delta(delta)
    return append(delta * as_points(x, "x"), side * math.sqrt(1 - delta * delta))


def _check_delta(delta: float) -> None:
    require(0 < delta <= 1, "delta", "in (0, 1]", delta)
