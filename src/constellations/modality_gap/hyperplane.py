"""An affine hyperplane between two large sets of points: discriminants, then a perceptron (Figure 3 of the paper)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Hyperplane:
    """``<h, x> - offset`` with unit ``h``: how many images fall on the negative side, how many texts on the other.

    ``margin`` is the smallest distance of a point on its right side (negative if some point is on the wrong one).
    """

    direction: Tensor
    offset: float
    wrong_images: int
    wrong_texts: int
    margin: float
    passes: int

    @property
    def separates(self) -> bool:
        """Whether no point is on the wrong side."""
        return self.wrong_images + self.wrong_texts == 0

    def positions(self, points: Tensor) -> Tensor:
        """Signed distances of points from the hyperplane, float32."""
        return points.float() @ self.direction - self.offset


def separating_hyperplane(images: Tensor, texts: Tensor, *, max_passes: int = 50) -> Hyperplane:
    """Look for a hyperplane with all images of ``[M, d]`` on its positive side and all texts ``[N, d]`` on the other.

    Tries the difference of the means and Fisher's discriminant, and then, from the better one, full-batch perceptron
    passes: the mean of the images on the wrong side is added, that of the texts subtracted. Returns the best hyperplane
    seen. Finding one that separates is a proof; not finding one proves nothing.

    Raises
    ------
    ValueError
        If ``max_passes`` is negative.

    Examples
    --------
    >>> plane = separating_hyperplane(torch.eye(4), -torch.eye(4))
    >>> plane.separates, round(plane.margin, 3)
    (True, 0.5)
    """
    if max_passes < 0:
        raise ValueError(f"max_passes must be at least 0, got {max_passes}")
    images, texts = images.float(), texts.float()
    best = min((_between(images, texts, h) for h in _discriminants(images, texts)), key=_errors)
    h, offset = best.direction, best.offset
    a, b = images @ h, texts @ h
    for k in range(1, max_passes + 1):
        if best.separates:
            break
        wrong_images, wrong_texts = (a <= offset).float(), (b >= offset).float()
        h = h + 0.5 * (_mean(images, wrong_images) - _mean(texts, wrong_texts))
        offset += 0.5 * float(wrong_texts.any()) - 0.5 * float(wrong_images.any())
        a, b, norm = images @ h, texts @ h, float(h.norm().clamp_min(1e-12))
        best = min(best, _evaluate(a / norm, b / norm, h / norm, offset / norm, k), key=_errors)
    return best


def _discriminants(images: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
    """The difference of the means, and the same whitened by the covariance within the two sets."""
    means = images.mean(0), texts.mean(0)
    difference = means[0] - means[1]
    centred = images - means[0], texts - means[1]
    within = sum((points.T @ points / len(points) for points in centred), torch.zeros(()))
    ridge = 1e-3 * within.diagonal().mean().clamp_min(1e-12) * torch.eye(len(difference))
    return difference, torch.linalg.solve(within + ridge, difference)


def _between(images: Tensor, texts: Tensor, h: Tensor) -> Hyperplane:
    """Across ``h``: midway between the sets if they are apart, else midway between their means."""
    h = h / h.norm().clamp_min(1e-12)
    a, b = images @ h, texts @ h
    apart = bool(a.min() > b.max())
    offset = float(a.min() + b.max()) / 2 if apart else float(a.mean() + b.mean()) / 2
    return _evaluate(a, b, h, offset, 0)


def _mean(points: Tensor, chosen: Tensor) -> Tensor:
    return chosen @ points / chosen.sum().clamp_min(1)


def _errors(plane: Hyperplane) -> tuple[int, float]:
    return plane.wrong_images + plane.wrong_texts, -plane.margin


def _evaluate(a: Tensor, b: Tensor, h: Tensor, offset: float, passes: int) -> Hyperplane:
    """``a`` and ``b``: inner products of images and texts with ``h``."""
    margin = min(float(a.min()) - offset, offset - float(b.max()))
    return Hyperplane(h, offset, int((a <= offset).sum()), int((b >= offset).sum()), margin, passes)
