"""The book's one figure style: colours by meaning, sizes, notes and atomic saving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from constellations.atomic import replace_on_success
from constellations.checks import spread

# One colour per meaning, from the Okabe-Ito palette; always paired with a second channel (marker, line style, hatch).
COLOURS: Mapping[str, str] = {
    "matching": "#0072B2",
    "non_matching": "#D55E00",
    "u": "#0072B2",
    "v": "#E69F00",
    "relative_bias": "#009E73",
    "bias": "#CC79A7",
    "fixed": "#56B4E9",
    "adapter": "#E69F00",
    "exact": "#0072B2",
    "published": "#D55E00",
    "measured": "#0072B2",
    "bound": "#000000",
    "ours": "#009E73",
    "impossible": "#BBBBBB",
    "exponential": "#56B4E9",
    "modality_gap": "#009E73",
    "neutral": "#666666",
}
MARKERS: Mapping[str, str] = {
    "matching": "o",
    "non_matching": "x",
    "u": "o",
    "v": "^",
    "exact": "o",
    "published": "s",
}
LINES: Mapping[str, str] = {
    "exact": "-",
    "published": "--",
    "relative_bias": "-",
    "bias": "--",
    "fixed": ":",
    "adapter": "-.",
    "bound": "--",
}
# An ordered, perceptually even map for a swept quantity, a diverging one for differences and signed quantities.
SEQUENTIAL = "viridis"
DIVERGING = "RdBu_r"
WIDTH = 7.2


def apply_style() -> None:
    """Set the style for this process: a white seaborn grid, readable sizes, reproducible SVG."""
    sns.set_theme(context="notebook", style="whitegrid", palette="colorblind", font_scale=0.9)
    mpl.rcParams.update(
        {
            "figure.dpi": 110,
            "savefig.dpi": 200,
            "figure.constrained_layout.use": True,
            "axes.titlesize": "medium",
            "axes.titleweight": "normal",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "grid.color": "#E5E5E5",
            "legend.frameon": False,
            "svg.hashsalt": "constellations",
            "svg.fonttype": "path",
            "font.family": "DejaVu Sans",
            "lines.linewidth": 1.8,
        }
    )


def new_figure(
    *, n_rows: int = 1, n_columns: int = 1, height: float | None = None, width: float = WIDTH, **options: Any
) -> tuple[Figure, Any]:
    """A figure of the book's width with a grid of axes (``options`` go to ``Figure.subplots``).

    The figure is not registered with pyplot, so that nothing is displayed twice and nothing needs closing.
    """
    if height is None:
        height = n_rows * max(2.4, min(4.4, 0.7 * width / n_columns))
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(n_rows, n_columns, **options)


def swept_colours(n: int) -> list[tuple[float, float, float]]:
    """``n`` colours along the sequential map, without its palest end."""
    return [tuple(colour[:3]) for colour in mpl.colormaps[SEQUENTIAL](np.linspace(0.0, 0.88, max(n, 1)))]


def band(
    axes: Any,
    x: Any,
    runs: Any,
    *,
    colour: Any,
    label: str | None = None,
    linestyle: str = "-",
    log: bool = False,
) -> None:
    """Draw the mean of ``runs`` ([R, T]) over ``x`` ([T]) with a band of one standard deviation.

    With ``log=True`` mean and deviation are taken of ``log10`` of the values, for quantities on a log axis.
    """
    values = np.asarray(runs, dtype=float)
    values = np.log10(np.maximum(values, 1e-300)) if log else values
    mean = values.mean(axis=0)
    width = spread(values, axis=0)
    low, high = mean - width, mean + width
    if log:
        mean, low, high = 10**mean, 10**low, 10**high
    axes.plot(x, mean, color=colour, linestyle=linestyle, label=label)
    axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)


def add_note(figure: Figure, note: str) -> None:
    """Write the parameters and number of seeds in small grey type under the picture."""
    figure.supxlabel(note, fontsize=7.5, color=COLOURS["neutral"], x=0.99, ha="right")


def save_figure(figure: Figure, folder: Path, name: str, *, data: Mapping[str, Any] | None = None) -> Path:
    """Save ``name.svg``, ``name.png`` and, beside them, the data drawn as ``name.npz``; return the SVG's path.

    Each file is written under a temporary name and then moved, so that an interrupted run leaves no half file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with replace_on_success(folder / f"{name}.svg") as path:
        figure.savefig(path, format="svg", metadata={"Date": None})
    with replace_on_success(folder / f"{name}.png") as path:
        figure.savefig(path, format="png", metadata={"Software": None})
    if data:
        arrays = {key: np.asarray(value) for key, value in data.items()}
        with replace_on_success(folder / f"{name}.npz") as path, path.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return folder / f"{name}.svg"


def label_panels(axes: Sequence[Any]) -> None:
    """Letter panels (a), (b), ... at the upper left of each axes."""
    for letter, panel in zip(
        "abcdefghijklmnopqrstuvwxyz", np.ravel(np.asarray(axes, dtype=object)), strict=False
    ):
        panel.set_title(f"({letter})", loc="left", fontsize="small", color=COLOURS["neutral"])
