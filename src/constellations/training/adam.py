"""Adam over one flat buffer, in place."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim.adam import adam


class Adam:
    r"""Adam (Kingma and Ba 2015) with bias correction over a flat parameter vector, in one pass of torch's fused kernel.

    .. math::
        m \gets \beta_1 m + (1-\beta_1) g, \quad v \gets \beta_2 v + (1-\beta_2) g^2, \quad
        x \gets x - \eta \, \frac{m / (1-\beta_1^k)}{\sqrt{v / (1-\beta_2^k)} + c\,\epsilon}.

    Adam does not notice the scale ``c`` of the gradient but for ``epsilon``. Handing over the gradient of a sum of ``c``
    terms together with ``gradient_scale=c`` is therefore the same as handing over that of their mean.
    """

    def __init__(self, parameters: Tensor, *, learning_rate: float, gradient_scale: float) -> None:
        self.parameters, self.learning_rate, self.epsilon = [parameters], learning_rate, 1e-8 * gradient_scale
        self.moments = [torch.zeros_like(parameters)], [torch.zeros_like(parameters)]
        self.n_steps = [torch.zeros((), device=parameters.device)]

    def step(self, gradient: Tensor) -> None:
        """One update by ``gradient``, of the shape of the parameters."""
        adam(
            self.parameters,
            [gradient],
            *self.moments,
            max_exp_avg_sqs=[],
            state_steps=self.n_steps,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.learning_rate,
            weight_decay=0.0,
            eps=self.epsilon,
            maximize=False,
        )
