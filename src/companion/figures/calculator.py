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

from constellations import bounds

FIELDS = (
    ("pairs", "number of pairs N", "10^9, 1e9 and 1,000,000 are read alike"),
    ("margin", "margin m", "half the gap; SigLIP models reach .07 on average"),
    ("bias", "relative bias b_rel", "the middle of the gap; theirs is near .07"),
    ("dim", "dimension d", "768 to 1,152 in those models"),
)
ROWS = (
    ("dim", "Dimension that {pairs} pairs need at this margin", "impossible below", "possible from"),
    ("pairs", "Pairs in {dim} dimensions at this margin", "possible", "impossible above"),
    ("margin", "Margin of {pairs} pairs in {dim} dimensions", "possible", "impossible above"),
)

STYLE = """
.bounds-calculator form { display: flex; flex-wrap: wrap; gap: .6em 1.2em; align-items: start }
.bounds-calculator form[hidden] { display: none }
.bounds-calculator label { display: flex; flex-direction: column; gap: .15em; max-width: 14em }
.bounds-calculator small { font-size: .8em; opacity: .8 }
.bounds-calculator input, .bounds-calculator select
  { color: #111; background: #fff; border: 1px solid #777; border-radius: 3px; padding: .15em .4em }
.bounds-calculator input[aria-invalid=true] { border-color: #b3261e }
.bounds-calculator p { margin: .5em 0 }
.bounds-calculator [role=alert] { min-height: 1.5em; color: #b3261e; font-weight: bold }
html[data-theme=dark] .bounds-calculator [role=alert] { color: #ff8a80 }
.bounds-calculator table { width: 100%; border-collapse: collapse; color: inherit; background: none }
.bounds-calculator th, .bounds-calculator td
  { font-weight: normal; text-align: left; padding: .3em .6em .3em 0; color: inherit; background: none;
    border: 0; border-top: 1px solid #999; vertical-align: top }
.bounds-calculator td > output { font-weight: bold }
.bounds-calculator td small { display: block }
.bounds-calculator small output { display: inline }
.bounds-calculator .bracket
  { position: relative; height: 1.6em; margin: 1.6em 1em 0; border: 1px solid #777;
    background: linear-gradient(90deg, #9a9a9a var(--low), #cce7f9 var(--low) var(--high), #c9b3d9 var(--high)) }
.bounds-calculator .bracket i
  { position: absolute; left: var(--dim); bottom: 0; height: 2.6em; border-left: 2px solid currentcolor;
    padding-left: .3em; line-height: 1; font-size: .8em; white-space: nowrap; transition: left .15s }
.bounds-calculator .ticks { display: flex; justify-content: space-between; margin: 0 1.25em; font-size: .8em }
.bounds-calculator .ticks span { display: flex; justify-content: center; width: 0 }
"""


@dataclass(frozen=True)
class Preset:
    """A choice offered to the reader: what fills margin, relative bias and dimension."""

    label: str
    margin: float
    relative_bias: float
    dim: int


@dataclass(frozen=True)
class Calculator:
    """A self-contained HTML form; notebooks and the book display it as it is."""

    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return "<calculator of dimension, pairs and margin>"


def calculator(
    *, n_pairs: float, margin: float, relative_bias: float, dim: int, presets: Sequence[Preset] = ()
) -> Calculator:
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
        f'<label>{label}<input name="{name}" value="{value}" inputmode="text" size="12" autocomplete="off">'
        f"<small>{hint}</small></label>"
        for (name, label, hint), value in zip(FIELDS, values, strict=True)
    )
    rows = "".join(_row(name, title, words, answers) for name, title, *words in ROWS)
    body = (
        f"<form hidden>{inputs}{_choices(presets)}</form>"
        '<p role="alert"></p><p role="status"></p>'
        f"{_bracket(n_pairs, margin, relative_bias, dim)}"
        f"<table><tbody>{rows}</tbody></table>"
    )
    key = "calculator-" + hashlib.sha256(body.encode()).hexdigest()[:12]
    code, formulas = (
        (files("companion") / "data" / name).read_text().strip() for name in ("calculator.js", "bounds.js")
    )
    script = f"<script>({code})({json.dumps(key)},{formulas});</script>"
    style = f"<style>{STYLE}</style>"
    return Calculator(f'<div class="bounds-calculator" id="{key}">{style}{body}{script}</div>')


def _bracket(n: float, m: float, b: float, dim: int) -> str:
    """The bracket of the dimension on an axis from 1 to a million; the table says the same in numbers."""
    ends = zip(("low", "high", "dim"), (*bounds.required_dimension(n, m, b), dim), strict=True)
    style = ";".join(f"--{name}:{min(100, 100 / 6 * math.log10(d)):.2f}%" for name, d in ends)
    ticks = "".join(f"<span>{text}</span>" for text in ("1", "10", "100", "1,000", "10⁴", "10⁵", "10⁶"))
    return (
        f'<div aria-hidden="true"><div class="bracket" style="{style}"><i>d</i></div><div class="ticks">{ticks}</div>'
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
    for inserted in ("pairs", "dim"):
        title = title.replace(f"{{{inserted}}}", _output(inserted, answers), 1)
    cells = "".join(
        f"<td>{word} {_output(end, answers)}<small>by {_output(f'{end}_by', answers)}</small></td>"
        for word, end in zip(words, (f"{name}_low", f"{name}_high"), strict=True)
    )
    return f'<tr><th scope="row">{title}</th>{cells}</tr>'


def _output(name: str, answers: dict[str, str]) -> str:
    return f'<output name="{name}">{answers[name]}</output>'


def _choices(presets: Sequence[Preset]) -> str:
    if not presets:
        return ""
    options = "".join(
        f'<option value="{k}" data-margin="{float(p.margin)!r}" data-bias="{float(p.relative_bias)!r}"'
        f' data-dim="{int(p.dim)}">'
        f"{html.escape(p.label)}</option>"
        for k, p in enumerate(presets, start=1)
    )
    return f'<label>take the numbers of<select><option value="">your own values</option>{options}</select></label>'


def _count(log_pairs: float) -> str:
    if log_pairs < math.log(1e7):
        return f"{math.floor(math.exp(log_pairs) * (1 + 1e-12)):,}"
    return f"10<sup>{float(f'{log_pairs / math.log(10):.5g}'):g}</sup>"


def _plain(n: float) -> str:
    short = f"{n:g}".replace("e+", "e")
    return short if n >= 1e6 and float(short) == n else str(int(n))
