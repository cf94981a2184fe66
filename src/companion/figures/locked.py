"""Figures of the locked-encoder chapter: the implicit adapter as a diagram, and what a locked side allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from companion.figures import style
from companion.figures.runs import as_label
from constellations.checks import spread


def _box(axes: Any, centre: tuple[float, float], text: str, *, colour: str, hatch: str = "") -> None:
    x, y = centre
    width, height = 2.05, 0.86
    patch = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0.02,rounding_size=0.12",
        facecolor="white",
        edgecolor=colour,
        linewidth=1.6,
        hatch=hatch,
    )
    axes.add_patch(patch)
    backing = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    axes.text(x, y, text, ha="center", va="center", fontsize=8.5, bbox=backing if hatch else None)


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=11, color=style.COLOURS["neutral"], linewidth=1.2
        )
    )


def adapter_diagram() -> Figure:
    """Two drawings of one loss: an explicit adapter, and the same adapter inside ``t`` and ``b_rel`` (Figure 4)."""
    figure, axes = style.new_figure(n_rows=2, height=4.9)
    for panel, title in zip(
        axes, ("explicit adapter: one more coordinate on each side", "implicit adapter: two scalars of the loss"),
        strict=True,
    ):  # fmt: skip
        panel.set(xlim=(-0.1, 10.4), ylim=(-0.1, 2.6))
        panel.set_axis_off()
        panel.set_title(title, loc="left", fontsize="small")
        for y, side, colour, name, hatch in (
            (2.0, "locked", "u", "U_i", "////"),
            (0.5, "trained", "v", "V_j", ""),
        ):
            _box(panel, (1.05, y), f"{side} encoder", colour=style.COLOURS[colour], hatch=hatch)
            panel.text(2.58, y + 0.19, f"${name}$", ha="center", fontsize=9)
    for y, sign, colour in ((2.0, "", "u"), (0.5, "-", "v")):
        text = rf"$(\delta\,x,\ {sign}\sqrt{{1-\delta^2}})$"
        _box(axes[0], (4.1, y), text, colour=style.COLOURS[colour])
        _arrow(axes[0], (2.12, y), (3.05, y))
        _arrow(axes[0], (5.17, y), (6.6, 1.25 + 0.28 * np.sign(y - 1.25)))
        _arrow(axes[1], (2.12, y), (6.6, 1.25 + 0.28 * np.sign(y - 1.25)))
    for panel, logit in (
        (axes[0], r"$t\,(s'_{ij}-b_{rel})$"),
        (axes[1], r"$t'\,(s_{ij}-b'_{rel})$"),
    ):
        _box(panel, (7.65, 1.25), logit, colour=style.COLOURS["relative_bias"])
        _arrow(panel, (8.72, 1.25), (9.45, 1.25))
        panel.text(9.9, 1.25, "loss", ha="center", va="center", fontsize=9)
    axes[0].text(7.65, 0.45, r"$s'_{ij}=\delta^2 s_{ij}-(1-\delta^2)$", ha="center", fontsize=9)
    axes[1].text(
        7.65, 0.42, r"$t'=t\,\delta^2,\quad b'_{rel}=(b_{rel}+1-\delta^2)/\delta^2$", ha="center", fontsize=9
    )
    return figure


def allowed_margins(
    relative_biases: Any,
    bounds: Any,
    points: Mapping[str, tuple[Any, Any]],
    *,
    colours: Mapping[str, str],
    markers: Mapping[str, str],
) -> Figure:
    """Margins a locked side allows over ``b_rel`` ([R, B] over [B]) and trained ones, as shares of its hull bound.

    ``points`` maps settings to arrays of relative bias and share: 1 is half the distance of a locked point to the hull.
    """
    figure, axes = style.new_figure(height=4.1)
    b, bounds = np.asarray(relative_biases), np.asarray(bounds)
    style.band(axes, b, bounds, colour=style.COLOURS["bound"], label="largest share any $v$ can reach")
    axes.axhline(1.0, color=style.COLOURS["neutral"], linestyle=":", label="the hull bound")
    axes.axhline(0.0, color=style.COLOURS["neutral"], linewidth=0.8)
    for name, (relative_bias, margin) in points.items():
        axes.plot(
            relative_bias, margin, linestyle="", marker=markers[name], color=colours[name], label=as_label(name),
            markersize=6, markeredgecolor="white", markeredgewidth=0.5,
        )  # fmt: skip
    b_every, every = (np.concatenate([np.ravel(pair[k]) for pair in points.values()]) for k in (0, 1))
    axes.set(
        xlabel="achieved relative bias $b^*_{rel}$",
        ylabel="share of the hull bound",
        xlim=(min(-0.1, float(b_every.min()) - 0.05), 1.0),
        ylim=(min(-0.2, float(every.min()) - 0.1), 1.12),
    )
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure


def frozen_sweep(
    relative_biases: Sequence[float],
    grid: Any,
    bounds: Any,
    groups: Mapping[str, Any],
    *,
    reached: float | None,
) -> Figure:
    """Margins at frozen relative biases (``[B, R]`` per loss variant), under the largest margin the locked side allows.

    ``bounds`` is ``[R, G]`` over ``grid`` ``[G]``; ``reached`` is a level for comparison, the margin of a trained loss.
    """
    figure, axes = style.new_figure(height=3.7)
    style.band(
        axes, grid, bounds, colour=style.COLOURS["bound"], label="largest margin the locked side allows"
    )
    if reached is not None:
        axes.axhline(
            reached,
            color=style.COLOURS["relative_bias"],
            linestyle=":",
            label="reached with $t$, $b_{rel}$ trained",
        )
    names = {"exact": "exact loss", "published": "clamped loss"}
    for name, values in groups.items():
        sample = np.asarray(values, dtype=float)
        axes.errorbar(
            relative_biases, sample.mean(axis=1), spread(sample), color=style.COLOURS[name],
            marker=style.MARKERS[name], linestyle=style.LINES[name], capsize=3, markersize=5, label=names[name],
        )  # fmt: skip
    axes.axhline(0.0, color=style.COLOURS["neutral"], linewidth=0.8)
    left = min(-0.1, min(relative_biases) - 0.1)
    axes.set(xlabel="frozen relative bias $b_{rel}$", ylabel="margin $m^*$", xlim=(left, 1.02))
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure
