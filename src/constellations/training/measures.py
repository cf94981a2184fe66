"""What is recorded of a batch of runs: losses, scalars, margins; and the results that hold it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from constellations import geometry
from constellations.training.objective import coefficients, entry_losses
from constellations.training.settings import Settings


@dataclass(frozen=True)
class History:
    """Measures during training: ``steps [S]``, all others ``[S, R]`` in float64. Losses are sums, as trained and exact."""

    steps: Tensor
    loss: Tensor
    exact_loss: Tensor
    inverse_temperature: Tensor
    relative_bias: Tensor
    margin: Tensor
    optimal_relative_bias: Tensor
    xi: Tensor


@dataclass(frozen=True)
class Synchronization:
    """Where ``R`` runs ended.

    ``points [R, k, N, d]``; ``inverse_temperature``, ``bias``, ``relative_bias``, ``loss`` (summed over pairs and edges, the
    variant that was trained), ``exact_loss``, ``margin`` and ``optimal_relative_bias`` (over all edges together), ``xi``
    (two modalities; NaN otherwise) and ``delta`` (of the adapter; 1 without) are float64 of shape ``[R]``;
    ``edge_margin [R, E]`` is each edge's own, in the order of ``edges``.
    """

    points: Tensor
    edges: tuple[tuple[int, int], ...]
    inverse_temperature: Tensor
    bias: Tensor
    relative_bias: Tensor
    loss: Tensor
    exact_loss: Tensor
    margin: Tensor
    optimal_relative_bias: Tensor
    xi: Tensor
    edge_margin: Tensor
    delta: Tensor
    history: History | None

    @property
    def u(self) -> Tensor:
        """The first modality, ``[R, N, d]``."""
        return self.points[:, 0]

    @property
    def v(self) -> Tensor:
        """The second modality, ``[R, N, d]``."""
        return self.points[:, 1]


NAMES = (
    "loss", "exact_loss", "inverse_temperature", "bias", "relative_bias", "margin", "optimal_relative_bias", "xi", "delta",
)  # fmt: skip


def measure(points: Tensor, scalars: Tensor, settings: Settings) -> dict[str, Tensor]:
    """Every measure of runs at ``points [runs, k, d, N]`` and ``scalars [runs, 3]``, in float64 on the CPU."""
    c = coefficients(scalars.double(), relative=settings.relative, adapter=settings.adapter is not None)
    bias = c.inverse_temperature * scalars[:, 1].double() if settings.relative else scalars[:, 1].double()
    exact, trained, low, high = [], [], [], []
    x = points.double()
    for a, b in settings.edges:
        s = x[:, a].transpose(1, 2) @ x[:, b]
        z = c.slope[:, None, None] * s - c.offset[:, None, None]
        exact.append(entry_losses(z, published=False).sum((1, 2)))
        if settings.loss == "published":
            trained.append(entry_losses(z.to(points.dtype), published=True).double().sum((1, 2)))
        low.append(s.diagonal(dim1=1, dim2=2).amin(1))
        s.diagonal(dim1=1, dim2=2).fill_(-torch.inf)
        high.append(s.amax((1, 2)))
    lows, highs = torch.stack(low, 1), torch.stack(high, 1)
    measures = {
        "loss": sum(trained) if trained else sum(exact),
        "exact_loss": sum(exact),
        "inverse_temperature": c.inverse_temperature,
        "bias": bias,
        "relative_bias": bias / c.inverse_temperature,
        "margin": (lows.amin(1) - highs.amax(1)) / 2,
        "optimal_relative_bias": (lows.amin(1) + highs.amax(1)) / 2,
        "xi": _xi(x),
        "delta": c.delta,
        "edge_margin": (lows - highs) / 2,
    }
    return {name: torch.as_tensor(value).cpu() for name, value in measures.items()}


def _xi(x: Tensor) -> Tensor:
    if x.shape[1] != 2:
        return torch.full((len(x),), torch.nan, dtype=torch.float64)
    u, v = (x[:, k].transpose(1, 2) for k in (0, 1))
    return geometry.linear_representation_gap(
        u / u.norm(dim=-1, keepdim=True), v / v.norm(dim=-1, keepdim=True)
    ).xi


def history_of(steps: list[int], records: list[list[dict[str, Tensor]]]) -> History:
    """Join records ``[chunk][record]`` of all chunks of runs."""
    columns = {
        name: torch.cat([torch.stack([record[name] for record in chunk]) for chunk in records], dim=1)
        for name in NAMES
        if name not in ("bias", "delta")
    }
    return History(steps=torch.tensor(steps), **columns)
