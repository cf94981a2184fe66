"""Pieces of a page with a script of their own, and the still picture of each: seen in print and where no script runs.

A piece is made of ``kind.html``, ``kind.css`` and ``kind.js`` in :mod:`companion.data`: no network, no library.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass, field
from importlib.resources import files
from io import StringIO
from pathlib import Path

import matplotlib as mpl
from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure

from constellations.atomic import replace_on_success


@dataclass(frozen=True)
class Live:
    """A self-contained piece of a page, with a script of its own; notebooks and the book display it as it is."""

    html: str = field(repr=False)
    description: str
    picture: Figure = field(repr=False)

    def _repr_html_(self) -> str:
        return self.html

    def save(self, path: Path) -> None:
        """Write a page that shows nothing else."""
        with replace_on_success(path) as target:
            target.write_text(filled("alone", live=self), encoding="utf-8")


def filled(kind: str, **facts: object) -> str:
    """The template of a kind with its facts."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(read(f"{kind}.html")).render(facts)


def piece(kind: str, argument: str, **facts: object) -> str:
    """The same with the sheet and the script of this kind, called with ``argument`` where the page shows it."""
    key = f"{kind}-{hashlib.sha256(f'{argument}{facts}'.encode()).hexdigest()[:12]}"
    return filled(kind, key=key, rules=read(f"{kind}.css"), code=read(f"{kind}.js"), argument=argument, **facts)


def read(name: str) -> str:
    """A file of :mod:`companion.data`."""
    return (files("companion") / "data" / name).read_text(encoding="utf-8").strip()


def address(figure: Figure) -> str:
    """A figure as the address of a small picture: SVG with its text as text, to tenths of a point."""
    file, nothing = StringIO(), dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "constellations"}):
        figure.draw_without_rendering()  # a layout with panels that keep their shape settles in a second drawing
        figure.savefig(file, format="svg", metadata=nothing)
    text = re.sub(r"<!--.*?-->|\s+(?=<)|\s*\n| (?=[LC])|(?<=[MLC]) ", "", file.getvalue(), flags=re.DOTALL)
    text = text[text.index("<svg") :].replace("xlink:href", "href")
    text = re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.1f}", text)
    text = re.sub(r"(<g[^>]*)>(<use [^>]*)( style=[^/]*)", r"\1\3>\2", text)  # the marks of a group look alike
    text = re.sub(r"(<use [^>]*) style=[^/]*", r"\1", text)
    return "data:image/svg+xml;base64," + b64encode(text.encode()).decode()
