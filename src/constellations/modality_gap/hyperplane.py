"""A hyperplane between two sets of points: discriminants and one perceptron (Figure 3 of the paper)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from constellations.checks import integer
from constellations.modality_gap.sign_condition import configuration


@dataclass(frozen=True)
class Hyperplane:
    """``<h, x> = offset`` with unit ``h``: how many images fall on the negative side, how many texts on the other.

    ``margin`` is the smallest distance of a point on its right side (negative if some point is on the wrong one), and
    ``n_updates`` the number of the perceptron's updates after which the hyperplane was found.
    """

    direction: Tensor
    offset: float
    wrong_images: int
    wrong_texts: int
    margin: float
    n_updates: int = 0

    @property
    def n_errors(self) -> int:
        """Points on the wrong side, those on the hyperplane among them."""
        return self.wrong_images + self.wrong_texts

    @property
    def separates(self) -> bool:
        """Whether no point is on the wrong side."""
        return self.n_errors == 0

    def positions(self, points: Tensor) -> Tensor:
        """Signed distances of points from the hyperplane."""
        return points.to(self.direction) @ self.direction - self.offset


def perceptron(u: ArrayLike, v: ArrayLike, *, max_updates: int = 100_000) -> Hyperplane:
    r"""A hyperplane through the origin with the ``u_i [N, d]`` on its positive side, by Rosenblatt's perceptron from 0.

    Each update adds the mean of the ``u_i`` and subtracts that of the ``v_j`` on the wrong side, halved if there are
    both. If a unit direction has the margin ``g`` on all points, so it has on such a mean ``x``, while
    ``<h, x> <= 0`` and ``|x| <= 1``: after ``k`` updates ``k g <= |h| <= sqrt(k)``, so that ``k <= 1/g^2`` (Novikoff
    1962). Where none exists the best hyperplane of ``max_updates`` is returned.

    Examples
    --------
    >>> from constellations.constructions import double_constant_embedding
    >>> perceptron(*double_constant_embedding(5, delta=0.8)).separates
    True
    """
    u, v = configuration(u, v)
    integer(max_updates, "max_updates", 1)
    return _updated(u, v, _evaluate(u, v, u.new_zeros(u.shape[1])), max_updates, affine=False)


def separating_hyperplane(images: Tensor, texts: Tensor, *, max_passes: int = 50) -> Hyperplane:
    """Look for a hyperplane with all images of ``[M, d]`` on its positive side and all texts ``[N, d]`` on the other.

    Tries the difference of the means and Fisher's discriminant, and then, from the better one, the updates of
    :func:`perceptron`, of the offset too. Returns the best hyperplane seen, computed in float32. Finding one that
    separates is a proof; not finding one proves nothing.

    Examples
    --------
    >>> plane = separating_hyperplane(torch.eye(4), -torch.eye(4))
    >>> plane.separates, round(plane.margin, 3)
    (True, 0.5)
    """
    integer(max_passes, "max_passes", 0)
    images, texts = images.float(), texts.float()
    starts = [_across(images, texts, h) for h in _discriminants(images, texts)]
    return _updated(images, texts, min(starts, key=_rank), max_passes, affine=True)


def _updated(u: Tensor, v: Tensor, best: Hyperplane, max_updates: int, *, affine: bool) -> Hyperplane:
    h, offset = best.direction, best.offset
    for k in range(1, max_updates + 1):
        if best.separates:
            break
        wrong_u, wrong_v = (u @ h <= offset).to(u), (v @ h >= offset).to(v)
        sides = int(wrong_u.any()) + int(wrong_v.any())
        h = h + (_mean(u, wrong_u) - _mean(v, wrong_v)) / sides
        offset += affine * (int(wrong_v.any()) - int(wrong_u.any()))  # both: none
        best = min(best, _evaluate(u, v, h, offset, k), key=_rank)
    return best


def _mean(points: Tensor, chosen: Tensor) -> Tensor:
    return chosen @ points / chosen.sum().clamp_min(1)


def _evaluate(u: Tensor, v: Tensor, h: Tensor, offset: float = 0.0, n_updates: int = 0) -> Hyperplane:
    norm = float(h.norm()) or 1.0
    h, offset = h / norm, offset / norm
    a, b = u @ h, v @ h
    margin = min(float(a.min()) - offset, offset - float(b.max()))
    return Hyperplane(h, offset, int((a <= offset).sum()), int((b >= offset).sum()), margin, n_updates)


def _rank(plane: Hyperplane) -> tuple[int, float]:
    return plane.n_errors, -plane.margin


def _discriminants(images: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
    """The difference of the means, and the same whitened by the covariance within the two sets."""
    difference = images.mean(0) - texts.mean(0)
    a, b = images - images.mean(0), texts - texts.mean(0)
    within = a.T @ a / len(a) + b.T @ b / len(b)
    ridge = 1e-3 * within.diagonal().mean().clamp_min(1e-12) * torch.eye(len(difference))
    return difference, torch.linalg.solve(within + ridge, difference)


def _across(images: Tensor, texts: Tensor, h: Tensor) -> Hyperplane:
    """Across ``h``: midway between the sets if they are apart, else midway between their means."""
    a, b = images @ h, texts @ h
    low, high = (a.min(), b.max()) if a.min() > b.max() else (a.mean(), b.mean())
    return _evaluate(images, texts, h, float(low + high) / 2)
