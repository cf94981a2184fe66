"""The bounds as a calculator inside a page: plain HTML with a script of its own, no network, no library."""

from __future__ import annotations

import hashlib
import html
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from companion.figures import player
from constellations import bounds

FIELDS = (
    ("pairs", "number of pairs N"),
    ("margin", "margin m"),
    ("bias", "<span>relative bias <i>b</i><sub>rel</sub></span>"),
    ("dim", "dimension d"),
)
HINT = "10^9, 1e9 and 1,000,000 are read alike; the margin is half the gap, the relative bias its middle."
ROWS = (
    ("dim", "Dimension that {pairs} pairs need at this margin", "impossible below", "possible from"),
    ("pairs", "Pairs in {dim} dimensions at this margin", "possible", "impossible above"),
    ("margin", "Margin of {pairs} pairs in {dim} dimensions", "possible", "impossible above"),
)


@dataclass(frozen=True)
class Preset:
    """A choice offered to the reader: what fills margin, relative bias and dimension."""

    label: str
    margin: float
    relative_bias: float
    dim: int


def calculator(
    *, n_pairs: float, margin: float, relative_bias: float, dim: int, presets: Sequence[Preset] = ()
) -> player.Live:
    """A form that brackets dimension, pairs and margin as the reader types; it starts with the given values.

    The formulas run in the page (``bounds.js``) and agree with :mod:`constellations.bounds`. Without scripts the
    answers for the first values are still there.

    Raises
    ------
    ValueError
        For values outside the limits of :func:`constellations.bounds.required_dimension`.
    """
    values = _plain(n_pairs), repr(float(margin)), repr(float(relative_bias)), str(int(dim))
    answers = _answers(n_pairs, margin, relative_bias, dim)
    inputs = "".join(
        f'<label>{label}<input name="{name}" value="{value}" inputmode="text" size="9" autocomplete="off"></label>'
        for (name, label), value in zip(FIELDS, values, strict=True)
    )
    rows = "".join(_row(name, title, words, answers) for name, title, *words in ROWS)
    body = (
        f"<form hidden>{inputs}{_choices(presets)}<small>{HINT}</small></form>"
        '<p role="alert"></p><p role="status"></p>'
        f"{_bracket(n_pairs, margin, relative_bias, dim)}"
        f"<table><tbody>{rows}</tbody></table>"
    )
    key = "calculator-" + hashlib.sha256(body.encode()).hexdigest()[:12]
    parts = ("calculator.css", "calculator.js", "bounds.js")
    rules, code, formulas = ((files("companion") / "data" / name).read_text().strip() for name in parts)
    head, script = f"<style>\n{rules}\n</style>", f"<script>({code})({json.dumps(key)},{formulas});</script>"
    whole = f'<div class="bounds-calculator" id="{key}">{head}{body}{script}</div>'
    return player.Live(whole, "calculator of dimension, pairs and margin")


def _bracket(n: float, m: float, b: float, dim: int) -> str:
    """The bracket of the dimension on an axis from 1 to a million; the table says the same in numbers."""
    ends = zip(("low", "high", "dim"), (*bounds.required_dimension(n, m, b), dim), strict=True)
    places = ";".join(f"--{name}:{min(100, 100 / 6 * math.log10(d)):.2f}%" for name, d in ends)
    ticks = "".join(f"<span>{text}</span>" for text in ("1", "10", "100", "1,000", "10⁴", "10⁵", "10⁶"))
    return (
        f'<div aria-hidden="true"><div class="bracket" style="{places}"><i>d</i></div><div class="ticks">{ticks}</div>'
        "<small>dimensions: impossible (grey), open (blue), possible (purple)</small></div>"
    )


def _answers(n: float, m: float, b: float, dim: int) -> dict[str, str]:
    sizes = (bounds.log_max_pairs_lower, bounds.log_max_pairs_upper)
    low, high = (size(dim, m, b, explain=True) for size in sizes)
    brackets: dict[str, tuple[tuple[Any, Any], tuple[str, str], Callable[[Any], str]]] = {
        "dim": (*bounds.required_dimension(n, m, b, explain=True), "{:,}".format),
        "pairs": ((low[0], high[0]), (low[1], high[1]), _count),
        "margin": (*bounds.margin_bracket(n, dim, b, explain=True), "{:.4f}".format),
    }
    answers = {"dim": f"{dim:,}", "pairs": _count(math.log(n))}
    for name, (ends, reasons, text) in brackets.items():
        for side, end, reason in zip(("low", "high"), ends, reasons, strict=True):
            answers |= {f"{name}_{side}": text(end), f"{name}_{side}_by": reason}
    return answers


def _row(name: str, title: str, words: Sequence[str], answers: dict[str, str]) -> str:
    title = title.format(pairs=_output("pairs", answers), dim=_output("dim", answers))
    cells = "".join(
        f"<td>{word} {_output(end, answers)}<small>by {_output(f'{end}_by', answers)}</small></td>"
        for word, end in zip(words, (f"{name}_low", f"{name}_high"), strict=True)
    )
    return f'<tr><th scope="row">{title}</th>{cells}</tr>'


def _output(name: str, answers: dict[str, str]) -> str:
    return f'<output name="{name}">{answers[name]}</output>'


def _choices(presets: Sequence[Preset]) -> str:
    options = "".join(
        f'<option value="{k}" data-margin="{float(p.margin)!r}" data-bias="{float(p.relative_bias)!r}"'
        f' data-dim="{int(p.dim)}">'
        f"{html.escape(p.label)}</option>"
        for k, p in enumerate(presets, start=1)
    )
    return f'<label>numbers of<select><option value="">your own values</option>{options}</select></label>'


def _count(log_pairs: float) -> str:
    if log_pairs < math.log(1e7):
        return f"{math.floor(math.exp(log_pairs) * (1 + 1e-12)):,}"
    return f"10<sup>{float(f'{log_pairs / math.log(10):.5g}'):g}</sup>"


def _plain(n: float) -> str:
    short = f"{n:g}".replace("e+", "e")
    return short if n >= 1e6 and float(short) == n else str(int(n))
