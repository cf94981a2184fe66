r"""Queries with several relevant documents: all ``k``-subsets of ``n`` documents, placed explicitly or trained.

A query is the set of its ``k`` relevant documents. With ``z_ij = t s_ij``, over a query's relevant ``p`` and other ``j``,

.. math::
    \text{each} = \frac1k \sum_p \log\Bigl(1 + \sum_j e^{z_j - z_p}\Bigr), \quad
    \text{average} = \log \sum_{\text{all}} e^{z} - \frac1k \sum_p z_p, \quad
    \text{any} = \log \sum_{\text{all}} e^{z} - \log \sum_p e^{z_p}

are three ways of writing InfoNCE, and ``sigmoid`` is the loss of :func:`constellations.losses.sigmoid_loss`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

from constellations.checks import choice
from constellations.constructions import one_threshold
from constellations.geometry import Gap, separation
from constellations.sphere import Points, as_pairs, normalize, random_points

Loss = Literal["sigmoid", "each", "average", "any"]
CACHE_ENTRIES = 2**17  # logits held at once


def membership(sets: Tensor, n_documents: int) -> Tensor:
    """The relevance matrix ``[M, n]`` of queries ``sets [M, k]``.

    >>> membership(torch.combinations(torch.arange(3), 2), 3).int().tolist()
    [[1, 1, 0], [1, 0, 1], [0, 1, 1]]
    """
    return torch.zeros(len(sets), n_documents, dtype=torch.bool).scatter_(1, sets, True)


def sparse_rows(sets: Tensor, n_documents: int) -> tuple[Tensor, Tensor, Tensor]:
    """Queries ``sets [M, k]`` and documents with margin ``1 / (1 + 2 sqrt(k))`` at the threshold 0, and the relevance.

    A query is ``k^{-1/2}`` times the sum of its documents ``e_j``, its threshold ``k^{-1/2} / 2`` moved to 0 by
    :func:`constellations.constructions.one_threshold`.

    >>> u, v, relevant = sparse_rows(torch.combinations(torch.arange(5), 4), 5)
    >>> round(separation(u, v, labels=relevant).margin, 12)
    0.2
    """
    relevant, length = membership(sets, n_documents), sets.shape[1] ** 0.5
    threshold = torch.full((len(sets),), 0.5 / length, dtype=torch.float64)
    documents = torch.eye(n_documents, dtype=torch.float64)
    return *one_threshold(relevant.double() / length, documents, threshold), relevant


def query_gaps(u: Points, v: Points, relevant: Tensor) -> Gap:
    """The gap of every query ``[..., M]``: its least relevant and its largest other product.

    The least ``margin`` is half the smallest lead of a relevant document; ``relative_bias`` are thresholds for the rows.
    """
    u, v = as_pairs(u, v, at_least=1, matched=False)
    s = u @ v.mT
    return Gap(s.masked_fill(~relevant, torch.inf).amin(-1), s.masked_fill(relevant, -torch.inf).amax(-1))


def moment_curve(n_documents: int, k: int) -> tuple[Tensor, Tensor]:
    r"""All ``k``-subsets ``[M, 2k]`` of ``n`` documents ``[n, 2k]`` in ``2k`` dimensions, each ahead of the others.

    The documents are ``k^{-1/2} (cos f x, sin f x)_{f <= k}`` at equally spaced ``x``. The query of a set ``S`` has the
    coefficients of the trigonometric polynomial ``-prod_{p in S} (1 - cos(x - x_p))`` of degree ``k``: zero on ``S``,
    negative elsewhere, and up to a constant and a factor its products with the documents.

    >>> u, v = moment_curve(7, 2)
    >>> relevant = membership(torch.combinations(torch.arange(7), 2), 7)
    >>> u.shape, bool((query_gaps(u, v, relevant).margin > 0).all())
    (torch.Size([21, 4]), True)
    """
    x = 2 * math.pi * torch.arange(n_documents, dtype=torch.float64) / n_documents
    nodes = 2 * math.pi * torch.arange(2 * k + 1, dtype=torch.float64) / (2 * k + 1)
    sets, degrees = torch.combinations(torch.arange(n_documents), k), torch.arange(1, k + 1)
    waves = lambda at: torch.cat([f(at[:, None] * degrees) for f in (torch.cos, torch.sin)], 1)
    values = -(1 - torch.cos(nodes - x[sets][..., None])).prod(1)
    return normalize(values @ waves(nodes)), normalize(waves(x))


@dataclass(frozen=True)
class Trained:
    """Trained runs of ``D`` dimensions and ``R`` seeds, points padded by zeros: ``u [D, R, M, d]``, ``v [D, R, n, d]``.

    ``one_threshold [D, R]`` is the margin of the relevance matrix, ``per_query`` half the smallest lead within a query.
    """

    u: Tensor
    v: Tensor
    inverse_temperature: Tensor
    one_threshold: Tensor
    per_query: Tensor


def train(
    sets: Tensor, *, n_documents: int, dims: Sequence[int], seeds: Sequence[int], loss: Loss,
    n_steps: int = 6000, learning_rate: float = 0.02,
) -> Trained:  # fmt: skip
    """Queries and documents trained freely from random points, with ``t`` (and ``b_rel``): Adam on spheres, in float32.

    The rate falls to zero along a cosine. Margins are measured in float64.

    Parameters
    ----------
    sets:
        The relevant documents of every query, ``[M, k]``.
    """
    choice(loss, "loss", ("sigmoid", "each", "average", "any"))
    most, runs = max(dims), [*product(dims, seeds)]
    starts = [
        pad(torch.cat([random_points(n, d, seed=s, stream=k) for k, n in enumerate((len(sets), n_documents))]),
            (0, most - d)).mT for d, s in runs
    ]  # fmt: skip
    size = max(1, CACHE_ENTRIES // (len(sets) * n_documents))
    with torch.inference_mode():
        chunks = [_descend(x, sets.mT, loss, n_steps, learning_rate) for x in torch.stack(starts).float().split(size)]
    points, t = (torch.cat(x).unflatten(0, (len(dims), len(seeds))) for x in zip(*chunks, strict=True))
    u, v = normalize(points.mT.double()).split([len(sets), n_documents], dim=-2)
    relevant = membership(sets, n_documents)
    one_threshold, per_query = separation(u, v, labels=relevant).margin, query_gaps(u, v, relevant).margin.amin(-1)
    return Trained(u, v, t, one_threshold, per_query)


def smallest_dimension(margins: Tensor, dims: Sequence[int]) -> float:
    """The smallest of the dimensions in which most runs ``[D, R]`` have a positive margin, ``nan`` if there is none.

    >>> smallest_dimension(torch.tensor([[-0.1, 0.1, -0.2], [-0.1, 0.2, 0.2]]), [3, 5])
    5
    """
    return min((d for d, runs in zip(dims, margins, strict=True) if (runs > 0).double().mean() > 0.5), default=math.nan)


def _descend(points: Tensor, sets: Tensor, loss: Loss, n_steps: int, rate: float) -> tuple[Tensor, Tensor]:
    """Points ``[R, d, M + n]`` after training, and ``t [R]``."""
    (k, n_queries), n_runs = sets.shape, len(points)
    sets, scalars = sets.expand(n_runs, k, n_queries), points.new_zeros(2, n_runs)
    scalars[0] = math.log(10.0)
    points.grad, scalars.grad = torch.zeros_like(points), torch.zeros_like(scalars)
    optimiser = torch.optim.Adam([points, scalars], lr=rate, fused=True)
    u, v, by_u, by_v = (y for x in (points, points.grad) for y in x.tensor_split([n_queries], dim=2))
    for step in range(n_steps):
        optimiser.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * step / n_steps)) / 2
        t, b = scalars[0].exp(), scalars[1]
        scaled = t[:, None, None] * u
        z = v.mT @ scaled
        slopes_(z if loss != "sigmoid" else z.sub_((t * b)[:, None, None]), sets, loss)
        by_u.copy_(v @ z)
        by_v.copy_(scaled @ z.mT)
        pull = t * z.sum((1, 2)) if loss == "sigmoid" else 0 * t
        scalars.grad.copy_(torch.stack([(scaled * by_u).sum((1, 2)) - b * pull, -pull]))
        by_u.mul_(t[:, None, None])
        points.grad.sub_((points.grad * points).sum(1, keepdim=True) * points)
        optimiser.step()
        points *= points.square().sum(1, keepdim=True).rsqrt_()
    return points, scalars[0].exp()


def slopes_(z: Tensor, sets: Tensor, loss: Loss) -> Tensor:
    """Replace logits ``[R, n, M]`` by ``dL/dz``; ``sets [R, k, M]``. Right near zero loss too, but never below e^-80."""
    own = z.gather(1, sets)
    if loss == "sigmoid":
        return z.clamp_(-80, 80).sigmoid_().scatter_(1, sets, -torch.sigmoid(-own))
    top = z.amax(1, keepdim=True)
    own = (own - top).exp_()
    rivals = z.sub_(top).clamp_(-80).exp_().scatter_(1, sets, 0.0).sum(1, keepdim=True)
    everyone = own.sum(1, keepdim=True) + rivals
    if loss == "average":
        return z.div_(everyone).scatter_(1, sets, own / everyone - 1 / len(own[0]))
    if loss == "any":
        relevant = own.sum(1, keepdim=True).clamp_min(1e-30)
        return z.div_(everyone).scatter_(1, sets, -own / relevant * (rivals / everyone))
    weights = 1 / (len(own[0]) * (rivals + own).clamp_min(1e-30))
    return z.mul_(weights.sum(1, keepdim=True)).scatter_(1, sets, -rivals * weights)
