"""The hardest pairs, and who is found in retrieval, both ways, for sets too large for a matrix of inner products.

One walk over blocks. Where the processor multiplies bfloat16 faster than float32, a block is screened in bfloat16 with a
rigorous error bound: only what might be among the largest non-matching products, or rival an own match, is multiplied
again in float32, and what decides in float64. The result is the same with and without the screen.
"""

from __future__ import annotations

import timeit
from collections.abc import Iterable, Sequence
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
Block = tuple[slice, slice]  # rows and columns


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


def blocks(n_rows: int, n_columns: int, *, step: int = 1, progress: bool = False) -> Iterable[Block]:
    """The blocks of at most 512 x 8,192 entries of a matrix, of every ``step``-th of its rows."""
    rows = [slice(i, min(i + ROWS * step, n_rows), step) for i in range(0, n_rows, ROWS * step)]
    columns = [slice(j, min(j + COLUMNS, n_columns), 1) for j in range(0, n_columns, COLUMNS)]
    both = [(at, across) for across in columns for at in rows]
    return tqdm(both, disable=not progress, unit="block", desc="hardest pairs")


def products(points: Sequence[Tensor], matches: Matches, block: Block, *, matching: float) -> Tensor:
    """The inner products of a block of both sides, with its matching entries replaced by a value.

    Parameters
    ----------
    matching:
        What stands in place of the matching entries.
    """
    s = points[0][block[0]] @ points[1][block[1]].T
    s[matches.inside(*block)] = matching
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
    scan = _Scan(u, v, matches, most)
    for block in blocks(len(u), len(v), step=16) if screen else ():  # good first values rule most blocks out
        scan.refine(block)
    look = _Screen(scan).look if screen else scan.refine
    for block in blocks(len(u), len(v), progress=progress):
        look(block)
    largest = torch.tensor([*scan.listed.values()], dtype=torch.float64)
    pairs = torch.tensor([divmod(key, len(v)) for key in scan.listed])
    return Hardest(scan.matching, largest, pairs, *(~beaten for beaten in scan.beaten))


class _Scan:
    """What is known so far: the largest non-matching products, and the rows and columns already beaten."""

    def __init__(self, u: Tensor, v: Tensor, matches: Matches, most: int) -> None:
        self.exact, self.matches, self.most = (u, v), matches, most
        self.points = u.float(), v.float()
        self.matching = torch.cat([self._products(*pairs) for pairs in matches.split(COLUMNS)])
        empty = [torch.full((len(x),), -torch.inf, dtype=torch.float64) for x in (u, v)]
        sides = zip(empty, (matches.rows, matches.columns), strict=True)
        self.own = [nobody.scatter_reduce(0, at, self.matching, "amax") for nobody, at in sides]
        self.beaten = [own == -torch.inf for own in self.own]
        self.listed: dict[int, float] = {}  # by flat index, the largest first
        self.least = -2.0  # what a non-matching product must exceed to be listed

    def refine(self, block: Block) -> None:
        """Multiply one block in float32, and what might decide anything in float64."""
        s = products(self.points, self.matches, block, matching=-torch.inf)
        for side, (mine, at) in enumerate(zip((s, s.T), block, strict=True)):
            top, own = mine.amax(1), self.own[side][at].float()
            self.beaten[side][at] |= top > own + FLOAT32_ROUNDING
            near = ((top - own).abs() <= FLOAT32_ROUNDING).nonzero()[:, 0]
            pairs = near, mine[near].argmax(1)
            self.decide(block, *(pairs if side == 0 else pairs[::-1]))
        large = (s.amax(1) > self.least - FLOAT32_ROUNDING).nonzero()[:, 0]
        values, flat = s[large].flatten().topk(min(self.most, len(large) * s.shape[1]))
        flat = flat[values > self.least - FLOAT32_ROUNDING]
        self.decide(block, large[flat // s.shape[1]], flat % s.shape[1])

    def decide(self, block: Block, rows: Tensor, columns: Tensor) -> None:
        """Take the exact products of non-matching pairs of a block into account."""
        rows, columns = (at.start + at.step * x for at, x in zip(block, (rows, columns), strict=True))
        values = self._products(rows, columns)
        for side, at in enumerate((rows, columns)):
            self.beaten[side][at[values >= self.own[side][at]]] = True
        kept = values > self.least
        keys = (rows * len(self.exact[1]) + columns)[kept].tolist()
        listed = self.listed | dict(zip(keys, values[kept].tolist(), strict=True))
        self.listed = dict(sorted(listed.items(), key=lambda item: (-item[1], item[0]))[: self.most])
        self.least = [-2.0, *self.listed.values()][-1 if len(self.listed) == self.most else 0]

    def _products(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Float64 inner products of listed pairs."""
        u, v = self.exact
        return (u[rows].double() * v[columns].double()).sum(1)


class _Screen:
    """The points in bfloat16, with the length that rounding took from or added to each."""

    def __init__(self, scan: _Scan) -> None:
        self.scan, self.points = scan, [x.bfloat16() for x in scan.points]
        parts = ((x.split(COLUMNS) for x in both) for both in zip(scan.points, self.points, strict=True))
        self.errors = [torch.cat([(x - y.float()).norm(dim=1) for x, y in zip(*each, strict=True)]) for each in parts]

    def look(self, block: Block) -> None:
        """Rule a block out, or look again at what might matter."""
        scan = self.scan
        s = products(self.points, scan.matches, block, matching=-torch.inf)
        errors = [errors[at] for errors, at in zip(self.errors, block, strict=True)]
        found = []
        for side, (mine, at) in enumerate(zip((s, s.T), block, strict=True)):
            # |<u, v> - s16| <= |e_u| |v| + |u'| |e_v|, plus the result's own rounding, relative 2^-8 of at most 1.01
            slack = 1.01 * (errors[side] + errors[1 - side].max() + 2**-8)
            top, own, beaten = mine.amax(1).float(), scan.own[side][at].float(), scan.beaten[side][at]
            beaten |= top - slack > own + FLOAT32_ROUNDING
            ruled_out = scan.least if side == 0 else 2.0
            wanted = torch.where(beaten, ruled_out, own.clamp_max(ruled_out)) - slack - FLOAT32_ROUNDING
            at_stake = (top >= wanted).nonzero()[:, 0]
            near = (mine[at_stake] >= wanted[at_stake, None].bfloat16()).nonzero()
            found.append(torch.stack([at_stake[near[:, 0]], near[:, 1]]))
        both = torch.cat([found[0], found[1].flip(0)], dim=1)
        scan.refine(block) if both.shape[1] > MOST_CANDIDATES else scan.decide(block, *both)


def _bfloat16_is_faster(dim: int) -> bool:
    """Whether a bfloat16 product takes less than two thirds of the time of a float32 one here; the first ones warm up."""
    both = [torch.ones(ROWS, dim, dtype=kind) for kind in (torch.float32, torch.bfloat16)]
    single, half = (min(timeit.repeat(partial(torch.mm, x, x.T), number=1, repeat=20)) for x in both)
    return half < single / 1.5
