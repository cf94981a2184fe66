"""Pictures of chapter 01: the loss, the definition, Theorems 3.1 and 3.2, the certificate, the triplet loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from companion.figures import sphere_view
from companion.figures.style import COLOURS, LINES, MARKERS, band, new_figure, swept_colours

BOUND, OURS = COLOURS["bound"], COLOURS["ours"]


def pair_losses(
    s: Any, matching: Any, non_matching: Any, inverse_temperatures: Sequence[float], relative_bias: float
) -> Figure:
    """Loss of one pair against its inner product ``s`` ([S]); ``matching``, ``non_matching`` are ``[T, S]``."""
    figure, axes = new_figure(n_columns=2, height=2.9, sharey=True)
    colours = swept_colours(len(inverse_temperatures))
    titles = ("matching pair: $\\ell(-t(s - b_{rel}))$", "non-matching pair: $\\ell(t(s - b_{rel}))$")
    for panel, curves, title in zip(axes, (matching, non_matching), titles, strict=True):
        for t, curve, colour, dash in zip(inverse_temperatures, curves, colours, _DASHES, strict=False):
            panel.plot(s, curve, color=colour, linestyle=dash, label=f"t = {t:g}")
        panel.axvline(relative_bias, color=COLOURS["relative_bias"], linewidth=1)
        panel.set(title=title, xlabel="inner product $s$", ylim=(-0.2, 8), xlim=(-1, 1))
    axes[0].text(relative_bias + 0.03, 7.3, "$b_{rel}$", color=COLOURS["relative_bias"])
    axes[0].set_ylabel("loss of the pair")
    axes[1].legend(loc="upper left", fontsize="small")
    return figure


_DASHES = ("-", "--", "-.", ":")


def watched_training(
    steps: Any, loss: Any, relative_bias: Any, optimal_relative_bias: Any, margin: Any, labels: Sequence[str]
) -> Figure:
    """Theorem 3.1: loss, ``b/t`` and margin over training. Values are lists (one entry per setting) of ``[R, T]``."""
    figure, axes = new_figure(n_columns=3, height=2.9)
    settings = list(zip(labels, (COLOURS["u"], COLOURS["v"]), ("-", "--"), strict=False))
    for k, (label, colour, dash) in enumerate(settings):
        band(axes[0], steps, loss[k], colour=colour, linestyle=dash, label=label, log=True)
        for run in np.asarray(relative_bias[k]):
            axes[1].plot(steps, run, color=colour, linestyle=dash, linewidth=0.8, alpha=0.8)
        for run in np.asarray(optimal_relative_bias[k]):
            axes[1].plot(steps, run, color=colour, linestyle=":", linewidth=0.8, alpha=0.5)
        band(axes[2], steps, margin[k], colour=colour, linestyle=dash, label=label)
    axes[0].set(yscale="log", xscale="log", title="loss (sum)", xlabel="step")
    axes[0].axhline(2 * np.log(2), color=BOUND, linestyle=LINES["bound"], linewidth=1)
    axes[0].text(steps[0], 2 * np.log(2) * 0.6, "$2 \\log 2$", va="top", fontsize="small")
    axes[0].legend(fontsize="small", loc="lower left")
    axes[1].plot([], [], color=COLOURS["neutral"], label="$b/t$")
    axes[1].plot([], [], color=COLOURS["neutral"], linestyle=":", label="$b^*_{rel}$")
    axes[1].set(xscale="log", title="relative bias, every run", xlabel="step")
    axes[2].set(xscale="log", title="margin $m^*$", xlabel="step")
    axes[2].axhline(0, color=BOUND, linewidth=0.8)
    axes[1].legend(fontsize="small")
    return figure


def sandwich(
    t: Any, measured: Any, lower: Any, upper: Any, margins: Sequence[float], names: Sequence[str]
) -> Figure:
    """The band of our bounds around the measured ``inf_b L``; rows ``[4, T]`` are configurations, one panel each."""
    figure, axes = new_figure(n_rows=2, n_columns=2, height=5.2, sharex=True)
    rows = zip(axes.ravel(), measured, lower, upper, margins, names, strict=True)
    for panel, values, low, high, margin, name in rows:
        panel.fill_between(t, low, high, facecolor="none", edgecolor=OURS, alpha=0.6, lw=0, hatch="///")
        panel.plot(t, low, color=OURS, linewidth=1.2, label="bounds")
        panel.plot(t, high, color=OURS, linewidth=1.2)
        panel.plot(
            t, values, color=COLOURS["measured"], lw=0, marker="o", markevery=3, ms=3.5, label="$\\inf_b L$"
        )
        if margin > 0:
            panel.plot(t, np.exp(-np.asarray(t) * margin), color=BOUND, linestyle=":", label="$e^{-t m^*}$")
        panel.set(yscale="log", xscale="log", title=f"{name}: $m^* = {margin:+.3f}$")
    for panel in axes[1]:
        panel.set_xlabel("inverse temperature $t$")
    fullest = max(
        (panel.get_legend_handles_labels() for panel in axes.ravel()), key=lambda pair: len(pair[1])
    )
    figure.legend(*fullest, loc="outside upper center", ncols=3, fontsize="small")
    for panel in axes[:, 0]:
        panel.set_ylabel("summed loss")
    return figure


def rates(
    t: Any,
    loss_rate: Any,
    best_bias: Any,
    margins: Sequence[float],
    relative_biases: Sequence[float],
    budget: float,
    names: Sequence[str],
) -> Figure:
    """Theorem 3.2: ``-log(inf_b L)/t`` tends to ``m*`` and ``argmin_b / t`` to ``b*_rel``; values ``[K, T]``.

    The wedges have width ``budget / t``.
    """
    figure, axes = new_figure(n_columns=2, height=3.0)
    panels = ((axes[0], loss_rate, margins, "m^*"), (axes[1], best_bias, relative_biases, "b^*_{rel}"))
    for panel, values, limits, symbol in panels:
        colours = (COLOURS["u"], COLOURS["v"])
        for k, (row, limit, name) in enumerate(zip(values, limits, names, strict=True)):
            label = f"{name}: ${symbol} = {limit:.3f}$"
            panel.plot(t, row, color=colours[k % 2], linestyle=_DASHES[k % 4], label=label)
            panel.axhline(limit, color=colours[k % 2], linewidth=0.8, alpha=0.7)
            if panel is axes[0]:
                panel.fill_between(
                    t, limit - budget / np.asarray(t), limit, color=colours[k % 2], alpha=0.12, lw=0
                )
        panel.set(xscale="log", xlabel="inverse temperature $t$")
    axes[0].legend(fontsize="small", loc="lower right")
    axes[1].legend(fontsize="small", loc="upper right")
    axes[0].set(title="$-\\log(\\inf_b L)\\,/\\,t$", ylim=(-1.2 * max(margins), 1.2 * max(margins)))
    axes[1].set(title="minimising $b$, divided by $t$")
    return figure


def certificate(steps: Any, loss: Any, certified: Any, margin: Any) -> Figure:
    """A training log (``loss`` [T]), the half gap it proves and the true one."""
    certified, margin = np.asarray(certified), np.asarray(margin)
    figure, axes = new_figure(n_columns=2, height=2.8)
    axes[0].plot(steps, loss, color=COLOURS["measured"])
    axes[0].axhline(2 * np.log(2), color=BOUND, linestyle=LINES["bound"], linewidth=1)
    axes[0].text(steps[0], 2 * np.log(2) * 1.3, "$2 \\log 2$", va="bottom", fontsize="small")
    axes[0].set(xscale="log", yscale="log", xlabel="step", title="what is logged: the summed loss")
    axes[1].plot(steps, margin, color=COLOURS["measured"], label="true $m^*$")
    axes[1].plot(steps, certified, color=OURS, linestyle="--", label="proved by the log")
    axes[1].fill_between(steps, certified, margin, color=OURS, alpha=0.12, lw=0)
    axes[1].axhline(0, color=BOUND, linewidth=0.8)
    axes[1].set(xscale="log", xlabel="step", title="what it proves: a margin")
    axes[1].set_ylim(max(-1.0, certified.min()), 1.15 * margin.max() + 0.02)
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize="small")
    return figure


def triplet(a: Any, losses: Any, *, four_margins: float, threshold: float) -> Figure:
    """Triplet loss of a constellation against its margin parameter, with the paper's and the exact threshold."""
    figure, axes = new_figure(height=2.7, width=5.6)
    axes.plot(a, losses, color=COLOURS["measured"])
    axes.axvline(four_margins, color=BOUND, linestyle="--", label=f"$4 m^* = {four_margins:.3f}$")
    axes.axvline(threshold, color=OURS, linestyle="-.", label=f"exact threshold = {threshold:.3f}")
    axes.axvspan(0, threshold, color=OURS, alpha=0.12, lw=0)
    axes.set(xlabel="margin parameter $a$", ylabel="triplet loss (sum)", xlim=(0, float(np.max(a))))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.legend(fontsize="small", loc="upper left")
    return figure


def pair_groups(u: Any, v: Any) -> list[sphere_view.PointGroup]:
    """The two modalities of a configuration in three dimensions, as groups for a sphere view."""
    return [
        sphere_view.PointGroup(u, "U", COLOURS["u"], "o"),
        sphere_view.PointGroup(v, "V", COLOURS["v"], "^"),
    ]


def sphere_constellation(u: Any, v: Any, matching: Any, non_matching: Any) -> Figure:
    """Figure 5: the points on the sphere, the histogram of their inner products, and its gap magnified."""
    figure, axes = new_figure(
        n_rows=2, n_columns=2, height=3.8, gridspec_kw={"width_ratios": [1.1, 1], "height_ratios": [2.6, 1]}
    )
    grid = axes[0, 0].get_gridspec()
    for unused in axes[:, 0]:
        unused.remove()
    sphere = figure.add_subplot(grid[:, 0])
    sphere_view.draw(sphere, pair_groups(u, v), rotation=sphere_view.camera())
    sphere.legend(loc="upper left", fontsize="small")
    histogram(axes[0, 1], matching, non_matching)
    axes[0, 1].set_xlabel("")
    _magnified(axes[1, 1], np.asarray(matching), np.asarray(non_matching))
    return figure


def _magnified(axes: Any, matching: np.ndarray, non_matching: np.ndarray) -> None:
    """The inner products around the gap, one mark each."""
    low, high = float(non_matching.max()), float(matching.min())
    reach = max(2 * abs(high - low), 0.02)
    axes.axvspan(low, max(low, high), color=COLOURS["impossible"], alpha=0.4, lw=0)
    for values, key, height in ((non_matching, "non_matching", -0.4), (matching, "matching", 0.4)):
        axes.plot(values, np.full(values.shape, height), MARKERS[key], color=COLOURS[key], ms=4)
    axes.set(xlim=(min(low, high) - reach, max(low, high) + reach), ylim=(-1, 1), yticks=[])
    axes.set(xlabel="inner product", title="around the gap, magnified")
    axes.xaxis.set_major_locator(MaxNLocator(5))


def histogram(axes: Any, matching: Any, non_matching: Any, *, bins: int = 60) -> None:
    """Densities of matching and non-matching inner products, with the gap between them shaded."""
    matching, non_matching = np.asarray(matching).ravel(), np.asarray(non_matching).ravel()
    edges = np.linspace(-1, 1, bins + 1)
    for values, key, hatch in ((non_matching, "non_matching", "//"), (matching, "matching", None)):
        axes.hist(
            values, bins=edges, density=True, color=COLOURS[key], hatch=hatch, edgecolor="white",
            linewidth=0.3, label=key.replace("_", "-"),
        )  # fmt: skip
    low, high = float(np.max(non_matching)), float(np.min(matching))
    if high > low:
        axes.axvspan(low, high, color=COLOURS["impossible"], alpha=0.4, lw=0, label="gap $2m^*$")
    axes.set(xlabel="inner product", ylabel="density", xlim=(-1, 1))
    axes.legend(fontsize="small")
