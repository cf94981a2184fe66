"""Nearest-neighbour retrieval that is not exact: perturbed queries, and approximate search with faiss.

Queries are the rows of ``u``, the database is ``v``, similarity is the inner product; a query succeeds if it finds
its own partner. faiss is optional (``pip install "constellations[book]"``) and is run in one thread, so that results
repeat exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import torch

from constellations.geometry import inner_products
from constellations.sphere import as_pairs, random_points


class Method(Protocol):
    """A way to search: builds a faiss index over ``[N, d]`` float32 vectors."""

    def build(self, faiss: ModuleType, vectors: np.ndarray) -> Any:
        """The filled index."""


@dataclass(frozen=True)
class Flat:
    """Exhaustive search, the exact answer."""

    def build(self, faiss: ModuleType, vectors: np.ndarray) -> Any:
        """The filled index."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        return index


@dataclass(frozen=True)
class HNSW:
    """Hierarchical navigable small-world graph (Malkov and Yashunin 2018)."""

    n_links: int = 4
    ef_construction: int = 16
    ef_search: int = 4

    def build(self, faiss: ModuleType, vectors: np.ndarray) -> Any:
        """The filled index."""
        _check(n_links=(self.n_links, 2, None), ef_search=(self.ef_search, 1, None))
        _check(ef_construction=(self.ef_construction, 1, None))
        index = faiss.IndexHNSWFlat(vectors.shape[1], self.n_links, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction, index.hnsw.efSearch = self.ef_construction, self.ef_search
        index.add(vectors)
        return index


@dataclass(frozen=True)
class IVF:
    """Inverted file: only the ``n_probe`` cells nearest to the query are searched (Johnson et al. 2019)."""

    n_cells: int = 32
    n_probe: int = 1

    def build(self, faiss: ModuleType, vectors: np.ndarray) -> Any:
        """The trained and filled index."""
        _check(n_cells=(self.n_cells, 1, len(vectors)), n_probe=(self.n_probe, 1, self.n_cells))
        quantizer = faiss.IndexFlatIP(vectors.shape[1])
        index = faiss.IndexIVFFlat(quantizer, vectors.shape[1], self.n_cells, faiss.METRIC_INNER_PRODUCT)
        index.cp.min_points_per_centroid = 1
        index.train(vectors)
        index.add(vectors)
        index.nprobe = self.n_probe
        return index


@dataclass(frozen=True)
class PQ:
    """Product quantisation: each vector stored in ``n_subquantizers * n_bits`` bits (Johnson et al. 2019)."""

    n_subquantizers: int = 4
    n_bits: int = 4

    def build(self, faiss: ModuleType, vectors: np.ndarray) -> Any:
        """The trained and filled index."""
        _check(n_subquantizers=(self.n_subquantizers, 1, vectors.shape[1]), n_bits=(self.n_bits, 1, 12))
        if vectors.shape[1] % self.n_subquantizers:
            raise ValueError(
                f"n_subquantizers must divide the dimension {vectors.shape[1]}, got {self.n_subquantizers}"
            )
        if 2**self.n_bits > len(vectors):
            raise ValueError(f"n_bits must give at most {len(vectors)} centroids, got {self.n_bits}")
        index = faiss.IndexPQ(vectors.shape[1], self.n_subquantizers, self.n_bits, faiss.METRIC_INNER_PRODUCT)
        index.pq.cp.min_points_per_centroid = 1
        index.train(vectors)
        index.add(vectors)
        return index


@dataclass(frozen=True)
class Search:
    """What an approximate search found.

    ``found`` holds an index per query, ``-1`` where the search came back empty; ``stored_error`` is the largest
    distance between a vector and what the index keeps of it (zero unless the method quantises).
    """

    recall: float
    found: np.ndarray
    stored_error: float


def search(u: Any, v: Any, *, method: Method) -> Search:
    """Recall at 1 of approximate nearest-neighbour search for every ``u_i`` among the ``v_j``.

    Parameters
    ----------
    u, v:
        One configuration of unit vectors ``[N, d]``.
    method:
        :class:`Flat`, :class:`HNSW`, :class:`IVF` or :class:`PQ` with their settings.

    Raises
    ------
    ValueError
        For bad points or a setting the method does not allow.
    ImportError
        If faiss is not installed.

    Examples
    --------
    >>> search(torch.eye(4), torch.eye(4), method=Flat()).recall
    1.0
    """
    queries, vectors = _arrays(u, v)
    faiss = _faiss()
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        index = method.build(faiss, vectors)
        _, found = index.search(queries, 1)
        stored = index.reconstruct_n(0, len(vectors)) if isinstance(method, PQ) else vectors
    finally:
        faiss.omp_set_num_threads(threads)
    found = found[:, 0]
    error = float(np.linalg.norm(stored.astype(float) - vectors, axis=1).max())
    return Search(float((found == np.arange(len(found))).mean()), found, error)


def recall_under_noise(u: Any, v: Any, *, radius: float, seed: int, n_draws: int = 1) -> float:
    """Recall at 1 when every query is displaced by a vector of length ``radius`` in a random direction.

    Certain to be 1 for ``radius < m*``, since a displacement ``e`` changes no comparison by more than ``2 |e|``.

    Raises
    ------
    ValueError
        For bad points, a negative ``radius`` or ``n_draws < 1``.

    Examples
    --------
    >>> recall_under_noise(torch.eye(4), torch.eye(4), radius=0.49, seed=0)
    1.0
    """
    u, v = as_pairs(u, v)
    if not (np.isfinite(radius) and radius >= 0):
        raise ValueError(f"radius must be finite and at least 0, got {radius!r}")
    _check(n_draws=(n_draws, 1, None))
    n, d = u.shape[-2:]
    correct = 0
    for draw in range(n_draws):
        noise = radius * random_points(n, d, seed=seed, stream=1000 + draw)
        scores = (u.double() + noise) @ v.double().T
        correct += int((scores.argmax(1) == torch.arange(n)).sum())
    return correct / (n * n_draws)


def breaking_radius(u: Any, v: Any) -> torch.Tensor:
    """Length of the shortest displacement that makes query ``i`` prefer another ``v_j``, for every ``i``: ``[..., N]``.

    ``min_j (s_ii - s_ij) / |v_i - v_j|``, which is at least ``m*`` if ``m* >= 0``. Negative where retrieval already
    fails, 0 where ``v_i`` has a duplicate.

    >>> breaking_radius(torch.eye(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)).tolist()
    [0.7071067811865475, 0.7071067811865475]
    """
    u, v = as_pairs(u, v)
    s = inner_products(u, v)
    apart = (v.unsqueeze(-2) - v.unsqueeze(-3)).norm(dim=-1)
    lead = s.diagonal(dim1=-2, dim2=-1)[..., None] - s
    ratio = torch.where(apart > 0, lead / apart.clamp_min(torch.finfo(s.dtype).tiny), torch.zeros_like(lead))
    itself = torch.eye(s.shape[-1], dtype=torch.bool, device=s.device)
    return ratio.masked_fill(itself, torch.inf).amin(-1)


def _arrays(u: Any, v: Any) -> tuple[np.ndarray, np.ndarray]:
    u, v = as_pairs(u, v)
    if u.ndim != 2:
        raise ValueError(f"u and v must be one configuration [N, d], got shape {tuple(u.shape)}")
    queries, vectors = (np.ascontiguousarray(x.detach().cpu().numpy(), dtype=np.float32) for x in (u, v))
    return queries, vectors


def _check(**settings: tuple[int, int, int | None]) -> None:
    for name, (value, lowest, highest) in settings.items():
        allowed = f"at least {lowest}" if highest is None else f"from {lowest} to {highest}"
        integer = isinstance(value, int) and not isinstance(value, bool)
        if not integer or value < lowest or (highest is not None and value > highest):
            raise ValueError(f"{name} must be an integer {allowed}, got {value!r}")


def _faiss() -> ModuleType:
    try:
        import faiss
    except ImportError as error:
        raise ImportError('approximate search needs faiss: pip install "constellations[book]"') from error
    return faiss
