"""The atlas: configurations as integers, certified in exact arithmetic and shipped with the package."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from constellations.atomic import replace_on_success

BITS = 40  # points are rounded to integers after multiplication with 2^BITS
DECIMALS = 10  # margins are decimal fractions of this many digits, rounded down until they are certified
Vectors = tuple[tuple[int, ...], ...]
COLUMNS = ("dim", "n_pairs", "relative_bias", "margin", "found_from", "u", "v")


@dataclass(frozen=True)
class Entry:
    """A constellation of ``n_pairs`` in ``R^dim``: integer vectors, and a margin certified at ``relative_bias``.

    The vectors stand for their directions; both parameters are rational, so that :meth:`is_certified` decides in
    integers, without rounding. ``found_from`` says which kind of start the search succeeded from.
    """

    dim: int
    n_pairs: int
    relative_bias: Fraction
    margin: Fraction
    found_from: str
    u: Vectors
    v: Vectors

    def points(self) -> tuple[Tensor, Tensor]:
        """The unit vectors, float64 ``[n_pairs, dim]`` each."""
        u, v = (torch.tensor(side, dtype=torch.float64) for side in (self.u, self.v))
        return u / u.norm(dim=-1, keepdim=True), v / v.norm(dim=-1, keepdim=True)

    def is_certified(self) -> bool:
        """Whether ``s_ii >= b_rel + m`` and ``s_ij <= b_rel - m``, ``i != j``, decided in exact integer arithmetic."""
        if len(self.u) != self.n_pairs or len(self.v) != self.n_pairs:
            return False
        if any(len(x) != self.dim or not any(x) for x in (*self.u, *self.v)):
            return False
        low, high = self.relative_bias + self.margin, self.relative_bias - self.margin
        return all(
            _at_least(x, y, low) if i == j else _at_least([-z for z in x], y, -high)
            for i, x in enumerate(self.u)
            for j, y in enumerate(self.v)
        )


def _at_least(x: Sequence[int], y: Sequence[int], bound: Fraction) -> bool:
    """``<x, y> >= bound |x| |y|``, exactly: by signs, and by squares where the signs agree."""
    inner = sum(a * b for a, b in zip(x, y, strict=True))
    squares = sum(a * a for a in x) * sum(b * b for b in y) * bound.numerator**2
    mine = inner * inner * bound.denominator**2
    if bound >= 0:
        return inner >= 0 and mine >= squares
    return inner >= 0 or mine <= squares


def certify(u: Any, v: Any, *, relative_bias: Fraction, found_from: str) -> Entry:
    """Round a configuration ``[N, d]`` to integers and find the largest decimal margin that holds exactly.

    Raises
    ------
    ValueError
        If not even margin 0 holds at this relative bias.
    """
    x, y = (np.asarray(side, dtype=float) for side in (u, v))
    whole = [tuple(tuple(int(z) for z in row) for row in np.rint(side * 2.0**BITS)) for side in (x, y)]
    s = x @ y.T - float(relative_bias)
    slack = min(s.diagonal().min(), -s[~np.eye(len(s), dtype=bool)].max())
    digits = int(np.floor(slack * 10**DECIMALS)) + 1
    for last in range(digits, digits - 100, -1):
        margin = Fraction(last, 10**DECIMALS)
        entry = Entry(x.shape[1], len(x), relative_bias, margin, found_from, whole[0], whole[1])
        if margin >= 0 and entry.is_certified():
            return entry
    raise ValueError(
        f"the configuration must have a margin of at least 0 at b_rel = {relative_bias}, got {slack:.3g}"
    )


@lru_cache(maxsize=1)
def load_atlas() -> tuple[Entry, ...]:
    """The shipped table, ordered by dimension, number of pairs and relative bias.

    Examples
    --------
    >>> all(entry.is_certified() for entry in load_atlas() if entry.n_pairs <= 6)
    True
    """
    with (files("constellations") / "data" / "atlas.csv").open() as file:
        return tuple(_entry(row) for row in csv.DictReader(file))


def save_atlas(entries: Sequence[Entry], path: str | Path) -> None:
    """Write entries in the form that :func:`load_atlas` reads, in one move."""
    with replace_on_success(Path(path)) as target, target.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for e in sorted(entries, key=lambda e: (e.dim, e.n_pairs, e.relative_bias)):
            margin = f"{e.margin.numerator * 10**DECIMALS // e.margin.denominator}/{10**DECIMALS}"
            flat = [" ".join(str(z) for row in side for z in row) for side in (e.u, e.v)]
            writer.writerow([e.dim, e.n_pairs, e.relative_bias, margin, e.found_from, *flat])


def _entry(row: dict[str, str]) -> Entry:
    dim = int(row["dim"])
    sides = []
    for name in ("u", "v"):
        numbers = [int(z) for z in row[name].split()]
        sides.append(tuple(tuple(numbers[k : k + dim]) for k in range(0, len(numbers), dim)))
    bias, margin = Fraction(row["relative_bias"]), Fraction(row["margin"])
    return Entry(dim, int(row["n_pairs"]), bias, margin, row["found_from"], sides[0], sides[1])
