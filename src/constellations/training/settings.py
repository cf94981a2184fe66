"""What a synchronisation is asked to do, checked before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from constellations.checks import choice
from constellations.losses.arguments import Labels, Matching
from constellations.sphere import random_points
from constellations.training.optimizers import Adam, Descent

Edge = tuple[int, int]
CACHE_ENTRIES = {"cpu": 2**18, "cuda": 2**26}  # logits held at once


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Arguments of :func:`constellations.training.synchronize`, checked; numbers of runs are float64 arrays ``[R]``.

    ``offset`` is the initial relative bias where ``relative``, else the initial bias.
    """

    n_pairs: int
    dim: int
    n_modalities: int
    edges: tuple[Edge, ...]
    seeds: np.ndarray
    inverse_temperature: np.ndarray
    offset: np.ndarray
    relative: bool
    adapter: np.ndarray | None
    train_inverse_temperature: bool
    train_bias: bool
    locked: int | None
    locked_points: Tensor | None
    matching: Tensor | None
    batch_size: int | None
    n_steps: int
    learning_rate: float
    optimizer: Adam | Descent
    loss: str
    record_every: int | None
    dtype: torch.dtype
    device: torch.device
    chunk_size: int | None

    def __post_init__(self) -> None:
        if not ((self.seeds >= 0) & (self.seeds == np.floor(self.seeds))).all():
            raise ValueError(f"seeds must be integers of at least 0, got {self.seeds.tolist()}")
        if not (self.inverse_temperature > 0).all():
            raise ValueError(f"inverse_temperature must be above 0, got {self.inverse_temperature.min():g}")
        if self.adapter is not None:
            if not ((self.adapter > 0) & (self.adapter < 1)).all():
                raise ValueError(f"adapter must be a delta in (0, 1), got {self.adapter.tolist()}")
            if self.n_modalities != 2:
                raise ValueError(f"adapter needs n_modalities = 2, got {self.n_modalities}")
        last = self.n_modalities - 1
        if self.locked is not None and self.locked > last:
            raise ValueError(f"locked must be a modality from 0 to {last}, got {self.locked}")
        if self.locked_points is not None:
            one, shape = (self.counts[self.locked or 0], self.dim), tuple(self.locked_points.shape)
            if shape not in (one, many := (self.n_runs, *one)):
                raise ValueError(f"locked points must have shape {one} or {many}, got {shape}")
        if self.matching is not None:
            self._check_matching(self.matching)
        if self.batch_size is not None and not 2 <= self.batch_size <= self.n_pairs:
            raise ValueError(f"batch_size must be from 2 to n_pairs = {self.n_pairs}, got {self.batch_size}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate must be finite and above 0, got {self.learning_rate!r}")
        choice(self.loss, "loss", ("exact", "published"))
        choice(self.dtype, "dtype", (torch.float32, torch.float64))
        if self.device.type == "cuda" and not torch.cuda.is_available():
            raise ValueError(f"device must be 'cpu' where there is no CUDA device, got {str(self.device)!r}")

    def _check_matching(self, matching: Tensor) -> None:
        for name, needed in (("n_modalities", 2), ("loss", "exact"), ("batch_size", None)):
            if (given := getattr(self, name)) != needed:
                raise ValueError(f"labels need {name} = {needed!r}, got {given!r}")
        if matching.all() or not matching.any():
            raise ValueError(f"labels must leave pairs of both kinds, got {int(matching.sum())} that match")

    @property
    def n_runs(self) -> int:
        return len(self.seeds)

    @property
    def counts(self) -> tuple[int, ...]:
        """Points of every modality."""
        return (self.n_pairs,) * self.n_modalities if self.matching is None else tuple(self.matching.shape)

    @property
    def table(self) -> tuple[int, int]:
        """Rows and columns of the logits of an edge in one step."""
        rows, columns, *_ = self.counts
        return self.batch_size or rows, self.batch_size or columns

    @property
    def record_steps(self) -> tuple[int, ...]:
        """Steps at which a snapshot is taken: every ``record_every``-th from 0 on, and the last."""
        if self.record_every is None:
            return (self.n_steps,)
        return tuple(sorted({*range(0, self.n_steps, self.record_every), self.n_steps}))

    def chunks(self) -> list[slice]:
        """The runs that are trained side by side: as many as asked for, or as have logits that fit a cache together."""
        size = self.chunk_size or max(1, CACHE_ENTRIES[self.device.type] // (self.table[0] * self.table[1]))
        return [slice(start, start + size) for start in range(0, self.n_runs, size)]

    def initial_points(self, modality: int, runs: slice) -> Tensor:
        """Points ``[R, N, d]`` of one modality of some runs, in float64."""
        if modality == self.locked and self.locked_points is not None:
            return self.locked_points.double().expand(self.n_runs, -1, -1)[runs]
        draw = partial(random_points, self.counts[modality], self.dim, stream=modality)
        return torch.stack([draw(seed=int(seed)) for seed in self.seeds[runs]])


def default_device() -> str:
    """``"cuda"`` where a CUDA device is present, ``"cpu"`` elsewhere."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def graph_edges(graph: str | Iterable[Sequence[int]], n_modalities: int) -> tuple[Edge, ...]:
    """Edges ``(a, c)`` of a synchronisation graph on the modalities ``0 .. n_modalities - 1``.

    ``"complete"`` joins all pairs, ``"star"`` joins modality 0 to each other one; or give the edges.

    Raises
    ------
    ValueError
        For an unknown name, no edges, an edge that repeats, joins a modality to itself or leaves the range.

    Examples
    --------
    >>> graph_edges("star", 4)
    ((0, 1), (0, 2), (0, 3))
    """
    if isinstance(graph, str):
        if graph not in ("complete", "star"):
            raise ValueError(f"graph must be 'complete', 'star' or a list of edges, got {graph!r}")
        last = n_modalities if graph == "complete" else 1
        return tuple((a, c) for a in range(last) for c in range(a + 1, n_modalities))
    edges = tuple((int(a), int(c)) for a, c in graph)
    seen = {frozenset(edge) for edge in edges}
    inside = all(a != c and 0 <= a < n_modalities and 0 <= c < n_modalities for a, c in edges)
    if not edges or not inside or len(seen) != len(edges):
        modalities = f"modalities 0 to {n_modalities - 1}"
        raise ValueError(f"graph must have distinct edges between different {modalities}, got {edges}")
    return edges


def per_run(values: Mapping[str, ArrayLike | Iterable[float]]) -> dict[str, np.ndarray]:
    """Numbers and sequences as arrays of one length ``R``, by name.

    Raises
    ------
    ValueError
        For sequences of different lengths, empty ones, or entries that are not finite numbers.
    """
    arrays = {}
    for name, value in values.items():
        given = list(value) if isinstance(value, Iterable) and not hasattr(value, "__array__") else value
        array = np.asarray(given, dtype=np.float64)
        if array.ndim > 1 or array.size == 0 or not np.isfinite(array).all():
            raise ValueError(f"{name} must be a finite number or a non-empty sequence of them, got {value!r}")
        arrays[name] = array
    lengths = {name: len(array) for name, array in arrays.items() if array.ndim}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"sequences must have one length, the number of runs, got {lengths}")
    n_runs = max(lengths.values(), default=1)
    return {name: np.broadcast_to(array, n_runs) for name, array in arrays.items()}


def matching_pairs(labels: Labels | None, n_pairs: int) -> Tensor | None:
    """The boolean matrix ``[N, M]`` of labels as :func:`constellations.losses.sigmoid_loss` takes them."""
    if labels is None:
        return None
    ids = labels[1] if isinstance(labels, tuple) else labels
    n_columns = torch.as_tensor(ids).shape[-1]
    matching = Matching.of(labels, n_pairs, n_columns, device=torch.device("cpu"))
    return matching.mask(torch.empty(n_pairs, n_columns)).clone()
