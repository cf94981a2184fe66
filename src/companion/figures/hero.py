"""The picture on the landing page: a constellation on the sphere and the number line of its inner products."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from companion.figures import sphere_view
from companion.figures.style import COLOURS, MARKERS, WIDTH, new_figure
from constellations import geometry


def hero(u: Any, v: Any) -> Figure:
    """Points ``u``, ``v`` (``[N, 3]``) with their pairs joined, beside all their inner products, one mark each.

    Raises
    ------
    ValueError
        If the points are not pairs of unit vectors in three dimensions.
    """
    best = geometry.separation(u, v)
    matching, non_matching = (np.asarray(x).ravel() for x in geometry.matching_and_non_matching(u, v))
    figure, axes = new_figure(
        n_columns=2, height=3.3, width=1.15 * WIDTH, gridspec_kw={"width_ratios": [1, 1.45]}
    )
    groups = [
        sphere_view.PointGroup(u, "images $U_i$", COLOURS["u"], "o"),
        sphere_view.PointGroup(v, "captions $V_i$", COLOURS["v"], "^"),
    ]
    sphere_view.draw(axes[0], groups, rotation=sphere_view.camera())
    axes[0].legend(
        loc="upper center", bbox_to_anchor=(0.5, 0.04), ncols=2, columnspacing=1.2, handletextpad=0.3
    )
    _number_line(axes[1], matching, non_matching, float(best.margin), float(best.relative_bias))
    return figure


def _number_line(
    axes: Any, matching: np.ndarray, non_matching: np.ndarray, margin: float, centre: float
) -> None:
    edges = np.linspace(-1, 1, 81)
    groups = ((non_matching, "non_matching", "non-matching"), (matching, "matching", "matching"))
    top = max(np.histogram(values, edges)[0].max() for values, *_ in groups) + 1
    axes.axvspan(centre - margin, centre + margin, color=COLOURS["impossible"], alpha=0.4, lw=0)
    axes.axvline(centre, ymax=0.97, color=COLOURS["relative_bias"], linestyle="--", linewidth=1.2)
    for values, key, name in groups:
        x, height = _stacked(values, edges)
        axes.plot(x, height, MARKERS[key], color=COLOURS[key], ms=4, mew=1.3, lw=0, label=f"{name} pairs")
    for side in (-1, 1):
        ends = {"xy": (centre + side * margin, 0.8 * top), "xytext": (centre, 0.8 * top)}
        axes.annotate(
            "",
            **ends,
            arrowprops={"arrowstyle": "<->", "color": COLOURS["bound"], "shrinkA": 0, "shrinkB": 0},
        )
        axes.text(centre + side * margin / 2, 0.82 * top, "$m$", ha="center", va="bottom", fontsize="large")
    axes.text(
        centre,
        1.0 * top,
        "$b_{rel}$",
        ha="center",
        va="bottom",
        color=COLOURS["relative_bias"],
        fontsize="large",
    )
    axes.set(xlim=(-1.03, 1.03), ylim=(0, top), yticks=[], xlabel="inner product $\\langle U_i, V_j\\rangle$")
    axes.set_xticks([-1, -0.5, 0, 0.5, 1])
    axes.spines["left"].set_visible(False)
    axes.grid(False)
    axes.legend(loc="upper left", handletextpad=0.2, borderaxespad=0.2)


def _stacked(values: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A dot per value: its own position across, and up, how many of its bin came before it."""
    x = np.sort(values)
    bins = np.digitize(x, edges)
    return x, np.array([np.sum(bins[:k] == bins[k]) for k in range(len(x))]) + 0.5
