r"""How many points a spherical code can have: upper bounds at ``(d, a)``, and sizes that exist.

Constellations need nothing else: by the midpoint theorem (:mod:`constellations.bounds`),
``N_SC(d-1, alpha) <= N_MRB(d, m, b_rel) <= N_SC(d, alpha)``.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from constellations.bounds.caps import best_cluster, log_cap_bound, log_cap_measure
from constellations.bounds.region import TOLERANCE

UPPER = ("pigeonhole", "circle", "simplex", "Rankin", "Fejes Toth", "Levenshtein", "caps")
LOWER = ("one point", "two points", "simplex", "cross-polytope", "covering")
GUARD = 1e-10  # every upper bound is raised by this factor, so that rounding cannot push it below the truth
EXACT_DEGREE = 256  # degrees up to which Levenshtein's bound is evaluated in full
WINDOWS = np.unique(np.round(2 ** np.arange(1, 20, 0.5)))
UPPER_CEILING, LOWER_CEILING = np.log(1e9), 34.0  # logarithms up to which sizes are rounded to integers


def log_code_upper(dim: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logarithm of a size that no code in ``R^dim`` with inner products ``<= a`` exceeds, and its index in ``UPPER``.

    One-dimensional arrays; ``dim >= 1``. Up to ``1e9`` the size is rounded down to an integer.
    """
    s = np.clip(a + TOLERANCE * (1 - a) + 1e-15, -1.0, 1.0)
    positive = s > 0
    table = np.full((len(UPPER), len(s)), np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        table[0] = np.where(dim == 1, np.log(2), np.inf)
        table[1] = np.where(dim == 2, np.log(np.floor(2 * np.pi / np.arccos(s))), np.inf)
        table[2] = np.where(positive, np.inf, np.log1p(-1 / np.minimum(s, -1e-300)))
        table[3] = np.where(positive, np.where(a <= 0, np.log(2 * dim), np.inf), np.log(dim + 1))
        table[4] = np.where((dim == 3) & (s > -0.5), np.log(_fejes_toth(s)), np.inf)
        where = positive & (dim > 2) & (s < 1)
        table[5, where] = log_levenshtein(dim[where], s[where])
        where = (dim > 1) & (s > -1)
        table[6, where] = log_cap_bound(dim[where], s[where], best_cluster(dim[where], s[where]))
    decided = table.argmin(0)
    log = np.maximum(table.min(0) + GUARD, 0.0)
    with np.errstate(over="ignore"):
        whole = np.log(np.maximum(np.floor(np.exp(np.minimum(log, UPPER_CEILING))), 1.0))
    return np.where(log < UPPER_CEILING, whole, log * (1 + TOLERANCE)), decided


def log_code_lower(dim: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logarithm of a size that some code of ``R^dim`` has, and its index in ``LOWER``; ``log 1`` for ``dim < 1``.

    A code to which no point can be added covers the sphere; two points, cross-polytopes and simplices. Sizes up to
    ``exp(34)`` are rounded up to integers.
    """
    safe = np.maximum(dim, 1.0)
    table = np.zeros((len(LOWER), len(a)))
    table[1] = np.log(2)
    negative = a < -TOLERANCE
    corners = np.floor((1 - 1 / np.where(negative, a, -1.0)) * (1 + TOLERANCE))
    table[2] = np.where(negative, np.log(np.minimum(safe + 1, corners)), 0.0)
    table[3] = np.where(negative, 0.0, np.log(2 * safe))
    covering = -np.asarray(log_cap_measure(safe, np.clip(a, -1, 1)))
    with np.errstate(over="ignore"):
        whole = np.ceil(np.exp(np.minimum(covering, LOWER_CEILING)) * (1 - TOLERANCE))
    table[4] = np.where(covering < LOWER_CEILING, np.log(np.maximum(whole, 1.0)), covering)
    table[:, (dim < 1) | (a < -1 - TOLERANCE)] = 0.0
    return table.max(0), table.argmax(0)


def _fejes_toth(s: np.ndarray) -> np.ndarray:
    """``12 w / (6 w - pi)``, ``w = arcsin(1/sqrt(2 + 2s))``, without cancellation: caps on the sphere in ``R^3``."""
    x = np.minimum(1 / np.sqrt(np.maximum(2 + 2 * s, 1e-300)), 1.0)
    above = np.arcsin((1 - s) / (2 * (1 + s) * (np.sqrt(3) * x + np.sqrt(1 - x * x))))  # w - pi/6
    return 2 * (above + np.pi / 6) / above


def log_levenshtein(dim: np.ndarray, s: np.ndarray) -> np.ndarray:
    r"""Logarithm of Levenshtein's bound for ``dim >= 3``, ``0 < s < 1``, one-dimensional arrays.

    With the Gegenbauer polynomials ``P_k`` of ``R^d`` (``P_k(1) = 1``) and the largest zeros of their neighbours
    ``t_k`` of ``P_k - P_{k+1}`` and ``t'_k`` of ``P'_{k+1}``,

    .. math::
        L_{2k-1} &= \tbinom{k+d-3}{k-1} \Bigl[\tfrac{2k+d-3}{d-1} - \tfrac{P_{k-1}-P_k}{(1-s)P_k}\Bigr],
            & t'_{k-1} \le s \le t_k, \\
        L_{2k} &= \tbinom{k+d-2}{k} \Bigl[\tfrac{2k+d-1}{d-1} - \tfrac{(1+s)(P_k-P_{k+1})}{(1-s)(P_k+P_{k+1})}\Bigr],
            & t_k \le s \le t'_k.

    Only ratios of neighbouring ``P_k`` enter; their recurrence neither under- nor overflows, their signs tell the
    interval, and all terms above are positive. Beyond degree 256 the bound ``L(t'_k) = 2 C(k+d-1, k)`` at the first zero
    known to lie above ``s`` takes its place (:func:`_zero_above`), weaker only by a factor ``exp(O(d^{1/3}))``.
    """
    degree = _zero_above(dim, s)
    at_zero = np.log(2) + gammaln(dim + degree) - gammaln(degree + 1) - gammaln(dim)
    result = np.where(np.isfinite(degree), at_zero, np.inf)
    active = np.flatnonzero(degree <= EXACT_DEGREE)
    n, x = dim[active], s[active]
    ratio, negative, log_binomial = x.copy(), np.zeros(len(x), bool), np.zeros(len(x))
    with np.errstate(divide="ignore", invalid="ignore"):
        # ratio = P_k / P_{k-1}, negative: P_k < 0, binomial C(k+n-3, k-1)
        for k in range(1, EXACT_DEGREE + 2):
            if not len(active):
                break
            step = ((2 * k + n - 2) * x - k / ratio) / (k + n - 2)  # P_{k+1} / P_k
            odd, even = negative & (step <= 1), negative & (step > 1) & (x * step <= 1)
            first = (2 * k + n - 3) / (n - 1) - (1 / ratio - 1) / (1 - x)
            second = (2 * k + n - 1) / (n - 1) - (1 + x) * (1 - step) / ((1 - x) * (1 + step))
            log = log_binomial + np.log(np.where(odd, first, (k + n - 2) / k * second))
            result[active] = np.where(odd | even, log, result[active])
            log_binomial += np.log((k + n - 2) / k)
            negative = negative ^ (step < 0)
            held = (active, n, x, step, negative, log_binomial)
            active, n, x, ratio, negative, log_binomial = (array[~(odd | even)] for array in held)
    return result


def _zero_above(dim: np.ndarray, s: np.ndarray) -> np.ndarray:
    """A degree ``k`` with ``t'_k >= s``, near the least one; ``inf`` where ``s`` is too near 1 for the windows.

    ``t'_k`` is the largest eigenvalue of a ``k x k`` Jacobi matrix with off-diagonal entries that increase to 1/2. Its
    last ``w`` rows and columns alone give at least ``2 beta cos(pi/(w+1))`` with their first entry ``beta``:
    ``4 beta_j^2 = y/(y + d(d-2)/4)``, ``y = j (j + d - 1)``. The best of many ``w`` is taken.
    """
    best = np.full(s.shape, np.inf)
    for w in WINDOWS:
        squared = (s / np.cos(np.pi / (w + 1))) ** 2
        y = dim * (dim - 2) / 4 * squared / np.where(squared < 1, 1 - squared, np.nan)
        root = 2 * y / (dim - 1 + np.sqrt((dim - 1) ** 2 + 4 * y))  # j (j + d - 1) = y
        best = np.fmin(best, np.ceil(np.maximum(root * (1 + TOLERANCE), 1.0)) + w - 1)
    return best
