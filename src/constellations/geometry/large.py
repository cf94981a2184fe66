"""The hardest pairs, and who is found in retrieval, both ways, for sets too large for a matrix of inner products.

One walk over blocks. Where the processor multiplies bfloat16 faster than float32, a block is screened in bfloat16 with a
rigorous error bound: only what might be among the largest non-matching products, or rival an own match, is multiplied
again in float32, and what decides in float64. The result is the same with and without the screen.
"""

from __future__ import annotations

import timeit
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from tqdm import tqdm

from constellations.geometry.matches import Matches

ROWS, COLUMNS = 512, 8192
FLOAT32_ROUNDING = 2e-6
MOST_CANDIDATES = 3_000  # listed pairs cost memory traffic, a product of whole rows arithmetic
SMALL = 2**26  # below this many inner products the float32 pass takes a second
Block = tuple[Tensor, int, int]  # indices of rows, first column, last column + 1


@dataclass(frozen=True)
class Hardest:
    """Matching products ``[P]`` in float64, the largest others with their pairs, and whom retrieval finds.

    ``largest [k]`` falls, ``pairs [k, 2]`` attain it. ``found_rows[i]``: the best match of row ``i`` is strictly closer
    than every other column; likewise ``found_columns``. Rows (columns) without a match are not found.
    """

    matching: Tensor
    largest: Tensor
    pairs: Tensor
    found_rows: Tensor
    found_columns: Tensor


def blocks(n_rows: int, n_columns: int, *, progress: bool = False) -> Iterator[Block]:
    """The blocks of at most 512 x 8,192 entries of a matrix: indices of rows, first column, last column + 1."""
    total, title = n_rows * n_columns, "hardest pairs"
    with tqdm(total=total, disable=not progress, unit="pair", unit_scale=True, desc=title) as bar:
        for start in range(0, n_columns, COLUMNS):
            stop = min(start + COLUMNS, n_columns)
            for rows in torch.arange(n_rows).split(ROWS):
                yield rows, start, stop
                bar.update(len(rows) * (stop - start))


def products(u: Tensor, v: Tensor, matches: Matches, block: Block, *, matching: float) -> Tensor:
    """The inner products of a block, with its matching entries replaced by a value."""
    rows, start, stop = block
    s = u[int(rows[0]) : int(rows[-1]) + 1] if int(rows[-1] - rows[0]) == len(rows) - 1 else u[rows]
    s = s @ v[start:stop].T
    s[matches.inside(rows, start, stop)] = matching
    return s


def hardest(
    u: Tensor, v: Tensor, matches: Matches, *, most: int, screen: bool | None = None, progress: bool = False
) -> Hardest:
    """Scan all inner products of ``u [M, d]`` and ``v [N, d]`` (unit rows) in ``O((M + N) d)`` memory.

    Parameters
    ----------
    most:
        How many of the largest non-matching products to list.
    screen:
        Screen in bfloat16 first (``True``), never (``False``), or where that is faster (``None``).
    """
    if screen is None:
        screen = len(u) * len(v) > SMALL and _bfloat16_is_faster(u.shape[1])
    scan = _Scan(u, v, matches, most, screen=screen)
    for block in blocks(len(u), len(v), progress=progress):
        scan.screen(*block) if screen else scan.refine(*block)
    pairs = torch.stack([scan.keys // len(v), scan.keys % len(v)], dim=1)
    return Hardest(scan.matching, scan.largest, pairs, *(~beaten for beaten in scan.beaten))


def _rounded(points: Tensor) -> tuple[Tensor, Tensor]:
    """Points in bfloat16, with the length that rounding took from or added to each row."""
    low = points.bfloat16()
    pairs = zip(points.split(COLUMNS), low.split(COLUMNS), strict=True)
    return low, torch.cat([(exact - rounded.float()).norm(dim=1) for exact, rounded in pairs])


class _Scan:
    """What is known so far: the largest non-matching products, and the rows and columns already beaten."""

    def __init__(self, u: Tensor, v: Tensor, matches: Matches, most: int, *, screen: bool) -> None:
        self.exact, self.matches, self.most = (u, v), matches, most
        self.points = u.float(), v.float()
        self.matching = torch.cat([self._products(*pairs) for pairs in matches.split(COLUMNS)])
        empty = [torch.full((len(x),), -torch.inf, dtype=torch.float64) for x in (u, v)]
        sides = zip(empty, (matches.rows, matches.columns), strict=True)
        self.own = [nobody.scatter_reduce(0, at, self.matching, "amax") for nobody, at in sides]
        self.beaten = [own == -torch.inf for own in self.own]
        self.largest, self.keys = torch.empty(0, dtype=torch.float64), torch.empty(0, dtype=torch.int64)
        if screen:
            self.rounded, self.errors = zip(*map(_rounded, self.points), strict=True)
            sample = torch.linspace(0, len(u) - 1, max(1, min(2 * ROWS, len(u) // 16))).long()
            for rows, start, stop in blocks(len(sample), len(v)):  # good first values rule most blocks out
                self.refine(sample[rows], start, stop)

    @property
    def least(self) -> float:
        """What a non-matching product must exceed to be listed."""
        return float(self.largest[-1]) if len(self.largest) == self.most else -2.0

    def screen(self, rows: Tensor, start: int, stop: int) -> None:
        """Rule a block out, or look again at what might matter."""
        u, v = self.rounded
        s = products(u, v, self.matches, (rows, start, stop), matching=-torch.inf)
        places = slice(int(rows[0]), int(rows[-1]) + 1), slice(start, stop)
        errors = [errors[at] for errors, at in zip(self.errors, places, strict=True)]
        candidates = []
        for side, (block, at) in enumerate(zip((s, s.T), places, strict=True)):
            # |<u, v> - s16| <= |e_u| |v| + |u'| |e_v|, plus the result's own rounding, relative 2^-8 of at most 1.01
            slack = 1.01 * (errors[side] + errors[1 - side].max() + 2**-8)
            top, own, beaten = block.amax(1).float(), self.own[side][at].float(), self.beaten[side]
            beaten[at] |= top - slack > own + FLOAT32_ROUNDING
            ruled_out = self.least if side == 0 else 2.0
            wanted = torch.where(beaten[at], ruled_out, own.clamp_max(ruled_out)) - slack - FLOAT32_ROUNDING
            at_stake = (top >= wanted).nonzero()[:, 0]
            found = (block[at_stake] >= wanted[at_stake, None].bfloat16()).nonzero()
            candidates.append((at_stake, torch.stack([at_stake[found[:, 0]], found[:, 1]])))
        (open_rows, first), (_, second) = candidates
        if second.shape[1] > MOST_CANDIDATES:
            self.refine(rows, start, stop)
        elif first.shape[1] > MOST_CANDIDATES:
            self.refine(rows[open_rows], start, stop)
            self._decide(rows[second[1]], second[0] + start)
        else:
            found = torch.cat([first, second.flip(0)], dim=1)
            self._decide(rows[found[0]], found[1] + start)

    def refine(self, rows: Tensor, start: int, stop: int) -> None:
        """Multiply ``rows`` with one block of columns in float32, and what might decide anything in float64."""
        s = products(*self.points, self.matches, (rows, start, stop), matching=-torch.inf)
        for side, (block, at) in enumerate(((s, rows), (s.T, torch.arange(start, stop)))):
            top, own = block.amax(1), self.own[side][at].float()
            self.beaten[side][at] |= top > own + FLOAT32_ROUNDING
            near = ((top - own).abs() <= FLOAT32_ROUNDING).nonzero()[:, 0]
            nearest = block[near].argmax(1)
            self._decide(*((rows[near], nearest + start) if side == 0 else (rows[nearest], at[near])))
            if side == 0:
                large = (top > self.least - FLOAT32_ROUNDING).nonzero()[:, 0]
                values, flat = s[large].flatten().topk(min(self.most, len(large) * s.shape[1]))
                flat = flat[values > self.least - FLOAT32_ROUNDING]
                self._decide(rows[large[flat // s.shape[1]]], flat % s.shape[1] + start)

    def _products(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Float64 inner products of listed pairs."""
        u, v = self.exact
        return (u[rows].double() * v[columns].double()).sum(1)

    def _decide(self, rows: Tensor, columns: Tensor) -> None:
        """Take the exact products of non-matching pairs into account."""
        if not len(rows):
            return
        values = self._products(rows, columns)
        for side, at in enumerate((rows, columns)):
            self.beaten[side][at[values >= self.own[side][at]]] = True
        kept = values > self.least
        if kept.any():
            keys = torch.cat([self.keys, rows[kept] * len(self.exact[1]) + columns[kept]])
            keys, place = torch.unique(keys, return_inverse=True)
            listed = torch.empty(len(keys), dtype=torch.float64)
            listed[place] = torch.cat([self.largest, values[kept]])
            order = listed.argsort(descending=True, stable=True)[: self.most]
            self.largest, self.keys = listed[order], keys[order]


def _bfloat16_is_faster(dim: int) -> bool:
    """Whether a bfloat16 product takes less than two thirds of the time of a float32 one here."""
    points = torch.ones(ROWS, dim)
    single, half = (
        min(timeit.repeat(partial(torch.mm, x, x.T), number=1, repeat=20))  # the first ones warm up
        for x in (points, points.bfloat16())
    )
    return half < single / 1.5
