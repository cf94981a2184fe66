"""From a code's largest inner product to a margin and a relative bias, and back."""

from __future__ import annotations

import math
from typing import Any

from constellations.constructions.arguments import as_code


def max_inner_product(points: Any) -> float:
    """Largest inner product of two different points of a code ``[N, d]``, ``N >= 2``.

    Examples
    --------
    >>> from constellations.constructions import simplex
    >>> round(max_inner_product(simplex(5)), 12)
    -0.25
    """
    x = as_code(points, "points")
    gram = x @ x.T
    return gram.fill_diagonal_(-2.0).max().item()


def code_inner_product(margin: float, relative_bias: float) -> float:
    r"""The ``alpha(m, b_rel) = (1 + b_rel - 3m) / (1 + b_rel + m)`` of Theorems 3.3 and 3.5.

    A code with inner products at most ``alpha`` becomes an ``(m, b_rel)``-constellation with one more dimension.

    Raises
    ------
    ValueError
        Outside the existence region: for ``m < 0``, ``m + b_rel > 1`` or ``3m >= 1 + b_rel``; the message names
        the inequality that fails and the nearest margin allowed.

    Examples
    --------
    >>> code_inner_product(0.25, 0.0)
    0.2
    """
    check_region(margin, relative_bias)
    return (1 + relative_bias - 3 * margin) / (1 + relative_bias + margin)


def check_region(margin: float, relative_bias: float) -> None:
    """Raise unless ``0 <= m``, ``m + b_rel <= 1`` and ``3m <= 1 + b_rel`` (Theorem 3.4 for many pairs)."""
    for name, value in (("margin", margin), ("relative_bias", relative_bias)):
        if not math.isfinite(value):
            raise ValueError(f"{name} must be finite, got {value!r}")
    if not -1 < relative_bias < 1:
        raise ValueError(f"relative_bias must be between -1 and 1 (neither included), got {relative_bias:g}")
    allowed = min(1 - relative_bias, (1 + relative_bias) / 3)
    if margin < 0:
        raise ValueError(f"margin must be at least 0, got {margin:g}")
    if margin > allowed + 1e-12:
        fails = "m + b_rel <= 1" if margin + relative_bias > 1 + 1e-12 else "3m <= 1 + b_rel"
        raise ValueError(
            f"margin {margin:g} at relative_bias {relative_bias:g} breaks {fails}; "
            f"the nearest margin allowed is {allowed:.6g}"
        )


def code_margin(max_inner_product: float, *, relative_bias: float) -> float:
    r"""Margin that a code with inner products at most ``alpha`` yields: ``(1-alpha)(1+b_rel)/(3+alpha)``.

    Inverts :func:`code_inner_product`. From ``b_rel = (1+alpha)/2`` on, the margin is ``1 - b_rel``, the largest
    that Theorem 3.4 allows.

    Examples
    --------
    >>> code_margin(0.2, relative_bias=0.0)
    0.25
    """
    if not -1 <= max_inner_product < 1:
        raise ValueError(f"max_inner_product must be in [-1, 1), got {max_inner_product!r}")
    if not -1 < relative_bias < 1:
        raise ValueError(f"relative_bias must be between -1 and 1 (neither included), got {relative_bias!r}")
    opposite = (1 - max_inner_product) * (1 + relative_bias) / (3 + max_inner_product)
    return min(opposite, 1 - relative_bias)
