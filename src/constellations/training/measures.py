"""What is recorded of a run: losses, margins, optimal relative biases, xi; and the results that hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from constellations.losses.slopes import PUBLISHED_EPSILON, entries

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

    ``points`` is ``[R, k, N, d]``, filled up with nan where modalities differ in their ``counts`` of points; ``loss`` (as
    trained) and ``exact_loss`` are sums over pairs and edges, ``[R]``. ``margin``, ``optimal_relative_bias`` ``[R]`` and
    ``edge_margin`` ``[R, E]`` are those of the inner products that the loss sees: jointly over all edges, and edge by
    edge. ``xi`` ``[R]`` is the mean over edges, nan where points are not paired. With an explicit adapter these inner
    products are ``delta^2 s - (1 - delta^2)``, ``points`` are the points *before* the adapter, and ``adapter`` ``[R]`` is
    the trained ``delta``.
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
    counts: tuple[int, ...]
    adapter: Tensor | None
    history: Trajectory | None

    @property
    def u(self) -> Tensor:
        """The first modality, ``[R, N, d]``."""
        return self.points[:, 0, : self.counts[0]]

    @property
    def v(self) -> Tensor:
        """The second modality, ``[R, N, d]`` (``[R, M, d]`` where labels say so)."""
        return self.points[:, 1, : self.counts[1]]


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
    x: Mapping[int, Tensor],
    edges: Sequence[tuple[int, int]],
    t: Tensor,
    b_rel: Tensor,
    delta: Tensor,
    *,
    matching: Tensor | None,
    published: bool,
) -> Snapshot:
    """All measures of points ``[R, d, N]``, edge by edge, in float64; ``delta`` is 1 without an adapter.

    The clamped loss alone is evaluated in the precision of training, of which it is a feature.
    """
    square, parts = delta.square()[:, None, None], []
    for a, c in edges:
        u, v = x[a].double(), x[c].double()
        s = (u.transpose(1, 2) @ v) * square - (1 - square)
        match = torch.eye(s.shape[1], dtype=torch.bool, device=s.device) if matching is None else matching
        low = s.masked_fill(~match, torch.inf).amin((1, 2))
        high = s.masked_fill(match, -torch.inf).amax((1, 2))
        z = t[:, None, None] * (s - b_rel[:, None, None])
        exact = entries(torch.where(match, -z, z)).sum((1, 2))
        trained = _published(z.to(x[a].dtype), match) if published else exact
        parts.append((low, high, exact, trained, square.flatten() * _xi(u, v)))
    low, high, exact, trained, xi = (torch.stack(part, dim=1) for part in zip(*parts, strict=True))
    joint_low, joint_high = low.amin(1), high.amax(1)
    middle, half = (joint_low + joint_high) / 2, (joint_low - joint_high) / 2
    return Snapshot(trained.sum(1), exact.sum(1), t, b_rel, half, middle, xi.mean(1), (low - high) / 2)


def _published(z: Tensor, match: Tensor) -> Tensor:
    p = torch.sigmoid(z)
    return -torch.log(torch.where(match, p, 1 - p) + PUBLISHED_EPSILON).double().sum((1, 2))


def _xi(u: Tensor, v: Tensor) -> Tensor:
    """``xi`` of points ``[R, d, N]``: the mean squared distance of the differences from their mean; nan without pairs."""
    if u.shape != v.shape:
        return u.new_full((len(u),), torch.nan)
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
