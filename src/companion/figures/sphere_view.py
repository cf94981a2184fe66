"""Points on the sphere in three dimensions: one projection, drawn still by matplotlib or turned by the reader.

The rotatable view is a self-contained SVG with a few lines of script: it needs no network and no library, shows its
first frame where scripts are off, and obeys mouse, touch and keyboard.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from companion.figures.style import COLOURS

Marker = Literal["o", "^", "s", "D"]
SHAPES: dict[str, str] = {
    "o": "M-1,0A1,1 0 1,0 1,0A1,1 0 1,0 -1,0Z",
    "^": "M0,-1.2L1.1,0.8L-1.1,0.8Z",
    "s": "M-.9,-.9H.9V.9H-.9Z",
    "D": "M0,-1.25L1.25,0L0,1.25L-1.25,0Z",
}
AZIMUTH, ELEVATION = 25.0, 22.0


@dataclass(frozen=True)
class PointGroup:
    """Points ``[n, 3]`` of one meaning: a colour, a marker and a label; pairs are joined across groups by index."""

    xyz: Any
    label: str
    colour: str = COLOURS["u"]
    marker: Marker = "o"


@dataclass(frozen=True)
class RotatableView:
    """A self-contained HTML view; notebooks and the book display it as it is."""

    html: str
    description: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<rotatable view: {self.description}>"


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


def draw(axes: Any, groups: Sequence[PointGroup], *, rotation: np.ndarray, join_pairs: bool = True) -> None:
    """Draw the sphere and the groups on 2-D axes, seen along ``rotation``'s last row; far points are paler."""
    axes.set_aspect("equal")
    axes.set_axis_off()
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(angle), np.sin(angle), color="#999999", linewidth=1.0, zorder=0)
    for circle in wireframe():
        x, y, z = rotation @ circle.T
        for visible, alpha in ((z >= 0, 0.55), (z < 0, 0.2)):
            axes.plot(
                np.where(visible, x, np.nan),
                np.where(visible, y, np.nan),
                color="#999999",
                lw=0.6,
                alpha=alpha,
            )
    projected = [np.asarray(group.xyz, dtype=float) @ rotation.T for group in groups]
    if join_pairs:
        for one, other in zip(projected[0], projected[1], strict=True):
            alpha = 0.8 if one[2] + other[2] > 0 else 0.3
            axes.plot([one[0], other[0]], [one[1], other[1]], color="#777777", lw=0.8, alpha=alpha, zorder=2)
    for group, points in zip(groups, projected, strict=True):
        style = {"color": group.colour, "marker": group.marker, "linewidths": 0.6, "edgecolors": "white"}
        for visible, alpha, order in ((points[:, 2] >= 0, 1.0, 4), (points[:, 2] < 0, 0.4, 3)):
            axes.scatter(*points[visible, :2].T, s=46, alpha=alpha, zorder=order, **style)
        axes.scatter([], [], s=46, label=group.label, **style)


def rotatable(
    groups: Sequence[PointGroup],
    *,
    description: str,
    join_pairs: bool = True,
    azimuth: float = AZIMUTH,
    elevation: float = ELEVATION,
    width: int = 460,
) -> RotatableView:
    """A view of points of the unit sphere that the reader can turn.

    Parameters
    ----------
    groups:
        Point groups in ``R^3``. With ``join_pairs`` point ``i`` of the first is joined to point ``i`` of the second,
        and pointing at either highlights both.
    description:
        What is seen, for readers who do not see it.
    azimuth, elevation:
        First view, in degrees.
    width:
        Largest width on the page, in pixels.

    Raises
    ------
    ValueError
        If a group is not of shape ``[n, 3]``, or pairs are to be joined and the first two differ in size.
    """
    points = [np.asarray(group.xyz, dtype=float) for group in groups]
    for group, xyz in zip(groups, points, strict=True):
        if xyz.ndim != 2 or xyz.shape[1] != 3 or not np.all(np.isfinite(xyz)):
            raise ValueError(f"group {group.label!r} must be finite of shape [n, 3], got shape {xyz.shape}")
    if join_pairs and (len(points) < 2 or len(points[0]) != len(points[1])):
        raise ValueError(f"join_pairs needs two groups of equal size, got sizes {[len(x) for x in points]}")
    marks = [
        {"p": p, "g": g, "i": i} for g, xyz in enumerate(points) for i, p in enumerate(xyz.round(4).tolist())
    ]
    data = {
        "marks": marks,
        "lines": list(range(len(points[0]))) if join_pairs else [],
        "offset": len(points[0]) if points else 0,
        "wire": [circle.round(3).tolist() for circle in wireframe(49)],
        "view": [azimuth, elevation],
    }
    text = json.dumps(data, separators=(",", ":"))
    key = "sphere-view-" + hashlib.sha256((text + description).encode()).hexdigest()[:12]
    script = (files("companion") / "data" / "sphere_view.js").read_text()
    page = _page(groups, marks, data, key=key, description=description, width=width)
    code = f"<script>({script.strip()})({json.dumps(key)},{text});</script>"
    return RotatableView(page.replace("</div><!--end-->", code + "</div>"), description)


def _page(
    groups: Sequence[PointGroup],
    marks: list[Any],
    data: dict[str, Any],
    *,
    key: str,
    description: str,
    width: int,
) -> str:
    rotation = camera(azimuth=data["view"][0], elevation=data["view"][1])
    turned = [rotation @ np.array(mark["p"]) for mark in marks]
    lines = "".join(
        f'<line data-i="{i}" x1="{turned[i][0]:.3f}" y1="{-turned[i][1]:.3f}" '
        f'x2="{turned[i + data["offset"]][0]:.3f}" y2="{-turned[i + data["offset"]][1]:.3f}" '
        f'stroke="#777" stroke-width="0.008" opacity="0.6"/>'
        for i in data["lines"]
    )
    shapes = "".join(_mark(groups[m["g"]], m, xyz) for m, xyz in zip(marks, turned, strict=True))
    legend = "".join(
        f'<span style="margin:0 .8em;white-space:nowrap"><svg width="14" height="14" viewBox="-1.5 -1.5 3 3" '
        f'aria-hidden="true"><path d="{SHAPES[g.marker]}" fill="{g.colour}"/></svg> {html.escape(g.label)}</span>'
        for g in groups
    )
    style = "width:100%;cursor:grab;touch-action:pan-y;user-select:none"
    label = html.escape(description, quote=True)
    return (
        f'<div class="sphere-view" id="{key}" style="max-width:{width}px;margin:0 auto;text-align:center">'
        f'<svg viewBox="-1.12 -1.12 2.24 2.24" tabindex="0" role="img" aria-label="{label}" style="{style}">'
        '<circle r="1" fill="none" stroke="#999" stroke-width="0.008"/>'
        '<path class="far" fill="none" stroke="#999" stroke-width="0.005" opacity="0.25"/>'
        '<path class="near" fill="none" stroke="#999" stroke-width="0.005" opacity="0.6"/>'
        f'<g class="marks">{lines}{shapes}</g>'
        f'</svg><div style="font-size:.85em">{legend}</div>'
        '<div style="font-size:.8em;opacity:.75">Drag to turn, or focus the picture and use the arrow keys; '
        "Home turns it back.</div></div><!--end-->"
    )


def _mark(group: PointGroup, mark: dict[str, Any], xyz: np.ndarray) -> str:
    opacity = 1 if xyz[2] >= 0 else 0.4
    return (
        f'<path data-i="{mark["i"]}" d="{SHAPES[group.marker]}" fill="{group.colour}" stroke="#fff" stroke-width="0.2" '
        f'opacity="{opacity}" transform="translate({xyz[0]:.3f} {-xyz[1]:.3f}) scale(0.042)">'
        f"<title>{html.escape(group.label)}, pair {mark['i'] + 1}</title></path>"
    )
