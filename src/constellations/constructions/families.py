"""Constellations of their own: sums of two codes, antiprisms, the family on which Theorem 3.6 cannot be improved."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from constellations.checks import integer, require
from constellations.constructions.codes import as_code, regular_polygon, simplex
from constellations.constructions.lifts import append
from constellations.sphere import Points


def compose(x: Points, y: Points, *, p: float, q: float) -> tuple[Tensor, Tensor]:
    r"""Realise ``s_ij = p <x_i, x_j> + q <y_i, y_j>`` in ``R^{d1+d2}``, for any ``|p| + |q| <= 1``.

    .. math::
        U = (X\cos\theta, Y\sin\theta), \; V = (X\cos\eta, Y\sin\eta), \quad
        \theta, \eta = \tfrac12\bigl(\arccos(p-q) \pm \arccos(p+q)\bigr)

    because ``cos cos = p`` and ``sin sin = q`` are half the sum and difference of ``cos(theta -+ eta) = p +- q``.

    >>> u, v = compose(regular_polygon(4), [[1.0], [-1.0], [1.0], [-1.0]], p=0.6, q=0.3)
    >>> torch.round(u @ v.T, decimals=6)[0].tolist()
    [0.9, -0.3, -0.3, -0.3]
    """
    x, y = as_code(x, "x"), as_code(y, "y")
    require(len(x) == len(y), "x and y", "of the same number of points", (len(x), len(y)))
    require(abs(p) + abs(q) <= 1 + 1e-12, "p and q", "such that |p| + |q| <= 1", (p, q))
    total, difference = (math.acos(min(max(z, -1.0), 1.0)) for z in (p + q, p - q))
    theta, eta = (difference + total) / 2, (difference - total) / 2
    u, v = (torch.cat([math.cos(angle) * x, math.sin(angle) * y], dim=-1) for angle in (theta, eta))
    return u, v


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
    integer(n_pairs, "n_pairs", 4)
    require(n_pairs % 2 == 0, "n_pairs", "even", n_pairs)
    c1, c2 = math.cos(2 * math.pi / n_pairs), math.cos(4 * math.pi / n_pairs)
    largest = 1 / (3 - 2 * c1)
    right, allowed = 0 < relative_bias <= largest + 1e-12, f"in (0, {largest:.6g}] for n_pairs {n_pairs}"
    require(right, "relative_bias", allowed, relative_bias)
    p = 2 * relative_bias / (1 + c1)
    signs = 1.0 - 2.0 * (torch.arange(n_pairs, dtype=torch.float64) % 2)
    return compose(regular_polygon(n_pairs), signs[:, None], p=p, q=p * (c1 - c2) / 2)


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
    integer(dim, "dim", 3)
    integer(n_wedge, "n_wedge", 3)
    w = simplex(dim)
    across = (w[1] - w[2]) / (w[1] - w[2]).norm()
    half_width = math.atan(1 / ((dim - 1) * (across @ w[1]).item())) / 2
    azimuth = torch.linspace(-half_width, half_width, n_wedge, dtype=torch.float64)[:, None]
    arc = azimuth.cos() * w[0] + azimuth.sin() * across
    cotangent = math.sqrt((1 + math.cos(2 * half_width / (n_wedge - 1))) / 2)
    sine = 1 / math.sqrt(1 + cotangent**2)
    height = cotangent * sine
    u, v = (torch.cat([append(sine * arc, z), append(w[1:], 0.0)]) for z in (height, -height))
    return u, v
