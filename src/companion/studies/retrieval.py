"""Nearest-neighbour retrieval that is not exact: perturbed queries, and approximate search with faiss.

Queries are the rows of ``u``, the database is ``v``, similarity is the inner product; a query succeeds if it finds
its own partner. faiss (of the extra ``book``) runs in one thread, so that results repeat exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from constellations.checks import integer, nonnegative
from constellations.geometry import inner_products
from constellations.sphere import as_pairs, random_points


@dataclass(frozen=True)
class Search:
    """What an approximate search found.

    ``found`` holds an index per query, ``-1`` where the search came back empty; ``stored_error`` is the largest
    distance between a vector and what the index keeps of it (zero unless the method quantises).
    """

    recall: float
    found: np.ndarray
    stored_error: float


def search(u: ArrayLike, v: ArrayLike, *, index: str = "Flat", settings: str = "") -> Search:
    """Recall at 1 of a faiss index for every ``u_i`` among the ``v_j``.

    Parameters
    ----------
    u, v:
        One configuration of unit vectors ``[N, d]``.
    index:
        A description for ``faiss.index_factory``: ``"Flat"`` (exhaustive), ``"HNSW4,Flat"`` (a graph of neighbours),
        ``"IVF32,Flat"`` (an inverted file of 32 cells) or ``"PQ4x4"`` (vectors stored in 4 times 4 bits), for example.
    settings:
        For ``faiss.ParameterSpace``: ``"efConstruction=16,efSearch=4"`` or ``"nprobe=1"``.

    Raises
    ------
    ValueError
        For bad points, or an index that faiss cannot build over them.

    Examples
    --------
    >>> search(torch.eye(4), torch.eye(4)).recall
    1.0
    """
    u, v = as_pairs(u, v)
    if u.ndim != 2:
        raise ValueError(f"u and v must be one configuration [N, d], got shape {tuple(u.shape)}")
    queries, vectors = (x.detach().cpu().float().contiguous().numpy() for x in (u, v))
    if index.startswith(("HNSW0", "HNSW1,")):  # faiss ends the process instead of refusing
        raise ValueError(f"index must have at least 2 links, got {index!r}")
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        built = faiss.index_factory(vectors.shape[1], index, faiss.METRIC_INNER_PRODUCT)
        faiss.ParameterSpace().set_index_parameters(built, settings)  # type: ignore[arg-type]
        clustering = getattr(getattr(built, "pq", built), "cp", None)
        if clustering is not None:
            clustering.min_points_per_centroid = 1
        built.train(vectors)
        built.add(vectors)
        found = built.search(queries, 1)[1][:, 0]
        stored = built.reconstruct_n(0, len(vectors)) if hasattr(built, "pq") else vectors
    except RuntimeError as error:
        reason = str(error).strip().rpartition(" failed: ")[2].rpartition(": ")[2]
        raise ValueError(
            f"index and settings must suit {len(vectors)} vectors of dimension {vectors.shape[1]}, "
            f"got {index!r}, {settings!r}: {reason}"
        ) from error
    finally:
        faiss.omp_set_num_threads(threads)
    off = np.linalg.norm(stored.astype(float) - vectors, axis=1).max()
    return Search(float((found == np.arange(len(found))).mean()), found, float(off))


def recall_under_noise(u: ArrayLike, v: ArrayLike, *, radius: float, seed: int, n_draws: int = 1) -> float:
    """Recall at 1 when every query is displaced by a vector of length ``radius`` in a random direction.

    Certain to be 1 for ``radius < m*``, since a displacement ``e`` changes no comparison by more than ``2 |e|``.

    Examples
    --------
    >>> recall_under_noise(torch.eye(4), torch.eye(4), radius=0.49, seed=0)
    1.0
    """
    u, v = as_pairs(u, v)
    nonnegative(radius, "radius")
    integer(n_draws, "n_draws", 1)
    n, d = u.shape[-2:]
    correct = 0
    for draw in range(n_draws):
        noise = radius * random_points(n, d, seed=seed, stream=1000 + draw)
        scores = (u.double() + noise) @ v.double().T
        correct += int((scores.argmax(1) == torch.arange(n)).sum())
    return correct / (n * n_draws)


def breaking_radius(u: ArrayLike, v: ArrayLike) -> Tensor:
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
    ratio = torch.where(apart > 0, lead / apart.clamp_min(torch.finfo(s.dtype).tiny), 0.0)
    itself = torch.eye(s.shape[-1], dtype=torch.bool, device=s.device)
    return ratio.masked_fill(itself, torch.inf).amin(-1)
