"""Which pairs match, for any number of rows on either side: a sparse matrix that never becomes a full one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from constellations.checks import require
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
    both = 0 < matrix.nnz < n_rows * n_columns
    require(both, "labels", "such that matching and non-matching pairs are left", f"{matrix.nnz} matching")
    return Matches(matrix)


def of_points(images: Points, texts: Points, labels: Labels | None) -> tuple[Tensor, Tensor, Matches]:
    """Unit rows ``[M, d]`` and ``[N, d]`` on the CPU, and their matches."""
    u, v = (as_points(x, name).detach().cpu() for x, name in ((images, "images"), (texts, "texts")))
    right, shapes = u.ndim == v.ndim == 2 and u.shape[1] == v.shape[1], (tuple(u.shape), tuple(v.shape))
    require(right, "images and texts", "of shapes [M, d] and [N, d] of one d", shapes)
    return u, v, matches(labels, len(u), len(v))
