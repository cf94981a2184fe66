"""An affine hyperplane between two large sets of points, by batch perceptron (Figure 3 of the paper)."""

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


def separating_hyperplane(images: Tensor, texts: Tensor, *, max_passes: int = 200) -> Hyperplane:
    """Look for a hyperplane with all images on its positive side and all texts on its negative one.

    Starts from the difference of the means, halfway between the sets, and then adds the points on the wrong side
    (each set with equal total weight) in full-batch perceptron passes; the best hyperplane seen is returned. Finding
    one that separates is a proof; not finding one within ``max_passes`` proves nothing.
    """
    if max_passes < 0:
        raise ValueError(f"max_passes must be at least 0, got {max_passes}")
    images, texts = images.float(), texts.float()
    means = images.mean(0), texts.mean(0)
    h = means[0] - means[1]
    h = h / h.norm().clamp_min(1e-12)
    offset = float((images @ h).min() + (texts @ h).max()) / 2
    best = _evaluate(images, texts, h, offset, 0)
    halfway = float(means[0] @ h + means[1] @ h) / 2
    if not best.separates:
        best = min(best, _evaluate(images, texts, h, halfway, 0), key=_errors)
    h, offset = best.direction.clone(), best.offset
    for k in range(1, max_passes + 1):
        if best.separates:
            break
        low, high = images @ h <= offset, texts @ h >= offset
        h = h + 0.5 * (_mean(images, low) - _mean(texts, high))
        offset += 0.5 * (float(high.any()) - float(low.any()))
        norm = float(h.norm().clamp_min(1e-12))
        best = min(best, _evaluate(images, texts, h / norm, offset / norm, k), key=_errors)
    return best


def _mean(points: Tensor, chosen: Tensor) -> Tensor:
    return points[chosen].mean(0) if bool(chosen.any()) else torch.zeros_like(points[0])


def _errors(plane: Hyperplane) -> tuple[int, float]:
    return plane.wrong_images + plane.wrong_texts, -plane.margin


def _evaluate(images: Tensor, texts: Tensor, h: Tensor, offset: float, passes: int) -> Hyperplane:
    a, b = images @ h - offset, texts @ h - offset
    margin = min(float(a.min()), -float(b.max()))
    return Hyperplane(h, offset, int((a <= 0).sum()), int((b >= 0).sum()), margin, passes)
