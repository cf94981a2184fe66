"""The sigmoid loss as a module with its own scalars."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from constellations.checks import choice, integer, require
from constellations.losses.arguments import Labels, Matching, full_precision, scalar
from constellations.losses.sigmoid import REDUCTIONS, Reduction, count, scalars, summed

Parameterization = Literal["relative_bias", "bias"]


class SigmoidLoss(nn.Module):
    """The exact sigmoid loss as a module with trainable inverse temperature and (relative) bias, for training encoders.

    ``t = exp(t')`` keeps the inverse temperature positive. The default start, ``t = 10`` and ``b_rel = 1``, is SigLIP's.
    Values are checked here, on construction: the forward pass looks at shapes alone, so that it compiles whole and
    never waits for a device.

    Parameters
    ----------
    parameterization:
        ``"relative_bias"`` trains ``b_rel`` (Definition 1 of the paper); ``"bias"`` trains ``b``, as SigLIP
        does, whose code adds it where it is subtracted here: :meth:`from_siglip` turns the sign.
    inverse_temperature:
        Initial ``t > 0``.
    bias:
        Initial ``b`` where that is trained, by default ``t``; left out otherwise.
    relative_bias:
        Initial ``b_rel`` where that is trained, by default 1; left out otherwise.
    train_inverse_temperature:
        Whether ``t`` is a trainable parameter or a fixed buffer.
    train_bias:
        The same of the bias or relative bias.
    reduction:
        ``"mean"`` over the ``N^2`` pairs (unlike :func:`sigmoid_loss`, which sums), ``"sum"``, or ``"per_pair"``, the sum
        over ``N``: SigLIP's own, with which its learning rates carry over.
    chunk_size:
        Rows at a time, as in :func:`sigmoid_loss`.
    one_element:
        Scalars of shape ``[1]``, which FSDP asks for, instead of ``[]``.

    Examples
    --------
    >>> from constellations.sphere import random_points
    >>> u, v = (random_points(8, 4, seed=0, stream=side) for side in (0, 1))
    >>> loss = SigmoidLoss()
    >>> loss(u, v).backward()
    >>> {name: round(scalar.item(), 3) for name, scalar in loss.named_parameters()}
    {'log_inverse_temperature': 2.303, 'relative_bias': 1.0}
    """

    log_inverse_temperature: Tensor

    def __init__(
        self,
        *,
        parameterization: Parameterization = "relative_bias",
        inverse_temperature: float = 10.0,
        bias: float | None = None,
        relative_bias: float | None = None,
        train_inverse_temperature: bool = True,
        train_bias: bool = True,
        reduction: Reduction = "mean",
        chunk_size: int | None = None,
        one_element: bool = False,
    ) -> None:
        super().__init__()
        choice(parameterization, "parameterization", ("relative_bias", "bias"))
        choice(reduction, "reduction", REDUCTIONS)
        given, other = (relative_bias, bias) if parameterization == "relative_bias" else (bias, relative_bias)
        name = "bias" if parameterization == "relative_bias" else "relative_bias"
        require(other is None, name, f"left out where {parameterization} is trained", other)
        self.parameterization, self.reduction = parameterization, reduction
        self.chunk_size = None if chunk_size is None else integer(chunk_size, "chunk_size", 1)
        self._shape = (1,) if one_element else ()
        like = torch.zeros(1, 1, dtype=torch.get_default_dtype())
        t = scalar(inverse_temperature, "inverse_temperature", like, positive=True)
        start = given if given is not None else 1.0 if parameterization == "relative_bias" else t
        self._scalar("log_inverse_temperature", t.log(), train_inverse_temperature)
        self._scalar(parameterization, scalar(start, parameterization, like), train_bias)

    def _scalar(self, name: str, value: Tensor, trainable: bool) -> None:
        value = value.detach().clone().reshape(self._shape)
        self.register_buffer(name, value) if not trainable else setattr(self, name, nn.Parameter(value))

    @classmethod
    def from_siglip(
        cls, *, logit_scale: float, logit_bias: float, parameterization: Parameterization = "bias",
        chunk_size: int | None = None, one_element: bool = False,
    ) -> SigmoidLoss:  # fmt: skip
        """From the scalars of SigLIP's code: ``logit_scale = log t`` and a ``logit_bias`` that is added, ``-b``; the
        sum is over N, as there.

        >>> loss = SigmoidLoss.from_siglip(logit_scale=2.5, logit_bias=-10.0)
        >>> {name: round(value, 4) for name, value in loss.to_siglip().items()}
        {'logit_scale': 2.5, 'logit_bias': -10.0}
        """
        t, b = math.exp(logit_scale), -float(logit_bias)
        added = parameterization == "bias"
        return cls(
            parameterization=parameterization, inverse_temperature=t, reduction="per_pair",
            bias=b if added else None, relative_bias=None if added else b / t,
            chunk_size=chunk_size, one_element=one_element,
        )  # fmt: skip

    def to_siglip(self) -> dict[str, float]:
        """``logit_scale`` and ``logit_bias`` for SigLIP's code, whichever parameterisation is trained."""
        bias = self.inverse_temperature * self.current_relative_bias()
        return {"logit_scale": self.log_inverse_temperature.item(), "logit_bias": -bias.item()}

    @property
    def inverse_temperature(self) -> Tensor:
        """``t = exp(t')``."""
        return self.log_inverse_temperature.exp()

    def current_relative_bias(self) -> Tensor:
        """``b_rel``, whichever parameterisation is trained."""
        value = getattr(self, self.parameterization)
        return value if self.parameterization == "relative_bias" else value / self.inverse_temperature

    def forward(self, u: Tensor, v: Tensor, labels: Labels | None = None) -> Tensor:
        """Exact sigmoid loss of unit vectors ``u, v`` of shape ``[N, d]``; ``labels`` as in :func:`sigmoid_loss`."""
        if u.shape[-1] != v.shape[-1] or (labels is None and u.shape != v.shape):
            got = f"{tuple(u.shape)} and {tuple(v.shape)}"
            raise ValueError(f"u and v must have the same shape [..., N, d], got {got}")
        u, v = full_precision(u, v, operands=False)
        bias, relative_bias = (getattr(self, name, None) for name in ("bias", "relative_bias"))
        log_t = self.log_inverse_temperature.to(torch.promote_types(u.dtype, torch.float32))
        t, b = scalars(u, log_t.exp(), bias, relative_bias, checked=False)
        matching = Matching.of(labels, u.shape[-2], v.shape[-2], device=u.device)
        total = summed(u, v, t, b, matching, variant="exact", size=self.chunk_size)
        return total / count(self.reduction, u.shape[-2], v.shape[-2])
