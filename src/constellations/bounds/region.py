"""The region of Theorem 3.4, the inner products of the codes behind it, and exponents for large dimension."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from constellations.checks import finite, integer, plain, require

TURN = 0.45403062976  # cos of 62.9974 degrees: above it Kabatiansky and Levenshtein's bound is used at a wider angle
TOLERANCE = 1e-12  # margins and biases are typed decimals: the edge of the region belongs to it


def alpha(margin: ArrayLike, relative_bias: ArrayLike, *, n_modalities: int = 2) -> float | np.ndarray:
    r"""Largest inner product of the spherical code behind a constellation, negative beyond ``3m = 1 + b_rel``.

    .. math:: \alpha(m, b_{rel}) = \frac{1 + b_{rel} - 3m}{1 + b_{rel} + m}, \qquad
              \alpha_k = \frac{1 + (k-1) b_{rel} - (k+1) m}{1 + (k-1)(b_{rel} + m)} \text{ for } k \text{ modalities}

    Arrays broadcast. Raises a ValueError unless ``m >= 0``, ``-1 < b_rel < 1``, ``m + b_rel <= 1`` and
    ``m <= 1 + b_rel`` (without which there are not even two pairs). :func:`code_margin` inverts it for two modalities.

    >>> alpha(0.25, 0.0)
    0.2
    """
    return plain(code_of(*region(margin, relative_bias), integer(n_modalities, "n_modalities", 2)))


def code_margin(max_inner_product: ArrayLike, relative_bias: ArrayLike) -> float | np.ndarray:
    r"""Best margin that a code of largest inner product ``a`` gives: ``mu_b(a) = min((1-a)(1+b)/(3+a), 1-b)``.

    Realised with one more dimension (:func:`constellations.constructions.from_spherical_code`), it is also the most
    that ``R^d`` itself can give: by :func:`constellations.constructions.midpoints`, with ``A_n(N)`` the least possible
    largest inner product of ``N`` points of ``R^n``, ``mu_b(A_{d-1}(N)) <= best margin <= mu_b(A_d(N))``.

    >>> code_margin(0.2, 0.0)
    0.25
    """
    a, b = finite(max_inner_product, "max_inner_product"), finite(relative_bias, "relative_bias")
    require(np.all((a >= -1) & (a < 1)), "max_inner_product", "in [-1, 1)", max_inner_product)
    _check_bias(b)
    return plain(np.minimum((1 - a) * (1 + b) / (3 + a), 1 - b))


def margin_upper_bound(
    relative_bias: ArrayLike, *, n_pairs: ArrayLike | None = None, n_modalities: int = 2
) -> float | np.ndarray:
    r"""Largest margin that unit vectors of any dimension allow: ``min(1 - b_rel, (1 + (k-1) b_rel)/(k + 1 - 2k/N))``.

    Theorem 3.4 for ``k = 2``; for more modalities ours. Fewer pairs than modalities (``N < k``) are bounded by ``N`` of
    the modalities, so ``k`` becomes ``N``. ``n_pairs=None`` is the limit of many pairs. Never below 0; arrays broadcast.

    >>> margin_upper_bound(0.0), margin_upper_bound(0.0, n_pairs=4), margin_upper_bound(0.75)
    (0.3333333333333333, 0.5, 0.25)
    """
    b = finite(relative_bias, "relative_bias")
    require(np.all(np.abs(b) <= 1), "relative_bias", "in [-1, 1]", relative_bias)
    n = np.inf if n_pairs is None else finite(n_pairs, "n_pairs")
    require(np.all(n >= 2), "n_pairs", "at least 2", n_pairs)
    k = np.minimum(integer(n_modalities, "n_modalities", 2), n)
    return plain(np.maximum(np.minimum((1 + (k - 1) * b) / (k + 1 - 2 * k / n), 1 - b), 0.0))


def code_of(m: np.ndarray, b: np.ndarray, k: int | np.ndarray) -> np.ndarray:
    """``alpha_k``, without checks."""
    return (1 + (k - 1) * b - (k + 1) * m) / (1 + (k - 1) * (b + m))


def exponent_lower(margin: ArrayLike, relative_bias: ArrayLike) -> float | np.ndarray:
    r"""Exponent of Theorem 3.3: ``log N / d`` can be at least ``-log(1 - alpha^2) / 2`` for large ``d``.

    Arrays broadcast; ``inf`` at margin 0; ``0 <= m``, ``m + b_rel <= 1``, ``3m <= 1 + b_rel``.

    >>> round(exponent_lower(0.1, 0.0), 6)
    0.259562
    """
    m, b = region(margin, relative_bias, many=True)
    with np.errstate(divide="ignore"):
        complement = 8 * m * np.maximum(1 + b - m, 0) / (1 + b + m) ** 2
        return plain(np.maximum(-np.log(complement) / 2, 0.0))


def exponent_upper(margin: ArrayLike, relative_bias: ArrayLike) -> float | np.ndarray:
    r"""Exponent of Theorem 3.5: ``log N / d`` is at most ``-log(1 - alpha) / 2 + o(1)``.

    The ``o(1)`` matters at finite ``d``: :func:`log_max_pairs_upper` does without it. Arguments as for
    :func:`exponent_lower`.

    >>> round(exponent_upper(0.1, 0.0), 6)
    0.5058
    """
    m, b = region(margin, relative_bias, many=True)
    with np.errstate(divide="ignore"):
        return plain(np.maximum(-np.log(4 * m / (1 + b + m)) / 2, 0.0))


def exponent_kabatiansky_levenshtein(margin: ArrayLike, relative_bias: ArrayLike) -> float | np.ndarray:
    r"""The best known upper exponent: that of spherical codes, which constellations share.

    .. math:: E(c) = \tfrac{1+s}{2s}\log\tfrac{1+s}{2s} - \tfrac{1-s}{2s}\log\tfrac{1-s}{2s},\; s = \sqrt{1-c^2},
              \qquad \min_{c \le \alpha} E(c) + \tfrac12 \log\tfrac{1-c}{1-\alpha}

    The minimum is at ``c = alpha`` up to .4540, and there ever after (Kabatiansky and Levenshtein 1978). Arguments as
    for :func:`exponent_lower`.

    >>> [round(exponent_kabatiansky_levenshtein(m, 0.0), 4) for m in (0.1, 0.25, 0.3)]
    [0.4371, 0.0575, 0.0112]
    """
    m, b = region(margin, relative_bias, many=True)
    gap = 4 * m / (1 + b + m)  # 1 - alpha
    c = np.clip(1 - gap, 0.0, TURN)
    s = np.sqrt(1 - c * c)
    p, q = (1 + s) / (2 * s), (1 - s) / (2 * s)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = p * np.log(p) - np.where(q > 0, q * np.log(q), 0.0)
        return plain(np.maximum(entropy + np.log(np.maximum(1 - c, gap) / gap) / 2, 0.0))


def region(
    margin: ArrayLike, relative_bias: ArrayLike, *, many: bool = False, positive: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Both as float arrays of one shape, or a ValueError that names the inequality that fails and the nearest margin.

    ``many`` asks for ``3m <= 1 + b_rel``, the limit of many pairs, in place of ``m <= 1 + b_rel``; ``positive`` for a
    margin above 0.
    """
    m, b = np.broadcast_arrays(finite(margin, "margin"), finite(relative_bias, "relative_bias"))
    _check_bias(b)
    wrong = m <= 0 if positive else m < 0
    if np.any(wrong):
        allowed = "above 0 (at margin 0 any number of pairs fits)" if positive else "at least 0"
        raise ValueError(f"margin must be {allowed}, got {_first(m, wrong):g}")
    factor = 3.0 if many else 1.0
    where = (m + b > 1 + TOLERANCE) | (factor * m > 1 + b + TOLERANCE)
    if np.any(where):
        bad_m, bad_b = _first(m, where), _first(b, where)
        fails = "m + b_rel <= 1" if bad_m + bad_b > 1 + TOLERANCE else f"{'3' if many else ''}m <= 1 + b_rel"
        nearest = f"the nearest margin allowed is {min(1 - bad_b, (1 + bad_b) / factor):.6g}"
        raise ValueError(f"margin {bad_m:g} at relative_bias {bad_b:g} breaks {fails}; {nearest}")
    return m, b


def _check_bias(b: np.ndarray) -> None:
    require(np.all(np.abs(b) < 1), "relative_bias", "between -1 and 1 (neither included)", plain(b))


def _first(values: np.ndarray, where: np.ndarray) -> float:
    return float(values[where].flat[0])
