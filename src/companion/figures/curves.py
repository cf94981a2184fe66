"""Curves: quantities over training steps or over a swept parameter, mean and spread over runs, levels and regions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike

from companion.figures import style
from companion.figures.style import COLOURS, SMALL, Look

Curve = ArrayLike | tuple[ArrayLike, ...]
STEP = "training step"


def curves(
    x: ArrayLike,
    panels: Mapping[str, Mapping[str, Curve]],
    *,
    looks: Mapping[str, Look] | None = None,
    xlabel: str = STEP,
    ylabel: str = "",
    log_x: bool = True,
    log_y: bool | Collection[str] = False,
) -> Figure:
    """Curves over ``x`` ``[X]`` in one panel per title, the same name drawn alike everywhere.

    Parameters
    ----------
    panels:
        By title and name, values ``[X]``, or those of several runs ``[R, X]`` (mean and standard deviation: a band,
        or bars where the look has a marker). Where a curve has places of its own, a tuple ``(x, values)``, or
        ``(x, mean, deviation)``.
    looks:
        Looks by name; without one the book's own (``style.LOOKS``) or the next swept colour and dash.
    ylabel:
        What all panels show: they then share one axis. Without it each panel has its own, named by its title.
    log_y:
        Whether values are drawn (and averaged) on a logarithmic axis, or the titles of the panels where they are.
    """
    names = [name for curves in panels.values() for name in curves]
    chosen = style.looks(names, looks)
    soup = len(panels) == 1 and len(chosen) > 6 and not any(look.marker for look in chosen.values())
    n, share = len(panels), "y" if ylabel else ""
    figure, axes = style.grid(n, columns=3 if n <= 3 else 2, height=2.3 if n <= 3 else 2.0, rest=0.9, share=share)
    arrays: dict[str, ArrayLike] = {xlabel: x}
    for panel, (title, group) in zip(axes.flat, panels.items(), strict=False):
        log = log_y if isinstance(log_y, bool) else title in log_y
        ends = {}
        for name, curve in group.items():
            at, *values = curve if isinstance(curve, tuple) else (x, curve)
            ends[style.as_label(name)] = draw(
                panel, on_log_axis(at) if log_x else at, *values, look=chosen[name], label=style.as_label(name), log=log
            )
            key = f"{title}: {name}" if len(panels) > 1 else name
            arrays |= dict(zip((key, f"{key}, sd"), values, strict=False))
            if isinstance(curve, tuple):
                arrays[f"{key}, {xlabel}"] = at
        panel.set(xscale="log" if log_x else "linear", yscale="log" if log else "linear")
        for axis in [panel.xaxis] * log_x + [panel.yaxis] * log:
            tidy_log(axis)
        if not log_x and len(panels) > 1:
            panel.locator_params(axis="x", nbins=6)
        panel.set_title(style.as_label(title))
        if soup:
            end_labels(panel, ends, {style.as_label(name): look.colour for name, look in chosen.items()})
    style.label_outer(axes, len(panels), xlabel=xlabel, ylabel=ylabel)
    return style.finish(figure, arrays, panels=[] if soup else axes.flat)


def draw(
    axes: Axes,
    x: ArrayLike,
    values: ArrayLike,
    deviation: ArrayLike | None = None,
    *,
    look: Look,
    label: str | None = None,
    log: bool = False,
) -> float:
    """One curve (with its ``deviation``), or mean and spread of several runs ``[R, X]``; returns where it ends.

    With ``log=True`` mean and deviation are taken of ``log10`` of the values.
    """
    y = np.asarray(values, dtype=float)
    runs = np.atleast_2d(np.log10(np.maximum(y, 1e-300)) if log else y)
    mean = runs.mean(axis=0)
    width = style.spread(runs, axis=0) if deviation is None else np.asarray(deviation, dtype=float)
    spread_known = y.ndim > 1 or deviation is not None
    middle, low, high = (10**z if log else z for z in (mean, mean - width, mean + width))
    shown: dict[str, Any] = {"color": look.colour, "linestyle": look.line, "label": label}
    if look.marker:
        bars = [middle - low, high - middle] if spread_known else None
        axes.errorbar(np.asarray(x), middle, bars, marker=look.marker, markersize=5, capsize=3, **shown)
    else:
        axes.plot(x, middle, **shown)
        if spread_known:
            axes.fill_between(np.asarray(x), low, high, color=look.colour, alpha=0.2, linewidth=0)
    return float(middle[-1])


def on_log_axis(x: ArrayLike) -> np.ndarray:
    """Places on a logarithmic axis: a first one at 0 (the start of training) goes to half the next one."""
    places = np.array(x, dtype=float)
    if places.size > 1 and places[0] == 0:
        places[0] = places[1] / 2
    return places if places.size and places.min() > 0 else np.maximum(places, 0.5)


def tidy_log(axis: Axis) -> None:
    """Labels of a logarithmic axis: powers of ten, or 1, 2, 5, ... written out where it spans less than two of them."""
    low, high = np.sort(axis.get_view_interval())
    if low > 0 and high / low < 100:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.set_minor_formatter(NullFormatter())


def end_labels(axes: Axes, ends: Mapping[str, float], colours: Mapping[str, str]) -> None:
    """Names at the right ends of curves, in their colours, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    order = sorted(ends, key=lambda name: ends[name])
    heights = np.array([(ends[name] - low) / (high - low) for name in order])
    least = 0.055
    for k in range(1, len(heights)):
        heights[k] = max(heights[k], heights[k - 1] + least)
    heights -= max(0.0, heights[-1] - 1.0)
    for k in range(len(heights) - 2, -1, -1):
        heights[k] = min(heights[k], heights[k + 1] - least)
    for name, height in zip(order, heights, strict=True):
        axes.annotate(
            name, (1.0, (ends[name] - low) / (high - low)), (1.03, height), xycoords="axes fraction",
            color=colours[name], fontsize=SMALL, va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colours[name], "lw": 0.6, "shrinkA": 0, "shrinkB": 1},
        )  # fmt: skip


def level(
    axes: Axes, y: float, label: str = "", *, line: style.Line = ":", right: bool = True, below: bool = False
) -> None:
    """A horizontal line at ``y`` with its name above (or ``below``) one end; without a name the zero line."""
    axes.axhline(y, color=COLOURS["bound"], linewidth=1.2 if label else 0.8, linestyle=line if label else "-", zorder=1)
    if label:
        end, side = (0.99, "right") if right else (0.01, "left")
        axes.annotate(
            label, (end, y), (0, -3 if below else 2), xycoords=("axes fraction", "data"), textcoords="offset points",
            ha=side, va="top" if below else "bottom", fontsize=SMALL, bbox=style.BOX, zorder=5,
        )  # fmt: skip


def mark(axes: Axes, x: float, label: str, *, line: style.Line = ":", height: float = 0.97) -> None:
    """A vertical line at ``x`` with its name beside it, ``height`` of the panel up."""
    axes.axvline(x, color=COLOURS["neutral"], linewidth=1.2, linestyle=line, zorder=1)
    axes.annotate(
        label, (x, height), (4, 0), xycoords=("data", "axes fraction"), textcoords="offset points", fontsize=SMALL,
        va="top", bbox=style.BOX, zorder=5,
    )  # fmt: skip


def shade(
    axes: Axes, x: ArrayLike, low: ArrayLike, high: ArrayLike, *, kind: str = "impossible", label: str | None = None
) -> None:
    """A region between two curves: ``"impossible"`` is grey and hatched, any other colour name plain and opaque."""
    limits = axes.get_xlim(), axes.get_ylim()
    forbidden = kind == "impossible"
    axes.fill_between(
        np.asarray(x), low, high, label=label, lw=0, zorder=0,
        facecolor="#F0F0F0" if forbidden else style.pale(COLOURS[kind]),
        edgecolor=COLOURS["impossible"] if forbidden else "none", hatch="//" if forbidden else None,
    )  # fmt: skip
    axes.set(xlim=limits[0], ylim=limits[1])


def beyond(axes: Axes, y: float, text: str) -> None:
    """The part of a panel above ``y``, grey and hatched, with its name in the corner."""
    low, high = axes.get_ylim()
    shade(axes, axes.get_xlim(), [y, y], [max(high, y)] * 2)
    axes.text(0.98, 0.95, text, transform=axes.transAxes, ha="right", va="top", fontsize=SMALL, bbox=style.BOX)
    axes.set_ylim(low, high)
