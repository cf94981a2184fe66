"""The measure of a cap of the sphere, in logarithms: right where the measure itself underflows."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betainc, betaincc, gammaln

from constellations.checks import plain

SMALLEST = 1e-280  # below this measure the incomplete beta function is evaluated in logarithms
MAX_TERMS = 10_000


def log_cap_measure(dim: Any, x: Any) -> Any:
    r"""Logarithm of the share of the sphere ``S^{d-1}`` in the cap ``{h : <h, e> >= x}``.

    .. math::
        \Gamma_d(x) = P[H_1 \ge x] = \tfrac12 I_{1-x^2}\bigl(\tfrac{d-1}2, \tfrac12\bigr) \quad (x \ge 0),
        \qquad \Gamma_d(x) = 1 - \Gamma_d(-x) \quad (x < 0),

    with ``I`` the regularised incomplete beta function. Where ``Gamma`` underflows, ``I`` is written as an elementary
    prefactor times a continued fraction.

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

    Raises
    ------
    ValueError
        For a dimension that is no integer of at least 1 or an ``x`` outside [-1, 1].

    Examples
    --------
    >>> log_cap_measure(3, 0.5)
    -1.3862943611198906
    >>> round(log_cap_measure(10_000, 0.7), 6)
    -3371.553607
    """
    d, t = np.broadcast_arrays(check_dim(dim), np.asarray(x, dtype=float))
    if not np.all(np.abs(t) <= 1):
        raise ValueError(f"x must be in [-1, 1], got {x!r}")
    with np.errstate(divide="ignore"):
        half = _log_half_cap((d - 1) / 2, np.abs(t))
        return plain(np.where(t < 0, np.log1p(-np.exp(half)), half))


def check_dim(dim: Any, *, at_least: int = 1) -> np.ndarray:
    """As a float array of integers, or a ValueError."""
    d = np.asarray(dim, dtype=float)
    if not np.all(np.isfinite(d)) or np.any(d != np.round(d)) or np.any(d < at_least):
        raise ValueError(f"dim must be an integer of at least {at_least}, got {dim!r}")
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
    """``log(I_z(a, 1/2) / 2)``, ``z = 1 - x^2``: ``z^a x / (2 a B(a, 1/2))`` over a continued fraction."""
    log_beta = gammaln(a) + gammaln(0.5) - gammaln(a + 0.5)
    prefactor = a * (np.log1p(-x) + np.log1p(x)) + np.log(x) - np.log(2 * a) - log_beta
    return prefactor + np.log(_continued_fraction(a, (1 - x) * (1 + x)))


def _continued_fraction(a: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The fraction of the incomplete beta function with ``b = 1/2``, by Lentz's method; its terms have one sign."""
    b = 0.5
    c, d = np.ones_like(z), 1 / (1 - (a + b) * z / (a + 1))
    value = d.copy()
    for m in range(1, MAX_TERMS):
        even = m * (b - m) * z / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * z / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d, c = 1 / (1 + step * d), 1 + step / c
            value *= d * c
        if np.all(np.abs(d * c - 1) < 1e-15):
            return value
    raise ArithmeticError(f"the continued fraction did not settle in {MAX_TERMS} terms")
