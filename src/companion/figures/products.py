"""Inner products: histograms of the two kinds, number lines, matrices, every row against its best rival."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from companion.figures import curves, drawings, sphere, style, tables
from companion.figures.style import COLOURS, SMALL

PRODUCT = r"inner product $s_{ij}$"
LABELS = {"matching": "matching", "non_matching": "non-matching", "u": "images $U$", "v": "texts $V$"}
MARKS: dict[str, dict[str, Any]] = {
    "matching": {"marker": "o", "ms": 4.5, "ls": "", "color": COLOURS["matching"]},
    "non_matching": {"marker": "x", "ms": 4.5, "mew": 1.5, "ls": "", "color": COLOURS["non_matching"]},
}
HATCHES = {"matching": None, "non_matching": "///", "u": None, "v": "///"}


def histograms(
    panels: Mapping[str, tuple[ArrayLike, ArrayLike]], *, relative_bias: Mapping[str, float] | None = None
) -> Figure:
    """Matching and non-matching products of several settings on a logarithmic density, the empty gap between them.

    Parameters
    ----------
    panels:
        ``(matching, non-matching)`` inner products by title, any shape.
    relative_bias:
        The relative bias of the loss by title, drawn as a dashed line; outside ``[-1, 1]`` it is left out.
    """
    figure, axes = style.grid(len(panels), columns=2, height=2.1, rest=0.7, share="xy")
    arrays: dict[str, ArrayLike] = {}
    for panel, (title, (matching, non_matching)) in zip(axes.flat, panels.items(), strict=False):
        histogram(panel, matching, non_matching, bins=100, log=True)
        b = (relative_bias or {}).get(title, np.inf)
        if abs(b) <= 1:
            panel.axvline(b, color="black", linestyle="--", linewidth=1.2, label=f"{style.B_REL} of the loss")
        panel.set_title(style.as_label(title))
        panel.label_outer()
        arrays |= {f"{title}: matching": matching, f"{title}: non-matching": non_matching, f"{title}: b_rel": b}
    style.label_outer(axes, len(panels), xlabel=PRODUCT, ylabel="density")
    return style.finish(figure, arrays)


def histogram(axes: Axes, matching: ArrayLike, non_matching: ArrayLike, *, bins: int = 60, log: bool = False) -> None:
    """Densities of the two kinds, and the gap between them (or where they overlap) shaded."""
    kinds, low, high = _kinds(matching, non_matching)
    edges = np.linspace(-1, 1, bins + 1)
    for kind, values in kinds.items():
        _filled(axes, values, edges, kind, weights=np.full(len(values), bins / 2 / len(values)))
    if high > low:
        axes.axvspan(low, high, color=style.pale(COLOURS["ours"], 0.4), lw=0, zorder=0, label="gap $2m^*$")
    else:
        axes.axvspan(high, low, color="#E4E4E4", lw=0, zorder=0, label="overlap: no gap")
    axes.set(xlabel=PRODUCT, ylabel="density", xlim=(-1, 1), xticks=[-1, -0.5, 0, 0.5, 1])
    if log:
        axes.set(yscale="log", ylim=(1e-4, bins))


def _kinds(matching: ArrayLike, non_matching: ArrayLike) -> tuple[dict[str, np.ndarray], float, float]:
    """Both kinds, the largest non-matching and the smallest matching product."""
    kinds = {"non_matching": np.ravel(np.asarray(non_matching)), "matching": np.ravel(np.asarray(matching))}
    return kinds, float(kinds["non_matching"].max()), float(kinds["matching"].min())


def _filled(axes: Axes, values: np.ndarray, edges: np.ndarray, kind: str, *, weights: np.ndarray) -> None:
    axes.hist(
        values, bins=list(edges), weights=weights, histtype="stepfilled", facecolor=style.pale(COLOURS[kind], 0.6),
        edgecolor=COLOURS[kind], linewidth=0.8, hatch=HATCHES[kind], alpha=0.85, label=LABELS[kind],
    )  # fmt: skip


def counted(matching: ArrayLike, counts: ArrayLike, edges: ArrayLike, *, percentiles: tuple[float, float]) -> Figure:
    """Figure 1: matching products (values) and non-matching ones (``counts`` between ``edges``), as shares.

    ``percentiles`` are the 5th of the matching and the 95th of the non-matching products.
    """
    values, number, ends = (np.asarray(x, dtype=float) for x in (matching, counts, edges))
    seen = ends[:-1][number > 0]
    coarse = np.linspace(min(values.min(), seen.min()), max(values.max(), seen.max()), 161)
    figure, ((axes,),) = style.new_figure(height=3.4)
    _filled(axes, (ends[1:] + ends[:-1]) / 2, coarse, "non_matching", weights=number / number.sum())
    _filled(axes, values, coarse, "matching", weights=np.full(values.shape, 1 / values.size))
    top = 1.12 * axes.get_ylim()[1]
    names = {"matching": "5th pct.", "non_matching": "95th pct."}
    for (kind, name), value in zip(names.items(), percentiles, strict=True):
        axes.axvline(value, color=COLOURS[kind], linestyle="--", linewidth=1.2)
        side = 1 if value == max(percentiles) else -1
        axes.annotate(
            f"{name} {style.signed_zero_free(value)}", (value, 0.97 * top), (6 * side, 0), va="top", fontsize=SMALL,
            textcoords="offset points", ha="left" if side > 0 else "right", color=COLOURS[kind],
        )  # fmt: skip
    axes.set(xlabel=PRODUCT, ylabel="share per bin", ylim=(0, top))
    return style.finish(figure, matching=values, non_matching_counts=number, edges=ends, percentiles=percentiles)


def positions(panels: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """How far every ``U`` and every ``V`` lies on either side of a hyperplane; one panel per hyperplane."""
    figure, axes = style.new_figure(n_columns=len(panels), height=3.2, share="y")
    largest = max(float(np.abs(np.asarray(x)).max()) for pair in panels.values() for x in pair)
    edges = np.linspace(-1.05 * largest, 1.05 * largest, 61)
    arrays: dict[str, ArrayLike] = {}
    for panel, (title, pair) in zip(axes[0], panels.items(), strict=True):
        for values, kind in zip(map(np.asarray, pair), ("u", "v"), strict=True):
            _filled(panel, values, edges, kind, weights=np.full(len(values), 1 / len(values)))
            arrays[f"{title}: {kind}" if len(panels) > 1 else kind] = values
        panel.axvline(0, color=COLOURS["bound"], linewidth=1.2)
        panel.set(xlabel="signed distance from the hyperplane", title=title)
        panel.xaxis.set_major_locator(MaxNLocator(5))
    axes[0, 0].set_ylabel("share of the points per bin")
    return style.finish(figure, arrays)


def number_line(
    axes: Axes, matching: ArrayLike, non_matching: ArrayLike, *, relative_bias: float | None = None
) -> None:
    """All inner products on one line, stacked where they would overlap, and the empty interval that defines ``m*``.

    Its middle is marked, or the ``relative_bias`` of the loss.
    """
    kinds, low, high = _kinds(matching, non_matching)
    centre, half = (low + high) / 2, (high - low) / 2
    top = _stacked(axes, kinds, np.linspace(-1, 1, 81))
    at, name = (centre, style.BEST_B_REL) if relative_bias is None else (relative_bias, style.B_REL)
    axes.axvline(at, ymax=0.85, color=COLOURS["bound"], linestyle="--", linewidth=1.2)
    axes.text(at, 0.87 * top, name, ha="center", va="bottom")
    if half > 0:
        axes.axvspan(low, high, color=style.pale(COLOURS["ours"], 0.25), lw=0)
    for side in (-1, 1) if half > 0 else ():
        arrow = {"arrowstyle": "<->", "color": COLOURS["bound"], "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", xy=(centre + side * half, 0.72 * top), xytext=(centre, 0.72 * top), arrowprops=arrow)
        axes.text(centre + side * max(half / 2, 0.1), 0.74 * top, "$m^*$", ha="center", va="bottom")
    axes.set(xticks=[-1, -0.5, 0, 0.5, 1], xlabel=PRODUCT)


def logits(
    axes: Axes, matching: ArrayLike, non_matching: ArrayLike, t: float, relative_bias: float, silent: float
) -> None:
    """The logits ``t (s - b_rel)`` of all pairs on one line; a loss is ``silent`` beyond a violation (0: never)."""
    kinds = {kind: (t * (s - relative_bias)).clip(-40, 40) for kind, s in _kinds(matching, non_matching)[0].items()}
    _stacked(axes, kinds, np.linspace(-40, 40, 81))
    for side in (-1, 1) if silent else ():
        axes.axvspan(side * silent, side * 41.2, color="#E4E4E4", lw=0, zorder=0, label="no pull")
    axes.set(xticks=[-40, -20, 0, 20, 40], xlabel=r"logit $t\,(s_{ij} - b_{\mathrm{rel}})$, cut off at ±40")


def _stacked(axes: Axes, kinds: Mapping[str, np.ndarray], edges: np.ndarray) -> float:
    """A mark for every value, above those that lie near; returns how high the axes reach."""
    top = max(max(np.histogram(values, edges)[0].max() for values in kinds.values()) + 1, 4) * 1.45
    for kind, values in kinds.items():
        x = np.sort(values)
        bins = np.digitize(x, edges)
        height = np.array([np.sum(bins[:k] == bins[k]) for k in range(len(x))]) + 0.5
        axes.plot(x, height, **MARKS[kind], label=f"{LABELS[kind]} pairs")
    axes.set(xlim=(1.03 * edges[0], 1.03 * edges[-1]), ylim=(0, top), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.grid(False)
    return float(top)


def definition(u: ArrayLike, v: ArrayLike, products: ArrayLike) -> Figure:
    """A constellation in the plane ``[N, 2]``, its inner products ``[N, N]`` and the empty interval that defines it."""
    figure, axes = style.new_figure(n_columns=3, height=3.3, ratios=[1, 1, 1.5])
    s = np.asarray(products)
    drawings.circle(axes[0, 0], u, v)
    axes[0, 0].set_title("pairs of unit vectors")
    tables.matrix(axes[0, 1], s)
    number_line(axes[0, 2], np.diag(s), s[~np.eye(len(s), dtype=bool)])
    axes[0, 2].set_title("no $s_{ij}$ in between")
    return style.finish(figure, points=np.stack([np.asarray(u), np.asarray(v)]), products=s)


def on_sphere(u: ArrayLike, v: ArrayLike, matching: ArrayLike, non_matching: ArrayLike) -> Figure:
    """Figure 5: points on the sphere, the histogram of their inner products, and the same around the gap, magnified."""
    figure, axes = style.new_figure(n_rows=2, n_columns=2, height=4.2, ratios=[1.1, 1])
    grid = axes[0, 0].get_gridspec()
    for unused in axes[:, 0]:
        unused.remove()
    left = figure.add_subplot(grid[:, 0])
    sphere.draw(left, sphere.pairs(u, v), rotation=sphere.camera())
    histogram(axes[0, 1], matching, non_matching)
    kinds, *ends = _kinds(matching, non_matching)
    low, high = sorted(ends)
    reach = max(2 * (high - low), 0.02)
    for height, (kind, values) in zip((-0.4, 0.4), kinds.items(), strict=True):
        axes[1, 1].plot(values, np.full(values.shape, height), **MARKS[kind])
    axes[1, 1].axvspan(low, high, color=style.pale(COLOURS["ours"], 0.4), lw=0, zorder=0)
    axes[1, 1].set(xlim=(low - reach, high + reach), ylim=(-1, 1), yticks=[])
    axes[1, 1].set_xlabel(f"{PRODUCT}, around the gap only")
    axes[1, 1].xaxis.set_major_locator(MaxNLocator(5))
    panels = (left, axes[0, 1])
    return style.finish(figure, panels=panels, u=u, v=v, matching=matching, non_matching=non_matching)


def row_by_row(u: ArrayLike, v: ArrayLike, products: ArrayLike) -> Figure:
    """Points in the plane, and their inner products ``[N, N]`` on one number line for each row and each column."""
    figure, axes = style.new_figure(n_columns=3, height=3.4, ratios=[1, 1.25, 1.25])
    s = np.asarray(products)
    drawings.circle(axes[0, 0], u, v)
    same = np.eye(len(s), dtype=bool)
    for panel, table, name in zip(axes[0, 1:], (s, s.T), "UV", strict=True):
        own, best = np.diag(table), np.where(same, -np.inf, table).max(1)
        rows = -np.arange(len(s))
        room = {"color": style.pale(COLOURS["ours"], 0.4), "label": "room for a threshold"}
        panel.barh(rows, own - best, left=best, height=0.42, **room)
        panel.plot(table[~same], np.repeat(rows, len(s) - 1), **MARKS["non_matching"], label=LABELS["non_matching"])
        panel.plot(own, rows, **MARKS["matching"], label=LABELS["matching"])
        panel.axvline(own.min(), color=COLOURS["matching"], linewidth=1.2, linestyle="--")
        panel.axvline(best.max(), color=COLOURS["non_matching"], linewidth=1.2, linestyle=":")
        title = "row by row" if name == "U" else "column by column"
        panel.set(xlim=(-1.08, 1.08), ylim=(0.4 - len(s), 0.6), xlabel=PRODUCT, title=title)
        panel.set_yticks(rows, [f"${name}_{i + 1}$" for i in range(len(s))])
    return style.finish(figure, u=u, v=v, products=s)


def best_rivals(panels: Mapping[str, ArrayLike], *, leads: bool = False) -> Figure:
    """The matching product and the best rival of every query (``[N, 2]``), sorted by the former, one panel per title.

    Grey: room for one threshold for all rows, if there is any. With ``leads`` a last panel has a histogram of how much
    the queries of the last title lead by.
    """
    figure, axes = style.new_figure(n_columns=len(panels) + leads, height=3.3, share="" if leads else "y")
    low, high = 0.0, 0.0
    for panel, (name, values) in zip(axes[0], panels.items(), strict=False):
        rows = np.asarray(values)[np.argsort(np.asarray(values)[:, 0])]
        order = np.arange(len(rows))
        panel.vlines(order, rows[:, 1], rows[:, 0], color=style.pale(COLOURS["ours"], 0.5), linewidth=1.5)
        panel.plot(order, rows[:, 0], **{**MARKS["matching"], "ms": 3}, label="matching $s_{ii}$")
        panel.plot(order, rows[:, 1], **{**MARKS["non_matching"], "ms": 3.5}, label="best rival in the row")
        low, high = rows[:, 1].max(), rows[:, 0].min()
        if high > low:
            panel.axhspan(low, high, color="#D5D5D5", lw=0, zorder=0, label="one threshold for all rows")
        panel.set(title=style.as_label(name), xlabel="query, sorted", xticks=[])
    axes[0, 0].set_ylabel("inner product")
    if leads:
        lead = np.asarray(list(panels.values())[-1]) @ np.array([1.0, -1.0])
        axes[0, -1].hist(lead, bins=24, color=style.pale(COLOURS["measured"], 0.6), edgecolor=COLOURS["measured"])
        curves.mark(axes[0, -1], high - low, "$2m^*$", line="--")
        axes[0, -1].set(xlabel="lead over the best rival", ylabel="queries", title="no lead below $2m^*$")
    return style.finish(figure, panels)
