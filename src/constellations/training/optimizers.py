"""Optimisers over one flat buffer, in place."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from constellations.checks import require

Step = Callable[[Tensor], object]


@dataclass(frozen=True, kw_only=True)
class Adam:
    r"""Adam with bias correction (Kingma and Ba 2015).

    After ``k`` steps with gradients ``g``

    .. math::
        m \gets \beta_1 m + (1-\beta_1) g, \quad v \gets \beta_2 v + (1-\beta_2) g^2, \quad
        x \gets x - \eta \, \frac{m / (1-\beta_1^k)}{\sqrt{v / (1-\beta_2^k)} + \epsilon}.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        require(0 <= self.beta1 < 1, "beta1", "in [0, 1)", self.beta1)
        require(0 <= self.beta2 < 1, "beta2", "in [0, 1)", self.beta2)
        require(0 < self.epsilon < math.inf, "epsilon", "finite and above 0", self.epsilon)

    def over(self, parameters: Tensor, *, learning_rate: float, n_terms: int) -> Step:
        """A function that takes the gradient of a sum of ``n_terms`` terms, and makes one step down their mean.

        Adam notices the scale of a gradient by ``epsilon`` alone, which is therefore multiplied by it.
        """
        first, second = torch.zeros_like(parameters), torch.zeros_like(parameters)
        n_steps = torch.zeros((), device=parameters.device)

        return lambda gradient: torch._fused_adam_(  # torch.optim.Adam(fused=True) without its bookkeeping of many tensors
            [parameters], [gradient], [first], [second], [], [n_steps.add_(1)], amsgrad=False, lr=learning_rate,
            beta1=self.beta1, beta2=self.beta2, weight_decay=0.0, eps=self.epsilon * n_terms, maximize=False,
        )  # fmt: skip


@dataclass(frozen=True)
class Descent:
    """Gradient descent: along tangents of the spheres and back to them by normalising, so Riemannian descent."""

    def over(self, parameters: Tensor, *, learning_rate: float, n_terms: int) -> Step:
        """As :meth:`Adam.over`."""
        return lambda gradient: parameters.add_(gradient, alpha=-learning_rate / n_terms)
