"""The landing page's constellation: a player of one training, and ``python -m companion.pages.hero`` trains it anew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from companion.figures import live, player, style
from constellations import training
from constellations.atomic import replace_on_success

N_PAIRS, RELATIVE_BIAS, SEED = 12, 0.6, 3
MOMENTS = [0, *np.unique(np.geomspace(4, 6_000, 44).round().astype(int)).tolist()]
DATA, PICTURE = Path("src/companion/data/hero.json"), Path("book/_static/hero.svg")
LOOKS = [(name, colour, marker) for name, (_, colour, marker) in zip(("image", "caption"), player.PAIRS, strict=True)]
SEEN = "Twelve images and twelve captions on a sphere, pairs joined, and their 144 inner products on a line."


def constellation() -> live.Live:
    """The player of the training that is written down."""
    style.apply_style()
    run = {"": [player.Frame(**moment) for moment in json.loads(live.read(DATA.name))]}
    return player.player(run, panels=["sphere", "products"], slider="step", play="Train", looks=LOOKS, description=SEEN)


def interactive() -> str:
    """Markdown with the player; its place is before the picture of the end, which stays for print and without scripts."""
    return f'```{{raw}} html\n<div class="hero">{constellation().html}</div>\n```\n'


def main() -> None:
    """Write the player's frames at some moments of one training, and the picture of its end, as SVG and PNG."""
    moments = []
    for n_steps in MOMENTS:
        trained = training.synchronize(
            n_pairs=N_PAIRS, dim=3, seeds=[SEED], relative_bias=RELATIVE_BIAS, train_bias=False, n_steps=n_steps,
            dtype=torch.float64,
        )  # fmt: skip
        u, v, t = trained.u[0], trained.v[0], trained.inverse_temperature.item()
        found = (v @ u.T).argmax(1).eq(torch.arange(N_PAIRS)).sum().item()
        text = f"Loss {trained.loss.item():.3g}, t = {t:.1f}: {found} of {N_PAIRS} captions find their own image. "
        text += f"Separated, with margin {trained.margin.item():.3f}." if trained.margin > 0 else "Not separated yet."
        points = [side.numpy().round(3).tolist() for side in (u, v)]
        moments.append({"groups": points, "relative_bias": RELATIVE_BIAS, "label": f"{n_steps:,}", "text": text})
    with replace_on_success(DATA) as path:
        path.write_text(json.dumps(moments) + "\n")
    figure = constellation().picture
    style.add_note(figure, f"N = {N_PAIRS}, d = 3, b_rel = {RELATIVE_BIAS} fixed, 1 seed")
    print(f"wrote {DATA} and {style.save_figure(figure, PICTURE.parent, PICTURE.stem)}")


if __name__ == "__main__":
    main()
