"""Picture of Propositions 4 and 5 (chapter 05): three pairs fit into the plane, a fourth does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Wedge

from companion.figures.style import COLOURS, MARKERS, new_figure

NAMES = {"u": "U", "v": "V"}


def plane(
    three: tuple[Any, Any], fan: tuple[Any, Any], sign_margins: Mapping[int, Mapping[int, Any]]
) -> Figure:
    """Propositions 4 and 5: three pairs of the plane, why a fourth does not fit, and what training finds.

    Parameters
    ----------
    three:
        ``(u, v)`` of three pairs ``[3, 2]``.
    fan:
        Three ``u`` ``[3, 2]`` within a half plane, the middle one second, and the ``v`` ``[2]`` of that middle one.
    sign_margins:
        For each dimension, by number of pairs, ``min(min_i s_ii, -max s_ij)`` of every run.
    """
    figure, axes = new_figure(n_columns=3, height=2.9, gridspec_kw={"width_ratios": [1, 1, 1.25]})
    for panel in axes[:2]:
        _circle(panel)
    for points, key in zip(three, ("u", "v"), strict=True):
        _arrows(axes[0], np.asarray(points), key)
    axes[0].set_title("three pairs fit", fontsize="small")
    _cone(axes[1], np.asarray(fan[0]), np.asarray(fan[1]))
    axes[1].set_title("a middle one cannot", fontsize="small")
    _sign_margins(axes[2], sign_margins)
    return figure


def _circle(axes: Any) -> None:
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4))
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(angle), np.sin(angle), color="#BBBBBB", linewidth=1)


def _arrows(axes: Any, points: np.ndarray, key: str, *, reach: float = 1.2) -> None:
    for i, (x, y) in enumerate(points):
        axes.plot([0, x], [0, y], color=COLOURS[key], linewidth=0.9, alpha=0.7)
        axes.plot(x, y, MARKERS[key], color=COLOURS[key], markersize=7)
        label = f"${NAMES[key]}_{i + 1}$"
        axes.text(reach * x, reach * y, label, ha="center", va="center", color=COLOURS[key], fontsize="small")


def _cone(axes: Any, u: np.ndarray, middle_v: np.ndarray) -> None:
    last, first = np.degrees(np.arctan2(u[[2, 0], 1], u[[2, 0], 0]))
    axes.add_patch(Wedge((0, 0), 1.0, last, first, color=COLOURS["u"], alpha=0.15, lw=0))
    _arrows(axes, u, "u")
    axes.plot([0, middle_v[0]], [0, middle_v[1]], color=COLOURS["v"], linewidth=0.9, linestyle="--")
    axes.plot(*middle_v, MARKERS["v"], color=COLOURS["v"], markersize=7)
    axes.text(*(1.2 * middle_v), "$V_2$ ?", color=COLOURS["v"], ha="center", va="center", fontsize="small")
    across = np.array([-middle_v[1], middle_v[0]])
    ends = np.stack([1.25 * across, -1.25 * across])
    axes.plot(*ends.T, color=COLOURS["v"], linewidth=0.9, linestyle=":")


def _sign_margins(axes: Any, sign_margins: Mapping[int, Mapping[int, Any]]) -> None:
    styles = ((COLOURS["bound"], "x"), (COLOURS["ours"], "o"), (COLOURS["bias"], "s"))
    for (dim, by_size), (colour, marker), shift in zip(
        sign_margins.items(), styles, (-0.12, 0.12, 0.0), strict=False
    ):
        sizes = [n for n, values in by_size.items() for _ in np.ravel(values)]
        values = np.concatenate([np.ravel(values) for values in by_size.values()])
        axes.plot(
            np.asarray(sizes) + shift,
            values,
            marker,
            color=colour,
            ms=5,
            mew=1.2,
            fillstyle="none",
            label=f"d = {dim}",
        )
    axes.axhline(0, color=COLOURS["bound"], linewidth=0.9)
    axes.set_xticks(sorted({n for by_size in sign_margins.values() for n in by_size}))
    axes.set(xlabel="number of pairs $N$")
    axes.set_title(r"trained: $\min(s_{ii},\, -s_{ij})$", fontsize="small")
    axes.legend(fontsize="small")
