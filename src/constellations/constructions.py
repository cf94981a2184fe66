"""Explicit constellations: from spherical codes, by lifting, composing, adapting, and the tight modality-gap family.

``points`` are unit vectors ``[N, d]``. Two-sided constructions return ``(u, v)`` in float64.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from constellations.codes import (
    SphericalCode,
    cross_polytope,
    derived_code,
    greedy_code,
    known_spherical_codes,
    regular_polygon,
    simplex,
)
from constellations.sphere import as_pairs, as_points

__all__ = [
    "SphericalCode",
    "adapt_locked",
    "adapt_trained",
    "antiprism",
    "code_inner_product",
    "code_margin",
    "compose",
    "cross_polytope",
    "derived_code",
    "double_constant_embedding",
    "from_spherical_code",
    "greedy_code",
    "known_spherical_codes",
    "lift",
    "max_inner_product",
    "regular_polygon",
    "simplex",
    "simplex_modalities",
    "tight_modality_gap",
]


def max_inner_product(points: Any) -> float:
    """Largest inner product of two different points of a code ``[N, d]``, ``N >= 2``.

    Examples
    --------
    >>> round(max_inner_product(simplex(5)), 12)
    -0.25
    """
    x = _code(points, "points")
    gram = x @ x.T
    return gram.fill_diagonal_(-2.0).max().item()


def code_inner_product(margin: float, relative_bias: float) -> float:
    r"""The ``alpha(m, b_rel) = (1 + b_rel - 3m) / (1 + b_rel + m)`` of Theorems 3.3 and 3.5.

    A code with inner products at most ``alpha`` becomes an ``(m, b_rel)``-constellation with one more dimension.

    Raises
    ------
    ValueError
        Outside the existence region: for ``m < 0``, ``m + b_rel > 1`` or ``3m >= 1 + b_rel``; the message names
        the inequality that fails and the nearest margin allowed.

    Examples
    --------
    >>> code_inner_product(0.25, 0.0)
    0.2
    """
    check_region(margin, relative_bias)
    return (1 + relative_bias - 3 * margin) / (1 + relative_bias + margin)


def check_region(margin: float, relative_bias: float) -> None:
    """Raise unless ``0 <= m``, ``m + b_rel <= 1`` and ``3m <= 1 + b_rel`` (Theorem 3.4 for many pairs)."""
    for name, value in (("margin", margin), ("relative_bias", relative_bias)):
        if not math.isfinite(value):
            raise ValueError(f"{name} must be finite, got {value!r}")
    if not -1 < relative_bias < 1:
        raise ValueError(f"relative_bias must be between -1 and 1 (neither included), got {relative_bias:g}")
    allowed = min(1 - relative_bias, (1 + relative_bias) / 3)
    if margin < 0:
        raise ValueError(f"margin must be at least 0, got {margin:g}")
    if margin > allowed + 1e-12:
        fails = "m + b_rel <= 1" if margin + relative_bias > 1 + 1e-12 else "3m <= 1 + b_rel"
        raise ValueError(
            f"margin {margin:g} at relative_bias {relative_bias:g} breaks {fails}; "
            f"the nearest margin allowed is {allowed:.6g}"
        )


def code_margin(max_inner_product: float, *, relative_bias: float) -> float:
    r"""Margin that a code with inner products at most ``alpha`` yields: ``(1-alpha)(1+b_rel)/(3+alpha)``.

    Inverts :func:`code_inner_product`. From ``b_rel = (1+alpha)/2`` on, the margin is ``1 - b_rel``, the largest
    that Theorem 3.4 allows.

    Examples
    --------
    >>> code_margin(0.2, relative_bias=0.0)
    0.25
    """
    if not -1 <= max_inner_product < 1:
        raise ValueError(f"max_inner_product must be in [-1, 1), got {max_inner_product!r}")
    if not -1 < relative_bias < 1:
        raise ValueError(f"relative_bias must be between -1 and 1 (neither included), got {relative_bias!r}")
    opposite = (1 - max_inner_product) * (1 + relative_bias) / (3 + max_inner_product)
    return min(opposite, 1 - relative_bias)


def from_spherical_code(points: Any, *, relative_bias: float) -> tuple[Tensor, Tensor]:
    r"""A code ``[N, d]`` turned into a constellation ``[N, d+1]`` with the given optimal relative bias.

    .. math::
        U_i = (\delta X_i, \sqrt{1-\delta^2}), \quad V_i = (\delta X_i, -\sqrt{1-\delta^2}), \quad
        \delta^2 = \frac{2(1+b_{rel})}{3+\alpha}

    with ``alpha`` the code's largest inner product; the margin is :func:`code_margin`. Above
    ``b_rel = (1+alpha)/2``, where ``delta = 1`` and ``U = V``, both get the *same* last coordinate and
    ``delta^2 = 2(1-b_rel)/(1-alpha)``: ``U = V`` with margin ``1 - b_rel``.

    Parameters
    ----------
    points:
        Unit vectors, ``N >= 2``, no two of them equal.
    relative_bias:
        Between -1 and 1, neither included.

    Raises
    ------
    ValueError
        For repeated points, vectors off the sphere or a relative bias out of range.

    Notes
    -----
    Theorem 3.3 of the paper with one extra dimension in place of two.

    Examples
    --------
    >>> from constellations.geometry import separation
    >>> s = separation(*from_spherical_code(cross_polytope(3), relative_bias=0.0))
    >>> round(s.margin, 12), abs(round(s.relative_bias, 12))
    (0.333333333333, 0.0)
    """
    x = _code(points, "points")
    alpha = max_inner_product(x)
    if alpha >= 1 - 1e-15:
        raise ValueError(f"points must be distinct, got two with inner product {alpha!r}")
    code_margin(alpha, relative_bias=relative_bias)
    squared = 2 * (1 + relative_bias) / (3 + alpha)
    side = -1.0
    if squared > 1:
        squared, side = 2 * (1 - relative_bias) / (1 - alpha), 1.0
    delta, rest = math.sqrt(squared), math.sqrt(max(1 - squared, 0.0))
    return _append(delta * x, rest), _append(delta * x, side * rest)


def lift(u: Any, v: Any, *, delta: float, phi: float) -> tuple[Tensor, Tensor]:
    r"""Construction 1: two more dimensions move a constellation within the existence region.

    .. math::
        U'_i = (\delta U_i, \varphi, r), \quad V'_i = (\delta V_i, \varphi, -r), \quad r^2 = 1-\delta^2-\varphi^2,

    so that ``s'_ij = delta^2 s_ij + phi^2 - r^2``: ``m' = delta^2 m``, ``b' = delta^2 b + phi^2 - r^2``.

    Parameters
    ----------
    u, v:
        Unit vectors ``[..., N, d]``; the result is ``[..., N, d+2]``.
    delta, phi:
        ``delta > 0`` and ``delta^2 + phi^2 <= 1``.

    Raises
    ------
    ValueError
        For vectors off the sphere, ``delta <= 0`` or ``delta^2 + phi^2 > 1`` (with the largest ``phi`` allowed).

    Examples
    --------
    >>> u, v = lift(cross_polytope(2), cross_polytope(2), delta=0.6, phi=0.0)
    >>> round((u[0] @ v[0]).item(), 12)
    -0.28
    """
    u, v = _pairs(u, v)
    if not 0 < delta <= 1:
        raise ValueError(f"delta must be in (0, 1], got {delta!r}")
    rest = 1 - delta * delta - phi * phi
    if not rest >= -1e-12:
        allowed = math.sqrt(1 - delta * delta)
        raise ValueError(
            f"phi must satisfy delta^2 + phi^2 <= 1, got phi = {phi!r}; |phi| can be at most {allowed:.6g}"
        )
    last = math.sqrt(max(rest, 0.0))
    return _append(delta * u, phi, last), _append(delta * v, phi, -last)


def simplex_modalities(points: Any, *, n_modalities: int, delta: float) -> Tensor:
    r"""Construction 2: ``k`` modalities ``U^(a)_i = (delta X_i, sqrt(1-delta^2) w_a)``, ``w`` a regular simplex.

    For two modalities matching and non-matching inner products are
    ``delta^2 - (1-delta^2)/(k-1)`` and at most ``alpha delta^2 - (1-delta^2)/(k-1)``, the same for every pair.

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
    >>> simplex_modalities(cross_polytope(3), n_modalities=4, delta=0.8).shape
    torch.Size([4, 6, 6])
    """
    x = _code(points, "points")
    if not 0 < delta <= 1:
        raise ValueError(f"delta must be in (0, 1], got {delta!r}")
    _integer(n_modalities, "n_modalities", 2)
    suffix = math.sqrt(1 - delta * delta) * simplex(n_modalities)
    k, n = n_modalities, len(x)
    body = (delta * x).expand(k, n, -1)
    return torch.cat([body, suffix[:, None, :].expand(k, n, -1)], dim=-1)


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
    x, y = _code(x, "x"), _code(y, "y")
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
    _integer(n_pairs, "n_pairs", 4)
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


def double_constant_embedding(n_pairs: int, *, delta: float) -> tuple[Tensor, Tensor]:
    """``u_i = (delta w_i, sqrt(1-delta^2))``, ``v_i = (delta w_i, -sqrt(1-delta^2))``, ``w`` the ``N``-point simplex.

    All matching inner products equal ``2 delta^2 - 1``, all others ``delta^2 (N-2)/(N-1) - 1``; shape ``[N, N]``.
    ``delta`` in [0, 1]; 0 is the antipodal collapse, 1 gives ``u = v``. (Lee, Chang and Sohn 2024.)

    Examples
    --------
    >>> u, v = double_constant_embedding(3, delta=1.0)
    >>> torch.equal(u, v)
    True
    """
    if not 0 <= delta <= 1:
        raise ValueError(f"delta must be in [0, 1], got {delta!r}")
    _integer(n_pairs, "n_pairs", 2)
    w, rest = delta * simplex(n_pairs), math.sqrt(1 - delta * delta)
    return _append(w, rest), _append(w, -rest + 0.0)


def adapt_locked(x: Any, *, delta: float) -> Tensor:
    """Adapter of the locked encoder in Observation 1: ``(delta x, sqrt(1-delta^2))``, ``[..., N, d]`` to ``d+1``.

    Examples
    --------
    >>> adapt_locked([[1.0, 0.0]], delta=0.6).tolist()
    [[0.6, 0.0, 0.8]]
    """
    return _adapt(x, delta, 1.0)


def adapt_trained(x: Any, *, delta: float) -> Tensor:
    """Adapter of the trained encoder in Observation 1: ``(delta x, -sqrt(1-delta^2))``, ``[..., N, d]`` to ``d+1``.

    Examples
    --------
    >>> adapt_trained([[1.0, 0.0]], delta=0.6).tolist()
    [[0.6, 0.0, -0.8]]
    """
    return _adapt(x, delta, -1.0)


def tight_modality_gap(dim: int, *, n_wedge: int) -> tuple[Tensor, Tensor]:
    r"""Construction 3: ``N = n_wedge + dim - 1`` pairs with ``s_ii > 0 > s_ij``, ``dim - 1`` of them with ``u = v``.

    Vertices ``w_0..w_{d-1}`` of a regular simplex in ``R^{d-1}``: the last ``d-1`` give pairs ``u = v = (w_a, 0)``;
    near ``w_0``, ``n_wedge`` points ``x_i`` on an arc give ``u_i = (x_i sin, cos)`` and its mirror image ``v_i`` with
    ``cot^2 = (1+c)/2``, ``c`` the inner product of neighbours. A hyperplane through the origin cannot separate a
    point from itself, so at most ``N - dim + 1`` pairs are separated; ``h = e_d`` separates that many.

    Parameters
    ----------
    dim:
        ``d >= 3``.
    n_wedge:
        Points of the wedge, at least 3 (so that ``N >= d + 2``).

    Returns
    -------
    (u, v)
        ``[N, d]`` each, the wedge first.

    Examples
    --------
    >>> u, v = tight_modality_gap(3, n_wedge=5)
    >>> u.shape, torch.equal(u[5:], v[5:])
    (torch.Size([7, 3]), True)
    """
    _integer(dim, "dim", 3)
    _integer(n_wedge, "n_wedge", 3)
    w = simplex(dim)
    across = (w[1] - w[2]) / (w[1] - w[2]).norm()
    half_width = math.atan(1 / ((dim - 1) * (across @ w[1]).item())) / 2
    azimuth = torch.linspace(-half_width, half_width, n_wedge, dtype=torch.float64)[:, None]
    arc = azimuth.cos() * w[0] + azimuth.sin() * across
    cotangent = math.sqrt((1 + math.cos(2 * half_width / (n_wedge - 1))) / 2)
    sine = 1 / math.sqrt(1 + cotangent**2)
    height = cotangent * sine
    equator = _append(w[1:], 0.0)
    return (
        torch.cat([_append(sine * arc, height), equator]),
        torch.cat([_append(sine * arc, -height), equator]),
    )


def _adapt(x: Any, delta: float, side: float) -> Tensor:
    if not 0 < delta <= 1:
        raise ValueError(f"delta must be in (0, 1], got {delta!r}")
    return _append(delta * as_points(x, "x"), side * math.sqrt(1 - delta * delta))


def _append(x: Tensor, *values: float) -> Tensor:
    """``x`` with constant coordinates appended on the last axis."""
    columns = [x.new_full((*x.shape[:-1], 1), value) for value in values]
    return torch.cat([x, *columns], dim=-1)


def _code(points: Any, name: str) -> Tensor:
    x = as_points(points, name)
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"{name} must have shape [N, d] with N >= 2, got {tuple(x.shape)}")
    return x.to(torch.float64)


def _pairs(u: Any, v: Any) -> tuple[Tensor, Tensor]:
    u, v = as_pairs(u, v)
    return u.to(torch.float64), v.to(torch.float64)


def _clip(x: float) -> float:
    return min(max(x, -1.0), 1.0)


def _integer(value: int, name: str, at_least: int) -> None:
    if isinstance(value, bool) or int(value) != value or value < at_least:
        raise ValueError(f"{name} must be an integer of at least {at_least}, got {value!r}")
