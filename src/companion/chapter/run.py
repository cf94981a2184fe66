"""What a chapter does around its mathematics: begin with checked parameters, show, record, and write its results."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from IPython.display import HTML, SVG, Image, Markdown, display
from matplotlib.figure import Figure
from myst_nb import glue
from numpy.typing import ArrayLike

from companion.chapter import first_edition, parameters
from companion.chapter import records as rules
from companion.chapter.records import Ledger, Record, number_text
from companion.figures import style
from constellations.atomic import replace_on_success

LARGEST_SVG = 1_500_000
# How a parameter is written under a figure; of others, the value alone.
SYMBOLS: Mapping[str, str] = {
    "n_pairs": "N = {}",
    "dim": "d = {}",
    "margin": "m = {}",
    "relative_bias": "b_rel = {}",
    "inverse_temperature": "t from {}",
    "n_steps": "{} steps",
    "n_seeds": "{} seeds",
    "n_modalities": "k = {}",
    "learning_rate": "learning rate {}",
    "seed": "seed {}",
}
WORDS: Mapping[str, str] = {
    "reproduced": "yes",
    "differs": "no",
    "corrected": "fixed",
    "not tested here": "open",
}


@dataclass
class Run(Ledger, first_edition.Calls):
    """One execution of a chapter: its parameters, records and figures. Made by :func:`begin`."""

    notebook: str
    parameters: Mapping[str, object]
    output_dir: Path
    figures: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    @property
    def results(self) -> Path:
        """The results file."""
        return self.output_dir / "results" / f"{self.notebook}.json"

    def show(
        self, figure: Figure, name: str, *, note: str = "", data: Mapping[str, ArrayLike] | None = None
    ) -> None:
        """Write the note under a figure, save it (SVG, PNG, the arrays it was made from) and display it.

        ``note`` is a list of parameters (``"n_pairs dim n_seeds"``), or text with such lists in braces. The arrays are
        those that the figure carries (``figure.arrays``), and ``data``.
        """
        if name in self.figures:
            raise ValueError(f"figure {name!r} was already made in this run: names must be unique")
        if note:
            style.add_note(figure, self.note(note))
        svg = style.save_figure(figure, self.output_dir / "figures", f"{self.notebook[:2]}_{name}", data=data)
        self.figures.append(name)
        large = svg.stat().st_size > LARGEST_SVG
        display(Image(filename=str(svg.with_suffix(".png"))) if large else SVG(filename=str(svg)))

    def note(self, text: str) -> str:
        """The parameters named in ``text`` with the symbols of the book: ``"N = 100, d = 10, 10 seeds"``."""
        if all(name in self.parameters for name in text.split()):
            return self._described(text)
        return re.sub(r"\{([\w ]+)\}", lambda found: self._described(found[1], found[0]), text)

    def _described(self, names: str, otherwise: str = "") -> str:
        if not all(name in self.parameters for name in names.split()):
            return otherwise
        texts = [SYMBOLS.get(name, "{}").format(_said(self.parameters[name])) for name in names.split()]
        return ", ".join("1 seed" if text == "1 seeds" else text for text in texts)

    def numbers(self, **values: object) -> None:
        """Make numbers available to the prose, as ``{glue:text}`ch01-final-loss``` for ``final_loss=...`` in chapter 01."""
        for name, value in values.items():
            self.keep_number(f"ch{self.notebook[:2]}-{name.replace('_', '-')}", number_text(value))

    def keep_number(self, name: str, text: str) -> None:
        """Make one text available to the prose under its full name."""
        self.kept[name] = text
        glue(name, text, display=False)

    def say(self, markdown: str) -> None:
        """Display a sentence that depends on the run."""
        display(Markdown(rules.tidy(markdown)))

    def table(
        self, frame: pd.DataFrame, *, formats: Mapping[str, str] | None = None, index: bool = False,
        caption: str = "", style_class: str = "",
    ) -> None:  # fmt: skip
        """Display a table; ``formats`` maps columns to format specifications, ``style_class`` adds a CSS class."""
        unknown = sorted(set(formats or {}) - set(map(str, frame.columns)))
        if unknown:
            raise ValueError(f"formats must name columns of the table, got {', '.join(unknown)}")
        display(
            HTML(_table(frame, formats=formats or {}, index=index, caption=caption, style_class=style_class))
        )

    def tell(self, record: Record) -> Record:
        """Keep a record and show it in one line."""
        display(HTML(f'<p class="constellations-check">{_line(self.add(record))}</p>'))
        return record

    def seeds(self, *sides: object) -> int | None:
        """The number of seeds of this run, if it is the length of the last axis of what was measured."""
        n_seeds = self.parameters.get("n_seeds")
        known = isinstance(n_seeds, int) and any(rules.array(side).shape[-1:] == (n_seeds,) for side in sides)
        return n_seeds if known and isinstance(n_seeds, int) else None

    def beside(self, frame: pd.DataFrame, here: Sequence[str], agrees: Sequence[str]) -> None:
        """Show a published table beside what this run found."""
        self.table(frame.assign(**{"this run": here, "agrees": agrees}))

    def paper_and_this_run(self, *, prefix: str = "") -> None:
        """Display the records so far, or those whose id starts with ``prefix``, in a fold that says how many held."""
        chosen = [record for record in self.records if record.id.startswith(prefix)]
        if not chosen:
            raise ValueError(f"prefix must start the id of some record of this chapter, got {prefix!r}")
        table = _table(rules.records_frame(chosen), style_class="constellations-records")
        display(HTML(_fold(f"Checks of this chapter: {summary(chosen)}", table)))

    def finish(self) -> None:
        """Write ``output_dir/results/<notebook>.json``, in one move, and say how long the run took, on what."""
        seconds = time.perf_counter() - self.started
        environment = _environment()
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        content = {
            "notebook": self.notebook,
            "parameters": {name: value for name, value in self.parameters.items() if name != "output_dir"},
            "records": [rules.to_json(record) for record in self.records],
            "figures": self.figures,
            "numbers": self.kept,
            "environment": environment,
            "run": {"finished": finished, "seconds": round(seconds, 1)},
        }
        with replace_on_success(self.results) as path:
            path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
        threads = environment["threads"]
        device = environment["gpu"] or f"one CPU ({threads} thread{'s'[: threads != 1]})"
        versions = f"Python {environment['python']}, torch {environment['torch']}"
        self.say(f"*Computed in {seconds:.0f} s on {device} with {versions}.*")


def begin(notebook: str, variables: Mapping[str, object], **kinds: first_edition.Kind) -> Run:
    """Start a chapter: check its parameters and show them in a fold, check that results can be written, set the style.

    ``variables`` are the notebook's ``globals()``: its annotations are its parameters, ``output_dir`` among them.
    The results of an earlier run go at once, because its figures are about to be overwritten.
    """
    if kinds:  # the first edition's call, to go with its last chapter, as `**kinds`
        return start(notebook, first_edition.checked(variables, kinds))
    cells, declared = variables.get("In", []), variables.get("__annotations__", {})
    if not isinstance(cells, list) or not isinstance(declared, dict) or "output_dir" not in declared:
        raise ValueError("variables must be the globals() of a notebook that declares output_dir: Folder")
    run = start(notebook, parameters.validate(variables, declared, cells=cells))
    comments = dict(re.findall(r"^(\w+)\s*:[^#\n]*=[^#\n]*#\s*(.*)$", "\n".join(cells), flags=re.M))
    shown = [
        (name, value, comments.get(name, ""), parameters.describe(declared[name]))
        for name, value in run.parameters.items()
        if name != "output_dir"
    ]  # fmt: skip
    display(
        HTML(
            _fold(
                "Parameters of this run",
                _table(pd.DataFrame(shown, columns=["parameter", "this run", "meaning", "allowed"])),
            )
        )
    )
    return run


def start(notebook: str, values: Mapping[str, object]) -> Run:
    """A run with checked parameters, whose results can be written."""
    run = Run(notebook, values, Path(str(values["output_dir"])))
    with replace_on_success(run.results) as probe:
        probe.write_text("")
    run.results.unlink()
    style.apply_style()
    return run


def _said(value: object) -> str:
    plain = isinstance(value, int) and value < 10_000
    return (
        str(value)
        if plain
        else ", ".join(map(_said, value))
        if isinstance(value, list)
        else number_text(value)
    )


def _line(record: Record) -> str:
    word = (
        {"reproduced": "holds", "differs": "fails"}.get(record.verdict, record.verdict)
        if record.kind == "self-test"
        else record.verdict
    )
    badge = f'<span class="verdict verdict-{WORDS[record.verdict]}">{word}</span>'
    if record.published == "holds":
        found = f"{record.of:,} case{'s'[: record.of != 1]}, smallest slack {number_text(record.measured, 2)}"
    else:
        found = f"this run: {rules.with_spread(record.measured, record.spread)}"
        found = f"published: {number_text(record.published, 4)}, {found}" if record.published else found
    return f"{badge} {escape(record.claim)} <small>({escape(found)})</small>"


def _fold(label: str, html: str) -> str:
    return f'<details class="constellations-fold"><summary>{escape(label)}</summary>{html}</details>'


def _table(
    frame: pd.DataFrame, *, formats: Mapping[str, str] | None = None, index: bool = False, caption: str = "",
    style_class: str = "",
) -> str:  # fmt: skip
    chosen: dict[str, Callable[[object], str]] = {
        column: partial(_format, spec=spec) for column, spec in (formats or {}).items()
    }
    classes = f"table constellations-table {style_class}".rstrip()
    text = frame.to_html(index=index, border=0, classes=classes, formatters=chosen)
    text = text.replace("<th>", '<th scope="col">')
    text = text.replace("<thead>", f"<caption>{escape(caption)}</caption><thead>", 1) if caption else text
    return f'<div class="table-scroll" tabindex="0">{text}</div>'


def _format(value: object, *, spec: str) -> str:
    return rules.tidy(format(value, spec))


def summary(records: Sequence[Record]) -> str:
    """How many records of each kind hold: ``"2 of 2 claims reproduced, 5 of 5 self-tests hold"``."""
    names = {
        "number": "numbers matched",
        "claim": "claims reproduced",
        "self-test": "self-tests hold",
        "ours": "findings of ours hold",
    }
    parts = []
    for kind, verdicts in rules.counts(records).items():
        if total := sum(verdicts.values()):
            parts.append(f"{verdicts['reproduced']} of {total} {names[kind]}")
    return ", ".join(parts)


def _environment() -> dict[str, object]:
    cuda = torch.cuda.is_available()
    driver = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "cuda": torch.version.cuda if cuda else None,
        "driver": subprocess.run(driver, capture_output=True, text=True).stdout.split("\n")[0]
        if cuda
        else None,
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
    }


def read_results(folder: str | Path) -> list[dict[str, Any]]:
    """All results files of a folder, by notebook name; a folder without any is an error."""
    paths = sorted(Path(folder).glob("*.json"))
    if not paths:
        raise ValueError(f"folder must hold results files (NN_name.json), found none in {folder}")
    return [json.loads(path.read_text()) for path in paths]


def results_digest(results: Mapping[str, object]) -> str:
    """A hash of everything a rerun must reproduce: all of a results file but its wall time and environment."""
    kept = {key: value for key, value in results.items() if key not in ("run", "environment")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
