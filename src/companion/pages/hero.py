"""Draw the landing page's picture anew: ``python -m companion.pages.hero`` (the result is kept in the repository)."""

from __future__ import annotations

from pathlib import Path

import torch

from companion.figures import products, style
from constellations import training
from constellations.atomic import replace_on_success

N_PAIRS, RELATIVE_BIAS, SEED = 12, 0.6, 3
TARGET = Path("book/_static/hero.svg")


def main() -> None:
    """Train the constellation of the picture and write the picture, as SVG and PNG."""
    style.apply_style()
    trained = training.synchronize(
        n_pairs=N_PAIRS, dim=3, seeds=[SEED], relative_bias=RELATIVE_BIAS, train_bias=False, n_steps=6_000,
        dtype=torch.float64,
    )  # fmt: skip
    figure = products.constellation(trained.u[0], trained.v[0])
    style.add_note(figure, f"N = {N_PAIRS}, d = 3, b_rel = {RELATIVE_BIAS} fixed, 1 seed")
    for suffix, metadata in ((".svg", {"Date": None}), (".png", {"Software": None})):
        with replace_on_success(TARGET.with_suffix(suffix)) as path:
            figure.savefig(path, format=suffix[1:], metadata=metadata)
    print(f"wrote {TARGET} and {TARGET.with_suffix('.png')}")


if __name__ == "__main__":
    main()
