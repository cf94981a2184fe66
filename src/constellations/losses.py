"""Contrastive losses: the sigmoid loss in both parameterisations, InfoNCE and the triplet loss.

Sign and scale, once: the logit of a pair is ``t s_ij - b = t (s_ij - b_rel)`` and losses are sums over the ``N^2``
pairs unless ``reduction="mean"``. SigLIP's released code writes ``t s_ij + b``: its bias is the negative of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from constellations.sphere import as_pairs

Variant = Literal["exact", "published"]
Reduction = Literal["sum", "mean"]
PUBLISHED_EPSILON = 1e-8


@dataclass(frozen=True)
class OptimalBias:
    """Minimiser of the exact sigmoid loss over the bias at a fixed inverse temperature, and the infimum it gives."""

    bias: Any
    relative_bias: Any
    loss: Any


def _positive(value: Any, name: str, like: Tensor) -> Tensor:
    number = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    if not bool((torch.isfinite(number) & (number > 0)).all()):
        raise ValueError(f"{name} must be finite and above 0, got {value!r}")
    return number


def _finite(value: Any, name: str, like: Tensor) -> Tensor:
    number = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    if not bool(torch.isfinite(number).all()):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return number


def _check_choice(value: str, name: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def signed_logits(u: Tensor, v: Tensor, *, inverse_temperature: Any, bias: Any, relative_bias: Any) -> Tensor:
    """Logits ``[..., N, N]`` whose diagonal (matching pairs) carries a plus sign and the rest a minus sign.

    The loss of an entry is ``-log sigmoid(signed logit)``.
    """
    if (bias is None) == (relative_bias is None):
        raise ValueError(f"give exactly one of bias and relative_bias, got {bias!r} and {relative_bias!r}")
    t = _positive(inverse_temperature, "inverse_temperature", u)[..., None, None]
    s = u @ v.transpose(-1, -2)
    if bias is None:
        logits = t * (s - _finite(relative_bias, "relative_bias", u)[..., None, None])
    else:
        logits = t * s - _finite(bias, "bias", u)[..., None, None]
    sign = 2 * torch.eye(s.shape[-1], dtype=s.dtype, device=s.device) - 1
    return sign * logits


def sigmoid_loss(
    u: Any,
    v: Any,
    *,
    inverse_temperature: Any,
    bias: Any = None,
    relative_bias: Any = None,
    variant: Variant = "exact",
    reduction: Reduction = "sum",
) -> Tensor:
    r"""Sigmoid contrastive loss of ``N`` pairs.

    .. math::
        L = \sum_i \log(1 + e^{-t s_{ii} + b}) + \sum_{i \ne j} \log(1 + e^{t s_{ij} - b}),
        \qquad b = t\, b_{rel}.

    Parameters
    ----------
    u, v:
        Unit vectors ``[..., N, d]``, ``N >= 2``. Gradients flow through tensors.
    inverse_temperature:
        ``t > 0``, a scalar or one value per configuration (shape ``[...]``).
    bias, relative_bias:
        Exactly one of them, scalar or ``[...]``: ``b``, or ``b_rel = b / t`` (Definition 1 of the paper).
    variant:
        ``"exact"`` uses a stable log-sigmoid, right to relative 1e-12 in float64 at logits up to 1e4;
        ``"published"`` is the clamped ``-log(sigmoid(x) + 1e-8)`` of the authors' notebooks.
    reduction:
        ``"sum"`` (the paper) or ``"mean"`` over the ``N^2`` pairs (the authors' notebooks).

    Returns
    -------
    Tensor of the leading shape ``[...]``.

    Raises
    ------
    ValueError
        For bad points, ``t <= 0``, non-finite numbers, both or neither of the biases, an unknown variant or reduction.

    Examples
    --------
    >>> eye = torch.eye(2, dtype=torch.float64)
    >>> round(sigmoid_loss(eye, eye, inverse_temperature=10.0, relative_bias=0.5).item(), 6)
    0.026861
    """
    _check_choice(variant, "variant", ("exact", "published"))
    _check_choice(reduction, "reduction", ("sum", "mean"))
    u, v = as_pairs(u, v)
    z = signed_logits(u, v, inverse_temperature=inverse_temperature, bias=bias, relative_bias=relative_bias)
    entries = -logsigmoid(z) if variant == "exact" else _published_entries(z)
    return entries.sum((-2, -1)) if reduction == "sum" else entries.mean((-2, -1))


def _published_entries(z: Tensor) -> Tensor:
    """``-log(sigmoid(x) + eps)`` on the diagonal and ``-log(1 - sigmoid(x) + eps)`` off it, x the unsigned logit."""
    diagonal = torch.eye(z.shape[-1], dtype=torch.bool, device=z.device)
    probability = torch.sigmoid(torch.where(diagonal, z, -z))
    return -torch.log(torch.where(diagonal, probability, 1 - probability) + PUBLISHED_EPSILON)


def optimal_bias(u: Any, v: Any, *, inverse_temperature: Any) -> OptimalBias:
    """The bias that minimises the exact summed loss at a given ``t``, found by bisection on its monotone derivative.

    ``dL/db = sum_i sigmoid(b - t s_ii) - sum_{i != j} sigmoid(t s_ij - b)`` increases in ``b``; it is computed in float64
    and bisected to the last bit. Accepts ``[..., N, d]``; a single configuration and scalar ``t`` give floats.
    """
    u, v = as_pairs(u, v)
    u, v = u.detach().double(), v.detach().double()
    t = _positive(inverse_temperature, "inverse_temperature", u)
    s = u @ v.transpose(-1, -2)
    shape = torch.broadcast_shapes(t.shape, s.shape[:-2])
    z = (t[..., None, None] * s).expand(*shape, *s.shape[-2:])
    off = ~torch.eye(s.shape[-1], dtype=torch.bool, device=s.device)
    spread = torch.log(torch.tensor(float(s.shape[-1]), dtype=s.dtype, device=s.device)) * 2 + 2
    low, high = z.amin((-2, -1)) - spread, z.amax((-2, -1)) + spread
    for _ in range(200):
        middle = (low + high) / 2
        matching = torch.sigmoid(middle[..., None] - z.diagonal(dim1=-2, dim2=-1)).sum(-1)
        non_matching = (torch.sigmoid(z - middle[..., None, None]) * off).sum((-2, -1))
        rising = matching > non_matching
        low, high = torch.where(rising, low, middle), torch.where(rising, middle, high)
    b = (low + high) / 2
    sign = 1 - 2 * off.to(z.dtype)
    loss = -logsigmoid(sign * (z - b[..., None, None])).sum((-2, -1))
    values = (b, b / t, loss)
    return OptimalBias(*(value.item() for value in values) if not shape else values)


def info_nce(u: Any, v: Any, *, inverse_temperature: Any, symmetric: bool = False) -> Tensor:
    r"""InfoNCE ``sum_i -log softmax_j(t s_ij)_i``, summed over rows; ``symmetric=True`` adds the columns.

    Returns a tensor of the leading shape. Source: van den Oord et al. 2018; CLIP uses the symmetric form.
    """
    u, v = as_pairs(u, v)
    logits = _positive(inverse_temperature, "inverse_temperature", u)[..., None, None] * (
        u @ v.transpose(-1, -2)
    )
    rows = _row_info_nce(logits)
    return rows + _row_info_nce(logits.transpose(-1, -2)) if symmetric else rows


def _row_info_nce(logits: Tensor) -> Tensor:
    """``sum_i log(1 + sum_{j != i} exp(z_ij - z_ii))``, which stays accurate when the loss is near zero."""
    n = logits.shape[-1]
    differences = logits - logits.diagonal(dim1=-2, dim2=-1)[..., None]
    rivals = differences.masked_fill(torch.eye(n, dtype=torch.bool, device=logits.device), -torch.inf)
    return -logsigmoid(-torch.logsumexp(rivals, dim=-1)).sum(-1)


def triplet(u: Any, v: Any, *, margin_parameter: float) -> Tensor:
    r"""Triplet loss ``sum_{i != j} relu(|u_i - v_i|^2 - |u_i - v_j|^2 + a)``, ``a = margin_parameter`` (Observation 4)."""
    u, v = as_pairs(u, v)
    a = _finite(margin_parameter, "margin_parameter", u)
    s = u @ v.transpose(-1, -2)
    excess = torch.relu(2 * (s - s.diagonal(dim1=-2, dim2=-1)[..., None]) + a)
    return excess.masked_fill(torch.eye(s.shape[-1], dtype=torch.bool, device=s.device), 0.0).sum((-2, -1))


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
