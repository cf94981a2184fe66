"""What the losses take: points and scalars in full precision, and which pairs match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from constellations.checks import integer
from constellations.sphere import holds

Number = float | Tensor
Labels = Tensor | ArrayLike | tuple[Any, Any]


def full_precision(*points: Tensor) -> tuple[Tensor, ...]:
    """In one type, float32 at least: sums of half precision overflow, its logits are a percent off."""
    kind = torch.float32
    for x in points:
        kind = torch.promote_types(kind, x.dtype)
    return tuple(x.to(kind) for x in points)


def scalar(
    value: Number, name: str, points: Tensor, *, positive: bool = False, checked: bool = True
) -> Tensor:
    """One number, or one for each configuration of points ``[..., N, d]``, in their type; one element has shape ``()``."""
    number = torch.as_tensor(value, dtype=points.dtype)
    if checked and not holds((torch.isfinite(number) & (number > 0 if positive else True)).all()):
        raise ValueError(f"{name} must be finite{' and above 0' if positive else ''}, got {value!r}")
    number = number.to(points.device)
    if number.numel() == 1:
        return number.reshape(())
    leading = points.shape[:-2]
    if number.shape != leading[len(leading) - number.ndim :] or number.ndim > len(leading):
        raise ValueError(
            f"{name} must be one number or one per configuration, shape {tuple(leading)}, "
            f"got shape {tuple(number.shape)}"
        )
    return number


def chunk_rows(chunk_size: int | None) -> int | None:
    """``None`` or an integer of at least 1."""
    if chunk_size is None:
        return None
    try:
        return integer(chunk_size, "chunk_size", 1)
    except ValueError:
        raise ValueError(f"chunk_size must be None or an integer of at least 1, got {chunk_size!r}") from None


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
        if isinstance(labels, tuple):
            rows, columns = (torch.as_tensor(ids, device=device) for ids in labels)
        else:
            rows = columns = torch.as_tensor(labels, device=device)
            if rows.dtype == torch.bool:
                if rows.shape[-2:] != (n_rows, n_columns):
                    raise ValueError(
                        f"labels must be a boolean matrix of shape {(n_rows, n_columns)}, got {tuple(rows.shape)}"
                    )
                return cls(matrix=rows)
        for ids, length in ((rows, n_rows), (columns, n_columns)):
            if ids.is_floating_point() or ids.dtype == torch.bool or ids.shape[-1:] != (length,):
                raise ValueError(
                    f"labels must be integer group ids, {n_rows} of u and {n_columns} of v, "
                    f"got {ids.dtype} of shape {tuple(ids.shape)}"
                )
        return cls(rows=rows, columns=columns)

    def mask(self, block: Tensor, start: int = 0) -> Tensor:
        """Where the rows from ``start`` on, a block ``[..., m, N]``, hold matching pairs."""
        stop = start + block.shape[-2]
        if self.matrix is not None:
            return self.matrix[..., start:stop, :]
        if self.rows is not None and self.columns is not None:
            return self.rows[..., start:stop, None] == self.columns[..., None, :]
        at = torch.arange(start + self.first, stop + self.first, device=block.device)
        return at[:, None] == torch.arange(block.shape[-1], device=block.device)

    def flip_(self, block: Tensor, start: int = 0) -> None:
        """Change the sign of the matching pairs of a block, in place."""
        if self.matrix is None and self.rows is None:
            block.diagonal(offset=start + self.first, dim1=-2, dim2=-1).neg_()
        else:
            block.mul_(1 - 2 * self.mask(block, start).to(block.dtype))
