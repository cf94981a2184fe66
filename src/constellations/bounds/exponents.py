"""Exponents ``log N / d`` of the largest constellation for large ``d``, natural logarithms."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from constellations.bounds.region import region
from constellations.checks import plain

TURN = 0.45403062976  # cos of 62.9974 degrees: below it Kabatiansky and Levenshtein's bound is used at a wider angle


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

    The ``o(1)`` matters at finite ``d``: :func:`log_max_pairs_upper` does without it. Arguments as above.

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
    above.

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
