"""The bounds turned around: the dimension that N pairs need, and the margin that d dimensions allow."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from constellations.bounds.caps import check_dim
from constellations.bounds.region import TOLERANCE, margin_upper_bound, region
from constellations.bounds.sizes import log_max_pairs_lower, log_max_pairs_upper
from constellations.checks import finite, plain, require

LARGEST = 1e15  # numbers of pairs up to which floats are exact integers with room to spare
STEPS = 60
Condition = Callable[[np.ndarray], Any]


def required_dimension(
    n_pairs: ArrayLike, margin: ArrayLike, relative_bias: ArrayLike, *, n_modalities: int = 2, explain: bool = False
) -> Any:  # fmt: skip
    r"""Bracket of the smallest dimension in which ``N`` pairs form an ``(m, b_rel)``-constellation.

    Parameters
    ----------
    n_pairs:
        ``2 <= N <= 1e15``, an integer (``1e10`` is one) or an array.
    margin:
        ``0 < m <= margin_upper_bound(b_rel, n_pairs=N)``: half the gap wanted. Arrays broadcast.
    relative_bias:
        ``-1 < b_rel < 1``, the middle of the gap.
    n_modalities:
        ``k >= 2`` modalities of which every two form a constellation.
    explain:
        Also name what decided either end.

    Returns
    -------
    (low, high)
        Integers, or integer arrays: below ``low`` dimensions the pairs do not fit (:func:`log_max_pairs_upper`), from
        ``high`` on they do (:func:`log_max_pairs_lower`); at least 1. With ``explain`` also the pair of names: the
        bound that excludes ``low - 1`` and the construction that fills ``high``.

    Examples
    --------
    >>> required_dimension(1e10, 0.07, 0.07)
    (28, 51)
    >>> required_dimension(1e12, 0.25, 0.0, explain=True)[1]
    ('Levenshtein', 'covering with one more dimension')
    """
    n = check_pairs(n_pairs)
    region(margin, relative_bias, positive=True)
    n, m, b = np.broadcast_arrays(n, np.asarray(margin, dtype=float), np.asarray(relative_bias, dtype=float))
    _check_finite(n, m, b, n_modalities)
    goal = np.log(n) - TOLERANCE
    upper, lower = _sizes(n_modalities)
    low = _smallest(lambda d: upper(d, m, b) >= goal, n)
    high = _smallest(lambda d: lower(d, m, b) >= goal, n)
    bracket = plain(low.astype(np.int64)), plain(high.astype(np.int64))
    if not explain:
        return bracket
    below = upper(np.maximum(low - 1, 1), m, b, explain=True)[1]
    return bracket, (plain(np.where(low > 1, below, "nothing")), lower(high, m, b, explain=True)[1])


def margin_bracket(
    n_pairs: ArrayLike, dim: ArrayLike, relative_bias: ArrayLike, *, n_modalities: int = 2, explain: bool = False
) -> Any:  # fmt: skip
    r"""Margins between which the best one of ``N`` pairs in ``R^d`` at this relative bias lies.

    Parameters
    ----------
    n_pairs:
        ``2 <= N <= 1e15``, an integer or an array.
    dim:
        ``d >= 1``; broadcast.
    relative_bias:
        In (-1, 1); broadcast.
    n_modalities, explain:
        As for :func:`log_max_pairs_upper`.

    Returns
    -------
    (guaranteed, impossible)
        Floats or arrays: a constellation with margin ``guaranteed`` exists (0 if no positive margin is guaranteed),
        and none has a margin above ``impossible``. With ``explain`` also the pair of names of what decided.

    Examples
    --------
    >>> [round(m, 4) for m in margin_bracket(5, 6, 0.0)]
    [0.4545, 0.4545]
    >>> margin_bracket(5, 6, 0.0, explain=True)[1]
    ('simplex with one more dimension', 'Theorem 3.4')
    """
    n, d = check_pairs(n_pairs), check_dim(dim)
    limit = np.asarray(margin_upper_bound(relative_bias, n_pairs=n, n_modalities=n_modalities))
    region(0.0, relative_bias)
    n, d, b, limit = np.broadcast_arrays(n, d, np.asarray(relative_bias, dtype=float), limit)
    goal = np.log(n) - TOLERANCE
    upper, lower = _sizes(n_modalities)
    ends = []
    for size in (lower, upper):  # both fall as the margin grows
        start = np.where(np.asarray(size(d, limit, b)) >= goal, limit, 0.0)
        ends.append(_onset(lambda m, size=size: size(d, m, b) < goal, start, limit))  # type: ignore[misc]
    guaranteed, impossible = ends[0][0], ends[1][1]
    bracket = plain(guaranteed), plain(impossible)
    if not explain:
        return bracket
    exists = lower(d, np.maximum(guaranteed, 1e-300), b, explain=True)[1]
    excludes = np.where(impossible < limit, upper(d, impossible, b, explain=True)[1], "Theorem 3.4")
    return bracket, (plain(np.where(guaranteed > 0, exists, "nothing")), plain(excludes))


def _sizes(k: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    return partial(log_max_pairs_upper, n_modalities=k), partial(log_max_pairs_lower, n_modalities=k)


def check_pairs(n_pairs: ArrayLike) -> np.ndarray:
    """As a float array of integers from 2 to ``1e15``, or a ValueError."""
    n = finite(n_pairs, "n_pairs")
    right = (n >= 2) & (n <= LARGEST) & (n == np.round(n))
    require(np.all(right), "n_pairs", f"an integer from 2 to {LARGEST:.0e}", n_pairs)
    return n


def _check_finite(n: np.ndarray, m: np.ndarray, b: np.ndarray, k: int) -> None:
    """Theorem 3.4 for exactly this many pairs; the other inequalities were checked before."""
    limit = np.asarray(margin_upper_bound(b, n_pairs=n, n_modalities=k))
    wrong = m > np.maximum(limit, 0) * (1 + TOLERANCE) + TOLERANCE
    if np.any(wrong):
        bad_n, bad_m, bad_b, nearest = (float(x[wrong].flat[0]) for x in (n, m, b, limit))
        fails = "(3 - 4/N) m <= 1 + b_rel" if k == 2 else f"(k + 1 - 2k/N) m <= 1 + (k-1) b_rel, k = {k},"
        found = f"margin {bad_m:g} at relative_bias {bad_b:g} breaks {fails} for N = {bad_n:.15g} pairs"
        raise ValueError(f"{found}; the nearest margin allowed is {nearest:.6g}")


def _smallest(holds: Condition, n: np.ndarray) -> np.ndarray:
    """Smallest integer ``d >= 1`` with ``holds(d)``, elementwise; it holds for a few more than ``N`` dimensions."""
    high = np.ones(n.shape)
    while np.any(missing := ~np.asarray(holds(high))) and np.any(high < 8 * n):
        high = np.where(missing, 4 * high, high)
    return _onset(holds, np.floor(high / 4), high, whole=True)[1]


def _onset(
    holds: Condition, low: np.ndarray, high: np.ndarray, *, whole: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Where a condition sets in that fails at ``low`` and holds at ``high``, by bisection to neighbouring numbers."""
    for _ in range(STEPS):
        if whole and np.all(high - low <= 1):
            break
        middle = np.maximum(np.floor((low + high) / 2), 1) if whole else (low + high) / 2
        enough = np.asarray(holds(middle))
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return low, high
