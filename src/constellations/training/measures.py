"""What is recorded of a run: losses, margins, optimal relative biases, xi; and the results that hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from constellations.geometry.margin import Gap, smallest_and_largest
from constellations.losses.arguments import diagonal
from constellations.losses.slopes import PUBLISHED_EPSILON, entries
from constellations.training.settings import Edge, Settings


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What is measured of R runs at one moment, in float64: ``[R]`` each, ``edge_margin`` ``[R, E]``.

    ``loss`` (as trained) and ``exact_loss`` are sums over pairs and edges; ``relative_bias`` is the trained ``b / t``. The
    others are those of the inner products that the loss sees: ``margin`` and ``optimal_relative_bias`` ``b*_rel`` jointly
    over all edges, ``edge_margin`` edge by edge, ``xi`` the mean over edges, nan where points are not paired.
    """

    loss: Tensor
    exact_loss: Tensor
    inverse_temperature: Tensor
    relative_bias: Tensor
    margin: Tensor
    optimal_relative_bias: Tensor
    xi: Tensor
    edge_margin: Tensor


@dataclass(frozen=True, kw_only=True)
class Trajectory(Snapshot):
    """Measures during training: at the ``steps`` ``[S]``, with a first axis ``S``."""

    steps: Tensor


@dataclass(frozen=True, kw_only=True)
class Synchronization(Snapshot):
    """Where R runs ended. Tensors are on the CPU; all but ``points`` are float64, ``[R]`` where nothing else is said.

    ``loss`` (as trained) and ``exact_loss`` are sums over pairs and edges; ``inverse_temperature``, ``bias`` and
    ``relative_bias`` are the trained scalars; ``margin`` and ``optimal_relative_bias`` are ``m*`` and ``b*_rel`` of all
    edges jointly, ``edge_margin`` ``[R, E]`` the margins edge by edge, ``xi`` the spread of the differences. ``history`` is
    the :class:`Trajectory` that ``record_every`` asks for.

    ``points`` is ``[R, k, N, d]``, filled up with nan where modalities differ in their ``counts`` of points. With an
    explicit adapter they are the points *before* it, the measured inner products are ``delta^2 s - (1 - delta^2)``, and
    ``adapter`` ``[R]`` is the trained ``delta``.
    """

    points: Tensor
    bias: Tensor
    edges: tuple[Edge, ...]
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


def snapshot(x: Mapping[int, Tensor], t: Tensor, b_rel: Tensor, delta: Tensor, settings: Settings) -> Snapshot:
    """All measures of points ``[R, d, N]``, edge by edge, in float64; ``delta`` is 1 without an adapter.

    The clamped loss alone is evaluated in the precision of training, of which it is a feature.
    """
    square, parts = delta.square()[:, None, None], []
    for a, c in settings.edges:
        u, v = x[a].double(), x[c].double()
        s = (u.transpose(1, 2) @ v) * square - (1 - square)
        match = diagonal(s) if settings.matching is None else settings.matching.to(s.device)
        found = smallest_and_largest(s, match)
        z = t[:, None, None] * (s - b_rel[:, None, None])
        exact = entries(torch.where(match, -z, z)).sum((1, 2))
        trained = _published(z.to(x[a].dtype), match) if settings.loss == "published" else exact
        parts.append((found.matching, found.non_matching, exact, trained, square.flatten() * _xi(u, v)))
    low, high, exact, trained, xi = (torch.stack(part, dim=1) for part in zip(*parts, strict=True))
    joint = Gap(low.amin(1), high.amax(1))
    return Snapshot(
        loss=trained.sum(1), exact_loss=exact.sum(1), inverse_temperature=t, relative_bias=b_rel,
        margin=joint.margin, optimal_relative_bias=joint.relative_bias, xi=xi.mean(1), edge_margin=(low - high) / 2,
    )  # fmt: skip


def _published(z: Tensor, match: Tensor) -> Tensor:
    p = torch.sigmoid(z)
    return -torch.log(torch.where(match, p, 1 - p) + PUBLISHED_EPSILON).double().sum((1, 2))


def _xi(u: Tensor, v: Tensor) -> Tensor:
    """``xi`` of points ``[R, d, N]``: the mean squared distance of the differences from their mean; nan without pairs."""
    if u.shape != v.shape:
        return u.new_full((len(u),), torch.nan)
    x = u - v
    return (x - x.mean(2, keepdim=True)).square().sum(1).mean(1)


def joined(chunks: Sequence[Sequence[Snapshot]]) -> dict[str, Tensor]:
    """Snapshots of chunks of runs at the same moments, by name: ``[S, R]``, on the CPU."""
    return {
        name: torch.cat([torch.stack([getattr(shot, name) for shot in shots]) for shots in chunks], 1).cpu()
        for name in (field.name for field in fields(Snapshot))
    }
