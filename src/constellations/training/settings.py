"""What a synchronisation is asked to do, checked before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from constellations.sphere import as_points

Edge = tuple[int, int]


@dataclass(frozen=True)
class Settings:
    """Checked arguments of :func:`constellations.training.synchronize`; per-run numbers are float64 arrays ``[R]``."""

    n_pairs: int
    dim: int
    seeds: tuple[int, ...]
    n_modalities: int
    edges: tuple[Edge, ...]
    inverse_temperature: np.ndarray
    bias: np.ndarray
    relative: bool
    train_inverse_temperature: bool
    train_bias: bool
    locked: int | None
    locked_points: Tensor | None
    adapter: np.ndarray | None
    n_steps: int
    learning_rate: float
    published: bool
    record_every: int | None
    dtype: torch.dtype
    device: torch.device

    @property
    def n_runs(self) -> int:
        return len(self.seeds)

    @property
    def record_steps(self) -> tuple[int, ...]:
        """Steps at which the history is written: every ``record_every``-th from 0 on, and the last."""
        if self.record_every is None:
            return ()
        return tuple(sorted({*range(0, self.n_steps + 1, self.record_every), self.n_steps}))


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
        raise ValueError(
            f"graph must have distinct edges between different modalities 0 to {n_modalities - 1}, got {edges}"
        )
    return edges


def integer(value: Any, name: str, *, at_least: int) -> int:
    """``value`` as an int, or a ValueError that names it."""
    if isinstance(value, (bool, str)) or int(value) != value or value < at_least:
        raise ValueError(f"{name} must be an integer of at least {at_least}, got {value!r}")
    return int(value)


def per_run(**values: Any) -> dict[str, np.ndarray | None]:
    """Broadcast scalars and sequences to one length ``R``; ``None`` stays.

    Raises
    ------
    ValueError
        For sequences of different lengths, empty ones, or entries that are not finite numbers.
    """
    arrays = {}
    for name, value in values.items():
        if value is None:
            continue
        array = np.asarray(list(value) if isinstance(value, (range, tuple)) else value, dtype=np.float64)
        if array.ndim > 1 or array.size == 0 or not np.isfinite(array).all():
            raise ValueError(f"{name} must be a finite number or a non-empty sequence of them, got {value!r}")
        arrays[name] = array
    lengths = {name: len(array) for name, array in arrays.items() if array.ndim}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"sequences must have one length, the number of runs, got {lengths}")
    n_runs = max(lengths.values(), default=1)
    return {name: np.broadcast_to(arrays[name], n_runs) if name in arrays else None for name in values}


def check_locked(
    locked: Any, *, n_modalities: int, n_runs: int, n_pairs: int, dim: int
) -> tuple[int | None, Tensor | None]:
    """The index of the locked modality and its points ``[R, N, d]``, where given."""
    if locked is None:
        return None, None
    index, given = locked if isinstance(locked, (tuple, list)) else (locked, None)
    index = integer(index, "locked", at_least=0)
    if index >= n_modalities:
        raise ValueError(f"locked must be a modality from 0 to {n_modalities - 1}, got {index}")
    if given is None:
        return index, None
    points = as_points(given, "locked points").detach()
    if points.shape not in ((n_pairs, dim), (n_runs, n_pairs, dim)):
        raise ValueError(
            f"locked points must have shape {(n_pairs, dim)} or {(n_runs, n_pairs, dim)}, got {tuple(points.shape)}"
        )
    return index, points.expand(n_runs, n_pairs, dim)


def check_scalars(
    *, inverse_temperature: np.ndarray, adapter: np.ndarray | None, seeds: np.ndarray, learning_rate: float
) -> None:
    """Ranges of the numbers that may differ between runs, and of the learning rate."""
    if not (inverse_temperature > 0).all():
        raise ValueError(f"inverse_temperature must be above 0, got {inverse_temperature.min():g}")
    if adapter is not None and not ((adapter > 0) & (adapter < 1)).all():
        raise ValueError(f"adapter must be a delta in (0, 1), got {adapter.tolist()}")
    if not ((seeds >= 0) & (seeds == np.floor(seeds))).all():
        raise ValueError(f"seeds must be integers of at least 0, got {seeds.tolist()}")
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate must be finite and above 0, got {learning_rate!r}")


def check_kinds(
    *, loss: str, dtype: torch.dtype, device: Any, adapter: Any, n_modalities: int
) -> torch.device:
    """The choices that are not numbers."""
    if loss not in ("exact", "published"):
        raise ValueError(f"loss must be 'exact' or 'published', got {loss!r}")
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype!r}")
    if adapter is not None and n_modalities != 2:
        raise ValueError(f"adapter needs n_modalities = 2, got {n_modalities}")
    chosen = torch.device(device)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device must be 'cpu' where there is no CUDA device, got {device!r}")
    return chosen
