"""The bounds turned around: the dimension that N pairs need, and the margin that d dimensions allow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from constellations.bounds.caps import check_dim
from constellations.bounds.exponents import TOLERANCE, margin_upper_bound, region
from constellations.bounds.sizes import log_max_pairs_lower, log_max_pairs_upper
from constellations.checks import finite, plain

LARGEST = 1e15  # numbers of pairs up to which floats are exact integers with room to spare
STEPS = 60


def required_dimension(n_pairs: Any, margin: Any, relative_bias: Any) -> Any:
    r"""Bracket of the smallest dimension in which ``N`` pairs form an ``(m, b_rel)``-constellation.

    Parameters
    ----------
    n_pairs:
        ``2 <= N <= 1e15``, an integer (``1e10`` is one) or an array.
    margin, relative_bias:
        ``m > 0``, ``m + b_rel <= 1`` and ``(3 - 4/N) m <= 1 + b_rel``; arrays broadcast.

    Returns
    -------
    (low, high)
        Integers, or integer arrays: below ``low`` dimensions the pairs do not fit (:func:`log_max_pairs_upper`), from
        ``high`` on they do (:func:`log_max_pairs_lower`); at least 2.

    Raises
    ------
    ValueError
        For parameters outside these limits; the message names the inequality that fails and the nearest margin.

    Examples
    --------
    >>> required_dimension(1e10, 0.07, 0.07)
    (26, 51)
    >>> required_dimension(5, 0.4, 0.0)
    (3, 5)
    """
    n = check_pairs(n_pairs)
    region(margin, relative_bias, positive=True)
    n, m, b = np.broadcast_arrays(n, np.asarray(margin, dtype=float), np.asarray(relative_bias, dtype=float))
    _check_finite(n, m, b)
    goal = np.log(n) - TOLERANCE
    low = _smallest(lambda d: log_max_pairs_upper(d, m, b) >= goal, n)
    high = _smallest(lambda d: log_max_pairs_lower(d, m, b) >= goal, n)
    if n.ndim == 0:
        return int(low), int(high)
    return low.astype(np.int64), high.astype(np.int64)


def margin_bracket(n_pairs: Any, dim: Any, relative_bias: Any) -> Any:
    r"""Margins between which the best one of ``N`` pairs in ``R^d`` at this relative bias lies.

    Parameters
    ----------
    n_pairs:
        ``2 <= N <= 1e15``, an integer or an array.
    dim:
        ``d >= 2``; broadcast.
    relative_bias:
        In (-1, 1); broadcast.

    Returns
    -------
    (guaranteed, impossible)
        Floats or arrays: a constellation with margin ``guaranteed`` exists (0 if no positive margin is guaranteed),
        and none has a margin above ``impossible``.

    Raises
    ------
    ValueError
        For ``N < 2``, ``d < 2`` or a relative bias outside (-1, 1).

    Examples
    --------
    >>> [round(m, 4) for m in margin_bracket(5, 6, 0.0)]
    [0.4545, 0.4545]
    """
    n, d = check_pairs(n_pairs), check_dim(dim, at_least=2)
    limit = np.asarray(margin_upper_bound(relative_bias, n_pairs=n))
    region(0.0, relative_bias)
    n, d, b, limit = np.broadcast_arrays(n, d, np.asarray(relative_bias, dtype=float), limit)
    goal = np.log(n) - TOLERANCE
    guaranteed, _ = _largest(lambda m: log_max_pairs_lower(d, m, b) >= goal, limit)
    _, impossible = _largest(lambda m: log_max_pairs_upper(d, m, b) >= goal, limit)
    return plain(guaranteed), plain(impossible)


def check_pairs(n_pairs: Any) -> np.ndarray:
    """As a float array of integers from 2 to ``1e15``, or a ValueError."""
    n = finite(n_pairs, "n_pairs")
    if np.any(n < 2) or np.any(n > LARGEST) or np.any(n != np.round(n)):
        raise ValueError(f"n_pairs must be an integer from 2 to {LARGEST:.0e}, got {n_pairs!r}")
    return n


def _check_finite(n: np.ndarray, m: np.ndarray, b: np.ndarray) -> None:
    """Theorem 3.4 for exactly this many pairs; the other inequalities were checked before."""
    wrong = (3 - 4 / n) * m > 1 + b + TOLERANCE
    if np.any(wrong):
        bad_n, bad_m, bad_b = (float(x[wrong].flat[0]) for x in (n, m, b))
        raise ValueError(
            f"margin {bad_m:g} at relative_bias {bad_b:g} breaks (3 - 4/N) m <= 1 + b_rel for N = {bad_n:.15g} pairs; "
            f"the nearest margin allowed is {(1 + bad_b) / (3 - 4 / bad_n):.6g}"
        )


def _smallest(holds: Callable[[np.ndarray], Any], n: np.ndarray) -> np.ndarray:
    """Smallest integer ``d >= 2`` with ``holds(d)``, elementwise; it holds at ``d = N`` (simplices) and ever after."""
    low, high = np.full(n.shape, 2.0), np.full(n.shape, 2.0)
    while not np.all(holds(high)) and np.any(high < n):
        high = np.where(holds(high), high, np.minimum(4 * high, n))
    while np.any(low < high):
        middle = np.floor((low + high) / 2)
        enough = np.asarray(holds(middle))
        low, high = np.where(enough, low, np.minimum(middle + 1, high)), np.where(enough, middle, high)
    return high


def _largest(holds: Callable[[np.ndarray], Any], limit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Margins around the largest one with ``holds``: (holds or 0, fails or the limit), by bisection on ``[0, limit]``."""
    whole = np.asarray(holds(np.maximum(limit, 1e-300)))
    low, high = np.where(whole, limit, 0.0), np.array(limit, dtype=float)
    for _ in range(STEPS):
        middle = np.where(low < high, (low + high) / 2, high)
        enough = np.asarray(holds(np.maximum(middle, 1e-300)))
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return low, high
