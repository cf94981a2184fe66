"""The perceptron that finds a hyperplane between the modalities (Figure 3 of the paper)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from constellations.modality_gap.signs import configuration


@dataclass(frozen=True)
class Perceptron:
    """A perceptron's unit normal, its number of updates, the points left on the wrong side, and the projections."""

    direction: Tensor
    n_updates: int
    n_errors: int
    u_projection: Tensor
    v_projection: Tensor

    @property
    def converged(self) -> bool:
        return self.n_errors == 0


def perceptron(u: Any, v: Any, *, max_updates: int = 100_000) -> Perceptron:
    r"""Rosenblatt's perceptron through the origin: from 0, add the worst misclassified point until none is left.

    If a unit direction with margin ``g`` exists, at most ``1/g^2`` updates are made (Novikoff 1962).

    Parameters
    ----------
    u, v:
        Unit vectors ``[N, d]``; the ``u_i`` belong on the positive side.
    max_updates:
        Give up after so many; the result then reports ``converged = False`` and the errors left.

    Examples
    --------
    >>> from constellations.constructions import double_constant_embedding
    >>> perceptron(*double_constant_embedding(5, delta=0.8)).converged
    True
    """
    u, v = configuration(u, v)
    if isinstance(max_updates, bool) or int(max_updates) != max_updates or max_updates < 1:
        raise ValueError(f"max_updates must be an integer of at least 1, got {max_updates!r}")
    signed = torch.cat([u, -v]).numpy()
    normal = np.zeros(signed.shape[1])
    n_updates = 0
    while n_updates < max_updates:
        projection = signed @ normal
        worst = int(projection.argmin())
        if projection[worst] > 0:
            break
        normal = normal + signed[worst]
        n_updates += 1
    length = np.linalg.norm(normal)
    direction = torch.from_numpy(normal / length if length > 0 else normal)
    n_errors = int((u @ direction <= 0).sum() + (v @ direction >= 0).sum())
    return Perceptron(direction, n_updates, n_errors, u @ direction, v @ direction)
