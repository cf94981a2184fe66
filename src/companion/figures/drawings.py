"""Drawings: pairs on a circle, diagrams, the direction of Theorem 3.6, sheets of pictures."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Wedge
from numpy.typing import ArrayLike

from companion.figures import comparisons, sphere, style
from companion.figures.style import COLOURS, MARKERS, SMALL

TEXT_COLOURS = {"u": COLOURS["u"], "v": COLOURS["v_text"]}


def circle(axes: Axes, u: ArrayLike, v: ArrayLike) -> None:
    """Pairs ``[N, 2]`` on the unit circle, as arrows, numbered; a label moves aside where its partner is near."""
    first, second = np.atleast_2d(np.asarray(u, dtype=float)), np.atleast_2d(np.asarray(v, dtype=float))
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4))
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(angle), np.sin(angle), color="#BBBBBB", linewidth=1)
    for points, key in ((first, "u"), (second, "v")):
        for i, point in enumerate(points):
            near = key == "v" and i < len(first) and np.linalg.norm(point - first[i]) < 0.2
            arrow(axes, point, key, f"${key.upper()}_{i + 1}$", aside=0.36 if near else 0.0)


def arrow(axes: Axes, point: np.ndarray, key: str, label: str, *, aside: float = 0.0, line: str = "-") -> None:
    """One unit vector of modality ``key``, with its name, ``aside`` of the vector's direction."""
    axes.plot([0, point[0]], [0, point[1]], color=TEXT_COLOURS[key], linewidth=0.9, linestyle=line, alpha=0.7)
    axes.plot(*point, MARKERS[key], color=COLOURS[key], markersize=7)
    x, y = 1.24 * point + aside * np.array([-point[1], point[0]])
    axes.text(x, y, label, ha="center", va="center", color=TEXT_COLOURS[key])


def no_room(
    three: tuple[ArrayLike, ArrayLike], fan: tuple[ArrayLike, ArrayLike], found: Mapping[int, Mapping[int, ArrayLike]]
) -> Figure:
    """Propositions 4 and 5: three pairs of the plane, why a fourth does not fit, and what training finds.

    ``three`` are pairs ``[3, 2]``; ``fan`` three ``u`` within a half plane, the middle one second, and the ``v`` ``[2]``
    of that one; ``found`` holds, for each dimension and number of pairs, ``min(min_i s_ii, -max s_ij)`` of every run.
    """
    figure, axes = style.new_figure(n_columns=3, height=3.3, ratios=[1, 1, 1.3])
    left, middle, right = axes[0]
    circle(left, *three)
    left.set_title("three pairs fit")
    u, v = (np.asarray(x, dtype=float) for x in fan)
    circle(middle, u, np.empty((0, 2)))
    last, first = np.degrees(np.arctan2(u[[2, 0], 1], u[[2, 0], 0]))
    middle.add_patch(Wedge((0, 0), 1.0, last, first, color=style.pale(COLOURS["u"], 0.15), lw=0, zorder=0))
    arrow(middle, v, "v", "$V_2$ ?", line="--")
    across = np.array([-v[1], v[0]])
    middle.plot(*np.stack([1.25 * across, -1.25 * across]).T, color=TEXT_COLOURS["v"], linewidth=1, linestyle=":")
    middle.set_title("a middle one cannot")
    sizes = sorted({n for by_size in found.values() for n in by_size})
    groups = {f"d = {d}": [by_size.get(n, np.array([])) for n in sizes] for d, by_size in found.items()}
    comparisons.dots_on(right, sizes, groups)
    right.set(xlabel="number of pairs $N$", title=r"trained: $\min(s_{ii},\, -s_{ij})$")
    right.legend()
    every = {name: np.stack([np.asarray(x) for x in values]) for name, values in groups.items()}
    return style.carry(figure, {"u": three[0], "v": three[1], "fan": u, "n_pairs": sizes, **every})


def direction(u: ArrayLike, v: ArrayLike, normal: ArrayLike, support: Sequence[int]) -> Figure:
    """A configuration ``[N, 3]``, the plane orthogonal to the direction of Theorem 3.6, and the projections on it."""
    x, y, h = (np.asarray(z, dtype=float) for z in (u, v, normal))
    figure, axes = style.new_figure(n_columns=2, height=3.6, ratios=[1, 1.2])
    left, right = axes[0]
    # From this side h points sideways, so that the plane it defines is seen edge on.
    rotation = sphere.camera(azimuth=float(np.degrees(np.arctan2(h[1], h[0])) - 75.0), elevation=12)
    sphere.plane(left, h, rotation)
    sphere.draw(left, sphere.pairs(x, y), rotation=rotation)
    hull = (x[[*support, support[0]]] @ rotation.T)[:, :2]
    left.plot(*hull.T, color=COLOURS["ours"], linewidth=1.4, zorder=5)
    tip = (1.2 * (rotation @ h))[:2]
    left.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 1.4}, zorder=6)
    left.text(*(1.12 * tip), "$h$", ha="center", va="center")
    left.set(xlim=(-1.32, 1.32), ylim=(-1.32, 1.32))
    along, order = (x @ h, y @ h), np.argsort(y @ h)[::-1]
    rows = np.arange(len(order))
    right.hlines(rows, along[1][order], along[0][order], color="#BBBBBB", linewidth=0.8, zorder=1)
    for values, key in zip(along, "uv", strict=True):
        label = rf"$\langle h, {key.upper()}_i \rangle$"
        right.plot(values[order], rows, MARKERS[key], color=COLOURS[key], ms=6, ls="", label=label)
    inside = np.isin(order, list(support))
    right.plot(
        along[0][order][inside], rows[inside], "o", ms=11, mfc="none", mec=COLOURS["ours"], mew=1.6, label="spans $h$"
    )
    right.axvline(0, color=COLOURS["bound"], linewidth=1)
    right.set(yticks=[], xlabel="position along $h$", xlim=(-1.05, 1.05), ylabel="pairs", xticks=[-1, -0.5, 0, 0.5, 1])
    return style.finish(figure, panels=[right], u=x, v=y, h=h, support=list(support))


def adapter() -> Figure:
    """Two drawings of one loss: an explicit adapter, and the same adapter inside ``t`` and ``b_rel`` (Figure 4)."""
    figure, axes = style.new_figure(n_rows=2, height=4.5)
    top, bottom = axes[:, 0]
    titles = "explicit adapter: one more coordinate on each side", "implicit adapter: two scalars of the loss"
    logits = r"$t\,(s'_{ij}-b_{\mathrm{rel}})$", r"$t'\,(s_{ij}-b'_{\mathrm{rel}})$"
    formulas = (
        r"$s'_{ij}=\delta^2 s_{ij}-(1-\delta^2)$",
        r"$t'=t\,\delta^2,\quad b'_{\mathrm{rel}}=(b_{\mathrm{rel}}+1-\delta^2)/\delta^2$",
    )
    for panel, title, logit, formula in zip((top, bottom), titles, logits, formulas, strict=True):
        panel.set(xlim=(-0.1, 10.4), ylim=(-0.1, 2.6))
        panel.set_axis_off()
        panel.set_title(title, loc="left")
        for y, side, key, sign in ((2.0, "locked", "u", ""), (0.5, "trained", "v", "-")):
            _box(panel, (1.05, y), f"{side} encoder", TEXT_COLOURS[key], "////" if side == "locked" else "")
            panel.text(2.58, y + 0.19, f"${key.upper()}_{'i' if key == 'u' else 'j'}$", ha="center")
            height = 1.25 + 0.28 * np.sign(y - 1.25)
            if panel is top:
                _box(panel, (4.1, y), rf"$(\delta\,x,\ {sign}\sqrt{{1-\delta^2}})$", TEXT_COLOURS[key])
                _connect(panel, (2.12, y), (3.05, y))
            _connect(panel, (5.17 if panel is top else 2.12, y), (6.6, height))
        _box(panel, (7.65, 1.25), logit, COLOURS["ours"])
        _connect(panel, (8.72, 1.25), (9.45, 1.25))
        panel.text(9.9, 1.25, "loss", ha="center", va="center")
        panel.text(7.65, 0.42, formula, ha="center")
    return style.carry(figure)


def _box(axes: Axes, centre: tuple[float, float], text: str, colour: str, hatch: str = "") -> None:
    x, y = centre
    shape = {"boxstyle": "round,pad=0.02,rounding_size=0.12", "facecolor": "white", "linewidth": 1.6}
    axes.add_patch(FancyBboxPatch((x - 1.025, y - 0.43), 2.05, 0.86, edgecolor=colour, hatch=hatch, **shape))  # type: ignore[arg-type]
    axes.text(x, y, text, ha="center", va="center", bbox=style.BOX if hatch else None)


def _connect(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    line = {"arrowstyle": "-|>", "mutation_scale": 11, "color": COLOURS["neutral"], "linewidth": 1.2}
    axes.add_patch(FancyArrowPatch(start, end, **line))  # type: ignore[arg-type]


def sheet(images: ArrayLike, captions: Sequence[str], *, columns: int = 3) -> Figure:
    """Pictures ``[N, h, w]`` with their captions beside them; line ends in a caption are kept."""
    rows = -(-len(captions) // columns)
    lines = max(text.count("\n") for text in captions) + 1
    figure, axes = style.new_figure(
        n_rows=rows, n_columns=2 * columns, height=max(0.68, 0.26 * lines) * rows, ratios=[1, 3.4] * columns
    )
    for panel in axes.flat:
        panel.set_axis_off()
    for k, (picture, caption) in enumerate(zip(np.asarray(images), captions, strict=True)):
        _picture(axes.flat[2 * k], picture)
        text = caption if "\n" in caption else textwrap.fill(caption, 22)
        axes.flat[2 * k + 1].text(0, 0.5, text, va="center", fontsize=SMALL)
    return style.carry(figure, images=images)


def ranked(captions: Sequence[str], own: ArrayLike, best: ArrayLike, correct: ArrayLike, *, heading: str) -> Figure:
    """Captions as queries (their own picture first, ``[M, h, w]``) and the pictures ranked best, ``[M, k, h, w]``.

    ``correct`` ``[M, k]`` says which picture is the caption's own: it is framed and ticked.
    """
    mine, right = np.asarray(own), np.asarray(correct, dtype=bool)
    rows, k = right.shape
    figure, axes = style.new_figure(n_rows=rows, n_columns=k + 2, height=0.8 * rows + 0.4, ratios=[3.3, 1.1] + [1] * k)
    for r in range(rows):
        axes[r, 0].set_axis_off()
        axes[r, 0].text(0, 0.5, textwrap.fill(captions[r], 26), va="center", fontsize=SMALL)
        _picture(axes[r, 1], mine[r])
        for c in range(k):
            _picture(axes[r, 2 + c], np.asarray(best)[r][c], framed=bool(right[r, c]))
    for c, title in enumerate(("its own", *map(str, range(1, k + 1)))):
        axes[0, 1 + c].set_title(title)
    axes[0, 0].set_title(heading, loc="left")
    return style.carry(figure, own=mine, best=best, correct=right)


def _picture(panel: Axes, picture: np.ndarray, *, framed: bool = False) -> None:
    panel.set_axis_on()
    panel.imshow(1 - picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    panel.set(xticks=[], yticks=[])
    for spine in panel.spines.values():
        spine.set(visible=True, color=COLOURS["matching"] if framed else "#CCCCCC", linewidth=2.2 if framed else 0.8)
    if framed:
        tick: dict[str, Any] = {"transform": panel.transAxes, "ha": "right", "va": "top", "color": COLOURS["matching"]}
        panel.text(0.97, 0.95, "✓", **tick)
