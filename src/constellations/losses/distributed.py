"""The sigmoid loss of a batch that is spread over processes."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from constellations.checks import choice
from constellations.losses.arguments import Labels, Matching, Number, full_precision
from constellations.losses.sigmoid import REDUCTIONS, VARIANTS, Reduction, Variant, count, scalars, summed
from constellations.sphere import Points, as_pairs


def distributed_sigmoid_loss(
    u: Points,
    v: Points,
    *,
    inverse_temperature: Number,
    bias: Number | None = None,
    relative_bias: Number | None = None,
    labels: Labels | None = None,
    variant: Variant = "exact",
    reduction: Reduction = "sum",
    chunk_size: int | None = None,
    averaged: bool = False,
) -> Tensor:
    """This process's rows of the loss over the global batch, within an initialised ``torch.distributed`` group.

    Every process holds rows ``[M, d]`` of ``u`` and the matching ``v``; ``M`` may differ between processes. The ``v`` are
    gathered (differentiably), never the ``N x N`` logits. The processes' values add up to :func:`sigmoid_loss` of the
    concatenated points; so do their gradients.

    Parameters
    ----------
    labels:
        As in :func:`sigmoid_loss`, of this process's points: group ids ``[M]``, a tuple of ids of its ``u`` and its ``v``
        (which may then differ in number), or the rows ``[M, N]`` of the global boolean matrix that belong to its ``u``.
    averaged:
        Multiply gradients (not the value) by the number of processes, for wrappers that average them, as
        ``DistributedDataParallel`` and FSDP do.

    Raises
    ------
    ValueError
        As :func:`sigmoid_loss`, on every process even if a single one holds bad points; if no process group is
        initialised.
    """
    if not (dist.is_available() and dist.is_initialized()):
        needs = "an initialised torch.distributed process group"
        raise ValueError(f"distributed_sigmoid_loss needs {needs}, got none")
    choice(variant, "variant", VARIANTS)
    choice(reduction, "reduction", REDUCTIONS)
    matrix = labels is not None and not isinstance(labels, tuple) and torch.as_tensor(labels).dtype == torch.bool
    fault = None
    try:
        u, v = full_precision(*as_pairs(u, v, at_least=1, matched=labels is None), operands=variant != "exact")
        t, b = scalars(u, inverse_temperature, bias, relative_bias)
        matching = Matching.of(None if matrix else labels, len(u), len(v), device=u.device)
    except ValueError as error:
        fault = error
        u = v = torch.empty(0, 0)
    shapes = _shapes(u, v, fault)
    m, n = sum(rows for rows, _ in shapes), [columns for _, columns in shapes]
    if matrix:
        matching = Matching.of(labels, len(u), sum(n), device=u.device)
    elif matching.columns is not None:
        matching = Matching(rows=matching.rows, columns=_Gather.apply(matching.columns[:, None], n)[:, 0])
    else:
        matching = Matching(first=sum(n[: dist.get_rank()]))
    (wide,) = full_precision(v)  # gradients of all processes are added in float32
    total = summed(u, _Gather.apply(wide, n).to(v.dtype), t, b, matching, variant=variant, size=chunk_size)
    total = total / count(reduction, m, sum(n))
    return total + (dist.get_world_size() - 1) * (total - total.detach()) if averaged else total


def _shapes(u: Tensor, v: Tensor, fault: ValueError | None) -> list[tuple[int, int]]:
    """How many ``u`` and ``v`` each process holds; a ValueError on all if one has a fault or another dimension."""
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    mine = torch.tensor([len(u), len(v), v.shape[-1], v.ndim, int(v.dtype == torch.float64), fault is None])
    table = [torch.empty_like(mine, device=device) for _ in range(dist.get_world_size())]
    dist.all_gather(table, mine.to(device))
    if fault is not None:
        raise fault
    rows = torch.stack(table).tolist()
    for rank, row in enumerate(rows):
        if row[2:] != [v.shape[-1], 2, int(v.dtype == torch.float64), 1]:
            allowed = "valid points [M, d] of one d and type on every process"
            raise ValueError(f"u and v must be {allowed}, but are not on process {rank}")
    return [(row[0], row[1]) for row in rows]


class _Gather(torch.autograd.Function):
    """All processes' rows; gradients are summed over the processes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, lengths: list[int]) -> Tensor:
        ctx.lengths = lengths
        padded = x.new_zeros(max(lengths), x.shape[1])
        padded[: len(x)] = x
        parts = [torch.empty_like(padded) for _ in lengths]
        dist.all_gather(parts, padded)
        return torch.cat([part[:length] for part, length in zip(parts, lengths, strict=True)])

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        g = g.contiguous().clone()
        dist.all_reduce(g)
        return g.split(ctx.lengths)[dist.get_rank()], None
