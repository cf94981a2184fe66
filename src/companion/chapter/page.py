"""How numbers, tables and folds look on the page of a chapter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd
from IPython.display import HTML, display

from companion.figures.style import minus

_POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def tidy(text: str) -> str:
    """Numbers in a text as people write them.

    >>> tidy("from -0.000 to 2.6e-03, or 1e10")
    'from 0.000 to 2.6 × 10⁻³, or 10¹⁰'
    """
    text = re.sub(r"(?<![\d.])1e([+-]?\d+)", lambda x: f"10{str(int(x[1])).translate(_POWERS)}", text)
    text = re.sub(r"(\d)e([+-]?\d+)", lambda x: f"{x[1]} × 10{str(int(x[2])).translate(_POWERS)}", text)
    return re.sub(r"-(0(?:\.0*)?)(?![\d.])", r"\1", text)


def number_text(value: object, digits: int = 3) -> str:
    """A number to so many digits, large and small ones as powers of ten; texts are tidied, nothing is a dash.

    >>> number_text(0.0026), number_text(2.6e-7, 2), number_text(10_000)
    ('0.0026', '2.6 × 10⁻⁷', '10,000')
    """
    if value is None or isinstance(value, str):
        return tidy(value or "–")
    if isinstance(value, (int, np.integer)):
        return str(value) if -10_000 < int(value) < 10_000 else f"{value:,}"
    if isinstance(value, (list, tuple)):
        return ", ".join(number_text(entry, digits) for entry in value)
    number = float(value)  # type: ignore[arg-type]
    plain = number == 0 or 1e-3 <= abs(number) < 1e5
    return tidy(f"{number:.{digits}g}" if plain else re.sub(r"\.?0*e", "e", f"{number:.{digits - 1}e}"))


def with_spread(mean: float | str | None, spread: float | str | None, *, places: int | None = None) -> str:
    """A mean with the standard deviation over seeds, to so many decimals or else to four and two digits."""
    if places is not None:
        mean, spread = (f"{x:.{places}f}" if isinstance(x, float) else x for x in (mean, spread))
    return number_text(mean, 4) + (f" ± {number_text(spread, 2)}" if spread is not None else "")


def column(means: Sequence[float], spreads: Sequence[float | None]) -> list[str]:
    """Means with their standard deviations, every row to the same decimals unless all means are small or large.

    >>> column([0.5671, -0.04], [0.0021, None])
    ['0.5671 ± 0.0021', '-0.0400']
    """
    largest = max(map(abs, means), default=0.0)
    places = max(0, 5 - len(f"{largest:.0f}")) if 1e-2 <= largest < 1e5 else None
    return [with_spread(*row, places=places) for row in zip(means, spreads, strict=True)]


def table(
    frame: pd.DataFrame, *, formats: Mapping[str, str] | None = None, index: bool = False, caption: str = "",
    style_class: str = "",
) -> str:  # fmt: skip
    """A table that scrolls inside the page; ``formats`` maps columns to format specifications."""
    unknown = sorted(set(formats or {}) - set(map(str, frame.columns)))
    if unknown:
        raise ValueError(f"formats must name columns of the table, got {', '.join(unknown)}")
    shown = {column: (lambda x, spec=spec: tidy(format(x, spec))) for column, spec in (formats or {}).items()}
    classes = f"table constellations-table {style_class}".rstrip()
    text = frame.to_html(index=index, border=0, classes=classes, formatters=shown, na_rep="–")
    head = f"<caption>{escape(caption)}</caption><thead>" if caption else "<thead>"
    text = text.replace("<thead>", head, 1).replace("<th>", '<th scope="col">')
    return f'<div class="table-scroll" tabindex="0">{text}</div>'


def fold(label: str, html: str) -> str:
    """Something folded under a label that says what it is."""
    return f'<details class="constellations-fold"><summary>{escape(label)}</summary>{html}</details>'


def show(html: str) -> None:
    """Display HTML; what is negative gets a true minus sign."""
    display(HTML(minus(html)))
