"""What the losses take: points and scalars in full precision, and which pairs match."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from constellations.sphere import holds

Number = float | Tensor
Labels = Tensor | ArrayLike | tuple[Any, Any]
WIDE_SUMS = "dtype" in torch.ops.aten.bmm.overloads()  # from torch 2.8 on


def full_precision(*points: Tensor, operands: bool = True) -> tuple[Tensor, ...]:
    """In one type, float32 at least: sums of half precision overflow, its logits are a percent off.

    With ``operands=False`` bfloat16 points on a GPU stay as they are: it multiplies them with sums in float32, fast.
    """
    if WIDE_SUMS and not operands and all(x.is_cuda and x.dtype == torch.bfloat16 for x in points):
        return points
    kind = functools.reduce(torch.promote_types, (x.dtype for x in points), torch.float32)
    return tuple(x.to(kind) for x in points)


def scalar(value: Number, name: str, points: Tensor, *, positive: bool = False, checked: bool = True) -> Tensor:
    """One number, or one for each configuration of points ``[..., N, d]``, in their type, float32 at least; of one element
    the shape is ``()``.
    """
    number = torch.as_tensor(value, dtype=torch.promote_types(points.dtype, torch.float32))
    if checked and not holds((torch.isfinite(number) & (number > 0 if positive else True)).all()):
        raise ValueError(f"{name} must be finite{' and above 0' if positive else ''}, got {value!r}")
    if number.numel() == 1:
        return number.to(points.device).reshape(())
    if number.shape != points.shape[:-2]:
        allowed = f"one number or one per configuration, shape {tuple(points.shape[:-2])}"
        raise ValueError(f"{name} must be {allowed}, got shape {tuple(number.shape)}")
    return number.to(points.device)


def diagonal(s: Tensor) -> Tensor:
    """The mask ``[N, N]`` of the matching pairs of ``s``."""
    return torch.eye(s.shape[-1], dtype=torch.bool, device=s.device)


@dataclass(frozen=True)
class Matching:
    """Which of ``M x N`` pairs match: ``(i, first + i)``, the true entries of a matrix, or those of equal group ids."""

    first: int = 0
    matrix: Tensor | None = None
    rows: Tensor | None = None
    columns: Tensor | None = None

    @classmethod
    def of(cls, labels: Labels | None, n_rows: int, n_columns: int, *, device: torch.device) -> Matching:
        """From a boolean matrix ``[M, N]``, the ids ``[N]`` of both sides, or a tuple of ids ``[M]`` and ``[N]``."""
        if labels is None:
            return cls()
        sides = labels if isinstance(labels, tuple) else (labels, labels)
        rows, columns = (torch.as_tensor(side, device=device) for side in sides)
        is_matrix = rows.dtype == torch.bool
        right = ((n_rows, n_columns),) * 2 if is_matrix else ((n_rows,), (n_columns,))
        if rows.is_floating_point() or columns.is_floating_point() or (rows.shape, columns.shape) != right:
            allowed = f"a boolean matrix of shape {(n_rows, n_columns)} or integer group ids"
            got = f"{rows.dtype} of shapes {tuple(rows.shape)} and {tuple(columns.shape)}"
            raise ValueError(f"labels must be {allowed}, {n_rows} of u and {n_columns} of v, got {got}")
        return cls(matrix=rows) if is_matrix else cls(rows=rows, columns=columns)

    def mask(self, block: Tensor, start: int = 0) -> Tensor:
        """Where the rows from ``start`` on, a block ``[..., m, N]``, hold matching pairs."""
        stop = start + block.shape[-2]
        if self.matrix is not None:
            return self.matrix[start:stop]
        if self.rows is not None and self.columns is not None:
            return self.rows[start:stop, None] == self.columns
        at = torch.arange(start + self.first, stop + self.first, device=block.device)
        return at[:, None] == torch.arange(block.shape[-1], device=block.device)

    def flip_(self, block: Tensor, start: int = 0) -> None:
        """Change the sign of the matching pairs of a block, in place."""
        if self.matrix is None and self.rows is None:
            block.diagonal(offset=start + self.first, dim1=-2, dim2=-1).neg_()
        else:
            block.mul_(1 - 2 * self.mask(block, start).to(block.dtype))
