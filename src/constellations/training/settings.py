"""What a synchronisation is asked to do, checked before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, product
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from constellations.checks import choice, require
from constellations.losses.arguments import Labels, Matching
from constellations.sphere import random_points
from constellations.training.optimizers import Adam, Descent

Edge = tuple[int, int]
CACHE_ENTRIES = {"cpu": 2**18, "cuda": 2**26}  # logits held at once


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Arguments of :func:`constellations.training.synchronize`, checked.

    ``runs`` holds what each run may have of its own, in float64 arrays ``[R]`` by argument: ``seeds``,
    ``inverse_temperature``, ``bias`` or ``relative_bias``, and ``adapter`` where there is one.
    """

    n_pairs: int
    dim: int
    n_modalities: int
    edges: tuple[Edge, ...]
    runs: Mapping[str, np.ndarray]
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
        seeds, t = self.runs["seeds"], self.runs["inverse_temperature"]
        require(((seeds >= 0) & (seeds == np.floor(seeds))).all(), "seeds", "integers of at least 0", seeds.tolist())
        require((t > 0).all(), "inverse_temperature", "above 0", t.min())
        if (delta := self.runs.get("adapter")) is not None:
            require(((delta > 0) & (delta < 1)).all(), "adapter", "a delta in (0, 1)", delta.tolist())
            require(self.n_modalities == 2, "n_modalities", "2 with an adapter", self.n_modalities)
        index, last = self.locked or 0, self.n_modalities - 1
        require(index <= last, "locked", f"a modality from 0 to {last}", index)
        if self.locked_points is not None:
            one, shape = (self.counts[index], self.dim), tuple(self.locked_points.shape)
            require(shape in (one, many := (self.n_runs, *one)), "locked points", f"of shape {one} or {many}", shape)
        if self.matching is not None:
            for name, needed in (("n_modalities", 2), ("loss", "exact"), ("batch_size", None)):
                require(getattr(self, name) == needed, name, f"{needed!r} with labels", getattr(self, name))
            both = self.matching.any() and not self.matching.all()
            require(both, "labels", "such that pairs of both kinds are left", int(self.matching.sum()))
        batch = self.n_pairs if self.batch_size is None else self.batch_size
        require(2 <= batch <= self.n_pairs, "batch_size", f"from 2 to n_pairs = {self.n_pairs}", batch)
        require(0 < self.learning_rate < math.inf, "learning_rate", "finite and above 0", self.learning_rate)
        choice(self.loss, "loss", ("exact", "published"))
        choice(self.dtype, "dtype", (torch.float32, torch.float64))
        there = self.device.type != "cuda" or torch.cuda.is_available()
        require(there, "device", "'cpu' where there is no CUDA device", str(self.device))

    @property
    def n_runs(self) -> int:
        return len(self.runs["seeds"])

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
        before = () if self.record_every is None else range(0, self.n_steps, self.record_every)
        return (*before, self.n_steps)

    def chunks(self) -> list[slice]:
        """The runs that are trained side by side: at most as many as asked for, or as have logits that fit a cache."""
        most = CACHE_ENTRIES[self.device.type] // (math.prod(self.table) * (self.n_modalities - 1))
        n_chunks = -(-self.n_runs // (self.chunk_size or max(1, most)))
        return [slice(*x) for x in pairwise(k * self.n_runs // n_chunks for k in range(n_chunks + 1))]

    def initial_points(self, modality: int, runs: slice) -> Tensor:
        """Points ``[R, N, d]`` of one modality of some runs, in float64."""
        if modality == self.locked and self.locked_points is not None:
            return self.locked_points.double().expand(self.n_runs, -1, -1)[runs]
        draw = partial(random_points, self.counts[modality], self.dim, stream=modality)
        return torch.stack([draw(seed=int(seed)) for seed in self.runs["seeds"][runs]])


def default_device() -> str:
    """``"cuda"`` where a CUDA device is present, ``"cpu"`` elsewhere."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def graph_edges(graph: str | Iterable[Sequence[int]], n_modalities: int) -> tuple[Edge, ...]:
    """Edges ``(a, c)`` of a synchronisation graph on the modalities ``0`` to ``n_modalities - 1``.

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
        require(graph in ("complete", "star"), "graph", "'complete', 'star' or a list of edges", graph)
        last = n_modalities if graph == "complete" else 1
        return tuple((a, c) for a in range(last) for c in range(a + 1, n_modalities))
    edges = tuple((int(a), int(c)) for a, c in graph)
    inside = all(a != c and min(a, c) >= 0 and max(a, c) < n_modalities for a, c in edges)
    distinct = 0 < len(edges) == len({frozenset(edge) for edge in edges})
    allowed = f"distinct edges between different modalities 0 to {n_modalities - 1}"
    require(inside and distinct, "graph", allowed, edges)
    return edges


def per_run(values: Mapping[str, ArrayLike | Iterable[float] | None]) -> dict[str, np.ndarray]:
    """Numbers and sequences as arrays of one length ``R``, by name; what is None is left out.

    Raises
    ------
    ValueError
        For sequences of different lengths, empty ones, or entries that are not finite numbers.
    """
    arrays = {}
    for name, value in values.items():
        if value is not None:
            given = list(value) if isinstance(value, Iterable) and not hasattr(value, "__array__") else value
            arrays[name] = array = np.asarray(given, dtype=np.float64)
            right = array.ndim < 2 and array.size and np.isfinite(array).all()
            require(right, name, "a finite number or a non-empty sequence of them", value)
    lengths = {name: len(array) for name, array in arrays.items() if array.ndim}
    require(len(set(lengths.values())) < 2, "sequences", "of one length, the number of runs", lengths)
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


class Sweep(dict):
    """Equally long lists by name, for ``synchronize(**sweep)``, and the ``shape`` of the grid that they list."""

    shape: tuple[int, ...]


def sweep(*, seeds: Iterable[int] = range(10), **values: Any) -> Sweep:
    """Every combination of the given values with every seed, seeds fastest, the first value slowest.

    A result ``[R]`` of the runs is brought back to the grid by ``.reshape(grid.shape)``.

    Raises
    ------
    ValueError
        For an empty list.

    Examples
    --------
    >>> grid = sweep(seeds=range(2), relative_bias=[-0.5, 0.5])
    >>> grid["relative_bias"], grid["seeds"], grid.shape
    ([-0.5, -0.5, 0.5, 0.5], [0, 1, 0, 1], (2, 2))
    """
    axes = {name: [x] if isinstance(x, (int, float)) else list(x) for name, x in (values | {"seeds": seeds}).items()}
    for name, axis in axes.items():
        require(axis, name, "a number or a sequence with entries", axis)
    columns = zip(*product(*axes.values()), strict=True)
    grid = Sweep({name: list(column) for name, column in zip(axes, columns, strict=True)})
    grid.shape = tuple(len(axis) for axis in axes.values())
    return grid
