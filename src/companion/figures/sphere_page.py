"""The HTML of a sphere that can be turned: self-contained SVG, no network, no library, a first frame without scripts."""

from __future__ import annotations

import html
from collections.abc import Sequence
from importlib.resources import files

import numpy as np

Group = tuple[str, str, str]  # label, colour, marker
SHAPES: dict[str, str] = {
    "o": "M-1,0A1,1 0 1,0 1,0A1,1 0 1,0 -1,0Z",
    "^": "M0,-1.2L1.1,0.8L-1.1,0.8Z",
    "D": "M0,-1.25L1.25,0L0,1.25L-1.25,0Z",
}


def page(
    groups: Sequence[Group], points: Sequence[np.ndarray], rotation: np.ndarray, *, description: str, key: str, width: int,
    script: str,
) -> str:  # fmt: skip
    """The first frame, seen along the last row of ``rotation``; the script takes over from there."""
    turned = [xyz @ rotation.T for xyz in points]
    lines = "".join(
        f'<line data-i="{i}" x1="{a[0]:.3f}" y1="{-a[1]:.3f}" x2="{b[0]:.3f}" y2="{-b[1]:.3f}" '
        f'stroke="#777" stroke-width="0.008" opacity="0.6"/>'
        for i, (a, b) in enumerate(zip(*turned[:2], strict=True))
    )
    shapes = "".join(
        _mark(group, i, xyz) for group, part in zip(groups, turned, strict=True) for i, xyz in enumerate(part)
    )
    legend = "".join(
        f'<span style="margin:0 .8em;white-space:nowrap"><svg width="14" height="14" viewBox="-1.5 -1.5 3 3" '
        f'aria-hidden="true"><path d="{SHAPES[marker]}" fill="{colour}"/></svg> {html.escape(name)}</span>'
        for name, colour, marker in groups
    )
    label = html.escape(f"{description} A sphere that can be turned with the arrow keys.", quote=True)
    frame = (files("companion") / "data" / "sphere.html").read_text().replace("\n", "")
    return frame.format(key=key, width=width, label=label, lines=lines, shapes=shapes, legend=legend, script=script)


def _mark(group: Group, i: int, xyz: np.ndarray) -> str:
    label, colour, marker = group
    opacity = 1 if xyz[2] >= 0 else 0.4
    return (
        f'<path data-i="{i}" d="{SHAPES[marker]}" fill="{colour}" stroke="#fff" stroke-width="0.2" '
        f'opacity="{opacity}" transform="translate({xyz[0]:.3f} {-xyz[1]:.3f}) scale(0.042)">'
        f"<title>{html.escape(label)}, pair {i + 1}</title></path>"
    )
