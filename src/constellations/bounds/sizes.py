"""How many pairs fit into a given dimension: rigorous bounds at every finite ``d``."""

from __future__ import annotations

from typing import Any

import numpy as np

from constellations.bounds.caps import check_dim, log_cap_measure
from constellations.bounds.exponents import TOLERANCE, region
from constellations.checks import plain

CEILING = 34.0  # logarithms up to which sizes are rounded to integers (they are exact floats below exp(36))


def log_max_pairs_upper(dim: Any, margin: Any, relative_bias: Any) -> Any:
    r"""Logarithm of a number that no ``(d, m, b_rel)``-constellation exceeds.

    .. math::
        N \le \min_{k \ge 1,\, 1 + k\alpha > 0} \frac{k}{\Gamma_d\bigl(\sqrt{(1 + k\alpha)/(k+1)}\bigr)},
        \qquad N \le 1 - \frac1\alpha \quad\text{if } \alpha < 0

    Parameters
    ----------
    dim:
        ``d >= 2``, an integer or an array.
    margin, relative_bias:
        ``m > 0``, ``m + b_rel <= 1`` and ``m <= 1 + b_rel``; numbers or arrays, broadcast.

    Returns
    -------
    float or array
        Natural logarithm, at least ``log 2`` up to rounding; not rounded to the logarithm of an integer.

    Raises
    ------
    ValueError
        For a dimension below 2 or outside the region, with the inequality that fails.

    Notes
    -----
    Caps of the midpoints ``(U_i + V_i)/2``: more than ``k`` of them in one cap would contradict Theorem 3.4, applied
    to those pairs. Ours; the exponent is that of Theorem 3.5. The search over ``k`` takes the function to decrease and
    then increase; every ``k`` is a valid bound, so that a miss would only make the bound weaker.

    Examples
    --------
    >>> int(np.exp(log_max_pairs_upper(24, 0.25, 0.75)))  # the kissing number of R^24 is 196560
    799919
    """
    d, a, _ = _broadcast(dim, margin, relative_bias)
    shape, d, a = d.shape, d.ravel(), a.ravel()
    best = log_covering(d, a, best_cluster(d, a))
    with np.errstate(divide="ignore"):
        simplex = np.where(a < 0, 1 - 1 / np.where(a < 0, a, -1.0), np.inf)
        return plain(np.minimum(best, np.log(simplex)).reshape(shape))


def best_cluster(dim: np.ndarray, a: np.ndarray) -> np.ndarray:
    """The ``k`` with the least bound, by bisection on the sign of its differences, arrays of one shape."""
    low, high = np.ones_like(dim), 8 * dim + 64
    negative = a < 0
    room = np.ceil(-1 / np.where(negative, a, -1.0)) - 1  # 1 + k alpha > 0
    high = np.maximum(np.where(negative, np.minimum(high, room), high), 1.0)
    while np.any(low < high):
        middle = np.floor((low + high) / 2)
        falls = log_covering(dim, a, middle + 1) < log_covering(dim, a, middle)
        low = np.where((low < high) & falls, middle + 1, low)
        high = np.where((low < high) & ~falls, middle, high)
    return low


def log_covering(dim: np.ndarray, a: np.ndarray, k: np.ndarray) -> np.ndarray:
    """``log(k / Gamma_d(x_k))``; where ``1 + k alpha <= 0`` the cap is half the sphere and the bound of no use."""
    squared = np.maximum((1 + k * a) / (k + 1), 0.0)
    return np.log(k) - log_cap_measure(dim, np.sqrt(squared))


def log_max_pairs_lower(dim: Any, margin: Any, relative_bias: Any) -> Any:
    r"""Logarithm of a number of pairs for which a ``(d, m, b_rel)``-constellation exists.

    The larger of what two kinds of codes give: inner products at most ``alpha`` in ``R^{d-1}`` with one more
    dimension (Theorem 3.3), or at most ``b_rel - m`` in ``R^d`` used as ``U = V``, which wins near ``m + b_rel = 1``.
    A code in ``R^n`` with inner products at most ``c`` can have at least

    .. math::
        \max\bigl(\lceil 1/\Gamma_n(c) \rceil,\;\; 2n \text{ if } c \ge 0,\;\;
        \min(n + 1, \lfloor 1 - 1/c \rfloor) \text{ if } c < 0\bigr)

    points: a maximal code covers the sphere; cross-polytopes; simplices.

    Parameters and errors are those of :func:`log_max_pairs_upper`. Sizes up to ``exp(34)`` are logarithms of integers.

    Examples
    --------
    >>> round(np.exp(log_max_pairs_lower(4, 0.25, 0.0)))
    6
    """
    d, a, c = _broadcast(dim, margin, relative_bias)
    return plain(np.maximum(_log_code_size(d - 1, a), _log_code_size(d, c)))


def _log_code_size(dim: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Log of a number of points that some code of inner products ``<= c`` has; 0 (one point) for ``c < -1``."""
    covering = -log_cap_measure(dim, np.clip(c, -1, 1))
    with np.errstate(over="ignore"):
        whole = np.log(np.maximum(np.ceil(np.exp(np.minimum(covering, CEILING)) * (1 - TOLERANCE)), 1.0))
    covering = np.where(covering < CEILING, whole, covering)
    negative = c < -TOLERANCE
    simplex = np.floor((1 - 1 / np.where(negative, c, -1.0)) * (1 + TOLERANCE))
    explicit = np.where(negative, np.minimum(dim + 1, simplex), 2 * dim)
    explicit = np.where(c < -1 - TOLERANCE, 1.0, explicit)
    return np.maximum(covering, np.log(explicit))


def _broadcast(dim: Any, margin: Any, relative_bias: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Dimension, ``alpha`` and ``b_rel - m``, arrays of one shape."""
    d = check_dim(dim, at_least=2)
    m, b = region(margin, relative_bias, positive=True)
    d, a, c = np.broadcast_arrays(d, (1 + b - 3 * m) / (1 + b + m), b - m)
    return d, a, c
