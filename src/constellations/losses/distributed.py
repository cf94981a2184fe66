"""The sigmoid loss of a batch that is spread over processes."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from constellations.checks import choice, require
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

    Every process holds rows ``[M, d]`` of ``u`` and the matching ``v``; ``M`` may differ between processes. The ``v`` go
    round a ring with their gradients, one shard at a time, so that no process ever holds all of them. The processes'
    values add up to :func:`sigmoid_loss` of the concatenated points; so do their gradients, which are computed in the
    forward pass: each process must scale its loss alike before it calls ``backward``, and there is no second derivative.

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
        initialised; in ``backward``, if the processes scale their losses differently.
    """
    require(dist.is_available() and dist.is_initialized(), "the process group", "initialised (torch.distributed)", None)
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
        each = [Matching(matrix=x) for x in Matching.of(labels, len(u), sum(n), device=u.device).mask(u).split(n, 1)]
    elif matching.columns is not None:
        each = [Matching(rows=matching.rows, columns=ids) for ids in _gathered(matching.columns, n)]
    else:
        each = [Matching(first=0 if k == dist.get_rank() else n[k]) for k in range(len(n))]  # others match nobody here
    total = _Ring.apply(u, v, t, b, n, each, variant, chunk_size) / count(reduction, m, sum(n))
    return total + (len(n) - 1) * (total - total.detach()) if averaged else total


def _shapes(u: Tensor, v: Tensor, fault: ValueError | None) -> list[tuple[int, int]]:
    """How many ``u`` and ``v`` each process holds; a ValueError on all if one has a fault or another dimension."""
    mine = [len(u), len(v), v.shape[-1], v.ndim, int(v.dtype == torch.float64), fault is None]
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    table = _gathered(torch.tensor(mine, device=device), [len(mine)] * dist.get_world_size())
    if fault is not None:
        raise fault
    rows = torch.stack(table).tolist()
    for rank, row in enumerate(rows):
        alike = row[2:] == [v.shape[-1], 2, int(v.dtype == torch.float64), 1]
        require(alike, "u and v", "valid points [M, d] of one d and type on every process", f"others on process {rank}")
    return [(row[0], row[1]) for row in rows]


def _gathered(x: Tensor, lengths: list[int]) -> list[Tensor]:
    """The ``[M]`` numbers of every process."""
    padded = x.new_zeros(max(lengths))
    padded[: len(x)] = x
    parts = [torch.empty_like(padded) for _ in lengths]
    dist.all_gather(parts, padded)
    return [part[:length] for part, length in zip(parts, lengths, strict=True)]


class _Ring(torch.autograd.Function):
    """Summed loss of this process's ``u`` with every shard of ``v``, of known ``lengths``, and what matches in each."""

    @staticmethod
    def forward(
        ctx: Any, u: Tensor, v: Tensor, t: Tensor, b: Tensor,
        lengths: list[int], each: list[Matching], variant: Variant, size: int | None,
    ) -> Tensor:  # fmt: skip
        rank, world, wanted = dist.get_rank(), len(each), any(ctx.needs_input_grad)
        held = torch.stack(full_precision(v, torch.zeros_like(v)))  # a shard, and its gradient by all who had it
        sums = [torch.zeros_like(x, dtype=held.dtype) for x in (t, u, t, b)]
        for owner in range(rank, rank - world, -1):
            inputs = [x.detach().requires_grad_(wanted) for x in (u, held[0].to(v.dtype), t, b)]
            with torch.enable_grad():
                part = summed(inputs[0], inputs[1], inputs[2], inputs[3], each[owner], variant=variant, size=size)
            by_u, by_v, *by_scalars = torch.autograd.grad(part, inputs) if wanted else (0.0,) * 4
            for total, more in zip((*sums, held[1]), (part.detach(), by_u, *by_scalars, by_v), strict=True):
                total += more
            if world > 1:
                held, given = held.new_empty(2, lengths[owner - 1], v.shape[1]), held
                moves = (dist.isend, given, (rank + 1) % world), (dist.irecv, held, (rank - 1) % world)
                for request in dist.batch_isend_irecv([dist.P2POp(*move) for move in moves]):
                    request.wait()
        ctx.save_for_backward(sums[1], held[1], *sums[2:])
        return sums[0]

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        require(not torch.is_grad_enabled(), "create_graph", "False for the distributed loss", True)
        scales = _gathered(g[None], [1] * dist.get_world_size())
        require(all(x == g for x in scales), "the loss", "scaled alike on every process", [x.item() for x in scales])
        return *(g * x for x in ctx.saved_tensors), None, None, None, None
