"""The book's one figure style: what each colour, line and marker means, sizes, the arrays a figure carries, saving."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import ArrayLike

from constellations.atomic import replace_on_success

Line = str | tuple[float, tuple[float, ...]]
# One colour per meaning, each with 3:1 against white but for the orange of V (marks only; its labels take "v_text").
# Within a picture no colour has two meanings; a second channel (marker, line, hatch) always says the same.
COLOURS: Mapping[str, str] = {
    "u": "#0072B2",
    "v": "#E69F00",
    "v_text": "#8A5A00",
    "matching": "#007A5E",
    "non_matching": "#C8500A",
    "measured": "#0072B2",
    "bound": "#000000",
    "ours": "#7B3FA0",
    "exact": "#0072B2",
    "published": "#C8500A",
    "relative_bias": "#0072B2",
    "bias": "#B5518B",
    "adapter": "#8A5A00",
    "impossible": "#BBBBBB",
    "exponential": "#56B4E9",
    "modality_gap": "#007A5E",
    "neutral": "#5E5E5E",
}
MARKERS: Mapping[str, str] = {"matching": "o", "non_matching": "x", "u": "o", "v": "^"}
DASHES: tuple[Line, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (3, 1, 1, 1)))
SWEPT_MARKERS = "os^DvPX*"
# Signed quantities: blue-green is above zero (separated), brown below.
DIVERGING, SEQUENTIAL = "BrBG", "viridis"
# The same without its pale middle: the sign of every cell is seen at once.
SIGNED = mpl.colors.ListedColormap(mpl.colormaps["BrBG"](np.r_[0.05:0.36:128j, 0.64:0.95:128j]), "signed")
WIDTH, SMALL = 8.8, 9.5
B_REL, BEST_B_REL, MARGIN = r"$b_{\mathrm{rel}}$", r"$b^*_{\mathrm{rel}}$", "margin $m^*$"
BOX = {"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85}


@dataclass(frozen=True)
class Look:
    """How one thing is drawn wherever it appears: colour, line and marker (empty: none)."""

    colour: str
    line: Line = "-"
    marker: str = ""

    def drawn(self) -> dict[str, Any]:
        """The look in the words of matplotlib's ``plot``."""
        return {"color": self.colour, "linestyle": self.line, "marker": self.marker}


LOOKS: Mapping[str, Look] = {
    "exact": Look(COLOURS["exact"]),
    "exact loss": Look(COLOURS["exact"]),
    "published": Look(COLOURS["published"], "--"),
    "clamped loss": Look(COLOURS["published"], "--"),
    "bias": Look(COLOURS["bias"], "--"),
    "relative bias": Look(COLOURS["relative_bias"]),
    "Proposition 1": Look(COLOURS["bound"], "--", "s"),
    "two entries": Look("#B5518B", "-.", "^"),
    "weighted": Look(COLOURS["ours"], "-", "o"),
    "exhaustive": Look(COLOURS["neutral"], ":", "D"),
    "HNSW": Look("#0072B2", "-", "o"),
    "IVF": Look("#8A5A00", "--", "^"),
    "PQ": Look("#B5518B", "-.", "s"),
}


def looks(names: Iterable[str], given: Mapping[str, Look] | None = None, *, marked: bool = False) -> dict[str, Look]:
    """A look for every name: the given one, the book's own (``LOOKS``), or the next along the swept colours."""
    known = {**LOOKS, **(given or {})}
    names = list(dict.fromkeys(names))
    others = [name for name in names if name not in known]
    for k, (name, colour) in enumerate(zip(others, swept_colours(len(others)), strict=True)):
        known[name] = Look(colour, DASHES[k % len(DASHES)], SWEPT_MARKERS[k % 8] if marked else "")
    return {name: known[name] for name in names}


def swept_colours(n: int) -> list[str]:
    """``n`` colours of an ordered quantity, dark to light, none too pale for white paper."""
    return [mpl.colors.to_hex(colour) for colour in mpl.colormaps["plasma"](np.linspace(0.0, 0.64, n))]


def pale(colour: str, strength: float = 0.25) -> str:
    """An opaque tint (a hatch over a transparent face is lost in SVG)."""
    red, green, blue = (1 - strength * (1 - part) for part in mpl.colors.to_rgb(colour))
    return mpl.colors.to_hex((red, green, blue))


def apply_style() -> None:
    """Set the style for this process: a white grid, text of at least 9.5 points, reproducible SVG."""
    small = ("xtick.labelsize", "ytick.labelsize", "legend.fontsize", "legend.title_fontsize")
    changed: dict[str, float | bool | str] = {
        **dict.fromkeys(small, SMALL),
        **dict.fromkeys(("font.size", "axes.labelsize", "axes.titlesize"), 10.0),
        "figure.dpi": 110,
        "savefig.dpi": 200,
        **dict.fromkeys(("axes.spines.top", "axes.spines.right"), False),
        "grid.color": "#E5E5E5",
        "legend.frameon": False,
        "svg.hashsalt": "constellations",
        "svg.fonttype": "path",
        "font.family": "DejaVu Sans",
        "lines.linewidth": 1.8,
        "hatch.linewidth": 0.6,
    }
    sns.set_theme(context="paper", style="whitegrid", palette="colorblind", rc=changed)


def new_figure(
    *, n_rows: int = 1, n_columns: int = 1, height: float = 3.6, share: str = "", ratios: Sequence[float] | None = None
) -> tuple[Figure, np.ndarray]:
    """A figure of the book's width and its axes, always ``[n_rows, n_columns]``; ``share`` holds ``"x"``, ``"y"``."""
    # Not registered with pyplot: nothing is displayed twice, nothing needs closing.
    figure = Figure(figsize=(WIDTH, height), layout=ConstrainedLayoutEngine(w_pad=0.08))
    return figure, figure.subplots(
        n_rows, n_columns, squeeze=False, sharex="x" in share, sharey="y" in share, width_ratios=ratios
    )


def grid(n_panels: int, *, columns: int, height: float, rest: float, share: str = "") -> tuple[Figure, np.ndarray]:
    """A figure of ``n_panels`` panels in rows of ``columns``, each row of this ``height``, and the ``rest`` around them."""
    columns = min(columns, n_panels)
    rows = -(-n_panels // columns)
    return new_figure(n_rows=rows, n_columns=columns, height=height * rows + rest, share=share)


def label_outer(axes: np.ndarray, n: int, *, xlabel: str = "", ylabel: str = "") -> None:
    """Axis names at the lower and the left edge of a grid; the panels after the first ``n`` disappear."""
    columns = axes.shape[1]
    for k, panel in enumerate(axes.flat):
        if k >= n:
            panel.set_axis_off()
        panel.set_xlabel(as_label(xlabel) if n - columns <= k < n else "")
        panel.set_ylabel(as_label(ylabel) if k % columns == 0 else "")


def finish(
    figure: Figure, arrays: Mapping[str, object] | None = None, /, *, panels: Iterable[Axes] | None = None,
    columns: int | None = None, extra: Iterable[Artist] = (), **more: object,
) -> Figure:  # fmt: skip
    """The figure with one legend of all its panels (or of these) above them, every label once, and with its arrays."""
    entries: dict[str, Artist] = {str(handle.get_label()): handle for handle in extra}
    for panel in figure.axes if panels is None else panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    if entries:
        lengths = [len(plain(label)) + 7 for label in entries]
        columns = columns or (len(entries) if sum(lengths) <= 112 else max(1, 112 // max(lengths)))
        figure.legend(list(entries.values()), list(entries), loc="outside upper center", ncols=columns)
    return carry(figure, arrays, **more)


def spread(values: ArrayLike, axis: int = -1) -> np.ndarray:
    """Sample standard deviation along ``axis``; 0 where there is one value only.

    >>> float(spread([1.0, 3.0])), float(spread([1.0]))
    (1.4142135623730951, 0.0)
    """
    sample = np.asarray(values, dtype=float)
    return sample.std(axis=axis, ddof=1) if sample.shape[axis] > 1 else np.zeros_like(sample.mean(axis=axis))


def mean_and_sd(values: ArrayLike) -> str:
    """``0.123 ± 0.004`` over runs."""
    sample = np.asarray(values, dtype=float)
    return f"{signed_zero_free(sample.mean())} ± {spread(sample):.3f}"


def plain(text: str) -> str:
    """A label without its TeX: the name under which a figure carries an array.

    >>> plain(r"frozen $b_{\\mathrm{rel}}$")
    'frozen b_rel'
    """
    return re.sub(r"\\mathrm|\\,|[${}\\]", "", text.replace("\n", " ")).replace("/", " over ").strip()


def as_label(name: str) -> str:
    r"""A label with true minus signs in which ``b_rel``, plain or in formulas, is written in the one way of the book.

    >>> as_label("trained $t, b_{rel}$; b_rel frozen")
    'trained $t, b_{\\mathrm{rel}}$; $b_{\\mathrm{rel}}$ frozen'
    """
    return minus(name).replace("_{rel}", r"_{\mathrm{rel}}").replace("b_rel", B_REL)


def minus(text: str) -> str:
    """A text as readers see it: negative numbers with a true minus sign. Names, ranges and dates keep their hyphens.

    >>> minus("[-0.5, -.1] in beyond-2, 15-17, 2026-11-26")
    '[−0.5, −.1] in beyond-2, 15-17, 2026-11-26'
    """
    return re.sub(r"(?<![^\s(\[>=,;])-(?=\.?\d)", "−", text)


def signed_zero_free(value: float, spec: str = ".3f") -> str:
    """A formatted number with a true minus sign, and no minus before a zero."""
    text = format(value, spec)
    return (text.lstrip("-+") if not float(text) else text).replace("-", "−")


def carry(figure: Figure, arrays: Mapping[str, object] | None = None, /, **more: object) -> Figure:
    """Give a figure the arrays it was made from, as ``figure.arrays``; they are saved beside it."""
    kept = {**getattr(figure, "arrays", {}), **(arrays or {}), **more}
    figure.arrays = {plain(name): np.asarray(value) for name, value in kept.items()}  # type: ignore[attr-defined]
    return figure


def watermark(figure: Figure, text: str) -> Figure:
    """The figure with a pale ``text`` across it, if there is one: what no reader may take for the real thing."""
    figure.text(0.5, 0.5, text, rotation=18, fontsize=30, color="black", alpha=0.16, ha="center", va="center")
    return figure


def add_note(figure: Figure, note: str) -> None:
    """Write the parameters and number of seeds in small grey type under the picture."""
    figure.supxlabel(as_label(note), fontsize=SMALL, color=COLOURS["neutral"], x=0.99, ha="right")


def save_figure(figure: Figure, folder: Path, name: str, *, data: Mapping[str, ArrayLike] | None = None) -> Path:
    """Save ``name.svg``, ``name.png`` and, as ``name.npz``, the arrays the figure carries and ``data``; return the SVG."""
    folder.mkdir(parents=True, exist_ok=True)
    figure.draw_without_rendering()  # a layout with panels that keep their shape settles in a second drawing
    for ending, metadata in {"svg": {"Date": None}, "png": {"Software": None}}.items():
        with replace_on_success(folder / f"{name}.{ending}") as path:
            figure.savefig(path, format=ending, metadata=metadata)
    arrays = {**getattr(figure, "arrays", {}), **(data or {})}
    if arrays:
        with replace_on_success(folder / f"{name}.npz") as path, path.open("wb") as file:
            np.savez_compressed(file, **{key: np.asarray(value) for key, value in arrays.items()})  # type: ignore[arg-type]
    return folder / f"{name}.svg"
