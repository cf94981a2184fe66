"""Figures that answer the reader: frames to step through on a sphere, on a line, in the plane of bias and margin.

A player is self-contained HTML with one shared script: no network, no library, obedient to mouse, touch and keyboard.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from companion.figures.style import COLOURS, minus
from constellations.atomic import replace_on_success

Panel = Literal["sphere", "products", "logits", "plane"]
Looks = Sequence[tuple[str, str, str]]  # label, colour, marker of each group
PAIRS: Looks = (("images U", COLOURS["u"], "o"), ("texts V", COLOURS["v"], "^"))


@dataclass(frozen=True)
class Live:
    """A self-contained piece of a page, with a script of its own; notebooks and the book display it as it is."""

    html: str
    description: str

    def _repr_html_(self) -> str:
        return self.html

    def save(self, path: Path) -> None:
        """Write a page that shows nothing else."""
        with replace_on_success(path) as target:
            head = '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            head += "<style>body { font-family: sans-serif }</style>"
            target.write_text(f"{head}<title>{html.escape(self.description)}</title>{self.html}\n", encoding="utf-8")

    def __repr__(self) -> str:
        return f"<{self.description}>"


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
    sets: Mapping[str, Sequence[Frame]],
    *,
    panels: Sequence[Panel],
    description: str,
    slider: str = "",
    choice: str = "",
    looks: Looks = PAIRS,
    strips: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    trail: bool = True,
    first: str = "",
    start: int = -1,
    play: str = "Play",
    n_pairs: int | None = None,
    view: tuple[float, float] = (25.0, 22.0),
    width: int = 960,
) -> Live:
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
        For each set a lower and an upper curve ``(relative_bias, margin)``, drawn in the plane instead of the triangle.
    first, start:
        The set and the frame shown first.
    play:
        The word on the button that runs through the frames, where there are more than a handful.
    view, width:
        Azimuth and elevation of the eye in degrees, largest width in pixels.
    """
    data = {
        "sets": [[name, [frame.as_data() for frame in frames]] for name, frames in sets.items()],
        "strips": [[_short(curve) for curve in curves] for curves in (strips or {}).values()],
        "panels": list(panels), "looks": list(looks), "trail": trail, "n": n_pairs,
        "view": list(view), "description": description, "told": "plane" in panels,
        "colours": {name: COLOURS[name] for name in ("matching", "non_matching", "ours", "exponential")},
    }  # fmt: skip
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    key = "player-" + hashlib.sha256(text.encode()).hexdigest()[:12]
    script = (files("companion") / "data" / "player.js").read_text().strip()
    turning = "Drag the sphere to turn it, or focus it and use the arrow keys; Home turns it back."
    return Live(
        f'<div class="player" id="{key}" style="max-width:{width}px"><div class="player-panels"></div>'
        f'<div class="player-legend"></div>{_controls(sets, slider, choice, first, start, play)}'
        f'<output aria-live="polite"></output><small>{turning if "sphere" in panels else ""}</small>'
        f"<noscript>This figure needs JavaScript. {html.escape(description)}</noscript>"
        f"<script>({script})({json.dumps(key)},{text});</script></div>",
        f"interactive figure: {description}",
    )


def _controls(sets: Mapping[str, Sequence[Frame]], slider: str, choice: str, first: str, start: int, play: str) -> str:
    shown = sets[first] if first else next(iter(sets.values()))
    options = "".join(f"<option{' selected' * (name == first)}>{html.escape(minus(name))}</option>" for name in sets)
    choices = f'<label>{html.escape(choice)} <select autocomplete="off">{options}</select></label>' * (len(sets) > 1)
    return (
        f'<div class="player-controls" hidden>{choices}<button type="button">{html.escape(play)}'
        f'</button><label>{html.escape(slider)} <input type="range" min="0" max="{len(shown) - 1}" '
        f'value="{start % len(shown)}" autocomplete="off"> <b class="player-value"></b></label></div>'
    )
