"""The plane of relative bias and margin: where constellations can exist (Figure 2 of the paper), and what lies in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle
from numpy.typing import ArrayLike

from companion.figures import style
from companion.figures.style import COLOURS, SMALL, Look
from constellations.bounds import margin_upper_bound

Points = Mapping[str, tuple[ArrayLike, ArrayLike]]
# Corners (relative_bias, margin) of the regions of Theorems 3.3 and 3.4 and of m > |b_rel| within them.
EXISTENCE = ((-1.0, 0.0), (0.5, 0.5), (1.0, 0.0))
MODALITY_GAP = ((0.0, 0.0), (-0.25, 0.25), (0.5, 0.5))
# Opaque, because a hatch drawn over a transparent face is lost in SVG.
POSSIBLE = style.pale(COLOURS["exponential"], 0.35)
GAP_FACE, GAP_EDGE = "#B2E1E0", "#4FB79C"
X_LABEL, Y_LABEL = f"relative bias {style.B_REL}", style.MARGIN
ARROW = {"arrowstyle": "-", "color": "#444444", "lw": 0.8, "shrinkB": 3}


def draw_region(
    axes: Axes,
    *,
    relative_bias_limits: tuple[float, float] = (-1.05, 1.05),
    margin_limits: tuple[float, float] = (0.0, 0.62),
    n_pairs: int | None = None,
    modality_gap: bool = True,
) -> list[Artist]:
    """Paint the regions of Figure 2 on ``axes``, set limits and labels, and return legend handles of what was painted.

    Grey and hatched: no constellation of many pairs exists (Theorem 3.4). Blue: exponentially many pairs fit
    (Theorem 3.3). Green and dotted: ``m > |b_rel|``, where Theorem 3.6 gives a modality gap.

    Parameters
    ----------
    axes:
        The axes to paint; points are scattered over it afterwards as ``axes.scatter(relative_bias, margin)``.
    relative_bias_limits, margin_limits:
        What is visible; zoom as you like.
    n_pairs:
        Also draw, dashed, the slightly larger limit ``(3 - 4/N) m = 1 + b_rel`` of that many pairs.
    modality_gap:
        Paint the part ``m > |b_rel|`` too.
    """
    corners = [-1, -0.25, 0, 0.5, 1, 1 - 2 / (4 - 4 / (n_pairs or np.inf))]
    b = np.unique(np.clip([*relative_bias_limits, *corners], *relative_bias_limits))
    inside = b.clip(-1, 1)
    limit = margin_upper_bound(inside)
    grey: dict[str, Any] = {"facecolor": "#F0F0F0", "edgecolor": COLOURS["impossible"], "hatch": "//", "lw": 0}
    green: dict[str, Any] = {"facecolor": GAP_FACE, "edgecolor": GAP_EDGE, "hatch": "..", "lw": 0}
    axes.fill_between(b, limit, np.maximum(margin_limits[1], limit), **grey)
    axes.fill_between(b, 0, limit, facecolor=POSSIBLE, lw=0)
    handles: list[Artist] = [
        Patch(**grey, label="impossible for many pairs"),
        Patch(facecolor=POSSIBLE, label="exponentially many pairs fit"),
    ]
    if modality_gap:
        axes.fill_between(b, np.minimum(np.abs(b), limit), limit, **green)
        handles.append(Patch(**green, label=r"modality gap: $m > |b_{\mathrm{rel}}|$"))
    axes.plot(b, limit, color=COLOURS["bound"], lw=1.2)
    if n_pairs is not None:
        axes.plot(b, margin_upper_bound(inside, n_pairs=n_pairs), color=COLOURS["bound"], lw=1.0, ls="--")
        handles.append(Line2D([], [], color=COLOURS["bound"], lw=1.0, ls="--", label=f"limit for N = {n_pairs:,}"))
    if np.ptp(relative_bias_limits) > 1.5:
        axes.set_xticks([-1, -0.5, 0, 0.5, 1])
    axes.set(xlim=relative_bias_limits, ylim=margin_limits, xlabel=X_LABEL, ylabel=Y_LABEL)
    axes.grid(False)
    return handles


def existence_region() -> Figure:
    """Figure 2 of the paper, from the formulas: the three regions with their boundary lines named."""
    figure, ((axes,),) = style.new_figure(height=4.0)
    handles = draw_region(axes)
    text: dict[str, Any] = {"fontsize": SMALL, "bbox": style.BOX, "va": "center"}
    axes.annotate(r"$3m = 1 + b_{\mathrm{rel}}$", (-0.45, 0.183), (-0.72, 0.27), arrowprops=ARROW, **text)
    axes.annotate(r"$m + b_{\mathrm{rel}} = 1$", (0.75, 0.25), (0.78, 0.36), arrowprops=ARROW, **text)
    axes.plot(0.5, 0.5, "ko", ms=4)
    axes.annotate("orthonormal pairs\n$U = V$", (0.5, 0.5), (0.6, 0.52), **text)
    axes.legend(handles=handles, loc="upper left", frameon=True, framealpha=1.0)
    return style.carry(figure, existence=EXISTENCE, modality_gap=MODALITY_GAP)


def placed(
    groups: Points,
    *,
    looks: Mapping[str, Look] | None = None,
    n_pairs: int | None = None,
    curves: Points | None = None,
    means: bool = False,
    title: str | None = None,
) -> Figure:
    """Configurations in the region: each group ``(relative_bias, margin)`` with its own colour and marker.

    Parameters
    ----------
    curves:
        Curves over the region for comparison, by name; a look without a line draws crosses.
    means:
        Draw every run as a small dot and the mean of its group as a large mark.
    title:
        Of the legend.
    """
    figure, ((axes,),) = style.new_figure(height=4.1)
    regions = draw_region(axes, n_pairs=n_pairs)
    chosen = style.looks(groups, looks, marked=True)
    arrays = {name: np.stack([np.asarray(x) for x in pair]) for name, pair in {**groups, **(curves or {})}.items()}
    for name in groups:
        look, points, size, alpha = chosen[name], arrays[name], 26, None
        if means:
            axes.scatter(*points, s=8, color=look.colour, linewidth=0, zorder=4)
            points, size, alpha = points.mean(1), 60, 0.75
        axes.scatter(
            *points, s=size, alpha=alpha, marker=look.marker, color=look.colour, edgecolor="white", lw=0.5, zorder=3,
            label=style.as_label(name),
        )  # fmt: skip
    for name in curves or {}:
        look = (looks or {}).get(name, Look(COLOURS["bound"], ":"))
        axes.plot(*arrays[name], **look.drawn(), ms=8, label=style.as_label(name), zorder=5)
    axes.legend(handles=regions, loc="upper left", frameon=True, framealpha=1.0)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", title=title, reverse=means)
    return style.carry(figure, arrays)


def reach(
    start: tuple[float, float], lifted: ArrayLike, share: ArrayLike, apexes: Mapping[str, tuple[float, float]]
) -> Figure:
    """Where Construction 1 moves a constellation: the lifted ones, and the triangle of each code taken as ``U = V``.

    ``lifted`` ``[K, 2]`` are ``(relative_bias, margin)``; ``share`` ``[K]`` in [0, 1] colours them.
    """
    figure, axes = style.new_figure(n_columns=2, height=3.9, share="y")
    for panel in axes[0]:
        draw_region(panel, margin_limits=(0.0, 0.72), modality_gap=False)
    left, right = axes[0]
    _triangle(left, start, "black", "--")
    points = np.asarray(lifted)
    dots = left.scatter(*points.T, c=share, cmap=style.SEQUENTIAL, s=16, zorder=3, edgecolor="white", lw=0.2)
    left.plot(*start, "D", color="black", ms=6, zorder=4)
    left.annotate("start", start, (start[0] + 0.07, start[1] + 0.04), fontsize=SMALL, bbox=style.BOX)
    bar = figure.colorbar(dots, ax=left, location="bottom", ticks=[0, 0.5, 1], shrink=0.7, aspect=30)
    bar.set_label(r"share of $\varphi^2$ in $1 - \delta^2$")
    left.set_title("one constellation, lifted")
    for name, look in style.looks(apexes).items():
        _triangle(right, apexes[name], look.colour, look.line)
        right.plot(*apexes[name], "o", color=look.colour, ms=5)
        right.plot([], [], color=look.colour, linestyle=look.line, marker="o", ms=5, label=name)
    right.set(title=f"the triangles of {len(apexes)} codes", ylabel="")
    return style.finish(figure, columns=3, start=start, reached=points, share=share, apexes=list(apexes.values()))


def _triangle(axes: Axes, apex: tuple[float, float], colour: str, line: style.Line) -> None:
    corners = [(-1.0, 0.0), apex, (1.0, 0.0)]
    axes.add_patch(Polygon(corners, closed=True, facecolor="none", zorder=2, edgecolor=colour, linestyle=line, lw=1.6))


def enlarged(names: Sequence[str], relative_bias: ArrayLike, margin: ArrayLike, groups: Sequence[str]) -> Figure:
    """Named points (models) in all of Figure 2 and enlarged; ``groups`` gives each a family with a look of its own."""
    b, m = np.asarray(relative_bias, dtype=float), np.asarray(margin, dtype=float)
    x = (b.min() - 0.25 * np.ptp(b) - 0.005, b.max() + 0.75 * np.ptp(b) + 0.01)
    y = (m.min() - 0.35 * np.ptp(m) - 0.002, m.max() + 0.35 * np.ptp(m) + 0.002)
    figure, axes = style.new_figure(n_columns=2, height=4.0, ratios=[1, 1.4])
    left, right = axes[0]
    regions = draw_region(left, margin_limits=(min(0.0, y[0]), 0.62))
    draw_region(right, relative_bias_limits=x, margin_limits=y)
    left.add_patch(Rectangle((x[0], y[0]), x[1] - x[0], y[1] - y[0], fill=False, edgecolor="black", linewidth=1.4))
    centre, apart = ((x[0] + x[1]) / 2, (y[0] + y[1]) / 2), (-0.72, 0.36)
    left.annotate("enlarged\non the right", centre, apart, fontsize=SMALL, bbox=style.BOX, arrowprops=ARROW)
    for name, look in style.looks(sorted(set(groups)), marked=True).items():
        inside = np.array([group == name for group in groups])
        mark: dict[str, Any] = {"marker": look.marker, "color": look.colour, "edgecolor": "white", "label": name}
        right.scatter(b[inside], m[inside], s=46, zorder=3, **mark)
    _beside(right, names, b, m)
    right.set_ylabel("")
    return style.finish(figure, columns=3, extra=regions, relative_bias=b, margin=m)


def _beside(axes: Axes, names: Sequence[str], b: np.ndarray, m: np.ndarray) -> None:
    """Names in a column to the right of their neighbours, moved apart where they would overlap."""
    width, spacing = np.ptp(axes.get_xlim()), 0.062 * np.ptp(axes.get_ylim())
    done: list[tuple[float, float]] = []
    for k in np.argsort(m):
        near = [height for across, height in done if abs(across - b[k]) < 0.25 * width]
        height = max([m[k], *(taken + spacing for taken in near)])
        done.append((b[k], height))
        column = b[np.abs(b - b[k]) < 0.25 * width].max() + 0.05 * width
        axes.annotate(names[k], (b[k], m[k]), (column, height), fontsize=SMALL, va="center", zorder=4, arrowprops=ARROW)
