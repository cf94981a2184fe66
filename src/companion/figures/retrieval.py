"""Pictures of chapter 02: retrieval bounds, displaced queries, approximate search, batch size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from companion.figures.style import COLOURS, new_figure, swept_colours

STYLES: Mapping[str, tuple[str, str, str]] = {
    "Proposition 1": (COLOURS["bound"], "--", "s"),
    "two entries": (COLOURS["v"], "-.", "^"),
    "weighted": (COLOURS["ours"], "-", "o"),
}
METHOD_STYLES: Mapping[str, tuple[str, str, str]] = {
    "exhaustive": (COLOURS["neutral"], ":", "D"),
    "HNSW": (COLOURS["u"], "-", "o"),
    "IVF": (COLOURS["v"], "--", "^"),
    "PQ": (COLOURS["bias"], "-.", "s"),
}


def guarantee(rows: Any, *, n_columns: int = 2) -> Figure:
    """Corollary 1: every row's matching product against its best rival; ``rows`` is ``[N, 2]``."""
    rows = np.asarray(rows)
    figure, axes = new_figure(n_columns=n_columns, height=2.9)
    order = np.arange(len(rows))
    axes[0].plot(order, rows[:, 0], "o", ms=3.5, color=COLOURS["matching"], label="$s_{ii}$")
    axes[0].plot(order, rows[:, 1], "x", ms=4, color=COLOURS["non_matching"], label="best rival in the row")
    low, high = rows[:, 1].max(), rows[:, 0].min()
    axes[0].axhspan(min(low, high), max(low, high), color=COLOURS["impossible"], alpha=0.4, lw=0)
    title = "every row has the same empty interval" if high > low else "no interval is empty in every row"
    axes[0].set(xlabel="query $i$", ylabel="inner product", title=title)
    axes[0].legend(fontsize="small", loc="center left", bbox_to_anchor=(0.0, 0.32))
    lead = rows[:, 0] - rows[:, 1]
    axes[1].hist(lead, bins=24, color=COLOURS["u"], alpha=0.8)
    axes[1].axvline(high - low, color=COLOURS["bound"], linestyle="--", label="$2m^*$")
    axes[1].set(xlabel="lead over the best rival", ylabel="queries", title="no lead below $2m^*$")
    axes[1].legend(fontsize="small")
    return figure


def enumerated(failing: Any, bounds: Mapping[str, Any]) -> Figure:
    """True failing fraction ``[K]`` of small configurations against each bound ``[K]``: none lies in the grey region."""
    figure, axes = new_figure(n_columns=len(bounds), height=2.8, sharey=True)
    failing = np.asarray(failing)
    line = np.geomspace(1e-2, 1, 50)
    for panel, (name, values) in zip(axes, bounds.items(), strict=True):
        colour, _, marker = STYLES[name]
        shown = np.clip(np.asarray(values), 1e-2, None)
        panel.plot(shown, failing, marker, ms=3, alpha=0.4, color=colour)
        panel.plot(line, line, color=COLOURS["bound"], linewidth=1)
        panel.fill_between(line, line, 1.05, color=COLOURS["impossible"], alpha=0.35, lw=0)
        panel.set(xscale="log", xlim=(1e-2, 2e2), ylim=(-0.04, 1.05), title=name, xlabel="bound")
    axes[0].set_ylabel("fraction of rows that fail")
    axes[0].text(0.013, 0.93, "impossible", fontsize="small", color=COLOURS["neutral"])
    return figure


def unfinished(
    steps: Any, failing: Any, along: Mapping[str, Any], sizes: Any, chosen: Mapping[str, Any]
) -> Figure:
    """Bounds on the failing fraction along a training run (``[T]``), and of its stage ``chosen`` against batch size.

    ``chosen`` holds the bounds ``[S]``, the ``"step"`` and the ``"failing"`` fraction of that stage.
    """
    figure, axes = new_figure(n_columns=2, height=3.1, sharey=True)
    flat = np.full(len(sizes), chosen["failing"])
    for panel, x, true, bounds in ((axes[0], steps, failing, along), (axes[1], sizes, flat, chosen)):
        for name, (colour, line, marker) in STYLES.items():
            panel.plot(x, bounds[name], color=colour, linestyle=line, marker=marker, ms=3.5, label=name)
        panel.plot(x, np.maximum(true, 1e-4), color=COLOURS["measured"], linewidth=2.4, label="true fraction")
        panel.axhspan(1, 1e3, color=COLOURS["impossible"], alpha=0.3, lw=0)
        panel.set(xscale="log", yscale="log", ylim=(2e-3, 60))
        _plain_ticks(panel.xaxis)
    axes[0].set(title="along training", xlabel="step", ylabel="fraction of rows that fail")
    axes[1].set(title=f"after {chosen['step']} steps", xlabel="batch size $B$")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize="small")
    axes[1].text(sizes[-1], 30, "no information", ha="right", fontsize="small", color=COLOURS["neutral"])
    return figure


def _plain_ticks(axis: Any) -> None:
    """Ticks 1, 2, 5, 10, ... written out, for a short logarithmic axis."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def displaced(radius: Any, recalls: Any, margins: Sequence[float], worst: Sequence[float]) -> Figure:
    """Recall ``[K, S]`` of configurations of growing margin against the length of a random displacement."""
    figure, axes = new_figure(n_columns=2, height=3.0, sharey=True)
    colours, dashes = swept_colours(len(margins)), ("-", "--", "-.", ":")
    for k, margin in enumerate(margins):
        style = {"color": colours[k], "linestyle": dashes[k % 4]}
        axes[0].plot(radius, recalls[k], label=f"$m^* = {margin:.2f}$", **style)
        axes[1].plot(np.asarray(radius) / margin, recalls[k], **style)
        axes[1].plot(worst[k] / margin, 0.06 + 0.05 * k, "v", color=colours[k], ms=7)
    axes[1].axvspan(0, 1, color=COLOURS["ours"], alpha=0.15, lw=0)
    axes[1].text(0.5, 0.35, "certain", ha="center", rotation=90, color=COLOURS["ours"])
    axes[0].set(xlabel="length of the displacement", ylabel="recall at 1", ylim=(0, 1.03))
    axes[1].set(xlabel="length / $m^*$", xlim=(0, 8))
    axes[0].legend(fontsize="small")
    return figure


def approximate(margins: Sequence[Any], recalls: Sequence[Mapping[str, Any]], steps: Sequence[int]) -> Figure:
    """Recall of approximate searches against the margin: along a training run ``[T]``, and of finished runs ``[K]``."""
    figure, axes = new_figure(n_columns=2, height=3.2, sharey=True, gridspec_kw={"width_ratios": [1.3, 1]})
    for panel, reached, series in zip(axes, margins, recalls, strict=True):
        for name, values in series.items():
            colour, line, marker = METHOD_STYLES[name]
            panel.plot(reached, values, color=colour, linestyle=line, marker=marker, label=name)
        panel.set(xlabel="margin $m^*$", ylim=(-0.02, 1.12))
    axes[0].axvline(0, color=COLOURS["bound"], linewidth=0.8)
    for k, (margin, step) in enumerate(zip(margins[0], steps, strict=True)):
        place = {"ha": "center", "va": "bottom", "fontsize": 7, "color": COLOURS["neutral"]}
        place["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}
        axes[0].annotate(f"{step}", (margin, 1.035 + 0.045 * (k % 2)), **place)
    axes[0].set(ylabel="recall at 1", title="along training")
    axes[1].set(title="finished, different relative biases")
    axes[0].legend(fontsize="small", loc="center left")
    return figure


def regime(
    batch_sizes: Any, tolerated: Mapping[str, Any], *, n_pairs: float, marked: Mapping[str, float]
) -> Figure:
    """Largest expected batch loss that still certifies half of the rows, against batch size; ``marked`` batch sizes."""
    figure, axes = new_figure(height=3.2, width=6.2)
    for name, values in tolerated.items():
        colour, line, marker = STYLES[name]
        axes.plot(
            batch_sizes, values, color=colour, linestyle=line, marker=marker, markevery=12, ms=4, label=name
        )
    axes.set(xscale="log", yscale="log", xlabel="batch size $B$", ylabel="tolerated expected batch loss")
    axes.axhline(np.log(2), color=COLOURS["neutral"], linewidth=0.8)
    axes.text(
        batch_sizes[-1],
        0.55,
        "$\\log 2$: one undecided entry per batch",
        ha="right",
        va="top",
        fontsize="small",
    )
    for label, size in marked.items():
        axes.axvline(size, color=COLOURS["neutral"], linestyle=":", linewidth=1)
        place = {"transform": axes.get_xaxis_transform(), "va": "top", "fontsize": "small"}
        axes.text(size * 0.9, 0.97, label, rotation=90, ha="right", **place)
    power = f"10^{{{np.log10(n_pairs):g}}}"
    axes.set_title(f"certifying retrieval for half of $N = {power}$ pairs")
    axes.legend(fontsize="small", loc="lower right")
    return figure
