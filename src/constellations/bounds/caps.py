"""The measure of a cap of the sphere, in logarithms, right where it underflows; and the bound that caps give."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincc, betaln

from constellations.checks import plain, require

SMALLEST = 1e-280  # below this measure the incomplete beta function is evaluated in logarithms


def log_cap_measure(dim: ArrayLike, x: ArrayLike) -> float | np.ndarray:
    r"""Logarithm of the share of the sphere ``S^{d-1}`` in the cap ``{h : <h, e> >= x}``.

    .. math::
        \Gamma_d(x) = P[H_1 \ge x] = \tfrac12 I_{1-x^2}\bigl(\tfrac{d-1}2, \tfrac12\bigr) \quad (x \ge 0),
        \qquad \Gamma_d(x) = 1 - \Gamma_d(-x) \quad (x < 0),

    with ``I`` the regularised incomplete beta function. Where ``Gamma`` underflows, ``I`` is written as an elementary
    prefactor times a mean close to 1.

    Parameters
    ----------
    dim:
        Dimension ``d >= 1``, an integer or an array of integers.
    x:
        Inner product in [-1, 1], broadcast against ``dim``.

    Returns
    -------
    float or array
        Of the broadcast shape; ``-inf`` at ``x = 1`` for ``d >= 2``. Relative error below 1e-10 for ``d`` up to 1e6.

    Examples
    --------
    >>> log_cap_measure(3, 0.5)
    -1.3862943611198906
    >>> round(log_cap_measure(10_000, 0.7), 6)
    -3371.553607
    """
    d, t = np.broadcast_arrays(check_dim(dim), np.asarray(x, dtype=float))
    require(np.all(np.abs(t) <= 1), "x", "in [-1, 1]", x)
    with np.errstate(divide="ignore"):
        half = _log_half_cap((d - 1) / 2, np.abs(t))
        return plain(np.where(t < 0, np.log1p(-np.exp(half)), half))


def check_dim(dim: ArrayLike, *, at_least: int = 1) -> np.ndarray:
    """As a float array of integers, or a ValueError."""
    d = np.asarray(dim, dtype=float)
    right = np.isfinite(d) & (d == np.round(d)) & (d >= at_least)
    require(np.all(right), "dim", f"an integer of at least {at_least}", dim)
    return d


def _log_half_cap(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """``log(I_{1-x^2}(a, 1/2) / 2)`` for ``0 <= x <= 1``; ``a = 0`` is the two-point sphere, where it is log(1/2)."""
    safe = np.maximum(a, 0.5)
    near_pole = x * x > 0.5
    share = np.where(near_pole, betainc(safe, 0.5, (1 - x) * (1 + x)), betaincc(0.5, safe, x * x))
    result = np.asarray(np.log(share / 2))
    tiny = (share < SMALLEST) & (x < 1)
    if np.any(tiny):
        result[tiny] = _log_beta_tail(safe[tiny], x[tiny])
    return np.where(a == 0, np.log(0.5), result)


def _log_beta_tail(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """``log(I_z(a, 1/2) / 2)``, ``z = 1 - x^2``, where it is small: ``z^a / (2 a B(a, 1/2) x)`` times the mean of
    ``(1 + (1 - e^{-Y/a}) z / x^2)^{-1/2}`` over exponential ``Y``, by quadrature to the last digits.
    """
    nodes, weights = np.polynomial.laguerre.laggauss(16)
    ratio = (1 - x) * (1 + x) / x**2
    mean = (1 - ratio[:, None] * np.expm1(-nodes / a[:, None])) ** -0.5 @ weights
    return a * (np.log1p(-x) + np.log1p(x)) + np.log(mean / x) - np.log(2 * a) - betaln(a, 0.5)


def log_cap_bound(dim: ArrayLike, max_inner_product: ArrayLike, cluster: ArrayLike) -> float | np.ndarray:
    r"""``log(k / Gamma_d(x_k))``, ``x_k = sqrt((1 + k a)/(k + 1))``: no code of inner products ``<= a`` is larger.

    More than ``k`` points in a cap of height above ``x_k`` would have a mean square of their sum above what ``a``
    allows; so the caps of height ``x_k`` around the points cover the sphere at most ``k`` times. Valid for every
    integer ``k >= 1`` with ``1 + k a > 0``; elsewhere it is ``log 2k``. Its exponent is that of Theorem 3.5.

    >>> round(log_cap_bound(24, 0.5, best_cluster(24, 0.5)), 4)  # log 799919.8
    13.5923
    """
    k = np.asarray(cluster, dtype=float)
    squared = np.maximum((1 + k * np.asarray(max_inner_product, dtype=float)) / (k + 1), 0.0)
    return plain(np.log(k) - log_cap_measure(dim, np.sqrt(squared)))


def best_cluster(dim: ArrayLike, max_inner_product: ArrayLike) -> float | np.ndarray:
    """The ``k`` with the least :func:`log_cap_bound`, near ``d/2``, by bisection on the sign of its differences.

    Every ``k`` is a valid bound, and for ``a < 0``, where there can be a second minimum, simplices are the better one.
    """
    d, a = np.broadcast_arrays(np.asarray(dim, dtype=float), np.asarray(max_inner_product, dtype=float))
    room = np.maximum(np.ceil(-1 / np.minimum(a, -1e-12)) - 1, 1)  # 1 + k a > 0
    low, high = np.ones_like(d), np.where(a < 0, np.minimum(8 * d + 64, room), 8 * d + 64)
    while np.any(low < high):
        middle = np.floor((low + high) / 2)
        falls = np.asarray(log_cap_bound(d, a, middle + 1)) < log_cap_bound(d, a, middle)
        low = np.where((low < high) & falls, middle + 1, low)
        high = np.where((low < high) & ~falls, middle, high)
    return plain(low)
