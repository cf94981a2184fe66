"""Which pairs match, for any number of rows on either side: a sparse matrix that never becomes a full one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from constellations.losses.arguments import Labels, Matching
from constellations.sphere import Points, as_points


class Matches:
    """Pairs ``(rows[p], columns[p])``, sorted by row: the true entries of a sparse ``matrix``."""

    def __init__(self, matrix: csr_array) -> None:
        self.matrix = matrix
        self.rows, self.columns = self.inside(slice(None), slice(None))

    def __len__(self) -> int:
        return len(self.rows)

    def split(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows and columns of at most ``size`` pairs at a time."""
        return zip(self.rows.split(size), self.columns.split(size), strict=True)

    def inside(self, rows: slice, columns: slice) -> tuple[Tensor, ...]:
        """Places of the matching entries in a block of the matrix."""
        return tuple(torch.from_numpy(x.astype(np.int64)) for x in self.matrix[rows, columns].nonzero())

    def take(self, rows: Any) -> Matches:
        """The matches of some rows, renumbered."""
        return Matches(self.matrix[rows])


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
    if found.matrix is not None:
        matrix = csr_array(found.matrix.numpy())
    else:
        ids = [torch.arange(n_rows) if side is None else side for side in (found.rows, found.columns)]
        _, group = np.unique(torch.cat(ids), return_inverse=True)
        member = csr_array((np.ones(len(group), dtype=bool), group, np.arange(len(group) + 1)))
        matrix = (member[:n_rows] @ member[n_rows:].T).tocsr()
        matrix.sort_indices()
    if not 0 < matrix.nnz < n_rows * n_columns:
        got = f"{matrix.nnz} of {n_rows * n_columns} matching"
        raise ValueError(f"labels must leave matching and non-matching pairs, got {got}")
    return Matches(matrix)


def of_points(images: Points, texts: Points, labels: Labels | None) -> tuple[Tensor, Tensor, Matches]:
    """Unit rows ``[M, d]`` and ``[N, d]`` on the CPU, and their matches."""
    u, v = (as_points(x, name).detach().cpu() for x, name in ((images, "images"), (texts, "texts")))
    if u.ndim != 2 or v.ndim != 2 or u.shape[1] != v.shape[1]:
        shapes = f"{tuple(u.shape)} and {tuple(v.shape)}"
        raise ValueError(f"images and texts must have shapes [M, d] and [N, d] of one d, got {shapes}")
    return u, v, matches(labels, len(u), len(v))
