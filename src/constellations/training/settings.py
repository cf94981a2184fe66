"""What a batch of runs is to do, checked before anything is computed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from constellations.sphere import as_points, random_points

GRAPHS = ("complete", "star")
LOSSES = ("exact", "published")


@dataclass(frozen=True)
class Settings:
    """Settings of ``R`` runs. Scalars of a run are float64 tensors ``[R]`` on the CPU; ``edges`` are pairs of modalities."""

    seeds: tuple[int, ...]
    n_pairs: int
    dim: int
    n_modalities: int
    edges: tuple[tuple[int, int], ...]
    inverse_temperature: Tensor
    bias: Tensor
    relative: bool
    train_inverse_temperature: Tensor
    train_bias: Tensor
    locked: int | None
    adapter: Tensor | None
    n_steps: int
    learning_rate: float
    loss: str
    record_every: int | None
    dtype: torch.dtype
    device: torch.device
    initial: Mapping[int, Tensor]

    @property
    def n_runs(self) -> int:
        """``R``."""
        return len(self.seeds)

    def start(self) -> Tensor:
        """The initial points ``[R, k, N, d]`` in float64 on the CPU: of a seed and a modality, whatever the batch."""
        shape = (self.n_runs, self.n_modalities, self.n_pairs, self.dim)
        points = torch.empty(shape, dtype=torch.float64)
        for modality in range(self.n_modalities):
            if modality in self.initial:
                points[:, modality] = self.initial[modality]
            else:
                for run, seed in enumerate(self.seeds):
                    points[run, modality] = random_points(self.n_pairs, self.dim, seed=seed, stream=modality)
        return points


def default_device() -> str:
    """``"cuda"`` where torch finds a GPU, else ``"cpu"``."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@dataclass(frozen=True)
class Sweep(Mapping[str, list[Any]]):
    """Keyword arguments of :func:`synchronize`, one entry per run, and the grid they came from. Made by :func:`sweep`."""

    lists: Mapping[str, list[Any]]
    shape: tuple[int, ...]

    def __getitem__(self, name: str) -> list[Any]:
        return self.lists[name]

    def __iter__(self) -> Any:
        return iter(self.lists)

    def __len__(self) -> int:
        return len(self.lists)


def sweep(**values: Any) -> Sweep:
    """A grid of settings as equal-length lists to pass to :func:`synchronize`, seeds varying fastest.

    Results of shape ``[R]`` are laid out with ``.reshape(grid.shape)``: one axis per keyword in the order given, seeds last.

    Raises
    ------
    ValueError
        If ``seeds`` is missing or a list is empty.

    Examples
    --------
    >>> grid = sweep(relative_bias=[-0.5, 0.5], seeds=range(2))
    >>> dict(grid), grid.shape
    ({'relative_bias': [-0.5, -0.5, 0.5, 0.5], 'seeds': [0, 1, 0, 1]}, (2, 2))
    """
    if "seeds" not in values:
        raise ValueError(f"sweep needs seeds, got only {', '.join(values) or 'nothing'}")
    names = [name for name in values if name != "seeds"] + ["seeds"]
    axes = [list(values[name]) for name in names]
    for name, axis in zip(names, axes, strict=True):
        if not axis:
            raise ValueError(f"{name} must hold at least one value, got none")
    rows = list(itertools.product(*axes))
    lists = {name: [row[index] for row in rows] for index, name in enumerate(names)}
    return Sweep(lists, tuple(map(len, axes)))


def integer(value: Any, name: str, *, at_least: int) -> int:
    """An integer of at least ``at_least``, or a ValueError that names it."""
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise ValueError(f"{name} must be an integer of at least {at_least}, got {value!r}")
    return value


def choice(value: Any, name: str, allowed: Sequence[str]) -> str:
    """One of ``allowed``, or a ValueError that names it."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


def edges_of(graph: Any, n_modalities: int) -> tuple[tuple[int, int], ...]:
    """Edges of a synchronisation graph: ``"complete"``, ``"star"`` (around modality 0) or a list of pairs.

    >>> edges_of("star", 3)
    ((0, 1), (0, 2))
    """
    if graph == "complete":
        return tuple(itertools.combinations(range(n_modalities), 2))
    if graph == "star":
        return tuple((0, other) for other in range(1, n_modalities))
    if isinstance(graph, str) or not graph:
        raise ValueError(
            f"graph must be one of {', '.join(map(repr, GRAPHS))} or a list of pairs, got {graph!r}"
        )
    edges = tuple((int(a), int(b)) for a, b in graph)
    for edge in edges:
        if not (0 <= min(edge) and max(edge) < n_modalities and edge[0] != edge[1]):
            raise ValueError(
                f"graph must join different modalities from 0 to {n_modalities - 1}, got the pair {edge}"
            )
    if len({frozenset(edge) for edge in edges}) != len(edges):
        raise ValueError(f"graph must hold each pair of modalities once, got {list(edges)}")
    return edges


def scalars_of(n_runs: int, **values: Any) -> dict[str, Tensor]:
    """Each value as a float64 tensor ``[R]``: a number for all runs, or one number per run."""
    made = {}
    for name, value in values.items():
        tensor = torch.as_tensor(value, dtype=torch.float64).detach().cpu()
        if tensor.ndim > 1 or (tensor.ndim == 1 and len(tensor) != n_runs):
            raise ValueError(
                f"{name} must be one number or one for each of the {n_runs} runs, got {tuple(tensor.shape)}"
            )
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"{name} must be finite, got {value!r}")
        made[name] = tensor.expand(n_runs).clone()
    return made


def seeds_of(seeds: Any) -> tuple[int, ...]:
    """Seeds as a tuple; one integer is one run."""
    several = (seeds,) if isinstance(seeds, int) else tuple(int(seed) for seed in seeds)
    if not several or min(several) < 0:
        raise ValueError(f"seeds must hold at least one integer, none below 0, got {seeds!r}")
    return several


def initial_of(initial: Any, n_modalities: int, n_pairs: int, dim: int) -> dict[int, Tensor]:
    """Given starting points by modality, each ``[N, d]`` or ``[R, N, d]``."""
    made = {}
    for modality, points in (initial or {}).items():
        if modality not in range(n_modalities):
            raise ValueError(f"initial must name modalities from 0 to {n_modalities - 1}, got {modality!r}")
        tensor = as_points(points, f"initial[{modality}]").detach().double().cpu()
        if tensor.shape[-2:] != (n_pairs, dim):
            raise ValueError(
                f"initial[{modality}] must have shape [..., {n_pairs}, {dim}], got {tuple(tensor.shape)}"
            )
        made[modality] = tensor
    return made


def positive(value: float, name: str) -> float:
    """A finite number above 0, or a ValueError that names it."""
    if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
    return float(value)
