"""What a chapter does around its mathematics: begin with validated parameters, show, record, and write its results."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from companion.chapter import parameters as kinds_of
from companion.chapter import records as rules
from companion.chapter.records import Match, Record, published_table
from companion.figures import style
from constellations.atomic import replace_on_success

__all__ = ["Match", "Record", "Run", "begin", "published_table", "read_results", "results_digest"]
LARGEST_SVG = 1_500_000


@dataclass
class Run:
    """One execution of a chapter: its parameters, records and figures. Made by :func:`begin`."""

    notebook: str
    parameters: Mapping[str, Any]
    output_dir: Path
    records: list[Record] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    def figure(
        self, name: str, figure: Figure, *, data: Mapping[str, Any] | None = None, note: str = ""
    ) -> None:
        """Write the note under the picture, save it (SVG, PNG, data) and display it."""
        from IPython.display import SVG, Image, display

        if note:
            style.add_note(figure, note)
        self._once(name, self.figures, "figure")
        svg = style.save_figure(figure, self.output_dir / "figures", f"{self.notebook[:2]}_{name}", data=data)
        self.figures.append(name)
        large = svg.stat().st_size > LARGEST_SVG
        display(Image(filename=str(svg.with_suffix(".png"))) if large else SVG(filename=str(svg)))

    def number(self, name: str, value: Any, spec: str = "") -> None:
        """Make a number available to the prose as ``{glue:text}`name```."""
        from myst_nb import glue

        text = format(value, spec)
        self.numbers[name] = text
        glue(name, text, display=False)

    def say(self, markdown: str) -> None:
        """Display a sentence that the run computed."""
        from IPython.display import Markdown, display

        display(Markdown(markdown))

    def table(
        self,
        frame: pd.DataFrame,
        *,
        formats: Mapping[str, str] | None = None,
        index: bool = False,
        style_class: str = "",
    ) -> None:
        """Display a table; ``formats`` maps columns to format specifications, ``style_class`` adds a CSS class."""
        from IPython.display import HTML, display

        unknown = sorted(set(formats or {}) - set(map(str, frame.columns)))
        if unknown:
            raise ValueError(f"formats must name columns of the table, got {', '.join(unknown)}")
        formatters: dict[Any, Callable[[Any], str]] = {
            column: partial(_format, spec=spec) for column, spec in (formats or {}).items()
        }
        text = frame.to_html(
            index=index,
            border=0,
            classes=f"table constellations-table {style_class}".rstrip(),
            formatters=formatters,
        )
        display(HTML(f'<div class="table-scroll">{text}</div>'))

    def compare(self, id: str, claim: str, **options: Any) -> Record:
        """Record a number beside its published value: see :func:`companion.chapter.records.compare`."""
        return self.add(rules.compare(id, claim, **options))

    def check(self, id: str, claim: str, **options: Any) -> Record:
        """Record an inequality with its slack: see :func:`companion.chapter.records.check`."""
        return self.add(rules.check(id, claim, **options))

    def claim(self, id: str, claim: str, **options: Any) -> Record:
        """Record a qualitative claim: see :func:`companion.chapter.records.claim`."""
        return self.add(rules.claim(id, claim, **options))

    def untested(self, id: str, claim: str, **options: Any) -> Record:
        """Record that a claim is left alone: see :func:`companion.chapter.records.untested`."""
        return self.add(rules.untested(id, claim, **options))

    def add(self, record: Record) -> Record:
        """Keep a record; ids are unique within a chapter."""
        self._once(record.id, [kept.id for kept in self.records], "record")
        self.records.append(record)
        return record

    def paper_and_this_run(self, *, prefix: str = "") -> None:
        """Display the records so far, or those whose id starts with ``prefix``."""
        chosen = [record for record in self.records if record.id.startswith(prefix)]
        if not chosen:
            raise ValueError(f"prefix must start the id of some record of this chapter, got {prefix!r}")
        self.table(rules.records_frame(chosen), style_class="constellations-records")

    def finish(self) -> None:
        """Write ``output_dir/results/<notebook>.json``, in one move, and say where."""
        seconds = time.perf_counter() - self.started
        environment = _environment()
        content = {
            "notebook": self.notebook,
            "parameters": {name: value for name, value in self.parameters.items() if name != "output_dir"},
            "records": [rules.to_json(record) for record in self.records],
            "figures": self.figures,
            "numbers": self.numbers,
            "environment": environment,
            "run": {
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "seconds": round(seconds, 1),
            },
        }
        target = self.output_dir / "results" / f"{self.notebook}.json"
        with replace_on_success(target) as path:
            path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
        counts = {
            verdict: sum(record.verdict == verdict for record in self.records) for verdict in rules.VERDICTS
        }
        summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
        self.say(f"*{len(self.records)} records: {summary or 'none'}. {_computed(environment, seconds)}*")

    @staticmethod
    def _once(name: str, taken: Sequence[str], what: str) -> None:
        if name in taken:
            raise ValueError(f"{what} {name!r} was already made in this run: names must be unique")


def begin(notebook: str, variables: Mapping[str, Any], **kinds: kinds_of.Kind) -> Run:
    """Start a chapter: validate its parameters, check that results can be written, set the figure style.

    Parameters
    ----------
    notebook:
        The chapter's file name without extension.
    variables:
        The notebook's ``globals()``.
    kinds:
        What each parameter may be (see :mod:`companion.chapter.parameters`); ``output_dir`` is implied.

    Raises
    ------
    ValueError
        For a parameter of a wrong type or value, an unknown injected name, or an ``output_dir`` that cannot be written.
    """
    kinds["output_dir"] = kinds_of.text(nonempty=True)
    injected = kinds_of.injected_names(variables.get("In", []))
    values = kinds_of.validate(variables, kinds, injected=injected)
    output_dir = Path(values["output_dir"])
    with replace_on_success(output_dir / "results" / f".{notebook}.probe") as probe:
        probe.write_text("")
    (output_dir / "results" / f".{notebook}.probe").unlink()
    style.apply_style()
    return Run(notebook, values, output_dir)


def _format(value: Any, *, spec: str) -> str:
    return format(value, spec)


def _environment() -> dict[str, Any]:
    cuda = torch.cuda.is_available()
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
    }


def _computed(environment: Mapping[str, Any], seconds: float) -> str:
    threads = environment["threads"]
    device = environment["gpu"] or f"one CPU ({threads} thread{'s' if threads > 1 else ''})"
    versions = f"Python {environment['python']}, torch {environment['torch']}"
    return f"Computed in {seconds:.0f} s on {device} with {versions}."


def read_results(folder: str | Path) -> list[dict[str, Any]]:
    """All results files of a folder, by notebook name.

    Raises
    ------
    ValueError
        If the folder holds none.
    """
    paths = sorted(Path(folder).glob("*.json"))
    if not paths:
        raise ValueError(f"folder must hold results files (NN_name.json), found none in {folder}")
    return [json.loads(path.read_text()) for path in paths]


def results_digest(results: Mapping[str, Any]) -> str:
    """A hash of everything a rerun must reproduce: all of a results file but its wall time and environment."""
    kept = {key: value for key, value in results.items() if key not in ("run", "environment")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
