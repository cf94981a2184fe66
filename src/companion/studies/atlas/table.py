"""The atlas: configurations as integers, certified in exact arithmetic, and the codes they are compared with."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from io import StringIO
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from constellations.atomic import replace_on_success
from constellations.bounds import code_margin
from constellations.data import read_csv_text

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

    def midpoints_are_a_code(self) -> bool:
        """Whether the normalised midpoints have cosines at most ``alpha(m, b_rel)``, as the midpoint theorem says.

        In integers: the unit vectors are rounded to 200 bits, the comparison allows for that and nothing else.
        """
        b, m = self.relative_bias, self.margin
        alpha = (1 + b - 3 * m) / (1 + b + m) + Fraction(1, 2**180)
        u, v = ([_unit(x, 200) for x in side] for side in (self.u, self.v))
        middle = [[x + y for x, y in zip(p, q, strict=True)] for p, q in zip(u, v, strict=True)]
        return all(_at_least([-z for z in p], q, -alpha) for i, p in enumerate(middle) for q in middle[:i])

    def ceiling(self) -> float:
        """The most that this dimension allows, ``mu_b(A_d(N))``, if the best code known to us is the best there is."""
        return float(code_margin(load_codes()[self.dim, self.n_pairs], float(self.relative_bias)))


def _unit(x: Sequence[int], bits: int) -> list[int]:
    """``2^bits x/|x|``, every coordinate within 2 of the truth."""
    norm = math.isqrt(sum(z * z for z in x) << 2 * bits)
    return [(z << 2 * bits) // norm for z in x]


def _at_least(x: Sequence[int], y: Sequence[int], bound: Fraction) -> bool:
    """``<x, y> >= bound |x| |y|``, exactly: by signs, and by squares where the signs agree."""
    inner = sum(a * b for a, b in zip(x, y, strict=True))
    squares = sum(a * a for a in x) * sum(b * b for b in y) * bound.numerator**2
    mine = inner * inner * bound.denominator**2
    if bound >= 0:
        return inner >= 0 and mine >= squares
    return inner >= 0 or mine <= squares


def certify(u: ArrayLike, v: ArrayLike, *, relative_bias: Fraction, found_from: str) -> Entry:
    """Round a configuration ``[N, d]`` to integers and find the largest decimal margin that holds exactly."""
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
    raise ValueError(f"the configuration must have a margin of at least 0 at b_rel = {relative_bias}, got {slack:.3g}")


@lru_cache(maxsize=1)
def load_atlas() -> tuple[Entry, ...]:
    """The shipped table, ordered by dimension, number of pairs and relative bias.

    >>> all(entry.is_certified() for entry in load_atlas() if entry.n_pairs <= 6)
    True
    """
    return tuple(_entry(row) for row in csv.DictReader(read_csv_text("atlas").splitlines()))


def save_atlas(entries: Sequence[Entry], path: str | Path) -> None:
    """Write entries in the form that :func:`load_atlas` reads, in one move.

    Parameters
    ----------
    path:
        File that is written.
    """
    with replace_on_success(Path(path)) as target, target.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for e in sorted(entries, key=lambda e: (e.dim, e.n_pairs, e.relative_bias)):
            margin = f"{e.margin.numerator * 10**DECIMALS // e.margin.denominator}/{10**DECIMALS}"
            flat = [" ".join(str(z) for row in side for z in row) for side in (e.u, e.v)]
            writer.writerow([e.dim, e.n_pairs, e.relative_bias, margin, e.found_from, *flat])


def _entry(row: dict[str, str]) -> Entry:
    dim, n = int(row["dim"]), int(row["n_pairs"])
    flat = {side: tuple(map(int, row[side].split())) for side in "uv"}
    u, v = (tuple(x[k : k + dim] for k in range(0, len(x), dim)) for x in flat.values())
    return Entry(dim, n, Fraction(row["relative_bias"]), Fraction(row["margin"]), row["found_from"], u, v)


@lru_cache(maxsize=1)
def load_codes() -> Mapping[tuple[int, int], float]:
    """Largest inner products of the best codes known to us, by ``(dim, n_points)``: upper bounds, rounded to 12 digits.

    >>> load_codes()[3, 12]
    0.4472135955
    """
    table = pd.read_csv(StringIO(read_csv_text("atlas_codes")), index_col=["dim", "n_points"])
    return MappingProxyType(table["max_inner_product"].to_dict())


def margin_from_codes(dim: int, n_pairs: int, relative_bias: float) -> float:
    """The best margin that a code gives: one of ``R^{d-1}`` with one more dimension, or one of ``R^d`` as ``U = V``.

    Never below 0, which any number of pairs has; a ValueError for what is not in the table of codes.

    >>> round(margin_from_codes(3, 8, 0.0), 6)
    0.079009
    """
    codes = load_codes()
    if (dim, n_pairs) not in codes:
        raise ValueError(f"codes are listed for {sorted(codes)}, got dim {dim!r} and n_pairs {n_pairs!r}")
    below = codes.get((dim - 1, n_pairs))
    lifted = 0.0 if below is None else float(code_margin(below, relative_bias))
    return max(min(1 - relative_bias, relative_bias - codes[dim, n_pairs]), lifted, 0.0)
