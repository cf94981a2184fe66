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
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from companion.figures.style import COLOURS, minus

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

    def __repr__(self) -> str:
        return f"<{self.description}>"


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One state: groups of points ``[n, 3]`` (the first two are pairs), or inner products of both kinds, or only places.

    ``places`` are points ``(relative_bias, margin)`` where they are not those of the pairs; ``logit`` is the inverse
    temperature, the relative bias and the size of a violation from which on a loss is silent (0: never).
    """

    groups: Sequence[ArrayLike] = ()
    products: tuple[ArrayLike, ArrayLike] | None = None
    places: Sequence[tuple[float, float]] = ()
    logit: tuple[float, float, float] | None = None
    relative_bias: float | None = None
    label: str = ""
    text: str = ""

    def as_data(self) -> dict[str, object]:
        """What the script reads, rounded to what can be seen."""
        data: dict[str, object] = {"label": minus(self.label), "text": minus(self.text)}
        if self.groups:
            data["groups"] = [_short(group) for group in self.groups]
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
    trail: bool = True,
    start: int = -1,
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
    start, view, width:
        The frame shown first, azimuth and elevation of the eye in degrees, largest width in pixels.
    """
    data = {
        "sets": [[name, [frame.as_data() for frame in frames]] for name, frames in sets.items()],
        "panels": list(panels), "looks": list(looks), "trail": trail, "n": n_pairs,
        "view": list(view), "description": description, "told": list(panels) != ["sphere"],
        "colours": {name: COLOURS[name] for name in ("matching", "non_matching", "ours", "exponential")},
    }  # fmt: skip
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    key = "player-" + hashlib.sha256(text.encode()).hexdigest()[:12]
    script = (files("companion") / "data" / "player.js").read_text().strip()
    turning = "Drag the sphere to turn it, or focus it and use the arrow keys; Home turns it back."
    return Live(
        f'<div class="player" id="{key}" style="max-width:{width}px"><div class="player-panels"></div>'
        f'<div class="player-legend"></div>{_controls(sets, slider, choice, start)}'
        f'<output aria-live="polite"></output><small>{turning if "sphere" in panels else ""}</small>'
        f"<noscript>This figure needs JavaScript. {html.escape(description)}</noscript>"
        f"<script>({script})({json.dumps(key)},{text});</script></div>",
        f"interactive figure: {description}",
    )


def _controls(sets: Mapping[str, Sequence[Frame]], slider: str, choice: str, start: int) -> str:
    longest = max(len(frames) for frames in sets.values())
    options = "".join(f"<option>{html.escape(minus(name))}</option>" for name in sets)
    choices = f"<label>{html.escape(choice)} <select>{options}</select></label>" if len(sets) > 1 else ""
    hidden = "" if longest > 1 else " hidden"
    return (
        f'<div>{choices}<label{hidden}>{html.escape(slider)} <input type="range" min="0" max="{longest - 1}" '
        f'value="{start % longest}"> <b class="player-value"></b></label></div>'
    )
