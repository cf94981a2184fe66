"""Points on the sphere in three dimensions, drawn still; :mod:`companion.figures.player` lets the reader turn them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from companion.figures import style
from companion.figures.style import COLOURS

Marker = Literal["o", "^", "D"]
AZIMUTH, ELEVATION = 25.0, 22.0


@dataclass(frozen=True)
class PointGroup:
    """Points ``[n, 3]`` of one meaning: a colour, a marker and a label; pairs are joined across groups by index."""

    xyz: ArrayLike
    label: str
    colour: str = COLOURS["u"]
    marker: Marker = "o"


def pairs(u: ArrayLike, v: ArrayLike, *, coincide_from: int | None = None) -> list[PointGroup]:
    """The two modalities of a configuration ``[N, 3]``; pairs from ``coincide_from`` on have ``U = V``, drawn once more."""
    groups = [PointGroup(u, "images U", COLOURS["u"], "o"), PointGroup(v, "texts V", COLOURS["v"], "^")]
    if coincide_from is not None:
        groups.append(PointGroup(np.asarray(u)[coincide_from:], "U = V", COLOURS["bound"], "D"))
    return groups


def camera(*, azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> np.ndarray:
    """Rotation matrix whose rows are the viewer's right, up and towards-the-eye directions (angles in degrees).

    >>> camera(azimuth=0.0, elevation=0.0).round(12).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    a, e = math.radians(azimuth), math.radians(elevation)
    right = [-math.sin(a), math.cos(a), 0.0]
    up = [-math.sin(e) * math.cos(a), -math.sin(e) * math.sin(a), math.cos(e)]
    towards = [math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)]
    return np.array([right, up, towards]) + 0.0


def wireframe(n_points: int = 73) -> list[np.ndarray]:
    """The equator, two parallels and three meridian circles as closed polylines ``[n, 3]``."""
    phi = np.linspace(0, 2 * np.pi, n_points)
    circles = []
    for latitude in (-np.pi / 6, 0.0, np.pi / 6):
        flat = np.stack([np.cos(phi), np.sin(phi)], axis=1) * math.cos(latitude)
        circles.append(np.column_stack([flat, np.full(n_points, math.sin(latitude))]))
    for longitude in (0.0, np.pi / 3, 2 * np.pi / 3):
        across = np.outer(np.cos(phi), [math.cos(longitude), math.sin(longitude)])
        circles.append(np.column_stack([across, np.sin(phi)]))
    return circles


def draw(axes: Axes, groups: Sequence[PointGroup], *, rotation: np.ndarray, join_pairs: bool = True) -> None:
    """Draw the sphere and the groups on 2-D axes, seen along ``rotation``'s last row; far points are paler."""
    axes.set_aspect("equal")
    axes.set_axis_off()
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(angle), np.sin(angle), color="#999999", linewidth=1.0, zorder=0)
    for circle in wireframe():
        half(axes, circle, rotation, color="#999999", lw=0.6)
    projected = [np.asarray(group.xyz, dtype=float) @ rotation.T for group in groups]
    for one, other in zip(projected[0], projected[1], strict=True) if join_pairs else ():
        alpha = 0.8 if one[2] + other[2] > 0 else 0.3
        axes.plot([one[0], other[0]], [one[1], other[1]], color="#777777", lw=0.8, alpha=alpha, zorder=2)
    for group, points in zip(groups, projected, strict=True):
        look: dict[str, Any] = {"color": group.colour, "marker": group.marker, "lw": 0.6, "s": 46, "edgecolor": "white"}
        for visible, alpha, order in ((points[:, 2] >= 0, 1.0, 4), (points[:, 2] < 0, 0.4, 3)):
            axes.scatter(*points[visible, :2].T, alpha=alpha, zorder=order, **look)
        axes.scatter([], [], label=group.label, **look)


def half(axes: Axes, circle: np.ndarray, rotation: np.ndarray, *, color: str, lw: float) -> None:
    """A circle ``[n, 3]`` of the sphere: the near half drawn, the far half dotted and paler."""
    x, y, z = rotation @ circle.T
    for visible, alpha, line in ((z >= 0, 0.6, "-"), (z < 0, 0.4, ":")):
        part = np.where(visible, x, np.nan), np.where(visible, y, np.nan)
        axes.plot(*part, color=color, lw=lw, alpha=alpha, ls=line, zorder=1)


def plane(axes: Axes, normal: ArrayLike, rotation: np.ndarray) -> None:
    """The disc in which the plane through the origin orthogonal to ``normal`` cuts the ball."""
    basis = np.linalg.svd(np.asarray(normal, dtype=float)[None])[2][1:]
    angle = np.linspace(0, 2 * np.pi, 181)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ basis
    x, y, _ = rotation @ circle.T
    axes.fill(x, y, color=COLOURS["ours"], alpha=0.12, lw=0)
    half(axes, circle, rotation, color=COLOURS["ours"], lw=1.4)


def spheres(
    panels: Mapping[str, Sequence[PointGroup]],
    *,
    views: Sequence[tuple[float, float]] = ((AZIMUTH, ELEVATION),),
    normal: ArrayLike | None = None,
) -> Figure:
    """Configurations in three dimensions side by side, matching points joined.

    ``views`` are azimuth and elevation of each panel, or one for all; ``normal`` adds the plane orthogonal to it.
    """
    height = min(3.1, 8.4 / min(len(panels), 4) + 0.5)
    figure, axes = style.grid(len(panels), columns=4, height=height, rest=0.4)
    arrays: dict[str, ArrayLike] = {}
    for k, (panel, (title, groups)) in enumerate(zip(axes.flat, panels.items(), strict=False)):
        azimuth, elevation = views[k % len(views)]
        rotation = camera(azimuth=azimuth, elevation=elevation)
        if normal is not None:
            plane(panel, normal, rotation)
        draw(panel, groups, rotation=rotation)
        panel.set_title(style.as_label(title))
        arrays |= {f"u{k}": groups[0].xyz, f"v{k}": groups[1].xyz}
    style.label_outer(axes, len(panels))
    return style.finish(figure, arrays)
