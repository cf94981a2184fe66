"""Figures of the bias and the relative-bias parameterisation side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from companion.figures import style
from companion.figures.region import draw_region
from constellations.checks import spread

COLOURS: Mapping[str, str] = {
    "bias": style.COLOURS["bias"],
    "relative bias": style.COLOURS["relative_bias"],
}
LINES: Mapping[str, str] = {"bias": "--", "relative bias": "-"}
MARKERS: Mapping[str, str] = {"bias": "s", "relative bias": "o"}


def final_values(starts: Sequence[float], values: Mapping[str, Any], *, ylabel: str) -> Figure:
    """One dot per run, with mean and standard deviation, for each initial bias and parameterisation.

    ``values[name]`` is ``[C, R]`` over the initial biases ``starts`` ``[C]`` and runs.
    """
    figure, axes = style.new_figure(height=3.4)
    _dots(axes, starts, values)
    axes.set(xlabel="initial bias $b_0$", ylabel=ylabel)
    axes.legend(fontsize=8.5)
    return figure


def _dots(axes: Any, starts: Sequence[float], values: Mapping[str, Any]) -> None:
    for side, (name, runs) in zip((-0.16, 0.16), values.items(), strict=True):
        x = np.arange(len(starts)) + side
        runs = np.asarray(runs, dtype=float)
        axes.plot(
            np.repeat(x, runs.shape[1]), runs.ravel(), ".", color=COLOURS[name], alpha=0.35, markersize=5
        )
        axes.errorbar(
            x + 0.07 * np.sign(side), runs.mean(1), spread(runs), fmt=MARKERS[name], color=COLOURS[name], capsize=3,
            label=name, markersize=5,
        )  # fmt: skip
    axes.set_xticks(range(len(starts)), [f"{b:g}" for b in starts])
    axes.axhline(0, color=style.COLOURS["neutral"], linewidth=0.7, zorder=0)


def early_movement(steps: Any, relative_bias: Mapping[str, Any], starts: Sequence[float]) -> Figure:
    """The first steps of ``b_rel`` under both parameterisations, ``relative_bias[name]`` ``[C, R, S]``."""
    figure, axes = style.new_figure(n_columns=2, height=3.3, sharey=True)
    for panel, (name, values) in zip(axes, relative_bias.items(), strict=True):
        for colour, runs, start in zip(style.swept_colours(len(starts)), values, starts, strict=True):
            style.band(panel, steps, runs, colour=colour, label=f"{start:g}", linestyle=LINES[name])
        panel.axhline(0, color=style.COLOURS["neutral"], linewidth=0.7, zorder=0)
        panel.set(title=f"{name} trained", xlabel="training step")
    axes[0].set_ylabel("relative bias $b/t$")
    figure.legend(
        *axes[1].get_legend_handles_labels(),
        loc="outside right center",
        title="$b_0$",
        fontsize=8,
        reverse=True,
    )
    return figure


def contributions(starts: Sequence[float], parts: Mapping[str, Any]) -> Figure:
    """How ``b_rel`` got from its start to its end: bars of the means of ``parts[name]`` ``[C, R]`` with their spread."""
    figure, axes = style.new_figure(height=3.4)
    looks = [("#999999", ""), (style.COLOURS["bias"], "//"), ("#E69F00", ".."), ("#000000", "")]
    width = 0.8 / len(parts)
    for index, ((name, values), (colour, hatch)) in enumerate(zip(parts.items(), looks, strict=True)):
        runs = np.asarray(values, dtype=float)
        x = np.arange(len(starts)) + (index - (len(parts) - 1) / 2) * width
        axes.bar(
            x, runs.mean(1), width, yerr=spread(runs), label=name, facecolor=colour, hatch=hatch,
            edgecolor="white", error_kw={"elinewidth": 1, "capsize": 2},
        )  # fmt: skip
    axes.axhline(0, color=style.COLOURS["neutral"], linewidth=0.7)
    axes.set_xticks(range(len(starts)), [f"{b:g}" for b in starts])
    axes.set(xlabel="initial bias $b_0$", ylabel="relative bias $b_{rel}$")
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure


def where_they_end(
    relative_bias: Mapping[str, Any],
    margin: Mapping[str, Any],
    starts: Sequence[float],
    frozen: Any | None = None,
) -> Figure:
    """Final ``(b_rel, m*)`` of every run in the region of Figure 2; ``frozen`` ``[2, M]`` draws a curve for comparison."""
    figure, axes = style.new_figure(height=4.0)
    draw_region(axes, legend=False)
    if frozen is not None:
        axes.plot(*frozen, ":", color="black", linewidth=1.4, label="$b_{rel}$ frozen (Figure 9, published)")
    for name, values in relative_bias.items():
        colours = style.swept_colours(len(starts))
        for index, (colour, start) in enumerate(zip(colours, starts, strict=True)):
            axes.scatter(
                np.asarray(values)[index], np.asarray(margin[name])[index], color=colour, marker=MARKERS[name],
                s=18, edgecolor="black", linewidth=0.4, label=f"{name}, $b_0$ = {start:g}", zorder=3,
            )  # fmt: skip
    axes.set(ylabel="margin $m^*$", xlabel="achieved relative bias $b^*_{rel}$")
    figure.legend(loc="outside right center", fontsize=8)
    return figure
