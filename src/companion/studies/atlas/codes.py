"""What spherical codes alone give: the baseline that the atlas is compared with."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import numpy as np

from companion.studies.atlas.search import best_codes
from constellations.atomic import replace_on_success
from constellations.bounds import code_margin
from constellations.constructions import max_inner_product


@lru_cache(maxsize=1)
def load_codes() -> Mapping[tuple[int, int], float]:
    """Largest inner products of the best codes known to us, by ``(dim, n_points)``: upper bounds, rounded to 12 digits.

    Examples
    --------
    >>> load_codes()[3, 12]
    0.4472135955
    """
    with (files("constellations") / "data" / "atlas_codes.csv").open() as file:
        rows = csv.DictReader(file)
        return MappingProxyType(
            {(int(row["dim"]), int(row["n_points"])): float(row["max_inner_product"]) for row in rows}
        )


def save_codes(
    dims: Sequence[int], sizes: Sequence[int], path: str | Path, *, n_runs: int = 100, seed: int = 0
) -> None:
    """Search for codes of all these dimensions and sizes and write the table that :func:`load_codes` reads."""
    with replace_on_success(Path(path)) as target, target.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["dim", "n_points", "max_inner_product"])
        for dim in dims:
            for n in sizes:
                rng = np.random.default_rng([seed, dim, n])
                code = best_codes(dim, n, n_runs=n_runs, rng=rng)[0]
                writer.writerow([dim, n, f"{max_inner_product(code):.12f}"])


def margin_from_codes(dim: int, n_pairs: int, relative_bias: float) -> float:
    """The best margin that a code gives: one of ``R^{d-1}`` with one more dimension, or one of ``R^d`` as ``U = V``.

    Never below 0, which any number of pairs has.

    Raises
    ------
    ValueError
        For a dimension and size that are not in the table of codes.

    Examples
    --------
    >>> round(margin_from_codes(3, 8, 0.0), 6)
    0.079009
    """
    codes = load_codes()
    if (dim, n_pairs) not in codes:
        raise ValueError(f"codes are listed for {sorted(codes)}, got dim {dim!r} and n_pairs {n_pairs!r}")
    as_it_is = min(1 - relative_bias, relative_bias - codes[dim, n_pairs])
    lifted = (
        float(code_margin(codes[dim - 1, n_pairs], relative_bias)) if (dim - 1, n_pairs) in codes else 0.0
    )
    return max(as_it_is, lifted, 0.0)
