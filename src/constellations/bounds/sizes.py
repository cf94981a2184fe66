"""How many pairs fit into a given dimension: rigorous bounds at every finite ``d``, from those for spherical codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from constellations.bounds.caps import check_dim
from constellations.bounds.codes import LOWER, UPPER, log_code_lower, log_code_upper
from constellations.bounds.region import TOLERANCE, code_of, region
from constellations.checks import integer, plain


def log_max_pairs_upper(
    dim: ArrayLike, margin: ArrayLike, relative_bias: ArrayLike, *, n_modalities: int = 2, explain: bool = False
) -> Any:  # fmt: skip
    r"""Logarithm of a number that no ``(d, m, b_rel)``-constellation exceeds: a bound on ``N_SC(d, alpha)``.

    The least of: simplices and Rankin's bound at ``alpha <= 0``, the polygon in the plane, Fejes Toth's bound in space,
    Levenshtein's bound, and the bound from caps (:func:`log_cap_bound`) where it is smaller.

    Parameters
    ----------
    dim:
        ``d >= 1``, an integer or an array.
    margin, relative_bias:
        ``m > 0``, ``m + b_rel <= 1`` and ``m <= 1 + b_rel``; numbers or arrays, broadcast.
    n_modalities:
        ``k >= 2`` modalities of which every two form a constellation: ``alpha_k`` in place of ``alpha``.
    explain:
        Also return the name of the bound that decided.

    Returns
    -------
    float or array, or (value, name)
        Natural logarithm, at least ``log 2``; up to ``1e9`` pairs of an integer. Never too small through rounding.

    Examples
    --------
    >>> round(np.exp(log_max_pairs_upper(24, 0.25, 0.75)))  # the kissing number of R^24
    196560
    >>> [log_max_pairs_upper(d, 0.1, 0.0, explain=True)[1] for d in (1, 2, 10)]
    ['pigeonhole', 'circle', 'Levenshtein']
    """
    d, m, b = _broadcast(dim, margin, relative_bias)
    allowed = np.floor(1 + 1 / np.maximum(m - b, 1e-9) + TOLERANCE)  # alpha_k needs 1 + (k-1)(b - m) >= 0
    k = np.clip(allowed, 2, integer(n_modalities, "n_modalities", 2))
    log, index = log_code_upper(d.ravel(), code_of(m, b, k).ravel())
    value = plain(np.maximum(log, np.log(2)).reshape(d.shape))
    return (value, plain(np.array(UPPER)[index].reshape(d.shape))) if explain else value


def log_max_pairs_lower(
    dim: ArrayLike, margin: ArrayLike, relative_bias: ArrayLike, *, n_modalities: int = 2, explain: bool = False
) -> Any:  # fmt: skip
    r"""Logarithm of a number of pairs for which a ``(d, m, b_rel)``-constellation exists.

    The larger of what two kinds of codes give: inner products at most ``alpha`` in ``R^{d-k+1}`` with ``k - 1`` more
    dimensions for ``k`` modalities (Theorem 3.3, Construction 2), or at most ``b_rel - m`` in ``R^d`` used as
    ``U = V``, which wins near ``m + b_rel = 1``. A code in ``R^n`` with inner products at most ``c`` can have at least

    .. math::
        \max\bigl(\lceil 1/\Gamma_n(c) \rceil,\;\; 2n \text{ if } c \ge 0,\;\;
        \min(n + 1, \lfloor 1 - 1/c \rfloor) \text{ if } c < 0\bigr)

    points. Parameters are those of :func:`log_max_pairs_upper`; sizes up to ``exp(34)`` are logarithms of integers.

    Examples
    --------
    >>> round(np.exp(log_max_pairs_lower(4, 0.25, 0.0)))
    6
    >>> log_max_pairs_lower(4, 0.25, 0.0, explain=True)[1]
    'cross-polytope with one more dimension'
    """
    d, m, b = _broadcast(dim, margin, relative_bias)
    k = integer(n_modalities, "n_modalities", 2)
    lifted, by = log_code_lower(d.ravel() - (k - 1), code_of(m, b, k).ravel())
    equal, by_itself = log_code_lower(d.ravel(), (b - m).ravel())
    value = plain(np.maximum(lifted, equal).reshape(d.shape))
    more = "one more dimension" if k == 2 else f"{k - 1} more dimensions"
    names = np.array([f"{name} with {more}" for name in LOWER] + [f"{name} as U = V" for name in LOWER])
    index = np.where(lifted > equal, by, by_itself + len(LOWER))
    return (value, plain(names[index].reshape(d.shape))) if explain else value


def _broadcast(dim: ArrayLike, margin: ArrayLike, relative_bias: ArrayLike) -> tuple[np.ndarray, ...]:
    """Dimension, margin and relative bias, arrays of one shape."""
    m, b = region(margin, relative_bias, positive=True)
    return tuple(np.broadcast_arrays(check_dim(dim), m, b))
