"""The sigmoid loss as a module with its own scalars."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from constellations.losses.sigmoid import (
    Reduction,
    _check_choice,
    _finite,
    _positive,
    sigmoid_loss,
)


class SigmoidLoss(nn.Module):
    """The sigmoid loss as a module with trainable inverse temperature and (relative) bias, for training encoders.

    ``t = exp(t')`` keeps the inverse temperature positive.

    Parameters
    ----------
    parameterization:
        ``"relative_bias"`` trains ``b_rel`` (Definition 1 of the paper); ``"bias"`` trains ``b``, as SigLIP does.
    inverse_temperature:
        Initial ``t > 0``.
    bias, relative_bias:
        Initial value of the one that the parameterisation trains; the other must be left out.
    train_inverse_temperature, train_bias:
        Whether each scalar is a trainable parameter or a fixed buffer.
    reduction:
        As in :func:`sigmoid_loss`.

    Examples
    --------
    >>> loss = SigmoidLoss(inverse_temperature=10.0, relative_bias=0.0)
    >>> sorted(name for name, _ in loss.named_parameters())
    ['log_inverse_temperature', 'relative_bias']
    """

    def __init__(
        self,
        *,
        parameterization: Literal["relative_bias", "bias"] = "relative_bias",
        inverse_temperature: float = 10.0,
        bias: float | None = None,
        relative_bias: float | None = None,
        train_inverse_temperature: bool = True,
        train_bias: bool = True,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.log_inverse_temperature: Tensor
        _check_choice(parameterization, "parameterization", ("relative_bias", "bias"))
        _check_choice(reduction, "reduction", ("sum", "mean"))
        given, other = (relative_bias, bias) if parameterization == "relative_bias" else (bias, relative_bias)
        if given is None or other is not None:
            raise ValueError(
                f"parameterization={parameterization!r} needs {parameterization} alone, "
                f"got bias={bias!r} and relative_bias={relative_bias!r}"
            )
        self.parameterization, self.reduction = parameterization, reduction
        like = torch.zeros((), dtype=torch.get_default_dtype())
        log_t = _positive(inverse_temperature, "inverse_temperature", like).log()
        self._scalar("log_inverse_temperature", log_t, train_inverse_temperature)
        self._scalar(parameterization, _finite(given, parameterization, like).clone(), train_bias)

    def _scalar(self, name: str, value: Tensor, trainable: bool) -> None:
        if trainable:
            self.register_parameter(name, nn.Parameter(value))
        else:
            self.register_buffer(name, value)

    @property
    def inverse_temperature(self) -> Tensor:
        """``t = exp(t')``."""
        return self.log_inverse_temperature.exp()

    def current_relative_bias(self) -> Tensor:
        """``b_rel``, whichever parameterisation is trained."""
        value = getattr(self, self.parameterization)
        return value if self.parameterization == "relative_bias" else value / self.inverse_temperature

    def forward(self, u: Tensor, v: Tensor) -> Tensor:
        """Exact sigmoid loss of unit vectors ``u, v`` of shape ``[N, d]``."""
        scalar = {self.parameterization: getattr(self, self.parameterization)}
        return sigmoid_loss(
            u, v, inverse_temperature=self.inverse_temperature, reduction=self.reduction, **scalar
        )
