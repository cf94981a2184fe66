"""What is recorded of a run: losses, margins, optimal relative biases, xi; and the results that hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn.functional import softplus

from constellations.losses.slopes import PUBLISHED_EPSILON

TRACKS = ("loss", "inverse_temperature", "relative_bias", "margin", "optimal_relative_bias", "xi")


@dataclass(frozen=True)
class Trajectory:
    """Values during training: ``steps`` ``[S]``, everything else ``[S, R]`` in float64.

    ``loss`` is the sum over all pairs and edges, as trained; ``relative_bias`` is the trained ``b / t``,
    ``optimal_relative_bias`` that of the points, ``b*_rel``.
    """

    steps: Tensor
    loss: Tensor
    inverse_temperature: Tensor
    relative_bias: Tensor
    margin: Tensor
    optimal_relative_bias: Tensor
    xi: Tensor


@dataclass(frozen=True)
class Synchronization:
    """Where R runs ended. Tensors are on the CPU; all but ``points`` are float64.

    ``points`` is ``[R, k, N, d]``; ``loss`` (as trained) and ``exact_loss`` are sums over pairs and edges, ``[R]``.
    ``margin``, ``optimal_relative_bias`` ``[R]`` and ``edge_margin`` ``[R, E]`` are those of the inner products that the
    loss sees: jointly over all edges, and edge by edge. ``xi`` ``[R]`` is the mean over edges. With an explicit adapter
    these inner products are ``delta^2 s - (1 - delta^2)``, ``points`` are the points *before* the adapter, and
    ``adapter`` ``[R]`` is the trained ``delta``.
    """

    points: Tensor
    inverse_temperature: Tensor
    bias: Tensor
    relative_bias: Tensor
    loss: Tensor
    exact_loss: Tensor
    margin: Tensor
    optimal_relative_bias: Tensor
    xi: Tensor
    edge_margin: Tensor
    edges: tuple[tuple[int, int], ...]
    adapter: Tensor | None
    history: Trajectory | None

    @property
    def u(self) -> Tensor:
        """The first modality, ``[R, N, d]``."""
        return self.points[:, 0]

    @property
    def v(self) -> Tensor:
        """The second modality, ``[R, N, d]``."""
        return self.points[:, 1]


@dataclass(frozen=True)
class Snapshot:
    """All measures of one moment, ``[R]`` each (``edge_margin`` ``[R, E]``)."""

    loss: Tensor
    exact_loss: Tensor
    inverse_temperature: Tensor
    relative_bias: Tensor
    margin: Tensor
    optimal_relative_bias: Tensor
    xi: Tensor
    edge_margin: Tensor


def snapshot(
    x: Tensor, edges: Sequence[tuple[int, int]], t: Tensor, b_rel: Tensor, delta: Tensor, *, published: bool
) -> Snapshot:
    """All measures of points ``x`` ``[k, R, d, N]``, edge by edge, in float64; ``delta`` is 1 without an adapter.

    The clamped loss alone is evaluated in the precision of training, of which it is a feature.
    """
    kind = x.dtype
    x = x.double()
    square = delta.square()
    parts = []
    for a, b in edges:
        s = x[a].transpose(1, 2) @ x[b]
        s = s * square[:, None, None] - (1 - square)[:, None, None]
        parts.append((*_extremes(s), *_losses(s, t, b_rel, kind, published), square * _xi(x[a], x[b])))
    low, high, exact, trained, xi = (torch.stack(part, dim=1) for part in zip(*parts, strict=True))
    joint_low, joint_high = low.amin(1), high.amax(1)
    middle, half = (joint_low + joint_high) / 2, (joint_low - joint_high) / 2
    return Snapshot(trained.sum(1), exact.sum(1), t, b_rel, half, middle, xi.mean(1), (low - high) / 2)


def _extremes(s: Tensor) -> tuple[Tensor, Tensor]:
    """The smallest matching and the largest non-matching entry of ``[R, N, N]``."""
    others = s.clone()
    others.diagonal(dim1=1, dim2=2).fill_(-torch.inf)
    return s.diagonal(dim1=1, dim2=2).amin(1), others.amax((1, 2))


def _losses(s: Tensor, t: Tensor, c: Tensor, kind: torch.dtype, published: bool) -> tuple[Tensor, Tensor]:
    """The exact summed loss, and the loss as trained."""
    z = t[:, None, None] * (s - c[:, None, None])
    z.diagonal(dim1=1, dim2=2).neg_()
    exact = softplus(z, threshold=40.0).sum((1, 2))
    if not published:
        return exact, exact
    p = torch.sigmoid(z.to(kind))
    missing = 1 - p
    missing.diagonal(dim1=1, dim2=2).copy_(torch.sigmoid(-z.diagonal(dim1=1, dim2=2).to(kind)))
    return exact, -torch.log(missing + PUBLISHED_EPSILON).double().sum((1, 2))


def _xi(u: Tensor, v: Tensor) -> Tensor:
    """``xi`` of points ``[R, d, N]``: the mean squared distance of the differences from their mean."""
    x = u - v
    return (x - x.mean(2, keepdim=True)).square().sum(1).mean(1)


def history(steps: Sequence[int], chunks: Sequence[Sequence[Snapshot]]) -> Trajectory:
    """Snapshots of chunks of runs, step by step, as one history."""
    tracks = {
        name: torch.cat(
            [torch.stack([getattr(shot, name) for shot in shots]).cpu() for shots in chunks], dim=1
        )
        for name in TRACKS
    }
    return Trajectory(steps=torch.tensor(list(steps)), **tracks)


def join(shots: Sequence[Snapshot]) -> dict[str, Tensor]:
    """Snapshots of chunks of runs as one, by name."""
    return {
        field.name: torch.cat([getattr(shot, field.name) for shot in shots]).cpu()
        for field in fields(Snapshot)
    }
