"""The picture of a definition: points in the plane, their inner products, and the empty interval between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from companion.figures.style import COLOURS, MARKERS, new_figure

MATCHING, NON_MATCHING, BOUND = (COLOURS[key] for key in ("matching", "non_matching", "bound"))


def definition(u: Any, v: Any, products: Any, *, margin: float, relative_bias: float) -> Figure:
    """A constellation in the plane, its inner products ``[N, N]`` and the empty interval that defines it."""
    figure, axes = new_figure(n_columns=3, height=2.75, gridspec_kw={"width_ratios": [1, 1, 1.35]})
    plane(axes[0], np.asarray(u), np.asarray(v))
    _matrix(axes[1], np.asarray(products))
    _interval(axes[2], np.asarray(products), margin, relative_bias)
    return figure


def plane(axes: Any, u: np.ndarray, v: np.ndarray) -> None:
    """Pairs ``[N, 2]`` on the unit circle, numbered."""
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set(xlim=(-1.35, 1.35), ylim=(-1.35, 1.35), title="pairs of unit vectors")
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(angle), np.sin(angle), color="#BBBBBB", linewidth=1)
    coincide = np.linalg.norm(u - v, axis=1) < 0.2
    for points, key, name, inward in ((u, "u", "U", False), (v, "v", "V", True)):
        for i, (x, y) in enumerate(points):
            axes.plot([0, x], [0, y], color=COLOURS[key], linewidth=0.8, alpha=0.6)
            axes.plot(x, y, MARKERS[key], color=COLOURS[key], markersize=7)
            reach = 0.72 if inward and coincide[i] else 1.26
            axes.text(reach * x, reach * y, f"${name}_{i + 1}$", ha="center", va="center", color=COLOURS[key])


def _matrix(axes: Any, products: np.ndarray) -> None:
    n = len(products)
    axes.imshow(products, cmap="RdBu", vmin=-1, vmax=1)
    for i in range(n):
        for j in range(n):
            dark = abs(products[i, j]) > 0.6
            axes.text(
                j,
                i,
                f"{products[i, j]:.2f}",
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontweight="bold" if i == j else "normal",
                fontsize="small",
            )
    axes.set_xticks(range(n), [f"$V_{j + 1}$" for j in range(n)])
    axes.set_yticks(range(n), [f"$U_{i + 1}$" for i in range(n)])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_title("$s_{ij} = \\langle U_i, V_j \\rangle$")


def _interval(axes: Any, products: np.ndarray, margin: float, relative_bias: float) -> None:
    n = len(products)
    matching, non_matching = np.diag(products), products[~np.eye(n, dtype=bool)]
    axes.axvspan(
        relative_bias - margin, relative_bias + margin, color=COLOURS["impossible"], alpha=0.35, lw=0
    )
    axes.axvline(relative_bias, color=COLOURS["relative_bias"], linewidth=1)
    axes.plot(non_matching, np.zeros_like(non_matching), MARKERS["non_matching"], color=NON_MATCHING, mew=2)
    axes.plot(matching, np.zeros_like(matching), MARKERS["matching"], color=MATCHING)
    for start, stop in ((relative_bias, relative_bias + margin), (relative_bias, relative_bias - margin)):
        axes.annotate(
            "",
            (stop, 0.45),
            (start, 0.45),
            arrowprops={"arrowstyle": "<->", "color": BOUND, "shrinkA": 0, "shrinkB": 0},
        )
        axes.text((start + stop) / 2, 0.55, "$m^*$", ha="center")
    axes.text(relative_bias + 0.04, -0.78, "$b^*_{rel}$", ha="left", color=COLOURS["relative_bias"])
    axes.text(matching.min(), -0.38, "matching", ha="center", color=MATCHING, fontsize="small")
    axes.text(
        np.median(non_matching), -0.38, "non-matching", ha="center", color=NON_MATCHING, fontsize="small"
    )
    axes.set(
        xlim=(-1.05, 1.05), ylim=(-1, 1), yticks=[], xlabel="inner product", title="no $s_{ij}$ in between"
    )
    axes.spines["left"].set_visible(False)
    axes.grid(False)
