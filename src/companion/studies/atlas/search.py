"""The search behind the atlas: every cell from every kind of start, then once more from its neighbours."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
from tqdm import tqdm

from companion.studies.atlas import starts
from companion.studies.atlas.polish import anneal, margin_at, normalized, polish
from companion.studies.atlas.starts import Pair
from companion.studies.atlas.table import Entry, certify
from constellations.atomic import replace_on_success
from constellations.constructions import max_inner_product

Cell = tuple[int, int, Fraction]
BEATS = 1e-9  # a start replaces the best so far only if it gains more than this


def best_codes(dim: int, n_points: int, *, n_runs: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Spherical codes ``[N, d]`` of small largest inner product, the best first (``dim >= 2``)."""
    x, _ = starts.random_pairs(n_runs, n_points, dim, rng)
    x, _ = _anneal_both(x, x, -1.0, tied=True)
    order = np.argsort(-margin_at(x, x, -1.0))[:3]
    done = [polish(x[k], x[k], relative_bias=-1.0, tied=True) for k in order]
    return [u for u, _, _ in sorted(done, key=lambda entry: -entry[2])]


def save_codes(dims: Sequence[int], sizes: Sequence[int], path: str, *, n_runs: int, seed: int) -> None:
    """Search for codes of all these dimensions and sizes and write the table of :func:`table.load_codes`."""
    with replace_on_success(Path(path)) as target, target.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["dim", "n_points", "max_inner_product"])
        for dim, n in product(dims, sizes):
            rng = np.random.default_rng([seed, dim, n])
            code = best_codes(dim, n, n_runs=n_runs, rng=rng)[0]
            writer.writerow([dim, n, f"{max_inner_product(code):.12f}"])


def search_cell(cell: Cell, codes: Sequence[np.ndarray], *, n_runs: int, rng: np.random.Generator) -> Entry | None:
    """The best certified configuration of one cell ``(dim, n_pairs, relative_bias)``; ``None`` if no margin is positive."""
    dim, n, bias = cell
    b = float(bias)
    u, v = _anneal_both(*starts.random_pairs(n_runs, n, dim, rng), b)
    order = np.argsort(-margin_at(u, v, b))[:4]
    kinds = [("code", pair) for pair in starts.from_codes(codes, dim=dim, relative_bias=b)]
    kinds += [("cyclic", pair) for pair in starts.cyclic(n, dim, relative_bias=b)]
    kinds += [("random", (u[k], v[k])) for k in order]
    shaken = [(f"{kind}, perturbed", pair) for kind, pair in kinds if kind != "random"]
    kinds += [(kind, _shake(pair, b, rng)) for kind, pair in shaken]
    return best_of(kinds, b=bias)


def _anneal_both(u: np.ndarray, v: np.ndarray, b: float, *, tied: bool = False) -> Pair:
    """Every other run from a low inverse temperature on, the others from a high one: neither finds every optimum."""
    done = [
        anneal(u[k::2], v[k::2], relative_bias=b, n_steps=2000, temperatures=(t, 3000.0), tied=tied)
        for k, t in enumerate((4.0, 60.0))
    ]
    return np.concatenate([x for x, _ in done]), np.concatenate([y for _, y in done])


def best_of(kinds: Iterable[tuple[str, Pair]], *, b: Fraction, known: Entry | None = None) -> Entry | None:
    """Polish every start and certify the best; earlier kinds win ties, ``known`` wins over all that do not beat it."""
    best, kept = (float(known.margin) if known else 0.0), None
    for kind, pair in kinds:
        u, v, margin = polish(*pair, relative_bias=float(b))
        if margin > best + BEATS:
            best, kept = margin, (kind, u, v)
    return known if kept is None else certify(kept[1], kept[2], relative_bias=b, found_from=kept[0])


def _shake(pair: Pair, b: float, rng: np.random.Generator, *, n_copies: int = 12) -> Pair:
    """The best of some perturbed copies, annealed from a high inverse temperature on."""
    sides = [np.repeat(side[None], n_copies, 0) for side in pair]
    noise = np.linspace(0.02, 0.3, n_copies)[:, None, None]
    moved = [normalized(side + noise * rng.normal(size=side.shape)) for side in sides]
    u, v = anneal(*moved, relative_bias=b, n_steps=800, temperatures=(30.0, 3000.0))
    best = int(margin_at(u, v, b).argmax())
    return u[best], v[best]


def search(
    dims: Sequence[int],
    sizes: Sequence[int],
    relative_biases: Sequence[Fraction],
    *,
    n_runs: int = 100,
    seed: int = 0,
    known: Sequence[Entry] = (),
) -> list[Entry]:
    """All cells, each from its own random generator; ``known`` entries are kept unless they are beaten.

    A second pass tries each cell again from its neighbours, large numbers of pairs first, small dimensions first; with
    ``n_runs = 0`` it is the only one.
    """
    table = {(e.dim, e.n_pairs, e.relative_bias): e for e in known}
    for dim, n in tqdm([*product(dims, sizes)] if n_runs else [], desc="cells"):
        rng = np.random.default_rng([seed, dim, n])
        codes = best_codes(dim, n, n_runs=n_runs, rng=rng)
        codes += best_codes(dim - 1, n, n_runs=n_runs, rng=rng) if dim > 2 else []
        for bias in relative_biases:
            cell = (dim, n, bias)
            found = search_cell(cell, codes, n_runs=n_runs, rng=rng)
            if found and (cell not in table or found.margin > table[cell].margin + Fraction(BEATS)):
                table[cell] = found
    for cell in tqdm([*product(dims, sorted(sizes, reverse=True), relative_biases)], desc="neighbours"):
        dim, n, bias = cell
        pairs = {(d, k, float(b)): _arrays(e) for (d, k, b), e in table.items()}
        near = starts.neighbours(pairs, dim, n, float(bias))
        near = sorted(near, key=lambda pair: -float(margin_at(pair[0], pair[1], float(bias))))[:3]
        found = best_of([("neighbour", pair) for pair in near], b=bias, known=table.get(cell))
        if found is not None:
            table[cell] = found
    return list(table.values())


def _arrays(entry: Entry) -> Pair:
    u, v = entry.points()
    return u.numpy(), v.numpy()
