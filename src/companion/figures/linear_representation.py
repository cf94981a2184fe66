"""Figures of the linear-representation chapter: xi over training, and how slack in the margin bound is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from companion.figures import style

PARTS: Mapping[str, tuple[str, str]] = {
    "$\\xi$": (style.COLOURS["measured"], ""),
    "$|\\overline{U+V}|^2$": (style.COLOURS["bias"], "//"),
    "matching above their minimum": (style.COLOURS["v"], ".."),
    "non-matching below their maximum": ("#999999", "\\\\"),
}
LINES = ("-", "--", "-.", ":")


def two_definitions(steps: Any, squared: Any, unsquared: Any, dims: Sequence[int]) -> Figure:
    """xi with squared and with un-squared norms over training, ``[D, R, S]`` each, one band per dimension."""
    figure, axes = style.new_figure(n_columns=2, height=3.4)
    titles = ("squared norms (Appendix E)", "un-squared norms (the notebooks)")
    for panel, values, title in zip(axes, (squared, unsquared), titles, strict=True):
        for index, (colour, runs, d) in enumerate(
            zip(style.swept_colours(len(dims)), values, dims, strict=True)
        ):
            style.band(
                panel, steps, runs, colour=colour, label=f"d = {d}", linestyle=LINES[index % len(LINES)]
            )
        panel.set(title=title, xlabel="training step", ylim=(0, None))
    axes[0].set_ylabel("$\\xi$")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=8.5)
    return figure


def stacked_budget(steps: Any, parts: Any, totals: Any, dims: Sequence[int]) -> Figure:
    """The four terms of the identity stacked over training, means over runs ``[D, 4, S]``, and their sum ``[D, S]``."""
    columns = min(len(dims), 2)
    rows = -(-len(dims) // columns)
    figure, axes = style.new_figure(
        n_rows=rows, n_columns=columns, height=2.5 * rows + 0.8, sharex=True, sharey=True, squeeze=False
    )
    for panel, values, total, d in zip(
        axes.ravel(), np.asarray(parts), np.asarray(totals), dims, strict=False
    ):
        floor = np.zeros(values.shape[1])
        for (name, (colour, hatch)), part in zip(PARTS.items(), values, strict=True):
            panel.fill_between(
                steps, floor, floor + part, facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0,
                label=name,
            )  # fmt: skip
            floor = floor + part
        panel.plot(steps, total, color="black", linewidth=1.2, label="$2(1 + b - (3 - 4/N)\\,m)$")
        panel.set(title=f"d = {d}", xscale="symlog", xlim=(0, max(steps)))
    for panel in axes.ravel()[len(dims) :]:
        panel.set_visible(False)
    for panel in axes[-1]:
        panel.set_xlabel("training step")
    for panel in axes[:, 0]:
        panel.set_ylabel("terms of the identity")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8)
    return figure


def shares(labels: Sequence[str], parts: Any) -> Figure:
    """The four terms as shares of their sum, one horizontal bar per label, ``parts`` ``[L, 4]``."""
    figure, axes = style.new_figure(height=1.0 + 0.38 * len(labels))
    values = np.asarray(parts, dtype=float)
    values = values / values.sum(1, keepdims=True)
    left = np.zeros(len(labels))
    for (name, (colour, hatch)), part in zip(PARTS.items(), values.T, strict=True):
        axes.barh(labels, part, left=left, facecolor=colour, hatch=hatch, edgecolor="white", label=name)
        for y, (x, width) in enumerate(zip(left, part, strict=True)):
            if width > 0.06:
                axes.text(
                    x + width / 2, y, f"{width:.0%}", ha="center", va="center", fontsize=8,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85},
                )  # fmt: skip
        left = left + part
    axes.set(xlabel="share of the slack", xlim=(0, 1))
    axes.invert_yaxis()
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure
