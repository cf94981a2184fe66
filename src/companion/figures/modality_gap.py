"""Pictures of chapter 05: the direction of Theorem 3.6, how much it separates, the tight family, and what lies beyond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from companion.figures import sphere_view
from companion.figures.style import COLOURS, MARKERS, new_figure

NAMES = {"u": "U", "v": "V"}


def direction_in_space(u: Any, v: Any, direction: Any, support: Sequence[int]) -> Figure:
    """A configuration ``[N, 3]``, the plane orthogonal to the direction of Theorem 3.6, and the projections on it."""
    u, v, h = (np.asarray(x, dtype=float) for x in (u, v, direction))
    figure, axes = new_figure(n_columns=2, height=3.4, gridspec_kw={"width_ratios": [1, 1.2]})
    rotation = sphere_view.camera(azimuth=_side_view(h), elevation=12)
    groups = [
        sphere_view.PointGroup(u, "U", COLOURS["u"], "o"),
        sphere_view.PointGroup(v, "V", COLOURS["v"], "^"),
    ]
    sphere_view.draw(axes[0], groups, rotation=rotation)
    _great_circle(axes[0], h, rotation)
    on_hull = u[list(support)] @ rotation.T
    hull = np.vstack([on_hull, on_hull[:1]])
    axes[0].plot(hull[:, 0], hull[:, 1], color=COLOURS["ours"], linewidth=1.4, zorder=5)
    tip = 1.2 * (rotation @ h)
    axes[0].annotate(
        "", tip[:2], (0, 0), arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 1.4}, zorder=6
    )
    axes[0].text(*(1.12 * tip[:2]), "$h$", ha="center", va="center")
    axes[0].set(xlim=(-1.32, 1.32), ylim=(-1.32, 1.32))
    _projections(axes[1], u @ h, v @ h, support)
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize="small")
    return figure


def _side_view(h: np.ndarray) -> float:
    """Azimuth (degrees) from which ``h`` points sideways, so that the plane it defines is seen edge on."""
    return float(np.degrees(np.arctan2(h[1], h[0])) - 75.0)


def _great_circle(axes: Any, normal: np.ndarray, rotation: np.ndarray) -> None:
    basis = np.linalg.svd(normal[None])[2][1:]
    angle = np.linspace(0, 2 * np.pi, 181)
    x, y, z = rotation @ (np.stack([np.cos(angle), np.sin(angle)], axis=1) @ basis).T
    axes.fill(x, y, color=COLOURS["ours"], alpha=0.12, lw=0)
    for visible, line in ((z >= 0, "-"), (z < 0, ":")):
        axes.plot(
            np.where(visible, x, np.nan), np.where(visible, y, np.nan), color=COLOURS["ours"], lw=1.4, ls=line
        )


def _projections(axes: Any, u: np.ndarray, v: np.ndarray, support: Sequence[int]) -> None:
    order = np.argsort(v)[::-1]
    rows = np.arange(len(v))
    for i, row in zip(order, rows, strict=True):
        axes.plot([v[i], u[i]], [row, row], color="#BBBBBB", linewidth=0.7, zorder=1)
    for values, key in ((u, "u"), (v, "v")):
        name = NAMES[key]
        label = f"$\\langle h, {name}_i \\rangle$"
        axes.plot(values[order], rows, MARKERS[key], color=COLOURS[key], ms=5, ls="", label=label)
    inside = np.isin(order, list(support))
    axes.plot(
        u[order][inside],
        rows[inside],
        "o",
        ms=10,
        mfc="none",
        mec=COLOURS["ours"],
        mew=1.4,
        label="spans $h$",
    )
    axes.axvline(0, color=COLOURS["bound"], linewidth=1)
    axes.set(yticks=[], xlabel="position along $h$", xlim=(-1.05, 1.05), ylabel="pairs")
    axes.set_xticks([-1, -0.5, 0, 0.5, 1])


def separated_counts(panels: Mapping[str, Mapping[tuple[int, int], Any]]) -> Figure:
    """How many ``V`` stay on the side of the ``U``, over many configurations.

    ``panels`` maps a title to ``{(n_pairs, dim): left_over}``, the number ``N - n_negative`` of every configuration.
    """
    cells = list(dict.fromkeys(cell for panel in panels.values() for cell in panel))
    largest = max(int(np.max(values)) for panel in panels.values() for values in panel.values())
    columns = max(largest + 2, min(10, max(dim for _, dim in cells) + 1))
    height = 1.4 + 0.27 * len(cells)
    figure, axes = new_figure(n_columns=len(panels), height=height, squeeze=False, sharey=True)
    for panel, (title, values) in zip(axes[0], panels.items(), strict=True):
        for row, cell in enumerate(cells):
            _counts(panel, row, cell[1], values.get(cell, ()), columns)
        panel.set(
            xlim=(-0.5, columns - 0.5), ylim=(len(cells) - 0.5, -0.5), xlabel="$V_j$ on the side of the $U$"
        )
        panel.set_xticks(range(columns))
        panel.set_title(title, fontsize="small")
        panel.grid(False)
    axes[0, 0].set_yticks(range(len(cells)), [f"N = {n}, d = {dim}" for n, dim in cells], fontsize="small")
    return figure


def _counts(axes: Any, row: int, dim: int, left_over: Any, columns: int) -> None:
    """One row: percentages per number of left-over ``V``, hatched where the sharpened theorem forbids them."""
    if dim < columns:
        corner = (dim - 0.5, row - 0.5)
        axes.add_patch(
            Rectangle(corner, columns - dim, 1, facecolor="#F0F0F0", edgecolor="#BBBBBB", hatch="//", lw=0)
        )
        axes.plot([dim - 0.5] * 2, [row - 0.5, row + 0.5], color=COLOURS["bound"], linewidth=1.6)
    shares = np.bincount(np.asarray(left_over, dtype=int)) / max(len(left_over), 1)
    for count in np.flatnonzero(shares):
        share = float(shares[count])
        shade = 0.15 + 0.85 * share
        axes.add_patch(Rectangle((count - 0.5, row - 0.5), 1, 1, color=COLOURS["u"], alpha=shade, lw=0))
        text = f"{100 * share:.0f}" if share >= 0.01 else "<1"
        axes.text(
            count, row, text, ha="center", va="center", fontsize=8, color="white" if shade > 0.6 else "black"
        )


def tight_groups(u: Any, v: Any, n_wedge: int) -> list[sphere_view.PointGroup]:
    """The tight family in three dimensions as groups: the two modalities, and the pairs with ``u = v`` once more."""
    return [
        sphere_view.PointGroup(u, "U", COLOURS["u"], "o"),
        sphere_view.PointGroup(v, "V", COLOURS["v"], "^"),
        sphere_view.PointGroup(np.asarray(u)[n_wedge:], "U = V", COLOURS["non_matching"], "D"),
    ]


def tight_family(u: Any, v: Any, n_wedge: int) -> Figure:
    """Figure 12: the tight family in three dimensions from two sides, with the best plane ``h = e_3``."""
    figure, axes = new_figure(n_columns=2, height=3.5)
    for panel, azimuth, elevation, title in (
        (axes[0], 35.0, 14.0, "the wedge and the two pairs"),
        (axes[1], 90.0, 80.0, "the same from above"),
    ):
        rotation = sphere_view.camera(azimuth=azimuth, elevation=elevation)
        _great_circle(panel, np.array([0.0, 0.0, 1.0]), rotation)
        sphere_view.draw(panel, tight_groups(u, v, n_wedge), rotation=rotation)
        panel.set_title(title, fontsize="small")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize="small")
    return figure


def positions(panels: Mapping[str, tuple[Any, Any]]) -> Figure:
    """Figure 3: how far every ``U`` and ``V`` lies on either side of a hyperplane; one panel per hyperplane."""
    figure, axes = new_figure(n_columns=len(panels), height=2.9, sharey=True, squeeze=False)
    largest = max(float(np.abs(np.asarray(x)).max()) for pair in panels.values() for x in pair)
    edges = np.linspace(-1.05 * largest, 1.05 * largest, 42)
    for panel, (title, pair) in zip(axes[0], panels.items(), strict=True):
        for values, key, hatch in zip(pair, ("u", "v"), (None, "//"), strict=True):
            panel.hist(
                np.asarray(values), bins=edges, color=COLOURS[key], alpha=0.8, hatch=hatch, edgecolor="white",
                linewidth=0.3, label=f"${NAMES[key]}$",
            )  # fmt: skip
        panel.axvline(0, color=COLOURS["bound"], linewidth=1.2)
        panel.set(xlabel="signed distance from the hyperplane")
        panel.xaxis.set_major_locator(MaxNLocator(5))
        panel.set_title(title, fontsize="small")
    axes[0, 0].set_ylabel("number of points")
    axes[0, 0].legend(fontsize="small", loc="upper center", frameon=True, framealpha=1.0)
    return figure


def beyond(relative_bias: Any, margin: Any, linear: Any, affine: Any) -> Figure:
    """What is separable as the relative bias moves: shares of runs ``[B]`` and measured margins ``[B]``."""
    b, margin = np.asarray(relative_bias), np.asarray(margin)
    figure, axes = new_figure(height=3.2, width=6.6)
    middle = (b[1:] + b[:-1]) / 2
    edges = np.concatenate([[b[0] - 0.05], middle, [b[-1] + 0.05]])
    both = margin > np.abs(b)
    _shade(axes, edges, (margin > b) & ~both, "#E0F3EE", "", r"$m^* > b^*_{\mathrm{rel}}$ only")
    _shade(axes, edges, both, "#B9E4D8", "..", r"$m^* > |b^*_{\mathrm{rel}}|$")
    axes.plot(b, affine, "s--", color=COLOURS["v"], ms=8, mfc="none", label="separable by some hyperplane")
    axes.plot(b, linear, "o-", color=COLOURS["u"], ms=5, label="by one through the origin")
    axes.set(xlabel=r"relative bias $b^*_{\mathrm{rel}}$", ylabel="share of runs", ylim=(-0.05, 1.08))
    axes.set_xlim(edges[0], edges[-1])
    figure.legend(loc="outside upper center", ncols=2, fontsize="small")
    return figure


def _shade(axes: Any, edges: np.ndarray, where: np.ndarray, face: str, hatch: str, label: str) -> None:
    """Opaque bands between ``edges`` (a hatch over a transparent face is lost in SVG); the first has the label."""
    for index in np.flatnonzero(where):
        first = index == np.flatnonzero(where)[0]
        axes.axvspan(
            edges[index], edges[index + 1], facecolor=face, edgecolor="#4FB79C", hatch=hatch, lw=0,
            label=label if first else None, zorder=0,
        )  # fmt: skip
