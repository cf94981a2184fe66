"""What a chapter does around its mathematics: begin with checked parameters, show, record, and write its results."""

from __future__ import annotations

import platform
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from IPython.display import SVG, Image, Markdown, display
from matplotlib.figure import Figure
from myst_nb import glue
from numpy.typing import ArrayLike

from companion.chapter import page, parameters
from companion.chapter.page import number_text
from companion.chapter.records import Ledger
from companion.chapter.tally import records_frame, summary
from companion.figures import live, style
from constellations.atomic import check_writable, write_json

LARGEST_SVG = 1_500_000
# How a parameter is written under a figure; of others, the value alone.
SYMBOLS: Mapping[str, str] = {
    "n_pairs": "N = {}", "dim": "d = {}", "n_modalities": "k = {}", "margin": "m = {}", "relative_bias": "b_rel = {}",
    "inverse_temperature": "t from {}", "learning_rate": "learning rate {}", "n_steps": "{} steps", "n_seeds": "{} seeds",
    "seed": "seed {}",
}  # fmt: skip


@dataclass
class Run(Ledger):
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
        self, figure: Figure | live.Live, name: str, *, note: str = "", data: Mapping[str, ArrayLike] | None = None
    ) -> None:
        """Write the note under a figure, save it (SVG, PNG, the arrays it was made from) and display it.

        ``note`` is a list of parameters (``"n_pairs dim n_seeds"``), or text with such lists in braces. The arrays are
        those that the figure carries (``figure.arrays``), and ``data``. A live figure is saved as a page, and its picture.
        """
        if name in self.figures:
            raise ValueError(f"figure {name!r} was already made in this run: names must be unique")
        self.figures.append(name)
        folder, stem = self.output_dir / "figures", f"{self.notebook[:2]}_{name}"
        if isinstance(figure, live.Live):
            figure.save(folder / f"{stem}.html")
            style.save_figure(figure.picture, folder, stem)
            display(figure)
            return
        if note:
            style.add_note(figure, self.note(note))
        svg = style.save_figure(figure, folder, stem, data=data)
        large = svg.stat().st_size > LARGEST_SVG
        display(Image(filename=str(svg.with_suffix(".png"))) if large else SVG(filename=str(svg)))

    def note(self, text: str) -> str:
        """The parameters named in ``text`` with the symbols of the book: ``"N = 100, d = 10, 10 seeds"``."""

        def described(found: re.Match[str]) -> str:
            names = found[0].strip("{}").split()
            if not names or not all(name in self.parameters for name in names):
                return found[0]
            texts = [SYMBOLS.get(name, "{}").format(number_text(self.parameters[name])) for name in names]
            return ", ".join("1 seed" if text == "1 seeds" else text for text in texts)

        return re.sub(r"\{[\w ]+\}|^[\w ]+$", described, text)

    def numbers(self, **values: object) -> None:
        """Make numbers available to the prose, as ``{glue:text}`ch01-final-loss``` for ``final_loss=...`` in chapter 01."""
        for name, value in values.items():
            key = f"ch{self.notebook[:2]}-{name.replace('_', '-')}"
            self.kept[key] = number_text(value)
            glue(key, style.minus(self.kept[key]), display=False)

    def say(self, markdown: str) -> None:
        """Display a sentence that depends on the run."""
        display(Markdown(style.minus(page.tidy(markdown))))

    def table(
        self, frame: pd.DataFrame, *, formats: Mapping[str, str] | None = None, index: bool = False, caption: str = ""
    ) -> None:
        """Display a table; ``formats`` maps columns to format specifications."""
        page.show(page.table(frame, formats=formats, index=index, caption=caption))

    def paper_and_this_run(self) -> None:
        """Display the records in a fold that says how many held."""
        table = page.table(records_frame(self.records), style_class="constellations-records")
        page.show(page.fold(f"Checks of this chapter: {summary(self.records)}", table))

    def finish(self) -> None:
        """Write ``output_dir/results/<notebook>.json``, in one move, and say how long the run took, on what."""
        seconds, environment = time.perf_counter() - self.started, _environment()
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        content = {
            "notebook": self.notebook,
            "parameters": {name: value for name, value in self.parameters.items() if name != "output_dir"},
            "records": [asdict(record) for record in self.records],
            "figures": self.figures,
            "numbers": self.kept,
            "environment": environment,
            "run": {"finished": finished, "seconds": round(seconds, 1)},
        }
        write_json(self.results, content)
        threads = torch.get_num_threads()
        device = environment["gpu"] or f"one CPU ({threads} thread{'s'[: threads != 1]})"
        versions = f"Python {environment['python']}, torch {environment['torch']}"
        self.say(f"*Computed in {seconds:.0f} s on {device} with {versions}.*")


def begin(notebook: str, variables: Mapping[str, object]) -> Run:
    """Start a chapter: check its parameters and show them in a fold, check that results can be written, set the style.

    ``variables`` are the notebook's ``globals()``: its annotations are its parameters, ``output_dir`` among them.
    The results of an earlier run go at once, because its figures are about to be overwritten.
    """
    cells, declared = variables.get("In", []), variables.get("__annotations__", {})
    if not isinstance(cells, list) or not isinstance(declared, dict) or "output_dir" not in declared:
        raise ValueError("variables must be the globals() of a notebook that declares output_dir: Folder")
    values = parameters.validate(variables, declared, cells=cells)
    n_seeds = values.get("n_seeds")
    run = Run(notebook, values, Path(str(values["output_dir"])), n_seeds=n_seeds if isinstance(n_seeds, int) else None)
    check_writable(run.results)
    run.results.unlink(missing_ok=True)
    style.apply_style()
    told = parameters.told(declared, values, "\n".join(cells)).rename(columns={"value": "this run"})
    page.show(page.fold("Parameters of this run", page.table(told)))
    return run


def _environment() -> dict[str, str | int | None]:
    cuda = torch.cuda.is_available()
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "driver": subprocess.run(query, capture_output=True, text=True).stdout.strip() if cuda else None,
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
    }
