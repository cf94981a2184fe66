"""What is possible: brackets of numbers of pairs, of dimensions and of margins, and where codes and models lie in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from numpy.typing import ArrayLike

from companion.figures import curves, style
from companion.figures.style import COLOURS, SMALL, Look

LOG10 = float(np.log(10))
PROVED, PAPER, OPEN = COLOURS["ours"], COLOURS["published"], "#E4E4E4"
DIMENSION, PAIRS = "dimension $d$", "number of pairs $N$"


def between_codes(relative_bias: ArrayLike, panels: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]]) -> Figure:
    """The margins that codes give, those they exclude, the strip between, and what is known.

    ``panels`` maps a title to a lower and an upper curve over ``relative_bias`` and points ``(relative_bias, margin)``.
    """
    figure, axes = style.new_figure(n_columns=len(panels), height=3.4, share="y")
    b = np.asarray(relative_bias, dtype=float)
    arrays: dict[str, ArrayLike] = {"relative bias": b}
    for panel, (title, (low, high, known)) in zip(axes[0], panels.items(), strict=True):
        x, y = np.asarray(known, dtype=float).reshape(-1, 2).T
        open_strip(panel, b, low, high)
        panel.plot(x, y, "o", color=COLOURS["measured"], mfc="white", ms=6, label="best known, certified")
        panel.set(title=title, ylabel="")
        arrays |= {f"{title}, lower": low, f"{title}, upper": high, f"{title}, known": known}
    axes[0, 0].set(ylabel=style.MARGIN, ylim=(0, None))
    return style.finish(figure, arrays)


def open_strip(axes: Axes, b: np.ndarray, low: ArrayLike, high: ArrayLike) -> None:
    """What is open between the margins that codes give and those they exclude, over relative biases ``b``."""
    axes.fill_between(b, low, high, color=style.pale(COLOURS["exponential"], 0.35), lw=0)
    axes.plot(b, high, color=COLOURS["bound"], label="no more is possible in $R^d$")
    axes.plot(b, low, color=PAPER, ls="-.", label="codes give so much")
    axes.set(xlabel=f"relative bias {style.B_REL}", ylabel=style.MARGIN, xlim=(b[0], b[-1]))


def strips(
    panels: Mapping[str, tuple[ArrayLike, ...]], names: tuple[str, str, str], *, xlabel: str, ylabel: str
) -> Figure:
    """The open strip below two upper curves: ``(x, lower, upper, best upper)`` by title; ``names`` of the three."""
    figure, axes = style.new_figure(n_columns=len(panels), height=3.3, share="y")
    arrays: dict[str, ArrayLike] = {}
    for panel, (title, (x, low, high, best)) in zip(axes[0], panels.items(), strict=True):
        panel.fill_between(np.asarray(x), low, best, color=OPEN, lw=0, label="open")
        lines = {names[1]: (high, PAPER, "--"), names[2]: (best, "black", ":"), names[0]: (low, PROVED, "-")}
        for name, (y, colour, line) in lines.items():
            panel.plot(x, y, color=colour, ls=line, label=name)
        panel.set(title=style.as_label(title), xlabel=xlabel, ylim=(0, 1.2), xlim=(0, None))
        arrays |= {f"{title}: x": x, f"{title}: lower": low, f"{title}: upper": high, f"{title}: best": best}
    axes[0, 0].set_ylabel(ylabel)
    return style.finish(figure, arrays, columns=4)


def sizes_over_dimension(
    panels: Sequence[tuple[ArrayLike, Mapping[str, ArrayLike]]], *, built: tuple[ArrayLike, ArrayLike]
) -> Figure:
    """Figure 11: ``log10 N`` against ``d``; each panel is dimensions and natural logs by name, as below.

    ``built`` are dimensions and natural logs of constellations that exist, drawn in the first panel.
    """
    figure, axes = style.new_figure(n_columns=len(panels), height=3.6)
    arrays: dict[str, ArrayLike] = {"built dim": built[0], "built log N": built[1]}
    lines = {
        "upper": (PROVED, "-", "no more fit (rigorous)"),
        "lower": (PROVED, "-.", "so many fit (rigorous)"),
        "paper_upper": (PAPER, "--", "Theorem 3.5 without $o(d)$"),
        "kabatiansky": (COLOURS["neutral"], (0, (3, 1, 1, 1)), "Kabatiansky, Levenshtein, without $o(d)$"),
        "paper_lower": (PAPER, ":", "Theorem 3.3 without $o(d)$"),
    }
    for k, (panel, (d, logs)) in enumerate(zip(axes[0], panels, strict=True)):
        scaled = {name: np.asarray(values) / LOG10 for name, values in logs.items()}
        dims = np.asarray(d)
        panel.fill_between(dims, scaled["lower"], scaled["upper"], color=style.pale(PROVED, 0.15), lw=0)
        for name, (colour, line, label) in lines.items():
            panel.plot(dims, scaled[name], color=colour, ls=line, label=label)
        panel.set(xlim=(dims[0], dims[-1]), ylim=(0, None))
        arrays |= {f"dim_{k}": dims, **{f"{name}_{k}": values for name, values in logs.items()}}
    if len(np.asarray(built[0])):
        axes[0, 0].plot(built[0], np.asarray(built[1]) / LOG10, "k.", ms=6, label="built")
    style.label_outer(axes, len(panels), xlabel=DIMENSION, ylabel=r"$\log_{10} N$")
    return style.finish(figure, arrays, columns=3)


def bracket_rows(
    labels: Sequence[str],
    brackets: Mapping[str, tuple[ArrayLike, ArrayLike]],
    points: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    log_x: bool = False,
    factors: bool = False,
) -> Figure:
    """One row per label: bars from a lower to an upper bound, and marks (the second kind of mark is a cross).

    ``factors`` joins the first bar to the first mark and says how many times its upper bound the mark is.
    """
    rows = np.arange(len(labels))
    figure, ((axes,),) = style.new_figure(height=(0.21 if len(brackets) == 1 else 0.38) * len(labels) + 1.3)
    for k, (name, (low, high)) in enumerate(brackets.items()):
        shift = 0.0 if len(brackets) == 1 else 0.36 * (k / (len(brackets) - 1) - 0.5)
        colour, ends = (PROVED, "#B5518B")[k % 2], np.asarray([low, high], dtype=float)
        axes.hlines(rows + shift, *ends, color=style.pale(colour, 0.55), lw=7, label=name)
        for end in ends:
            axes.plot(end, rows + shift, "|", color=colour, ms=8, mew=1.6)
    for (name, x), marker, colour in zip(points.items(), "ox", ("black", PAPER), strict=False):
        axes.plot(x, rows, marker, color=colour, ms=6, mew=1.6, label=name, zorder=4)
    if factors:
        upper, marked = (
            np.asarray(x, dtype=float) for x in (next(iter(brackets.values()))[1], next(iter(points.values())))
        )
        lift = 0.18 if len(brackets) > 1 else 0.0
        for row, (bound, mark) in enumerate(zip(upper, marked, strict=True)):
            axes.plot([bound, mark], [row - lift, row], ":", color=COLOURS["neutral"], lw=1.0, zorder=1)
            axes.annotate(f"{mark / bound:.0f} times", (np.sqrt(bound * mark), row - lift / 2), ha="center",
                          va="center", fontsize=SMALL, bbox=style.BOX)  # fmt: skip
    axes.set_yticks(rows, labels)
    axes.set(xlabel=xlabel, ylim=(len(labels) - 0.4, -0.6), xscale="log" if log_x else "linear")
    axes.grid(axis="y", visible=False)
    return style.finish(figure, {**brackets, **points})


def dimensions_over_pairs(
    n_pairs: ArrayLike, brackets: Mapping[str, tuple[ArrayLike, ArrayLike]], *, marks: Mapping[str, int]
) -> Figure:
    """Bands of the smallest dimension against the number of pairs, their edges named; ``marks`` are dimensions in use."""
    figure, ((axes,),) = style.new_figure(height=3.7)
    n = np.asarray(n_pairs)
    for name, look in style.looks(brackets).items():
        low, high = brackets[name]
        axes.fill_between(n, low, high, color=look.colour, alpha=0.3, lw=0)
        for k, edge in enumerate((low, high)):
            axes.plot(n, edge, color=look.colour, ls=look.line, lw=1.4, label=None if k else name)
    top = list(brackets.values())[-1]
    edges = (("impossible below", top[0], -6), ("possible from here", top[1], 6))
    for text, edge, shift in edges:
        at = len(n) // 2
        axes.annotate(text, (n[at], np.asarray(edge)[at]), (0, shift), textcoords="offset points", ha="center",
                      va="bottom" if shift > 0 else "top", fontsize=SMALL, bbox=style.BOX)  # fmt: skip
    for label, dim in marks.items():
        axes.axhline(dim, color=COLOURS["neutral"], ls="--", lw=1.0)
        axes.annotate(label, (n[0] * 1.2, dim), (0, 2 if dim == max(marks.values()) else -3), fontsize=SMALL,
                      textcoords="offset points", va="bottom" if dim == max(marks.values()) else "top")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel=PAIRS, ylabel=DIMENSION, xlim=(n[0], n[-1]))
    return style.finish(figure, {"n_pairs": n, **brackets})


def margins_over_dimension(
    dims: ArrayLike,
    guaranteed: ArrayLike,
    impossible: ArrayLike,
    points: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    levels: Mapping[str, float] | None = None,
    joined: bool = False,
) -> Figure:
    """The margin that is possible and the one that is not against the dimension ``[D]``; ``points`` by name.

    ``levels`` are horizontal lines, named; ``joined`` draws a line through the points of a group.
    """
    figure, ((axes,),) = style.new_figure(height=3.7)
    d, low, high = (np.asarray(x, dtype=float) for x in (dims, guaranteed, impossible))
    lines = levels or {}
    every = np.concatenate([[0.0], low, *(np.ravel(np.asarray(m, dtype=float)) for _, m in points.values())])
    bottom = min(0.0, 1.1 * every.min())
    axes.set(xscale="log", xlim=(d[0], d[-1]), ylim=(bottom, 1.14 * max([high.max(), *lines.values()])))
    axes.fill_between(d, bottom, low, color=style.pale(PROVED, 0.25), lw=0, label="some constellation reaches it")
    axes.fill_between(d, low, high, color=style.pale(COLOURS["exponential"], 0.3), lw=0, label="open")
    curves.shade(axes, d, high, np.full(d.shape, axes.get_ylim()[1]), label="impossible")
    axes.plot(d, low, color=PROVED, lw=1.6)
    axes.plot(d, high, color=COLOURS["bound"], lw=1.6)
    for label, y in lines.items():
        curves.level(axes, y, label, line="--" if "Theorem" in label else ":", right=False)
    for (label, (x, margin)), marker in zip(points.items(), "os^Dv" * len(points), strict=False):
        look = Look(COLOURS["measured"], "-" if joined else "", marker)
        axes.plot(x, margin, **look.drawn(), mfc="white", ms=6, label=label, zorder=4)
    axes.set(xlabel=DIMENSION, ylabel=style.MARGIN)
    if len(d) < 12:
        axes.set_xticks(d)
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(ScalarFormatter())
    pairs = {name: np.array(pair, dtype=float) for name, pair in points.items()}
    return style.finish(figure, {"dim": d, "possible": low, "impossible": high, **pairs}, columns=3)
