"""Pictures of chapter 03: what Construction 1 reaches, how codes grow with the dimension, where the margin goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from companion.figures import sphere_view
from companion.figures.region import draw_region
from companion.figures.style import COLOURS, LINES, MARKERS, new_figure, swept_colours

TRIANGLE_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))


def reach(start: tuple[float, float], lifted: Any, phi_share: Any, apexes: Mapping[str, Any]) -> Figure:
    """Where Construction 1 moves a constellation.

    Parameters
    ----------
    start:
        ``(relative_bias, margin)`` of the constellation that is lifted.
    lifted:
        The same of the lifted ones, ``[K, 2]``; ``phi_share`` ``[K]`` in [0, 1] colours them.
    apexes:
        ``(relative_bias, margin)`` of codes taken as ``U = V``, by name; each gets its triangle.
    """
    figure, axes = new_figure(n_columns=2, height=3.7, sharey=True)
    for panel in axes:
        draw_region(panel, legend=False, margin_limits=(0.0, 0.72), modality_gap=False)
    _lifted(axes[0], start, np.asarray(lifted), np.asarray(phi_share))
    colours = swept_colours(len(apexes))
    for (name, apex), colour, dash in zip(apexes.items(), colours, TRIANGLE_LINES, strict=False):
        _triangle(axes[1], apex, edgecolor=colour, linestyle=dash, linewidth=1.6)
        axes[1].plot(*apex, "o", color=colour, ms=5)
        axes[1].plot([], [], color=colour, linestyle=dash, marker="o", ms=5, label=name)
    figure.legend(loc="outside upper center", fontsize=8, ncols=3)
    axes[1].set(title="the triangles of five codes", ylabel="")
    return figure


def _lifted(axes: Any, start: tuple[float, float], lifted: np.ndarray, share: np.ndarray) -> None:
    _triangle(axes, start, edgecolor="black", linestyle="--", linewidth=1.2)
    dots = axes.scatter(*lifted.T, c=share, cmap="viridis", s=14, zorder=3, edgecolor="white", linewidth=0.2)
    axes.plot(*start, MARKERS["u"], color="black", ms=7, zorder=4)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    axes.annotate("start", start, (start[0] + 0.07, start[1] + 0.04), fontsize="small", bbox=box)
    inset = axes.inset_axes((0.06, 0.86, 0.4, 0.06))
    bar = axes.figure.colorbar(dots, cax=inset, orientation="horizontal", ticks=[0, 0.5, 1])
    bar.ax.tick_params(labelsize=8, length=0, pad=2)
    bar.set_label(r"share of $\varphi^2$ in $1 - \delta^2$", fontsize=8, labelpad=1)
    for text in (*bar.ax.get_xticklabels(), bar.ax.xaxis.label):
        text.set_bbox(box)
    axes.set_title("one constellation, lifted")


def _triangle(axes: Any, apex: tuple[float, float], **line: Any) -> None:
    axes.add_patch(Polygon([(-1.0, 0.0), apex, (1.0, 0.0)], closed=True, facecolor="none", zorder=2, **line))


def one_more_dimension(configurations: Sequence[tuple[Any, Any]], titles: Sequence[str]) -> Figure:
    """Constellations ``[N, 3]`` built from one polygon, each on its sphere."""
    figure, axes = new_figure(n_columns=len(configurations), height=2.6)
    for panel, (u, v), title in zip(np.atleast_1d(axes), configurations, titles, strict=True):
        groups = [
            sphere_view.PointGroup(u, "U", COLOURS["u"], "o"),
            sphere_view.PointGroup(v, "V", COLOURS["v"], "^"),
        ]
        sphere_view.draw(panel, groups, rotation=sphere_view.camera(elevation=18))
        panel.set_title(title, fontsize="small")
    handles, labels = np.atleast_1d(axes)[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=2, fontsize="small")
    return figure


def growth(dims: Any, found: Any, guaranteed: Any, *, slope: float, exponent: float) -> Figure:
    """Sizes of constellations at one ``(m, b_rel)``: ``found`` ``[D]`` against the guarantee ``[D]``, log scale."""
    dims, found = np.asarray(dims), np.asarray(found, dtype=float)
    figure, axes = new_figure(height=3.2, width=6.0)
    axes.plot(
        dims,
        found,
        "o-",
        color=COLOURS["measured"],
        label=f"greedy code, measured: slope {slope:.3f} per dimension",
    )
    axes.plot(
        dims, guaranteed, color=COLOURS["bound"], linestyle=LINES["bound"],
        label=f"guaranteed for every $d$: slope {exponent:.3f}",
    )  # fmt: skip
    axes.set(yscale="log", xlabel="dimension $d$ of the constellation", ylabel="number of pairs $N$")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.legend(loc="upper left", fontsize="small")
    return figure


BUDGET = (
    ("spread", r"spread of differences, $\xi/2$", "#0072B2", ""),
    ("centre", r"centre, $|\overline{U+V}|^2/2$", "#E69F00", "//"),
    ("matching", "matching pairs closer than needed", "#009E73", ".."),
    ("non_matching", "other pairs farther than needed", "#D55E00", "xx"),
)


def margin_budgets(names: Sequence[str], budgets: Sequence[Any]) -> Figure:
    """Where the margin goes: the four terms of the identity as stacked bars, one row per configuration."""
    height = 1.3 + 0.34 * len(names)
    figure, axes = new_figure(height=height)
    rows = np.arange(len(names))[::-1]
    left = np.zeros(len(names))
    for field, label, colour, hatch in BUDGET:
        values = np.array([max(float(getattr(budget, field)), 0.0) for budget in budgets])
        axes.barh(
            rows,
            values,
            left=left,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.5,
            height=0.66,
            label=label,
        )
        left = left + values
    for row, total in zip(rows, left, strict=True):
        axes.text(total + 0.01, row, f"{total:.3f}" if total > 5e-4 else "0", va="center", fontsize="small")
    axes.set_yticks(rows, names)
    axes.set(
        xlabel=r"slack of Theorem 3.4:  $1 + b^*_{\mathrm{rel}} - (3 - 4/N)\,m^*$",
        xlim=(0, 1.12 * left.max()),
    )
    axes.grid(axis="y", visible=False)
    figure.legend(loc="outside upper center", ncols=2, fontsize="small")
    return figure
