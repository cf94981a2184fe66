"""The sigmoid loss: exact and published variants, whole, in chunks or distributed, and its best bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.nn.functional import all_gather
from torch.nn.functional import logsigmoid
from torch.utils.checkpoint import checkpoint

from constellations.losses.slopes import PUBLISHED_EPSILON
from constellations.sphere import as_pairs

Variant = Literal["exact", "published"]
Reduction = Literal["sum", "mean"]


@dataclass(frozen=True)
class OptimalBias:
    """Minimiser of the exact sigmoid loss over the bias at a fixed inverse temperature, and the infimum it gives."""

    bias: Any
    relative_bias: Any
    loss: Any


def _positive(value: Any, name: str, like: Tensor) -> Tensor:
    number = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    if not bool((torch.isfinite(number) & (number > 0)).all()):
        raise ValueError(f"{name} must be finite and above 0, got {value!r}")
    return number


def _finite(value: Any, name: str, like: Tensor) -> Tensor:
    number = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    if not bool(torch.isfinite(number).all()):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return number


def _check_choice(value: str, name: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def signed_logits(
    u: Tensor, v: Tensor, *, inverse_temperature: Any, bias: Any, relative_bias: Any, first_row: int = 0
) -> Tensor:
    """Logits ``[..., M, N]`` of ``M`` rows from ``first_row`` on: matching pairs carry a plus sign, others a minus.

    The loss of an entry is ``-log sigmoid(signed logit)``.
    """
    if (bias is None) == (relative_bias is None):
        raise ValueError(f"give exactly one of bias and relative_bias, got {bias!r} and {relative_bias!r}")
    t = _positive(inverse_temperature, "inverse_temperature", u)[..., None, None]
    s = u @ v.transpose(-1, -2)
    if bias is None:
        logits = t * (s - _finite(relative_bias, "relative_bias", u)[..., None, None])
    else:
        logits = t * s - _finite(bias, "bias", u)[..., None, None]
    return torch.where(_matching(s, first_row), logits, -logits)


def _matching(block: Tensor, first_row: int) -> Tensor:
    """The boolean mask ``[M, N]`` of matching pairs in a block of rows."""
    rows = torch.arange(first_row, first_row + block.shape[-2], device=block.device)
    return rows[:, None] == torch.arange(block.shape[-1], device=block.device)


def _block_loss(u: Tensor, v: Tensor, first_row: int, variant: str, scalars: dict[str, Any]) -> Tensor:
    """Summed loss of the rows ``u`` (from ``first_row`` on) against all of ``v``."""
    z = signed_logits(u, v, first_row=first_row, **scalars)
    return (-logsigmoid(z) if variant == "exact" else _published_entries(z, first_row)).sum((-2, -1))


def sigmoid_loss(
    u: Any,
    v: Any,
    *,
    inverse_temperature: Any,
    bias: Any = None,
    relative_bias: Any = None,
    variant: Variant = "exact",
    reduction: Reduction = "sum",
    chunk_size: int | None = None,
) -> Tensor:
    r"""Sigmoid contrastive loss of ``N`` pairs.

    .. math::
        L = \sum_i \log(1 + e^{-t s_{ii} + b}) + \sum_{i \ne j} \log(1 + e^{t s_{ij} - b}),
        \qquad b = t\, b_{rel}.

    Parameters
    ----------
    u, v:
        Unit vectors ``[..., N, d]``, ``N >= 2``. Gradients flow through tensors.
    inverse_temperature:
        ``t > 0``, a scalar or one value per configuration (shape ``[...]``).
    bias, relative_bias:
        Exactly one of them, scalar or ``[...]``: ``b``, or ``b_rel = b / t`` (Definition 1 of the paper).
    variant:
        ``"exact"`` uses a stable log-sigmoid, right to relative 1e-12 in float64 at logits up to 1e4;
        ``"published"`` is the clamped ``-log(sigmoid(x) + 1e-8)`` of the authors' notebooks.
    reduction:
        ``"sum"`` (the paper) or ``"mean"`` over the ``N^2`` pairs (the authors' notebooks).
    chunk_size:
        Evaluate that many rows at a time, forward and backward, and hold only ``chunk_size * N`` logits at once.

    Returns
    -------
    Tensor of the leading shape ``[...]``.

    Raises
    ------
    ValueError
        For bad points, ``t <= 0``, non-finite numbers, both or neither of the biases, an unknown variant or reduction.

    Examples
    --------
    >>> eye = torch.eye(2, dtype=torch.float64)
    >>> round(sigmoid_loss(eye, eye, inverse_temperature=10.0, relative_bias=0.5).item(), 6)
    0.026861
    """
    _check_choice(variant, "variant", ("exact", "published"))
    _check_choice(reduction, "reduction", ("sum", "mean"))
    u, v = as_pairs(u, v)
    n_pairs = u.shape[-2]
    if chunk_size is not None and (
        isinstance(chunk_size, bool) or int(chunk_size) != chunk_size or chunk_size < 1
    ):
        raise ValueError(f"chunk_size must be None or an integer of at least 1, got {chunk_size!r}")
    scalars = {"inverse_temperature": inverse_temperature, "bias": bias, "relative_bias": relative_bias}
    if chunk_size is None or chunk_size >= n_pairs:
        total = _block_loss(u, v, 0, variant, scalars)
    else:
        blocks = enumerate(u.split(int(chunk_size), dim=-2))
        total = torch.stack(
            [_checkpointed(x, v, k * int(chunk_size), variant, scalars) for k, x in blocks]
        ).sum(0)
    return total if reduction == "sum" else total / n_pairs**2


def _checkpointed(u: Tensor, v: Tensor, first_row: int, variant: str, scalars: dict[str, Any]) -> Tensor:
    """A block whose logits are computed again in the backward pass instead of being kept."""
    return checkpoint(_block_loss, u, v, first_row, variant, scalars, use_reentrant=False)


def distributed_sigmoid_loss(
    u: Tensor,
    v: Tensor,
    *,
    inverse_temperature: Any,
    bias: Any = None,
    relative_bias: Any = None,
    variant: Variant = "exact",
    chunk_size: int | None = None,
) -> Tensor:
    """This process's rows of the summed loss over the global batch, within an initialised ``torch.distributed`` group.

    Every process holds ``[M, d]`` matched rows, the same ``M`` everywhere; the ``v`` are gathered (differentiably), never
    the ``N x N`` logits. The processes' values add up to :func:`sigmoid_loss` of the concatenated pairs; so do their
    gradients, which a data-parallel wrapper that *averages* must multiply by the number of processes.

    Raises
    ------
    ValueError
        As :func:`sigmoid_loss`, or if no process group is initialised.
    """
    if not (dist.is_available() and dist.is_initialized()):
        raise ValueError(
            "distributed_sigmoid_loss needs an initialised torch.distributed process group, got none"
        )
    _check_choice(variant, "variant", ("exact", "published"))
    u, v = as_pairs(u, v, at_least=1)
    all_v = torch.cat(list(all_gather(v.contiguous())), dim=-2)
    scalars = {"inverse_temperature": inverse_temperature, "bias": bias, "relative_bias": relative_bias}
    start = dist.get_rank() * u.shape[-2]
    size = chunk_size or u.shape[-2]
    blocks = enumerate(u.split(size, dim=-2))
    return torch.stack([_checkpointed(x, all_v, start + k * size, variant, scalars) for k, x in blocks]).sum(
        0
    )


def _published_entries(z: Tensor, first_row: int) -> Tensor:
    """``-log(sigmoid(x) + eps)`` for matching pairs and ``-log(1 - sigmoid(x) + eps)`` for others, x the unsigned logit."""
    matching = _matching(z, first_row)
    probability = torch.sigmoid(torch.where(matching, z, -z))
    return -torch.log(torch.where(matching, probability, 1 - probability) + PUBLISHED_EPSILON)


def optimal_bias(u: Any, v: Any, *, inverse_temperature: Any) -> OptimalBias:
    """The bias that minimises the exact summed loss at a given ``t``, found by bisection on its monotone derivative.

    ``dL/db = sum_i sigmoid(b - t s_ii) - sum_{i != j} sigmoid(t s_ij - b)`` increases in ``b``; it is computed in float64
    and bisected to the last bit. Accepts ``[..., N, d]``; a single configuration and scalar ``t`` give floats.
    """
    u, v = as_pairs(u, v)
    u, v = u.detach().double(), v.detach().double()
    t = _positive(inverse_temperature, "inverse_temperature", u)
    s = u @ v.transpose(-1, -2)
    shape = torch.broadcast_shapes(t.shape, s.shape[:-2])
    z = (t[..., None, None] * s).expand(*shape, *s.shape[-2:])
    off = ~torch.eye(s.shape[-1], dtype=torch.bool, device=s.device)
    spread = torch.log(torch.tensor(float(s.shape[-1]), dtype=s.dtype, device=s.device)) * 2 + 2
    low, high = z.amin((-2, -1)) - spread, z.amax((-2, -1)) + spread
    for _ in range(200):
        middle = (low + high) / 2
        matching = torch.sigmoid(middle[..., None] - z.diagonal(dim1=-2, dim2=-1)).sum(-1)
        non_matching = (torch.sigmoid(z - middle[..., None, None]) * off).sum((-2, -1))
        rising = matching > non_matching
        low, high = torch.where(rising, low, middle), torch.where(rising, middle, high)
    b = (low + high) / 2
    sign = 1 - 2 * off.to(z.dtype)
    loss = -logsigmoid(sign * (z - b[..., None, None])).sum((-2, -1))
    values = (b, b / t, loss)
    return OptimalBias(*(value.item() for value in values) if not shape else values)
