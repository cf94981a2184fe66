"""Pictures of chapter 05: the direction of Theorem 3.6, its propositions, the tight family, and what lies beyond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from constellations.figures import sphere_view
from constellations.figures.style import COLOURS, MARKERS, new_figure

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
    axes.add_patch(
        Polygon([(0, 0), 1.33 * u[0], 1.33 * u[2]], closed=True, color=COLOURS["u"], alpha=0.15, lw=0)
    )
    _arrows(axes, u, "u")
    axes.plot([0, middle_v[0]], [0, middle_v[1]], color=COLOURS["v"], linewidth=0.9, linestyle="--")
    axes.plot(*middle_v, MARKERS["v"], color=COLOURS["v"], markersize=7)
    axes.text(*(1.2 * middle_v), "$V_2$ ?", color=COLOURS["v"], ha="center", va="center", fontsize="small")
    across = np.array([-middle_v[1], middle_v[0]])
    ends = np.stack([1.25 * across, -1.25 * across])
    axes.plot(*ends.T, color=COLOURS["v"], linewidth=0.9, linestyle=":")


def _sign_margins(axes: Any, sign_margins: Mapping[int, Mapping[int, Any]]) -> None:
    styles = ((COLOURS["non_matching"], "x"), (COLOURS["matching"], "o"), (COLOURS["ours"], "s"))
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
    tip = 1.25 * (rotation @ h)
    axes[0].annotate(
        "", tip[:2], (0, 0), arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 1.4}, zorder=6
    )
    axes[0].text(*(1.12 * tip[:2]), "$h$", ha="center", va="center")
    axes[0].set(xlim=(-1.45, 1.45), ylim=(-1.45, 1.45))
    _projections(axes[1], u @ h, v @ h, support)
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
    axes.legend(fontsize="small", loc="upper left")


def separated_counts(panels: Mapping[str, Mapping[tuple[int, int], Any]]) -> Figure:
    """How many ``V`` stay on the side of the ``U``, over many configurations.

    ``panels`` maps a title to ``{(n_pairs, dim): left_over}``, the number ``N - n_negative`` of every configuration.
    """
    rows = max(len(cells) for cells in panels.values())
    figure, axes = new_figure(n_columns=len(panels), height=1.5 + 0.3 * rows, squeeze=False)
    for panel, (title, cells) in zip(axes[0], panels.items(), strict=True):
        _counts(panel, cells)
        panel.set_title(title, fontsize="small")
    axes[0, 0].set_ylabel("")
    return figure


def _counts(axes: Any, cells: Mapping[tuple[int, int], Any]) -> None:
    widest = max(dim for _, dim in cells)
    for row, ((_, dim), left_over) in enumerate(cells.items()):
        shares = np.bincount(np.asarray(left_over, dtype=int), minlength=widest) / max(len(left_over), 1)
        axes.barh(
            row,
            widest - dim,
            left=dim - 0.5,
            height=1.0,
            color="#F0F0F0",
            hatch="//",
            edgecolor="#BBBBBB",
            lw=0,
        )
        axes.plot([dim - 0.5] * 2, [row - 0.5, row + 0.5], color=COLOURS["bound"], linewidth=1.4)
        for count, share in enumerate(shares):
            if share > 0:
                axes.scatter(
                    count, row, s=20 + 230 * share, color=COLOURS["v"], zorder=3, edgecolor="white", lw=0.5
                )
                text = f"{share:.0%}" if share >= 0.005 else "<1%"
                axes.text(count + 0.12 + 0.2 * share, row, text, va="center", fontsize=8, zorder=4)
    axes.set_yticks(range(len(cells)), [f"N = {n}, d = {dim}" for n, dim in cells], fontsize="small")
    axes.set(
        xlim=(-0.5, widest - 0.2),
        ylim=(len(cells) - 0.5, -0.5),
        xlabel="number of $V_j$ left on the wrong side",
    )
    axes.set_xticks(range(0, widest, max(1, widest // 8)))
    axes.grid(False)


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
        panel.set_title(title, fontsize="small")
    axes[0, 0].set_ylabel("number of points")
    axes[0, 0].legend(fontsize="small", loc="upper center")
    return figure


def beyond(relative_bias: Any, margin: Any, linear: Any, affine: Any) -> Figure:
    """What is separable as the relative bias moves: shares of runs ``[B]`` and measured margins ``[B]``."""
    b, margin = np.asarray(relative_bias), np.asarray(margin)
    figure, axes = new_figure(height=3.1, width=6.4)
    promised = margin > np.abs(b)
    width = np.diff(b).min() if len(b) > 1 else 0.2
    for k, x in enumerate(b[promised]):
        label = r"$m^* > |b^*_{\mathrm{rel}}|$: Theorem 3.6 applies" if k == 0 else None
        axes.axvspan(
            x - width / 2, x + width / 2, color=COLOURS["modality_gap"], alpha=0.18, lw=0, label=label
        )
    axes.plot(b, affine, "s--", color=COLOURS["v"], mfc="none", label="separable by some hyperplane")
    axes.plot(b, linear, "o-", color=COLOURS["u"], label="by one through the origin")
    axes.set(xlabel=r"relative bias $b^*_{\mathrm{rel}}$", ylabel="share of runs", ylim=(-0.05, 1.08))
    axes.legend(fontsize="small", loc="best", frameon=True, framealpha=0.92)
    return figure
