"""Comparisons: dots with mean and spread, grouped bars, stacked parts, a value against its bound, two clouds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from companion.figures import curves, style
from companion.figures.style import COLOURS, MARKERS, SMALL, Look

# The four terms of the identity behind Theorem 3.4, drawn alike wherever they are stacked.
XI, CENTRE = r"spread of differences, $\xi$", r"shared centre, $|\overline{U+V}|^2$"
MATCHING, NON_MATCHING = "matching pairs closer than needed", "other pairs farther than needed"
PART_LOOKS = {
    "margin": ("#007A5E", ""),
    XI: ("#0072B2", ""),
    CENTRE: ("#CC79A7", "///"),
    MATCHING: ("#C9A24A", "..."),
    NON_MATCHING: ("#8C8C8C", "xxx"),
}
SPARE = (("#8C8C8C", ""), ("#CC79A7", "///"), ("#C9A24A", "..."), ("#000000", ""))


def dots(
    places: Sequence[float],
    panels: Mapping[str, Mapping[str, Sequence[ArrayLike]]],
    *,
    xlabel: str,
    looks: Mapping[str, Look] | None = None,
) -> Figure:
    """Every run as a dot at its place, with mean and deviation; ``panels[title][name][k]`` are runs at ``places[k]``."""
    figure, axes = style.new_figure(n_columns=len(panels), height=3.3)
    for panel, (title, groups) in zip(axes[0], panels.items(), strict=True):
        dots_on(panel, places, groups, looks=looks)
        panel.set(title=style.as_label(title), xlabel=xlabel)
    arrays = {f"{title}: {name}": x for title, by in panels.items() for name, x in by.items()}
    return style.finish(figure, {xlabel: places, **arrays})


def dots_on(
    axes: Axes,
    places: Sequence[float],
    groups: Mapping[str, Sequence[ArrayLike]],
    *,
    looks: Mapping[str, Look] | None = None,
) -> None:
    """The same on given axes: groups stand side by side at equally spaced places, dots of one group in one column."""
    chosen = style.looks(groups, looks, marked=True)
    for side, (name, values) in enumerate(groups.items()):
        look, step = chosen[name], 0.5 / len(groups)
        for k, runs in enumerate(values):
            x, sample = k + (side - (len(groups) - 1) / 2) * step, np.ravel(np.asarray(runs, dtype=float))
            axes.plot(np.full(sample.shape, x), sample, ".", color=look.colour, alpha=0.45, markersize=6)
            axes.errorbar(
                x, sample.mean(), style.spread(sample), color=look.colour, marker=look.marker or "osD^"[side], capsize=4,
                markersize=7, mfc="none", label=style.as_label(name) if k == 0 else None, linestyle="",
            )  # fmt: skip
    axes.axhline(0, color=COLOURS["bound"], linewidth=0.8, zorder=0)
    axes.set_xticks(range(len(places)), [style.signed_zero_free(b, "g") for b in places])


def bars(places: Sequence[float], groups: Mapping[str, ArrayLike], *, xlabel: str, ylabel: str) -> Figure:
    """Means of several parts ``[places, runs]`` side by side at every place, with their spread."""
    figure, ((axes,),) = style.new_figure(height=3.3)
    width = 0.8 / len(groups)
    for k, ((name, values), (colour, hatch)) in enumerate(zip(groups.items(), _part_looks(groups), strict=True)):
        runs = np.asarray(values, dtype=float)
        x = np.arange(len(places)) + (k - (len(groups) - 1) / 2) * width
        axes.bar(
            x, runs.mean(1), width, yerr=style.spread(runs), label=style.as_label(name), facecolor=colour, hatch=hatch,
            edgecolor="white", error_kw={"elinewidth": 1, "capsize": 2},
        )  # fmt: skip
    axes.axhline(0, color=COLOURS["bound"], linewidth=0.8)
    axes.set_xticks(range(len(places)), [style.signed_zero_free(b, "g") for b in places])
    axes.set(xlabel=xlabel, ylabel=ylabel)
    return style.finish(figure, {xlabel: places, **groups})


def stacked(labels: Sequence[str], parts: Mapping[str, ArrayLike], *, xlabel: str, shares: bool = False) -> Figure:
    """Parts of a whole, one horizontal bar per label; ``shares`` scales every bar to 1 and writes percentages.

    Without ``shares`` negative parts (rounding) are drawn as 0 and the total stands at the end of its bar.
    """
    values = np.array(list(parts.values()), dtype=float)
    drawn = values / values.sum(0) if shares else np.maximum(values, 0.0)
    figure, ((axes,),) = style.new_figure(height=1.2 + 0.36 * len(labels))
    rows, left = np.arange(len(labels)), np.zeros(len(labels))
    for (name, part), (colour, hatch) in zip(zip(parts, drawn, strict=True), _part_looks(parts), strict=True):
        axes.barh(
            rows, part, left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5, height=0.68, label=name
        )
        for row, start, size in zip(rows, left, part, strict=True):
            if shares and size > 0.06:
                axes.text(
                    start + size / 2, row, f"{size:.0%}", ha="center", va="center", fontsize=SMALL, bbox=style.BOX
                )
        left = left + part
    if not shares:
        for row, total in zip(rows, left, strict=True):
            text = f"{total:.3f}" if total > 5e-4 else "0"
            axes.text(total + 0.01 * left.max(), row, text, va="center", fontsize=SMALL)
    axes.set_yticks(rows, labels)
    axes.set(xlabel=xlabel, xlim=(0, 1 if shares else 1.1 * left.max()), ylim=(len(labels) - 0.5, -0.5))
    axes.grid(axis="y", visible=False)
    return style.finish(figure, {"labels": labels, **parts})


def stacked_over(
    x: ArrayLike,
    panels: Mapping[str, Mapping[str, ArrayLike]],
    totals: Mapping[str, ArrayLike],
    *,
    total: str,
    ylabel: str,
) -> Figure:
    """Parts of a whole over training steps ``[X]``, stacked, one panel per title, and the whole as a black line."""
    figure, axes = style.grid(len(panels), columns=2, height=2.1, rest=0.8, share="xy")
    at = curves.on_log_axis(x)
    arrays: dict[str, ArrayLike] = {"steps": x}
    for panel, (title, parts) in zip(axes.flat, panels.items(), strict=False):
        floor = np.zeros(len(at))
        for (name, part), (colour, hatch) in zip(parts.items(), _part_looks(parts), strict=True):
            top = floor + np.asarray(part)
            panel.fill_between(at, floor, top, facecolor=colour, hatch=hatch, edgecolor="white", lw=0, label=name)
            floor = top
        panel.plot(at, totals[title], color="black", linewidth=1.4, label=total)
        panel.set(title=title, xscale="log", xlim=(at[0], at[-1]))
        arrays |= {f"{title}: {name}": part for name, part in parts.items()} | {f"{title}: total": totals[title]}
    style.label_outer(axes, len(panels), xlabel=curves.STEP, ylabel=ylabel)
    return style.finish(figure, arrays)


def clouds(panels: Mapping[str, tuple[ArrayLike, ArrayLike]], *, shown: ArrayLike) -> Figure:
    """Two modalities ``[N, d]`` in a plane: along the difference of their means, and the widest direction across it.

    The plane is that of all points; ``shown`` picks the pairs that are drawn.
    """
    figure, axes = style.new_figure(n_columns=len(panels), height=3.6, share="y")
    arrays: dict[str, ArrayLike] = {"shown": shown}
    for k, (panel, (title, (u, v))) in enumerate(zip(axes[0], panels.items(), strict=True)):
        images, texts = np.asarray(u), np.asarray(v)
        difference = images.mean(0) - texts.mean(0)
        first = difference / max(float(np.linalg.norm(difference)), 1e-12)
        both = np.concatenate([images, texts])
        across = both - np.outer(both @ first, first)
        plane = np.stack([first, np.linalg.svd(across - across.mean(0), full_matrices=False)[2][0]], axis=1)
        for kind, points, face, label in (("u", images, None, "images $U$"), ("v", texts, "none", "texts $V$")):
            panel.scatter(
                *(points @ plane)[shown].T, s=18, marker=MARKERS[kind], facecolors=face or COLOURS[kind], linewidths=0.9,
                edgecolors=COLOURS["v_text"] if kind == "v" else "none", label=label, rasterized=True, alpha=0.7,
            )  # fmt: skip
        panel.set(
            title=style.as_label(title), xlabel="along the difference of the means", xlim=(-1.05, 1.05), aspect="equal"
        )
        arrays |= {f"u{k}": images, f"v{k}": texts}
    axes[0, 0].set(ylabel="widest direction across", ylim=(-1.05, 1.05))
    return style.finish(figure, arrays)


def _part_looks(names: Collection[str]) -> list[tuple[str, str]]:
    """Colour and hatch of each part: the fixed one of a term of the identity, otherwise the next spare one."""
    spare = iter(SPARE)
    return [PART_LOOKS.get(name) or next(spare) for name in names]
