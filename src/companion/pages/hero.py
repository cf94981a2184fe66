"""Train the landing page's constellation anew: ``python -m companion.pages.hero`` (its results are in the repository)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from companion.figures import products, style
from constellations import training
from constellations.atomic import replace_on_success

N_PAIRS, RELATIVE_BIAS, SEED = 12, 0.6, 3
MOMENTS = [0, *np.unique(np.geomspace(4, 6_000, 44).round().astype(int)).tolist()]
TARGET = Path("book/_static/hero.svg")


def main() -> None:
    """Write the points at some moments of one training, for ``hero.js``, and the picture of its end, as SVG and PNG."""
    style.apply_style()
    frames = []
    for n_steps in MOMENTS:
        trained = training.synchronize(
            n_pairs=N_PAIRS, dim=3, seeds=[SEED], relative_bias=RELATIVE_BIAS, train_bias=False, n_steps=n_steps,
            dtype=torch.float64,
        )  # fmt: skip
        points = {"u": trained.u[0].numpy().round(3).tolist(), "v": trained.v[0].numpy().round(3).tolist()}
        frames.append({"step": n_steps, "loss": trained.loss.item(), "t": trained.inverse_temperature.item()} | points)
    with replace_on_success(TARGET.with_name("hero-data.js")) as path:
        path.write_text(f"const HERO = {json.dumps({'relativeBias': RELATIVE_BIAS, 'frames': frames})};\n")
    figure = products.constellation(trained.u[0], trained.v[0])
    style.add_note(figure, f"N = {N_PAIRS}, d = 3, b_rel = {RELATIVE_BIAS} fixed, 1 seed")
    for suffix, metadata in ((".svg", {"Date": None}), (".png", {"Software": None})):
        with replace_on_success(TARGET.with_suffix(suffix)) as path:
            figure.savefig(path, format=suffix[1:], metadata=metadata)
    print(f"wrote hero-data.js, hero.svg and hero.png in {TARGET.parent}")


if __name__ == "__main__":
    main()
