"""Pictures of the atlas: the best margins known for few pairs in few dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from companion.figures import sphere_view, style

DIM_MARKERS = {2: "^", 3: "o", 4: "s"}
LIMIT = style.COLOURS["bound"]


def margins(
    panels: Mapping[str, Mapping[int, tuple[Any, Any, Any]]], limits: Mapping[str, tuple[Any, Any]]
) -> Figure:
    """Certified margins against the number of pairs, one panel per relative bias.

    ``panels`` maps a title to, per dimension, numbers of pairs, margins found and margins of codes; ``limits`` maps the
    title to numbers of pairs and the limit of Theorem 3.4.
    """
    n_rows = len(panels) // 3 + 1
    figure, axes = style.new_figure(
        n_rows=n_rows, n_columns=3, height=2.4 * n_rows, sharex=True, squeeze=False
    )
    dims = sorted({d for panel in panels.values() for d in panel})
    colours = dict(zip(dims, style.swept_colours(len(dims)), strict=True))
    for panel, (title, groups) in zip(axes.flat, panels.items(), strict=False):
        panel.plot(*limits[title], color=LIMIT, ls="--", lw=1.2)
        for d, (n, found, codes) in groups.items():
            panel.plot(n, codes, color=colours[d], lw=1.0, ls="-")
            panel.plot(n, found, ls="", marker=DIM_MARKERS.get(d, "D"), color=colours[d], ms=4.5)
        panel.set_title(title, fontsize="small")
        panel.set(ylim=(0, None))
        panel.tick_params(labelsize=8, labelbottom=True)
    figure.supxlabel("number of pairs $N$", fontsize="small")
    figure.supylabel("margin $m$", fontsize="small")
    unused = list(axes.flat)[len(panels) :]
    for panel in unused:
        panel.set_axis_off()
    unused[0].legend(handles=_atlas_handles(colours), loc="center left", fontsize="small")
    return figure


def _atlas_handles(colours: Mapping[int, Any]) -> list[Line2D]:
    handles = [
        Line2D([], [], ls="", marker=DIM_MARKERS.get(d, "D"), color=colour, label=f"d = {d}, certified")
        for d, colour in colours.items()
    ]
    codes = Line2D([], [], color=style.COLOURS["neutral"], lw=1.0, label="from codes")
    return [*handles, codes, Line2D([], [], color=LIMIT, ls="--", lw=1.2, label="limit in any dimension")]


def antiprism_margins(
    relative_bias: Any, curves: Mapping[str, Any], crossing: float, points: tuple[Any, Any]
) -> Figure:
    """Margins at a fixed number of pairs in ``R^3`` against the relative bias; ``points`` are atlas entries."""
    figure, axes = style.new_figure(height=3.3, width=0.85 * style.WIDTH)
    looks = {
        "limit, any d": (LIMIT, "--"),
        "antiprism": (style.COLOURS["ours"], "-"),
        "polygon and one more dimension": (style.COLOURS["published"], "-."),
    }
    for (label, values), spare in zip(curves.items(), style.swept_colours(len(curves)), strict=True):
        colour, dash = looks.get(label, (spare, ":"))
        axes.plot(relative_bias, values, color=colour, ls=dash, label=label)
    axes.axvline(crossing, color=style.COLOURS["neutral"], lw=0.8, ls=":")
    axes.plot(*points, "o", color="black", mfc="white", ms=6, label="certified (atlas)")
    axes.set(xlabel=r"relative bias $b_{\mathrm{rel}}$", ylabel=r"margin $m$", ylim=(0, None))
    axes.legend(fontsize="small")
    return figure


def spheres(pairs: Sequence[tuple[Any, Any]], titles: Sequence[str]) -> Figure:
    """Configurations in ``R^3`` side by side, matching points joined."""
    figure, axes = style.new_figure(
        n_columns=len(pairs), height=0.9 * style.WIDTH / max(len(pairs), 2) + 0.6, squeeze=False
    )
    for panel, (u, v), title in zip(axes[0], pairs, titles, strict=True):
        sphere_view.draw(panel, groups(u, v), rotation=sphere_view.camera(elevation=14.0))
        panel.set_title(title, fontsize="small")
    axes[0, 0].legend(loc="lower left", fontsize="small", bbox_to_anchor=(-0.12, -0.08))
    return figure


def groups(u: Any, v: Any) -> list[sphere_view.PointGroup]:
    """The two modalities as groups of a view of the sphere."""
    return [
        sphere_view.PointGroup(np.asarray(u), "U", style.COLOURS["u"], "o"),
        sphere_view.PointGroup(np.asarray(v), "V", style.COLOURS["v"], "^"),
    ]
