"""Which pairs match, for any number of rows on either side: a list of index pairs that never becomes a matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from constellations.losses.arguments import Labels, Matching
from constellations.sphere import Points, as_points


@dataclass(frozen=True)
class Matches:
    """Pairs ``(rows[p], columns[p])``, sorted by row, of ``n_rows`` and ``n_columns`` points."""

    rows: Tensor
    columns: Tensor
    n_rows: int
    n_columns: int

    def __len__(self) -> int:
        return len(self.rows)

    def split(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows and columns of at most ``size`` pairs at a time."""
        return zip(self.rows.split(size), self.columns.split(size), strict=True)

    @cached_property
    def _first(self) -> Tensor:
        """Where the pairs of each row begin, and where the last ones end."""
        counts = torch.bincount(self.rows, minlength=self.n_rows)
        return torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)])

    def inside(self, rows: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Places of the matching entries in the block of ``rows`` and columns ``start`` to ``stop - 1``."""
        place, pair = _runs(self._first[rows], self._first[rows + 1])
        column = self.columns[pair]
        kept = (column >= start) & (column < stop)
        return place[kept], column[kept] - start

    def take(self, rows: Tensor) -> Matches:
        """The matches of some rows, renumbered."""
        return Matches(*self.inside(rows, 0, self.n_columns), len(rows), self.n_columns)


def matches(labels: Labels | None, n_rows: int, n_columns: int) -> Matches:
    """What ``labels``, as in :func:`constellations.losses.sigmoid_loss`, mean for ``n_rows`` and ``n_columns`` points.

    >>> found = matches(([7, 7, 8], [8, 7]), 3, 2)
    >>> found.rows.tolist(), found.columns.tolist()
    ([0, 1, 2], [1, 1, 0])
    """
    if labels is None and n_rows != n_columns:
        advice = "one label per image, the row of its text, or one per text, the row of its image"
        got = f"{n_rows} and {n_columns} rows: give labels (--pairs), {advice}"
        raise ValueError(f"images and texts must match row by row, got {got}")
    found = Matching.of(labels, n_rows, n_columns, device=torch.device("cpu"))
    rows = columns = torch.arange(n_rows)
    if found.matrix is not None:
        rows, columns = found.matrix.nonzero(as_tuple=True)
    elif found.rows is not None and found.columns is not None:
        order = found.columns.argsort(stable=True)
        ends = (torch.searchsorted(found.columns[order], found.rows, right=right) for right in (False, True))
        rows, place = _runs(*ends)
        columns = order[place]
    if not 0 < len(rows) < n_rows * n_columns:
        got = f"{len(rows)} of {n_rows * n_columns} matching"
        raise ValueError(f"labels must leave matching and non-matching pairs, got {got}")
    return Matches(rows, columns, n_rows, n_columns)


def of_points(images: Points, texts: Points, labels: Labels | None) -> tuple[Tensor, Tensor, Matches]:
    """Unit rows ``[M, d]`` and ``[N, d]`` on the CPU, and their matches."""
    u, v = (as_points(x, name).detach().cpu() for x, name in ((images, "images"), (texts, "texts")))
    if u.ndim != 2 or v.ndim != 2 or u.shape[1] != v.shape[1]:
        shapes = f"{tuple(u.shape)} and {tuple(v.shape)}"
        raise ValueError(f"images and texts must have shapes [M, d] and [N, d] of one d, got {shapes}")
    return u, v, matches(labels, len(u), len(v))


def _runs(first: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """The numbers ``first[k], ..., end[k] - 1`` for one ``k`` after the other, with the ``k`` of each."""
    counts = end - first
    k = torch.arange(len(first)).repeat_interleave(counts)
    return k, torch.arange(len(k)) + (end - counts.cumsum(0))[k]
