"""Embeddings made up to have the published first moments of a model, to try measurements on where no model can be had."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from constellations.checks import integer


def stand_in(
    *,
    mean_matching: float,
    mean_non_matching: float,
    norm_of_mean: float,
    n_classes: int = 1000,
    images_per_class: int = 50,
    dim: int = 768,
    spread: int | None = None,
    seed: int = 0,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Unit vectors ``images [C k, d]``, ``texts [C, d]`` and ``labels [C k]`` with given means, float32.

    Both modalities have a centre of squared norm ``A``; around it lies a Gaussian part in ``spread`` dimensions (all, if
    ``None``), with correlation ``rho`` between an image and its own text, and rows are normalised at the end:

    .. math::
        \bar s = \tfrac1C p + (1 - \tfrac1C) q, \qquad A = \tfrac12 D + \bar s, \qquad \rho = (p - \bar s) / (1 - A)

    for ``p, q`` the mean matching and non-matching products and ``D = |mean u - mean v|^2``; right up to
    sampling and the last step.
    A stand-in, not a model of SigLIP: only these three numbers are SigLIP's.

    Raises
    ------
    ValueError
        For sizes below 2, ``spread > dim``, or moments that no unit vectors of this kind have.
    """
    spread = dim if spread is None else spread
    integer(n_classes, "n_classes", 2)
    integer(images_per_class, "images_per_class", 1)
    integer(spread, "spread", 2)
    if spread > dim:
        raise ValueError(f"spread must be at most dim = {dim}, got {spread}")
    average = mean_matching / n_classes + (1 - 1 / n_classes) * mean_non_matching
    centre = norm_of_mean / 2 + average
    rho = (mean_matching - average) / (1 - centre) if 0 < centre < 1 else math.nan
    if not (0 < centre < 1 and abs(average) <= centre and -1 <= rho <= 1):
        raise ValueError(
            "mean_matching, mean_non_matching and norm_of_mean must be moments of unit vectors, got "
            f"{mean_matching!r}, {mean_non_matching!r}, {norm_of_mean!r}"
        )
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_classes), images_per_class)
    texts = _centred(rng, n_classes, spread)
    own = _centred(rng, len(labels), spread)
    around = rho * texts[labels] + math.sqrt(1 - rho**2) * own
    angle = math.acos(average / centre) / 2
    points = [_place(part, centre, sign * angle, dim) for part, sign in ((around, 1), (texts, -1))]
    return points[0], points[1], torch.from_numpy(labels)


def _centred(rng: np.random.Generator, n: int, spread: int) -> np.ndarray:
    """Standard Gaussian rows over ``sqrt(spread)``, with mean zero."""
    x = rng.standard_normal((n, spread), dtype=np.float32) / np.float32(math.sqrt(spread))
    return x - x.mean(0)


def _place(part: np.ndarray, centre: float, angle: float, dim: int) -> Tensor:
    """Rows ``c + sqrt(1 - centre) part``, normalised; ``c`` has norm ``sqrt(centre)`` and lies in the first two axes."""
    points = np.zeros((len(part), dim), dtype=np.float32)
    points[:, : part.shape[1]] = math.sqrt(1 - centre) * part
    points[:, :2] += math.sqrt(centre) * np.array([math.cos(angle), math.sin(angle)], dtype=np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return torch.from_numpy(points)
