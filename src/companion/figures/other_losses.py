"""Pictures of chapter 14: thresholds per row, InfoNCE's band, nested solution sets, the fixed-temperature regimes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke

from companion.figures import definition, sphere_view, zero_loss
from companion.figures.style import COLOURS, MARKERS, new_figure, swept_colours

MATCHING, NON_MATCHING, OURS = COLOURS["matching"], COLOURS["non_matching"], COLOURS["ours"]
DASHES = ("-", "--", "-.", ":")


def thresholds(u: Any, v: Any, products: Any) -> Figure:
    """Points in the plane and their inner products ``[N, N]``, row by row and column by column on number lines."""
    figure, axes = new_figure(n_columns=3, height=2.9, gridspec_kw={"width_ratios": [1, 1.25, 1.25]})
    s = np.asarray(products)
    definition.plane(axes[0], np.asarray(u), np.asarray(v))
    _lines(axes[1], s, [f"$U_{i + 1}$" for i in range(len(s))], "row by row")
    _lines(axes[2], s.T, [f"$V_{i + 1}$" for i in range(len(s))], "column by column")
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, fontsize="small")
    return figure


def _lines(axes: Any, s: np.ndarray, names: Sequence[str], title: str) -> None:
    n = len(s)
    for i in range(n):
        rivals = np.delete(s[i], i)
        axes.barh(-i, s[i, i] - rivals.max(), left=rivals.max(), height=0.42, color=OURS, alpha=0.3,
                  label="room for a threshold" if i == 0 else None)  # fmt: skip
        axes.plot(rivals, np.full(n - 1, -i), MARKERS["non_matching"], color=NON_MATCHING, mew=2,
                  label="non-matching" if i == 0 else None)  # fmt: skip
        axes.plot(s[i, i], -i, MARKERS["matching"], color=MATCHING, label="matching" if i == 0 else None)
    axes.axvline(np.diag(s).min(), color=MATCHING, linewidth=1, linestyle="--")
    axes.axvline(s[~np.eye(n, dtype=bool)].max(), color=NON_MATCHING, linewidth=1, linestyle=":")
    axes.set(xlim=(-1.08, 1.08), ylim=(-n + 0.4, 0.6), xlabel="inner product", title=title)
    axes.set_yticks(-np.arange(n), names)


def info_nce_band(
    t: Any, measured: Any, lower: Any, upper: Any, sigmoid: Any, names: Sequence[str], gaps: Sequence[float]
) -> Figure:
    """InfoNCE ``[K, T]`` inside its band, and the sigmoid loss at its best bias for comparison; one panel per row."""
    figure, axes = new_figure(n_columns=len(names), height=3.0)
    axes = np.atleast_1d(axes)
    for k, panel in enumerate(axes):
        panel.fill_between(
            t, lower[k], upper[k], facecolor="none", edgecolor=OURS, alpha=0.6, lw=0, hatch="///"
        )
        panel.plot(t, lower[k], color=OURS, linewidth=1.2, label="bounds")
        panel.plot(t, upper[k], color=OURS, linewidth=1.2)
        panel.plot(t, measured[k], lw=0, marker="o", markevery=3, ms=3.5, color=COLOURS["u"], label="InfoNCE")
        panel.plot(t, sigmoid[k], color=COLOURS["v"], linestyle="--", label="sigmoid, best $b$")
        panel.set(xscale="log", yscale="log", xlabel="inverse temperature $t$")
        panel.set_ylim(max(panel.get_ylim()[0], 1e-30), None)
        panel.set_title(f"{names[k]}\n$g = {gaps[k]:+.3f}$")
    axes[0].set_ylabel("summed loss")
    axes[0].legend(fontsize="small", loc="lower left")
    return figure


def nested(closeness: Any, fractions: Mapping[str, Any]) -> Figure:
    """How often random configurations belong to each solution set (``[S]`` each), against how close the pairs are."""
    figure, axes = new_figure(height=2.9, width=5.8)
    colours = (COLOURS["u"], COLOURS["v"], OURS)
    for (name, values), colour, dash in zip(fractions.items(), colours, DASHES, strict=False):
        axes.plot(closeness, values, color=colour, linestyle=dash, label=name)
    axes.set(xlabel="how close $V_i$ is to $U_i$", ylabel="fraction of configurations", ylim=(-0.02, 1.02))
    axes.legend(fontsize="small", loc="upper left")
    return figure


def queries(rows: Mapping[str, Any]) -> Figure:
    """Per loss, the matching product and best rival of every query (``[N, 2]``), queries sorted by the former."""
    figure, axes = new_figure(n_columns=len(rows), height=3.0, sharey=True)
    for panel, (name, values) in zip(axes, rows.items(), strict=True):
        values = np.asarray(values)[np.argsort(np.asarray(values)[:, 0])]
        order = np.arange(len(values))
        panel.vlines(order, values[:, 1], values[:, 0], color=OURS, alpha=0.35, linewidth=1.5)
        panel.plot(order, values[:, 0], "o", ms=2.5, color=MATCHING, label="$s_{ii}$")
        panel.plot(order, values[:, 1], "x", ms=3, mew=1, color=NON_MATCHING, label="best rival")
        low, high = values[:, 1].max(), values[:, 0].min()
        if high > low:
            panel.axhspan(low, high, color=COLOURS["impossible"], alpha=0.55, lw=0)
        panel.set(title=name, xlabel="query, sorted", xticks=[])
    axes[0].set_ylabel("inner product")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, fontsize="small", markerscale=1.6)
    return figure


def compared(steps: Any, row_gaps: Mapping[str, Any], margins: Mapping[str, Any]) -> Figure:
    """Row gap and margin over training, mean over seeds; values are ``[S, R]`` per loss."""
    figure, axes = new_figure(n_columns=2, height=3.0, sharey=True)
    colours = (COLOURS["u"], OURS, COLOURS["v"], COLOURS["bias"])
    first, last = np.asarray(steps)[[1, -1]]
    for panel, tracks, half in ((axes[0], row_gaps, 0.5), (axes[1], margins, 1.0)):
        for (name, values), colour, dash in zip(tracks.items(), colours, DASHES, strict=False):
            panel.plot(steps, half * np.asarray(values).mean(1), color=colour, linestyle=dash, label=name)
        panel.axhline(0, color=COLOURS["bound"], linewidth=0.8)
        panel.set(xlabel="step", xscale="log", xlim=(first, last))
    axes[0].set(title="half the row gap, $g/2$", ylim=(-0.4, None))
    axes[1].set(title="margin $m^*$")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize="small")
    return figure


def regimes(t: Any, b: Any, x: Any, boundaries: Mapping[str, Any], runs: Any) -> Figure:
    """The minimiser ``x*`` ``[B, T]`` at fixed ``t`` ``[T]`` and ``b`` ``[B]``; ``runs`` ``[R, 3]``: trained (t, b, x)."""
    figure, axes = new_figure(height=3.7, width=6.2)
    image = axes.pcolormesh(t, b, x, cmap="viridis", vmin=0, vmax=1, shading="gouraud", rasterized=True)
    outline = [Stroke(linewidth=2.8, foreground="black"), Normal()]  # white alone is lost on yellow
    for (name, values), dash in zip(boundaries.items(), ("--", "-."), strict=True):
        axes.plot(t, values, color="white", ls=dash, lw=1.6, label=name, path_effects=outline)
    trained = np.asarray(runs)
    axes.scatter(
        *trained[:, :2].T, c=trained[:, 2], cmap="viridis", vmin=0, vmax=1, s=64, edgecolors="white", zorder=3
    )
    axes.set(xlabel="inverse temperature $t$", ylabel="bias $b$", ylim=(b[0], b[-1]), xlim=(t[0], t[-1]))
    style = {"color": "white", "fontsize": "small", "transform": axes.transAxes}
    axes.text(0.03, 0.05, "antipodal: $x^* = 0$", **style)
    axes.text(0.03, 0.92, "aligned: $x^* = 1$", **{**style, "color": "black"})
    axes.grid(False)
    figure.colorbar(image, ax=axes, label="$x^*$")
    return figure


def attained(dims: Any, excess: Mapping[str, Any]) -> Figure:
    """Loss reached by training above its floor, relative, against dimension ``[D]``; one curve per regime."""
    figure, axes = new_figure(height=2.8, width=5.6)
    styles = zip(excess.items(), swept_colours(len(excess)), DASHES, ("o", "s", "^"), strict=False)
    for (name, values), colour, dash, marker in styles:
        shown = np.maximum(values, 1e-12)
        axes.plot(dims, shown, color=colour, linestyle=dash, marker=marker, label=name)
    axes.set(yscale="log", xlabel="dimension $d$", ylabel="$L$ / floor $- 1$", ylim=(3e-13, None))
    axes.set_xticks(list(dims))
    axes.legend(fontsize="small")
    return figure


def meeting(relative_biases: Any, margins: Mapping[float, Any], boundary: Any) -> Figure:
    """Margin at the frozen relative bias of the fixed-temperature minimiser, per ``t``, below Theorem 3.4's boundary."""
    figure, axes = new_figure(height=3.2, width=5.8)
    axes.fill_between(relative_biases, boundary, 1, color=COLOURS["impossible"], alpha=0.5, lw=0)
    axes.plot(relative_biases, boundary, color=COLOURS["bound"], linewidth=1.4, label="Theorem 3.4")
    for (t, values), colour, dash in zip(margins.items(), swept_colours(len(margins)), DASHES, strict=False):
        axes.plot(relative_biases, values, color=colour, linestyle=dash, label=f"$t = {t:g}$")
    axes.axhline(0, color=COLOURS["neutral"], linewidth=0.8)
    axes.set(xlabel="frozen relative bias $b_{rel}$", ylabel="margin at $b_{rel}$")
    axes.set(xlim=(relative_biases[0], relative_biases[-1]), ylim=(-0.7, 0.75))
    axes.text(-0.95, 0.62, "impossible", fontsize="small", color=COLOURS["neutral"])
    axes.legend(fontsize="small", loc="lower right")
    return figure


def gallery(panels: Mapping[str, tuple[Any, Any]], *, n_columns: int = 3) -> Figure:
    """Configurations in three dimensions, ``(u, v)`` each ``[N, 3]``, one sphere per loss."""
    n_rows = -(-len(panels) // n_columns)
    figure, axes = new_figure(n_rows=n_rows, n_columns=n_columns, height=2.75 * n_rows)
    for panel in axes.ravel():
        panel.set_axis_off()
    for panel, (title, (u, v)) in zip(axes.ravel(), panels.items(), strict=False):
        sphere_view.draw(panel, zero_loss.pair_groups(u, v), rotation=sphere_view.camera())
        panel.set_title(title, fontsize="small", linespacing=1.3)
    handles, labels = axes.ravel()[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, fontsize="small")
    return figure
