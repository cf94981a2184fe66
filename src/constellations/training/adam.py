"""Adam over one flat buffer, in place."""

from __future__ import annotations

import math

import torch
from torch import Tensor

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Adam:
    r"""Adam (Kingma and Ba 2015) with bias correction and the usual constants, over a flat parameter vector.

    .. math::
        m \gets \beta_1 m + (1-\beta_1) g, \quad v \gets \beta_2 v + (1-\beta_2) g^2, \quad
        x \gets x - \eta \, \frac{m / (1-\beta_1^k)}{\sqrt{v / (1-\beta_2^k)} + c\,\epsilon}.

    Adam does not notice the scale ``c`` of the gradient but for ``epsilon``. Handing over the gradient of a sum of ``c``
    terms together with ``gradient_scale=c`` is therefore the same as handing over that of their mean.
    """

    def __init__(self, parameters: Tensor, *, learning_rate: float, gradient_scale: float) -> None:
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.epsilon = EPSILON * gradient_scale
        self.first_moment = torch.zeros_like(parameters)
        self.second_moment = torch.zeros_like(parameters)
        self._denominator = torch.empty_like(parameters)
        self._step = 0

    def step(self, gradient: Tensor) -> None:
        """One update by ``gradient``, of the shape of the parameters."""
        self._step += 1
        first, second = (1 - beta**self._step for beta in BETAS)
        self.first_moment.lerp_(gradient, 1 - BETAS[0])
        self.second_moment.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        torch.sqrt(self.second_moment, out=self._denominator)
        self._denominator.add_(self.epsilon * math.sqrt(second))
        size = -self.learning_rate * math.sqrt(second) / first
        self.parameters.addcdiv_(self.first_moment, self._denominator, value=size)
