"""What the theorems of the paper say for many pairs in many dimensions: exponents and the largest margin."""

from __future__ import annotations

from typing import Any

import numpy as np

from constellations.checks import finite, plain

TOLERANCE = 1e-12  # margins and biases are typed decimals: the edge of the region belongs to it


def alpha(margin: Any, relative_bias: Any) -> Any:
    r"""``alpha(m, b_rel) = (1 + b_rel - 3m) / (1 + b_rel + m)``, negative beyond ``3m = 1 + b_rel``.

    Arrays broadcast. Raises a ValueError unless ``m >= 0``, ``-1 < b_rel < 1``, ``m + b_rel <= 1`` and
    ``m <= 1 + b_rel`` (without which there are not even two pairs).

    >>> alpha(0.25, 0.0)
    0.2
    """
    m, b = region(margin, relative_bias)
    return plain((1 + b - 3 * m) / (1 + b + m))


def region(margin: Any, relative_bias: Any, *, many: bool = False, positive: bool = False) -> Any:
    """Both as float arrays of one shape, or a ValueError that names the inequality that fails and the nearest margin.

    ``many`` asks for ``3m <= 1 + b_rel``, the limit of many pairs, in place of ``m <= 1 + b_rel``; ``positive`` for a
    margin above 0.
    """
    m, b = np.broadcast_arrays(finite(margin, "margin"), finite(relative_bias, "relative_bias"))
    if np.any(np.abs(b) >= 1):
        raise ValueError(
            f"relative_bias must be between -1 and 1 (neither included), got {_first(b, np.abs(b) >= 1):g}"
        )
    wrong = m <= 0 if positive else m < 0
    if np.any(wrong):
        allowed = "above 0 (at margin 0 any number of pairs fits)" if positive else "at least 0"
        raise ValueError(f"margin must be {allowed}, got {_first(m, wrong):g}")
    factor = 3.0 if many else 1.0
    right, left = m + b > 1 + TOLERANCE, factor * m > 1 + b + TOLERANCE
    if np.any(right | left):
        where = right | left
        bad_m, bad_b = _first(m, where), _first(b, where)
        fails = "m + b_rel <= 1" if bad_m + bad_b > 1 + TOLERANCE else f"{'3' if many else ''}m <= 1 + b_rel"
        raise ValueError(
            f"margin {bad_m:g} at relative_bias {bad_b:g} breaks {fails}; "
            f"the nearest margin allowed is {min(1 - bad_b, (1 + bad_b) / factor):.6g}"
        )
    return m, b


def exponent_lower(margin: Any, relative_bias: Any) -> Any:
    r"""Exponent of Theorem 3.3: ``log N / d`` can be at least ``-log(1 - alpha^2) / 2`` for large ``d``.

    Natural logarithm; arrays broadcast; ``inf`` at margin 0.

    Raises
    ------
    ValueError
        Outside ``0 <= m``, ``m + b_rel <= 1``, ``3m <= 1 + b_rel``.

    Examples
    --------
    >>> round(exponent_lower(0.1, 0.0), 6)
    0.259562
    """
    m, b = region(margin, relative_bias, many=True)
    with np.errstate(divide="ignore"):
        complement = 8 * m * np.maximum(1 + b - m, 0) / (1 + b + m) ** 2
        return plain(np.maximum(-np.log(complement) / 2, 0.0))


def exponent_upper(margin: Any, relative_bias: Any) -> Any:
    r"""Exponent of Theorem 3.5: ``log N / d`` is at most ``-log(1 - alpha) / 2 + o(1)``.

    Natural logarithm; arrays broadcast; ``inf`` at margin 0. The ``o(1)`` matters at finite ``d``: see
    :func:`log_max_pairs_upper` for a bound without it.

    Raises
    ------
    ValueError
        Outside ``0 <= m``, ``m + b_rel <= 1``, ``3m <= 1 + b_rel``.

    Examples
    --------
    >>> round(exponent_upper(0.1, 0.0), 6)
    0.5058
    """
    m, b = region(margin, relative_bias, many=True)
    with np.errstate(divide="ignore"):
        return plain(np.maximum(-np.log(4 * m / (1 + b + m)) / 2, 0.0))


def margin_upper_bound(relative_bias: Any, *, n_pairs: Any = None, n_modalities: int = 2) -> Any:
    r"""Largest margin that unit vectors of any dimension allow: ``min(1 - b_rel, (1 + (k-1) b_rel)/(k + 1 - 2k/N))``.

    Parameters
    ----------
    relative_bias:
        In [-1, 1]; a number or an array.
    n_pairs:
        ``N >= k``, a number or an array broadcast against it; ``None`` is the limit of many pairs.
    n_modalities:
        ``k >= 2``.

    Returns
    -------
    float or array
        Never below 0.

    Raises
    ------
    ValueError
        For a relative bias outside [-1, 1], ``k < 2`` or ``N < k``.

    Notes
    -----
    Theorem 3.4 of the paper for ``k = 2``; for more modalities ours.

    Examples
    --------
    >>> margin_upper_bound(0.0), margin_upper_bound(0.0, n_pairs=4), margin_upper_bound(0.75)
    (0.3333333333333333, 0.5, 0.25)
    """
    b = finite(relative_bias, "relative_bias")
    if np.any(np.abs(b) > 1):
        raise ValueError(f"relative_bias must be in [-1, 1], got {relative_bias!r}")
    k = n_modalities
    if k != int(k) or k < 2:
        raise ValueError(f"n_modalities must be an integer of at least 2, got {n_modalities!r}")
    n = np.inf if n_pairs is None else finite(n_pairs, "n_pairs")
    if np.any(n < k):
        raise ValueError(f"n_pairs must be at least n_modalities = {k}, got {n_pairs!r}")
    limit = np.minimum((1 + (k - 1) * b) / (k + 1 - 2 * k / n), 1 - b)
    return plain(np.maximum(limit, 0.0))


def _first(values: np.ndarray, where: np.ndarray) -> float:
    return float(values[where].flat[0] if values.ndim else values)
