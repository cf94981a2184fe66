"""Figures that answer the reader: frames to step through on a sphere, on a line, in the plane of bias and margin.

A player is self-contained HTML with one shared script: no network, no library, obedient to mouse, touch and keyboard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from companion.figures import limits, live, products, region, sphere, style
from companion.figures.style import COLOURS, minus

Panel = Literal["sphere", "products", "logits", "plane"]
Looks = Sequence[tuple[str, str, sphere.Marker]]  # label, colour, marker of each group
PAIRS: Looks = (("images U", COLOURS["u"], "o"), ("texts V", COLOURS["v"], "^"))


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One state: groups of points ``[n, d]`` (the first two are pairs), or inner products of both kinds, or only places.

    The sphere shows ``d = 3``. ``places`` are points ``(relative_bias, margin)`` where they are not those of the pairs;
    ``logit`` is the inverse temperature, the relative bias and the size of a violation from which on a loss is silent
    (0: never).
    """

    groups: Sequence[ArrayLike] = ()
    products: tuple[ArrayLike, ArrayLike] | None = None
    places: Sequence[tuple[float, float]] = ()
    logit: tuple[float, float, float] | None = None
    relative_bias: float | None = None
    label: str = ""
    text: str = ""

    def kinds(self) -> tuple[ArrayLike, ArrayLike]:
        """Matching and other inner products."""
        if self.products:
            return self.products
        s = np.asarray(self.groups[0]) @ np.asarray(self.groups[1]).T
        return np.diag(s), s[~np.eye(len(s), dtype=bool)]

    def where(self) -> Sequence[tuple[float, float]]:
        """The places, or that of the pairs."""
        low, high = (0.0, 0.0) if self.places else (np.max(self.kinds()[1]), np.min(self.kinds()[0]))
        return self.places or [((low + high) / 2, (high - low) / 2)]

    def as_data(self) -> dict[str, object]:
        """What the script reads, rounded to what can be seen; points in thousandths."""
        data: dict[str, object] = {"label": minus(self.label), "text": minus(self.text)}
        if self.groups:
            points = [np.asarray(group, dtype=float) for group in self.groups]
            if len(points) < 2 or points[0].shape != points[1].shape or not all(np.isfinite(x).all() for x in points):
                raise ValueError(f"groups must be finite and begin with two alike, got {[x.shape for x in points]}")
            data["groups"] = [np.rint(1000 * x).astype(int).tolist() for x in points]
        if self.places:
            data["tracks"] = _short(self.places)
        if self.products:
            data |= zip(("matching", "other"), map(_short, self.products), strict=True)
        if self.relative_bias is not None:
            data["b"] = _short(self.relative_bias)
        if self.logit:
            data |= zip(("t", "b", "dead"), map(_short, self.logit), strict=True)
        return data


def _short(values: ArrayLike) -> list | float:
    return np.asarray(values, dtype=float).round(3).tolist()


def player(
    sets: Mapping[str, Sequence[Frame]], *, panels: Sequence[Panel], description: str, slider: str = "", choice: str = "",
    looks: Looks = PAIRS, strips: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None, trail: bool = True,
    first: str = "", start: int = -1, play: str = "Play", n_pairs: int | None = None,
    view: tuple[float, float] = (25.0, 22.0),
) -> live.Live:  # fmt: skip
    """Frames that the reader steps through with a slider, in one or several sets to choose from.

    Parameters
    ----------
    sets:
        Frames by the name of their set; ``choice`` says what is chosen, ``slider`` what the frames differ in.
    panels:
        What is drawn of each frame: the points on the sphere, their inner products, their logits, or where they stand
        in the plane of relative bias and margin (with the limit of Theorem 3.4 for ``n_pairs``, and the ``trail`` of
        earlier frames; dragging there goes to the nearest frame).
    description:
        What is seen, for readers who do not see it.
    looks:
        Label, colour and marker of each group; the first two are pairs, joined by lines.
    strips:
        For each set a lower and an upper curve ``(relative_bias, margin)`` over one grid, drawn instead of the triangle.
    first, start:
        The set and the frame shown first.
    play:
        The word on the button that runs through the frames, where there are more than a handful.
    view:
        Azimuth and elevation of the eye in degrees.
    """
    data = {
        "sets": [[name, [frame.as_data() for frame in frames]] for name, frames in sets.items()],
        "strips": [[_short(curve) for curve in curves] for curves in (strips or {}).values()],
        "panels": list(panels), "looks": list(looks), "trail": trail, "n": n_pairs,
        "view": list(view), "description": description, "told": "plane" in panels,
        "colours": {name: COLOURS[name] for name in ("matching", "non_matching", "ours", "exponential")},
    }  # fmt: skip
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    first = first or next(iter(sets))
    way = list(sets[first])[: start % len(sets[first]) + 1]
    now = way[-1] = replace(way[-1], products=way[-1].products or next(iter(sets.values()))[0].products)
    strip = list(strips.values())[list(sets).index(first)] if strips else None
    draw = partial(still, way if trail else [now], looks=looks, n_pairs=n_pairs, strip=strip, view=view)
    shown = [panel for panel in panels if panel != "sphere" or np.shape(now.groups[0])[1] == 3]
    parts = f"{choice} {first}", f"{slider} {now.label}", now.text
    html = live.piece(
        "player", text, pictures={name: live.address(draw([name])) for name in shown}, start=len(way) - 1,
        last=len(sets[first]) - 1, choices={minus(name): name == first for name in sets}, choice=choice, slider=slider,
        play=play, description=description, told=minus(" · ".join(filter(None, map(str.strip, parts)))),
    )  # fmt: skip
    return live.Live(html, f"interactive figure: {description}", draw(shown))


def still(
    frames: Sequence[Frame], panels: Sequence[Panel], *, looks: Looks = PAIRS, n_pairs: int | None = None,
    strip: tuple[ArrayLike, ArrayLike] | None = None, view: tuple[float, float] = (25.0, 22.0),
) -> Figure:  # fmt: skip
    """The last of these frames as a picture, and the way it came; the rest as in :func:`player`."""
    ratios = [1.0 if panel == "sphere" else 1.3 for panel in panels]
    figure, axes = style.new_figure(n_columns=len(panels), height=3.4, ratios=ratios)
    figure.set_figwidth(style.WIDTH if len(panels) > 1 else style.WIDTH / 3)
    frame, handles = frames[-1], []
    for ax, panel in zip(axes[0], panels, strict=True):
        if panel == "sphere":
            groups = [sphere.PointGroup(points, *look) for points, look in zip(frame.groups, looks, strict=True)]
            sphere.draw(ax, groups, rotation=sphere.camera(azimuth=view[0], elevation=view[1]))
        elif panel == "plane":
            handles = _plane(ax, frames, looks, n_pairs, strip)
        elif panel == "logits" and frame.logit:
            products.logits(ax, *frame.kinds(), *frame.logit)
        else:
            products.number_line(ax, *frame.kinds(), relative_bias=frame.relative_bias)
    return style.finish(figure, extra=handles, columns=1 if len(panels) == 1 else None)


def _plane(
    axes: Axes, frames: Sequence[Frame], looks: Looks, n_pairs: int | None, strip: tuple[ArrayLike, ArrayLike] | None
) -> list[Artist]:
    """The way of the pairs in the plane of relative bias and margin, or of each of several places in its own look."""
    ways = np.array([frame.where() for frame in frames]).swapaxes(0, 1)
    handles = []
    if strip:
        (b, low), (_, high) = map(np.transpose, strip)
        limits.open_strip(axes, b, low, high)
    else:
        lowest = min(0.0, ways[..., 1].min() - 0.05)
        handles = region.draw_region(axes, margin_limits=(lowest, 0.62), n_pairs=n_pairs, modality_gap=False)
    own = looks if not frames[-1].groups else [("", COLOURS["ours"], "o")]
    for way, (label, colour, marker) in zip(ways, own, strict=False):
        axes.plot(*way.T, color=colour, lw=1.3, marker=marker, markevery=[-1], ms=7, label=label, zorder=4)
    return handles
