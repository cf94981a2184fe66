"""Delsarte's linear program for spherical codes, with a certificate that rounding cannot spoil."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev
from scipy.optimize import linprog

from constellations.checks import integer, require


def linear_program(dim: int, max_inner_product: float, *, degree: int = 18, n_grid: int = 2000) -> float:
    r"""Delsarte's bound on the number of unit vectors in ``R^dim`` with inner products at most ``a``.

    .. math:: N \le \frac{f(1)}{f_0}, \quad f = \sum_k f_k P_k, \; f_k \ge 0, \; f_0 > 0, \; f \le 0 \text{ on } [-1, a],

    with the Gegenbauer polynomials ``P_k`` of ``R^dim``: sum ``f`` over all pairs of points. The best ``f`` on a grid
    is lowered by its largest value on all of ``[-1, a]``, found at its critical points, so that the bound holds as it
    is printed. At least as good as Levenshtein's wherever the degree suffices; meant for small dimensions.

    Parameters
    ----------
    dim:
        ``d >= 2``.
    max_inner_product:
        In ``[-1, 1)``.
    degree:
        Largest degree of ``f``.

    Returns
    -------
    float
        ``inf`` if no polynomial of this degree proves anything.

    Examples
    --------
    >>> [int(linear_program(d, 0.5)) for d in (3, 4, 5, 8)]  # kissing numbers: 12, 24, 40 to 44, 240
    [13, 25, 46, 240]
    """
    dim, a = integer(dim, "dim", 2), float(max_inner_product)
    require(-1 <= a < 1, "max_inner_product", "in [-1, 1)", max_inner_product)
    grid = (a - 1) / 2 + (a + 1) / 2 * np.cos(np.pi * np.arange(n_grid) / (n_grid - 1))
    table = gegenbauer(dim, degree, grid)
    most = -np.ones(n_grid)
    found = linprog(np.ones(degree), A_ub=table[1:].T, b_ub=most, bounds=(0, None), method="highs")
    if found.status != 0:
        return float("inf")
    f = np.concatenate([[1.0], found.x])  # f_0 = 1 and the least f(1)
    series = chebyshev.Chebyshev.interpolate(lambda x: f @ gegenbauer(dim, degree, x), degree)
    critical = series.deriv().roots()
    points = np.concatenate([grid, np.clip(critical.real[np.abs(critical.imag) < 1e-4], -1, a)])
    excess = max(float((f @ gegenbauer(dim, degree, points)).max()), 0.0) + 1e-12 * f.sum()
    return float((f.sum() - excess) / (1 - excess) * (1 + 1e-10)) if excess < 1 else float("inf")


def gegenbauer(dim: int, degree: int, x: np.ndarray) -> np.ndarray:
    """``P_0..P_degree`` of ``R^dim`` at ``x``, with ``P_k(1) = 1``: ``[degree + 1, *x.shape]``."""
    table = [np.ones_like(x), x]
    for k in range(1, degree):
        table.append(((2 * k + dim - 2) * x * table[k] - k * table[k - 1]) / (k + dim - 2))
    return np.stack(table[: degree + 1])
