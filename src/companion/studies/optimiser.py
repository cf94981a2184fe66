"""Adam's clock: how the loss falls once the pairs are separated. Argued and measured in chapter 16."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from constellations.training import Trajectory


def tick(beta2: ArrayLike) -> np.ndarray:
    r"""``c = log(1/beta2) / 2``: what Adam takes off the logarithm of the loss per step.

    >>> print(tick(0.999).round(6))
    0.0005
    """
    return -np.log(np.asarray(beta2, dtype=float)) / 2


def growth(y: ArrayLike) -> np.ndarray:
    r"""``G(y) = sqrt(e^{2y} - 1) - arccos e^{-y}``, the integral of ``sqrt(e^{2y} - 1)``, for ``y >= 0``.

    Like ``(8/9)^{1/2} y^{3/2}`` at first, like ``e^y`` later. Adam's loss times ``(t m*)^2`` falls like ``1 / G(c k)``.
    """
    y = np.asarray(y, dtype=float)
    return np.sqrt(np.expm1(2 * y)) - np.arccos(np.exp(-y))


def reading(log: Trajectory) -> np.ndarray:
    """``x = t m*`` at every recorded moment of every run, ``[S, R]``."""
    return (log.inverse_temperature * log.margin).numpy()


def predicted(log: Trajectory, beta2: float) -> tuple[np.ndarray, np.ndarray]:
    """``(steps, loss)``: the mean loss by the formula, fitted at the end alone, where ``x > 3``."""
    k, loss, x = log.steps.numpy(), log.loss.mean(1).numpy(), reading(log).mean(1)
    late = (x > 3) & (k > 0)
    falling = 1 / (x[late] ** 2 * growth(tick(beta2) * k[late]))
    return k[late], loss[-1] * falling / falling[-1]
