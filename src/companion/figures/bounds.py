"""Pictures of the bounds on the number of pairs: exponents, Figure 11, known codes, and brackets of the dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from companion.figures import style

LOWER, UPPER = style.COLOURS["ours"], style.COLOURS["published"]
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
LOG10 = np.log(10)


def exponents(relative_biases: Sequence[float], margins: Sequence[Any], lower: Any, upper: Any) -> Figure:
    """``log N / d`` between Theorem 3.3 and Theorem 3.5 against the margin, one panel per relative bias."""
    figure, axes = style.new_figure(n_columns=len(relative_biases), height=2.9, sharey=True, squeeze=False)
    for panel, b, m, low, high in zip(axes[0], relative_biases, margins, lower, upper, strict=True):
        panel.fill_between(m, low, high, color=style.COLOURS["impossible"], alpha=0.45, lw=0, label="open")
        panel.plot(m, high, color=UPPER, ls="--", label="Theorem 3.5: at most")
        panel.plot(m, low, color=LOWER, label="Theorem 3.3: at least")
        panel.set(title=rf"$b_{{\mathrm{{rel}}}} = {b:g}$", xlabel=r"margin $m$", ylim=(0, 2), xlim=(0, None))
    axes[0, 0].set_ylabel(r"exponent $\log N / d$")
    axes[0, 0].legend(fontsize="small")
    return figure


def size_against_dimension(
    panels: Sequence[tuple[Any, Mapping[str, Any]]],
    *,
    codes: tuple[Any, Any] | None = None,
) -> Figure:
    """Figure 11: ``log10 N`` against ``d``; each panel is dimensions and natural logs ``paper_lower`` ... ``upper``.

    ``codes`` are dimensions and natural logs of constellations that exist, drawn in the first panel.
    """
    figure, axes = style.new_figure(n_columns=len(panels), height=3.6, squeeze=False)
    for panel, (d, logs) in zip(axes[0], panels, strict=True):
        scaled = {name: np.asarray(values) / LOG10 for name, values in logs.items()}
        panel.fill_between(d, scaled["lower"], scaled["upper"], color=LOWER, alpha=0.15, lw=0)
        panel.plot(d, scaled["upper"], color=LOWER, label="no more fit (rigorous)")
        panel.plot(d, scaled["lower"], color=LOWER, ls="-.", label="so many fit (rigorous)")
        panel.plot(d, scaled["paper_upper"], color=UPPER, ls="--", label="Theorem 3.5 without $o(d)$")
        panel.plot(d, scaled["paper_lower"], color=UPPER, ls=":", label="Theorem 3.3 without $o(d)$")
        panel.set(xlabel="dimension $d$", xlim=(d[0], d[-1]), ylim=(0, None))
    if codes is not None and len(codes[0]):
        axes[0, 0].plot(codes[0], np.asarray(codes[1]) / LOG10, "k.", ms=5, label="built")
    axes[0, 0].set_ylabel(r"$\log_{10} N$")
    axes[0, 0].legend(fontsize=8)
    return figure


def cluster_sizes(
    dims: Sequence[int], curves: Sequence[tuple[Any, Any]], best: Sequence[tuple[float, float]]
) -> Figure:
    """How much weaker than the best the bound of each cluster size ``k`` is, in powers of ten, per dimension.

    ``curves`` hold ``k`` and the natural log of the bound, ``best`` the same of the best cluster size.
    """
    figure, axes = style.new_figure(height=3.2, width=0.9 * style.WIDTH)
    for d, (k, values), (where, least), colour, dash in zip(
        dims, curves, best, style.swept_colours(len(dims)), DASHES * len(dims), strict=False
    ):
        label = f"d = {d}: $10^{{{least / LOG10:.1f}}}$ at k = {where:.0f}"
        axes.plot(k, (np.asarray(values) - least) / LOG10, color=colour, ls=dash, label=label)
        axes.axvline(where, color=colour, ls=dash, lw=0.8)
    axes.set(xscale="log", xlabel="cluster size $k$", ylabel="powers of ten above the best", ylim=(-0.1, 6))
    axes.legend(fontsize="small", title="best bound", loc="upper right", frameon=True, framealpha=0.9)
    return figure


def codes_in_brackets(names: Sequence[str], size: Any, lower: Any, upper: Any, paper: Any) -> Figure:
    """One line per code: a bar from the lower to the upper bound, a dot for the code, a cross for Theorem 3.5's curve.

    All four are natural logarithms of numbers of pairs.
    """
    rows = np.arange(len(names))
    size, lower, upper, paper = (np.asarray(x) / LOG10 for x in (size, lower, upper, paper))
    figure, axes = style.new_figure(height=0.21 * len(names) + 1.2)
    axes.hlines(rows, lower, upper, color=LOWER, alpha=0.35, lw=7)
    axes.scatter(size, rows, color="black", s=24, zorder=3)
    axes.scatter(paper, rows, color=UPPER, marker="x", s=28, zorder=3)
    axes.set_yticks(rows, names, fontsize=8)
    axes.set(xlabel=r"$\log_{10} N$", ylim=(len(names) - 0.4, -0.6), xlim=(-0.05, None))
    axes.grid(axis="y", visible=False)
    handles = [
        Patch(color=LOWER, alpha=0.35, label="rigorous bracket"),
        Line2D([], [], ls="", marker="o", color="black", ms=5, label="the code"),
        Line2D([], [], ls="", marker="x", color=UPPER, ms=5, label="Theorem 3.5 without $o(d)$"),
    ]
    axes.legend(handles=handles, fontsize="small", loc="upper right")
    return figure


def dimension_brackets(
    n_pairs: Any, brackets: Mapping[str, tuple[Any, Any]], *, marks: Mapping[str, int]
) -> Figure:
    """Bands of the smallest dimension against the number of pairs; ``marks`` are dimensions in use, dashed lines."""
    figure, axes = style.new_figure(height=3.8)
    colours = style.swept_colours(len(brackets))
    for (label, (low, high)), colour, dash in zip(
        brackets.items(), colours, DASHES * len(brackets), strict=False
    ):
        axes.fill_between(n_pairs, low, high, color=colour, alpha=0.3, lw=0)
        axes.plot(n_pairs, low, color=colour, ls=dash, lw=1.2, label=label)
        axes.plot(n_pairs, high, color=colour, ls=dash, lw=1.2)
    for label, dim in marks.items():
        axes.axhline(dim, color=style.COLOURS["neutral"], ls="--", lw=1.0)
        axes.text(n_pairs[0] * 1.3, dim * 1.06, label, fontsize=8, color=style.COLOURS["neutral"])
    axes.set(xscale="log", yscale="log", xlabel="number of pairs $N$", ylabel="dimension $d$")
    axes.set_xlim(n_pairs[0], n_pairs[-1])
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center", fontsize="small")
    return figure


def margins_against_dimension(
    dims: Any,
    guaranteed: Any,
    impossible: Any,
    *,
    limit: float,
    wanted: float,
    models: Sequence[tuple[str, Any, Any]],
) -> Figure:
    """The margin that is possible and the one that is not against the dimension; ``models`` as groups of points."""
    figure, axes = style.new_figure(height=3.8)
    colours = style.COLOURS
    top = 1.12 * limit
    axes.fill_between(
        dims,
        impossible,
        top,
        facecolor="#F0F0F0",
        edgecolor=colours["impossible"],
        hatch="//",
        lw=0,
        label="impossible",
    )
    axes.fill_between(
        dims, guaranteed, impossible, color=colours["exponential"], alpha=0.25, lw=0, label="open"
    )
    axes.fill_between(dims, 0, guaranteed, color=LOWER, alpha=0.25, lw=0, label="possible")
    axes.plot(dims, guaranteed, color=LOWER, lw=1.6)
    axes.plot(dims, impossible, color=colours["bound"], lw=1.6)
    axes.axhline(limit, color=colours["bound"], ls="--", lw=1, label="limit of Theorem 3.4")
    axes.axhline(wanted, color=UPPER, ls=":", lw=1.4, label="margin asked for")
    for (label, dim, margin), marker in zip(models, "os^Dv" * len(models), strict=False):
        axes.plot(dim, margin, marker, color="black", mfc="white", ms=6, label=label)
    axes.set(xscale="log", xlabel="dimension $d$", ylabel=r"margin $m$ (half gap)")
    axes.set(xlim=(dims[0], dims[-1]), ylim=(0, top))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center", fontsize="small")
    return figure


def models_against_brackets(
    labels: Sequence[str], used: Any, groups: Mapping[str, tuple[Any, Any]]
) -> Figure:
    """One line per model: the dimension it uses, and the bracket of the dimension needed for each kind of margin."""
    rows = np.arange(len(labels))
    figure, axes = style.new_figure(height=0.36 * len(labels) + 1.5)
    colours = [LOWER, style.COLOURS["matching"]]
    for k, ((label, (low, high)), colour) in enumerate(zip(groups.items(), colours, strict=False)):
        shift = 0.18 * (2 * k - 1) if len(groups) > 1 else 0.0
        axes.hlines(rows + shift, low, high, color=colour, lw=6, alpha=0.7, ls="-", label=label)
        axes.plot(low, rows + shift, "|", color=colour, ms=9)
        axes.plot(high, rows + shift, "|", color=colour, ms=9)
    axes.plot(used, rows, "D", color="black", ms=6, label="dimension used")
    axes.set_yticks(rows, labels, fontsize=8)
    axes.set(xscale="log", xlabel="dimension $d$", ylim=(len(labels) - 0.5, -0.5))
    axes.grid(axis="y", visible=False)
    axes.legend(fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return figure
