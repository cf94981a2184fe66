"""Figures of the large-temperature chapter: where gradients vanish, and what training reaches at a fixed temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from companion.figures import style
from companion.figures.runs import on_log_axis
from constellations.checks import spread

SMALLEST = 1e-14


def gradient_curves(logits: Any, gradients: Mapping[str, Mapping[str, Any]], *, dead_from: float) -> Figure:
    """Size of the loss's derivative over the violation of one pair, for matching and non-matching pairs.

    ``gradients[panel][name]`` holds the derivative over ``logits``: the violation is ``-z`` for a matching pair and
    ``z`` for a non-matching one. Zeros are drawn on the floor of the axis; ``dead_from`` marks where they begin.
    """
    figure, axes = style.new_figure(n_columns=len(gradients), height=3.6, sharey=True)
    looks = (("exact", "-"), ("published", "--"), ("neutral", ":"))
    for panel, (title, curves) in zip(np.ravel(axes), gradients.items(), strict=True):
        for (colour, line), (name, values) in zip(looks, curves.items(), strict=False):
            panel.semilogy(
                logits, np.maximum(np.abs(values), SMALLEST),
                color=style.COLOURS[colour], linestyle=line, label=name,
            )  # fmt: skip
        panel.axvline(dead_from, color=style.COLOURS["neutral"], linewidth=0.9)
        panel.set(title=title, xlabel="violation of the pair (its logit)")
    first = np.ravel(axes)[0]
    first.set(ylabel="size of d loss / d logit", ylim=(SMALLEST, 5))
    figure.legend(*first.get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8)
    return figure


def silent_pairs(temperatures: Any, fractions: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Share of pairs beyond the clamp at the random start, over ``t``: one panel per kind, one curve per ``b_rel``."""
    figure, axes = style.new_figure(n_columns=len(fractions), height=3.3, sharey=True, squeeze=False)
    markers = "osD^v"
    for panel, (title, curves) in zip(axes[0], fractions.items(), strict=True):
        colours = style.swept_colours(len(curves))
        for index, (colour, (name, values)) in enumerate(zip(colours, curves.items(), strict=True)):
            panel.plot(
                temperatures, values, color=colour, marker=markers[index % 5], label=name, markersize=4
            )
        panel.set(xscale="log", title=title, xlabel="inverse temperature $t$", ylim=(-0.04, 1.04))
        panel.set_xticks(list(temperatures), [f"{t:g}" for t in temperatures])
        panel.tick_params(axis="x", labelsize=8)
        panel.minorticks_off()
    axes[0, 0].set_ylabel("share of silent pairs")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside right center", fontsize=8, title="$b_{rel}$", title_fontsize=8.5
    )
    return figure


def annotated_grids(
    rows: Sequence[float],
    columns: Sequence[float],
    grids: Mapping[str, Any],
    *,
    spreads: Mapping[str, Any] | None = None,
    row_label: str,
    column_label: str,
    value_label: str,
    limit: float,
    vertical: bool = False,
) -> Figure:
    """Heat maps of one quantity over a grid, side by side (or stacked) on one diverging scale centred at 0.

    Every cell carries its mean and, in small type, its spread over seeds.
    """
    n = len(grids)
    cell = 0.62 if spreads is not None else 0.45
    height = (cell * len(rows) + 1.0) * (n if vertical else 1)
    shape = {"n_rows": n} if vertical else {"n_columns": n}
    figure, axes = style.new_figure(**shape, height=height, sharey=not vertical, squeeze=False)
    image: Any = None
    for panel, (title, grid) in zip(np.ravel(axes), grids.items(), strict=True):
        values = np.asarray(grid, dtype=float)
        image = panel.imshow(values, cmap=style.DIVERGING, vmin=-limit, vmax=limit, aspect="auto")
        _annotate(panel, values, None if spreads is None else np.asarray(spreads[title]), limit)
        panel.set_xticks(range(len(columns)), [f"{c:g}" for c in columns])
        panel.set_yticks(range(len(rows)), [f"{r:g}" for r in rows])
        panel.grid(False)
        panel.set(title=title, xlabel="" if vertical and panel is not np.ravel(axes)[-1] else column_label)
    for panel in np.asarray(axes)[:, 0]:
        panel.set(ylabel=row_label)
    figure.colorbar(image, ax=list(np.ravel(axes)), label=value_label, shrink=0.9)
    return figure


def _annotate(panel: Any, values: np.ndarray, spread: np.ndarray | None, limit: float) -> None:
    for (i, j), value in np.ndenumerate(values):
        colour = "white" if abs(value) > 0.55 * limit else "black"
        raised = 0.0 if spread is None else 0.14
        panel.text(
            j,
            i - raised,
            f"{value:.3f}".replace("-0.000", "0.000"),
            ha="center",
            va="center",
            fontsize=8,
            color=colour,
        )
        if spread is not None:
            text = f"±{spread[i, j]:.3f}"
            panel.text(j, i + 0.24, text, ha="center", va="center", fontsize=7, color=colour)


def trajectories(
    steps: Any, runs: Mapping[str, Mapping[str, Any]], *, ylabel: str, log: bool = False
) -> Figure:
    """One panel per setting, one band per loss variant, of a recorded quantity ([R, T]) over steps."""
    figure, axes = style.new_figure(n_columns=len(runs), height=3.2, sharey=True, squeeze=False)
    for panel, (title, variants) in zip(np.ravel(axes), runs.items(), strict=True):
        for name, values in variants.items():
            style.band(
                panel,
                on_log_axis(steps),
                values,
                colour=style.COLOURS[name],
                linestyle=style.LINES[name],
                label={"published": "clamped loss"}.get(name, f"{name} loss"),
                log=log,
            )
        panel.set(title=title, xlabel="step", xscale="log", yscale="log" if log else "linear")
        if not log:
            panel.axhline(0.0, color=style.COLOURS["neutral"], linewidth=0.8)
    axes[0, 0].set(ylabel=ylabel)
    axes[0, 0].legend(fontsize=8)
    return figure


def fixed_and_trained(relative_biases: Sequence[float], groups: Mapping[str, Any], *, ylabel: str) -> Figure:
    """Margins ([B, R] per group) over the frozen ``b_rel``: one marker and line per group, bars of one deviation."""
    figure, axes = style.new_figure(height=3.7)
    looks = [
        ("exact", "s", "--", 6),
        ("published", "^", "--", 6),
        ("exact", "o", "-", 8),
        ("published", "D", ":", 4),
    ]
    for (name, values), (colour, marker, line, size) in zip(groups.items(), looks, strict=False):
        sample = np.asarray(values, dtype=float)
        axes.errorbar(
            relative_biases, sample.mean(axis=1), spread(sample), color=style.COLOURS[colour], marker=marker,
            linestyle=line, markersize=size, capsize=3, label=name,
        )  # fmt: skip
    axes.axhline(0.0, color=style.COLOURS["neutral"], linewidth=0.8)
    axes.set(xlabel="frozen relative bias $b_{rel}$", ylabel=ylabel)
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure
