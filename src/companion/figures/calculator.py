"""The bounds as a calculator inside a page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from companion.figures import limits, live, style
from constellations import bounds


def calculator(
    *,
    n_pairs: float,
    margin: float,
    relative_bias: float,
    dim: int,
    presets: Sequence[tuple[str, float, float, int]] = (),
) -> live.Live:
    """A form that brackets dimension, pairs and margin as the reader types; it starts with the given values.

    Each of the ``presets`` is a label and what it fills in: margin, relative bias and dimension. The formulas run in
    the page (``bounds.js``) and agree with :mod:`constellations.bounds`. Without scripts the answers for the first
    values are still there.

    Raises
    ------
    ValueError
        For values outside the limits of :func:`constellations.bounds.required_dimension`.
    """
    answers = _answers(n_pairs, margin, relative_bias, dim)
    values = {"pairs": _plain(n_pairs), "margin": float(margin), "bias": float(relative_bias), "dim": int(dim)}
    low, high = bounds.required_dimension(n_pairs, margin, relative_bias)
    # The bracket of the dimension on an axis from 1 to a million; the table says the same in numbers.
    ends = {"low": low, "high": high, "dim": dim}
    places = ";".join(f"--{name}:{min(100, 100 / 6 * math.log10(d)):.2f}%" for name, d in ends.items())
    label = style.as_label(f"N = {values['pairs']}, m = {margin:g}, b_rel = {relative_bias:g}")
    picture = limits.bracket_rows([label], {"open": ([low], [high])}, {"chosen": [dim]}, xlabel=limits.DIMENSION)
    facts = {"values": values, "presets": presets, "answers": answers, "places": places}
    html = live.piece("calculator", live.read("bounds.js"), **facts)
    return live.Live(html, "calculator of dimension, pairs and margin", picture)


def _answers(n: float, m: float, b: float, dim: int) -> dict[str, str]:
    """Both ends of each bracket, and what decided them."""
    sizes = (bounds.log_max_pairs_lower, bounds.log_max_pairs_upper)
    brackets = {
        "dim": bounds.required_dimension(n, m, b, explain=True),
        "pairs": zip(*(size(dim, m, b, explain=True) for size in sizes), strict=True),
        "margin": bounds.margin_bracket(n, dim, b, explain=True),
    }
    answers, texts = {"dim": f"{dim:,}", "pairs": _count(math.log(n))}, ("{:,}".format, _count, "{:.4f}".format)
    for (name, (ends, reasons)), text in zip(brackets.items(), texts, strict=True):
        for side, end, reason in zip(("low", "high"), ends, reasons, strict=True):
            answers |= {f"{name}_{side}": text(end), f"{name}_{side}_by": reason}
    return answers


def _count(log_pairs: float) -> str:
    if log_pairs < math.log(1e7):
        return f"{math.floor(math.exp(log_pairs) * (1 + 1e-12)):,}"
    return f"10<sup>{float(f'{log_pairs / math.log(10):.5g}'):g}</sup>"


def _plain(n: float) -> str:
    short = f"{n:g}".replace("e+", "e")
    return short if n >= 1e6 and float(short) == n else str(int(n))
