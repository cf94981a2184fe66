"""Two small encoders trained with the sigmoid loss on paired features, full batch, the logits in blocks of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from constellations.checks import integer, positive
from constellations.geometry import Separation, nearest_neighbour_accuracy, separation
from constellations.losses import SigmoidLoss
from constellations.sphere import as_points, normalize


class Tower(nn.Module):
    """Features ``[N, n_features]`` to unit vectors ``[N, dim]``: two hidden layers with GELU, then the sphere."""

    def __init__(self, n_features: int, dim: int, *, hidden: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, dim)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Unit rows."""
        return nn.functional.normalize(self.layers(features), dim=-1)


@dataclass(frozen=True)
class History:
    """What was measured on the training pairs at the recorded ``steps``, each ``[S]`` in float64.

    ``loss`` is the exact sum over the ``N^2`` pairs at the ``inverse_temperature`` and ``relative_bias`` of that step;
    ``held_out_recall`` the fraction of held-out images whose own text is nearest (NaN without held-out pairs).
    """

    steps: Tensor
    loss: Tensor
    inverse_temperature: Tensor
    relative_bias: Tensor
    margin: Tensor
    optimal_relative_bias: Tensor
    held_out_recall: Tensor


@dataclass(frozen=True)
class Encoders:
    """Trained towers, the scalars of their loss, and the training pairs' final embeddings ``u, v [N, d]`` (float64)."""

    image_tower: Tower
    text_tower: Tower | None
    loss: SigmoidLoss
    history: History
    u: Tensor
    v: Tensor

    @property
    def separation(self) -> Separation:
        """Margin and relative bias of the training pairs, with the pairs that decide them."""
        return separation(self.u, self.v)

    def last(self, name: str) -> float:
        """The final value of a field of the history."""
        return float(getattr(self.history, name)[-1])

    def embed_images(self, features: ArrayLike) -> Tensor:
        """Unit vectors ``[M, d]`` in float64 of image features ``[M, D1]``."""
        return _embed(self.image_tower, features)

    def embed_texts(self, features: ArrayLike) -> Tensor:
        """Unit vectors ``[M, d]`` in float64 of text features ``[M, D2]``; a locked side has no tower to ask."""
        if self.text_tower is None:
            raise ValueError("text_tower must be trained to embed new texts, but it was locked")
        return _embed(self.text_tower, features)


def train_encoders(
    image: ArrayLike,
    text: ArrayLike,
    *,
    held_out: tuple[ArrayLike, ArrayLike] | None = None,
    dim: int = 16,
    hidden: int = 128,
    parameterization: Literal["relative_bias", "bias"] = "relative_bias",
    inverse_temperature: float = 10.0,
    relative_bias: float = 1.0,
    train_scalars: bool = True,
    lock_text: bool = False,
    n_steps: int = 600,
    learning_rate: float = 1e-3,
    scalar_rate: float = 1e-2,
    record_every: int = 20,
    seed: int = 0,
    device: str = "cpu",
) -> Encoders:
    """Train an image and a text encoder on ``N`` matching rows with Adam and the exact sigmoid loss, full batch.

    Parameters
    ----------
    image, text:
        Features ``[N, D1]`` and ``[N, D2]``, best whitened. With ``lock_text`` the texts are unit vectors ``[N, dim]``
        and stay where they are.
    held_out:
        Features of other matching rows, only to be watched.
    parameterization, inverse_temperature, relative_bias, train_scalars:
        What :class:`constellations.losses.SigmoidLoss` trains, and the start: both parameterisations start at the same
        function, ``b = t b_rel``.
    learning_rate, scalar_rate:
        Rates of the towers' weights and of the two scalars.
    record_every:
        Measure the training pairs every so many steps, and at the end.

    Raises
    ------
    ValueError
        For features of other shapes, non-finite entries, or settings out of range.

    Examples
    --------
    >>> trained = train_encoders(torch.eye(6), torch.eye(6), dim=4, n_steps=150)
    >>> bool(trained.history.margin[-1] > 0)
    True
    """
    x, y = _features(image, text, lock_text, dim, device)
    counts = {"dim": dim, "hidden": hidden, "n_steps": n_steps, "record_every": record_every}
    for name, count in counts.items():
        integer(count, name, 1)
    positive(learning_rate, "learning_rate")
    positive(scalar_rate, "scalar_rate")
    biased = parameterization == "bias"
    loss = SigmoidLoss(
        parameterization=parameterization,
        inverse_temperature=inverse_temperature,
        bias=relative_bias * inverse_temperature if biased else None,
        relative_bias=None if biased else relative_bias,
        train_inverse_temperature=train_scalars,
        train_bias=train_scalars,
        chunk_size=1024,
    ).to(device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        image_tower = Tower(x.shape[1], dim, hidden=hidden).to(device)
        text_tower = None if lock_text else Tower(y.shape[1], dim, hidden=hidden).to(device)
    weights = [p for tower in (image_tower, text_tower) if tower is not None for p in tower.parameters()]
    optimizer = torch.optim.Adam([{"params": weights}], lr=learning_rate)
    optimizer.add_param_group({"params": list(loss.parameters()), "lr": scalar_rate})
    watched = None if held_out is None else _features(*held_out, False, dim, device)
    measured = []
    for step in range(n_steps + 1):
        u, v = image_tower(x), y if text_tower is None else text_tower(y)
        value = loss(u, v)
        if step % record_every == 0 or step == n_steps:
            recall = _recall(image_tower, text_tower, watched)
            measured.append([step, *_measure(value, u, v, loss), recall])
        if step < n_steps:
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
    history = History(*torch.tensor(measured, dtype=torch.float64).T)
    points = [normalize(points.detach().cpu().double()) for points in (u, v)]
    return Encoders(image_tower, text_tower, loss, history, *points)


@torch.no_grad()
def _measure(value: Tensor, u: Tensor, v: Tensor, loss: SigmoidLoss) -> tuple[float, ...]:
    """Summed loss, ``t``, ``b_rel``, ``m*`` and ``b*_rel`` of the training pairs."""
    found = separation(u, v)
    t, b_rel = loss.inverse_temperature, loss.current_relative_bias()
    return float(value) * len(u) ** 2, float(t), float(b_rel), found.margin, found.relative_bias


@torch.no_grad()
def _recall(image_tower: Tower, text_tower: Tower | None, watched: tuple[Tensor, Tensor] | None) -> float:
    if watched is None or text_tower is None:
        return float("nan")
    return float(nearest_neighbour_accuracy(image_tower(watched[0]), text_tower(watched[1])))


@torch.no_grad()
def _embed(tower: Tower, features: ArrayLike) -> Tensor:
    device = next(tower.parameters()).device
    x = as_points(features, "features", unit=False).to(device, torch.float32)
    return normalize(tower(x).cpu().double())


def _features(image: ArrayLike, text: ArrayLike, lock_text: bool, dim: int, device: str) -> tuple[Tensor, Tensor]:
    x, y = as_points(image, "image", unit=False), as_points(text, "text", unit=lock_text)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or len(x) < 2:
        shapes = f"{tuple(x.shape)} and {tuple(y.shape)}"
        raise ValueError(f"image and text must have shapes [N, D1] and [N, D2] with one N >= 2, got {shapes}")
    if lock_text and y.shape[1] != dim:
        raise ValueError(f"dim must be that of the locked texts, {y.shape[1]}, got {dim}")
    return x.to(device, torch.float32), y.to(device, torch.float32)


def curves(runs: Sequence[Encoders]) -> dict[str, np.ndarray]:
    """The histories of runs of one length by name, each ``[R, S]``."""
    return {
        field.name: np.stack([getattr(run.history, field.name).numpy() for run in runs]) for field in fields(History)
    }
