"""A conformance kit for sigmoid losses: do digits, gradients, memory and half precision hold where training goes?

The loss under test is called as ``loss(u, v, t, b)``: summed over all pairs of unit vectors ``[N, d]``, with logits
``t s_ij - b``. Right values come from 60-digit arithmetic on the 24-cell, whose inner products no precision rounds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from constellations.sphere import random_points

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
NEAR_ZERO, LARGE, WRONG = (80.0, 60.0, 0), (1e4, 9997.0, 0), (1e4, 2500.0, 5)  # t, b and a shift of the pairs


@dataclass(frozen=True)
class Result:
    """One check: the error measured (or the copies held), the most allowed, and why the loss could not be called."""

    name: str
    measured: float
    allowed: float
    failure: str = ""

    @property
    def passed(self) -> bool:
        return self.measured <= self.allowed


def conformance(loss: Loss, *, chunked: Callable[[int], Loss] | None = None) -> tuple[Result, ...]:
    """Every check of a loss; ``chunked(size)`` is its form that takes so many rows at a time, if it has one.

    >>> def plain(u, v, t, b):
    ...     signs = 2 * torch.eye(len(u), dtype=u.dtype) - 1
    ...     return -torch.nn.functional.logsigmoid(signs * (t * (u @ v.T) - b)).sum()
    >>> [result.name for result in conformance(plain) if not result.passed]
    ['N x N copies kept for the backward pass', 'half precision, float16', 'half precision, bfloat16', 'autocast']
    """
    results = []
    forms = {"": loss} | ({f", {k} rows at a time": chunked(k) for k in (1, 7, 24)} if chunked else {})
    for suffix, form in forms.items():
        for kind, allowed in ((torch.float64, 1e-12), (torch.float32, 2e-6)):
            for name, setting in {"near zero": NEAR_ZERO, "large t": LARGE, "all pairs wrong": WRONG}.items():
                what = f"{name}, {str(kind).removeprefix('torch.')}{suffix}"
                results.append(_run(f"value {what}", allowed, _error, form, setting, kind, False))
                results.append(_run(f"gradient {what}", 10 * allowed, _error, form, setting, kind, True))
    results.append(_run("N x N copies kept for the backward pass", 1.05, _copies, loss))
    results.append(_run("compiled whole", 1e-6, _compiled_error, loss))
    for kind in (torch.float16, torch.bfloat16):
        name = f"half precision, {str(kind).removeprefix('torch.')}"
        results.append(_run(name, 1e-5, _half_error, loss, kind, False))
    results.append(_run("autocast", 1e-5, _half_error, loss, torch.float32, True))
    return tuple(results)


def _run(name: str, allowed: float, check: Callable[..., float], *given: object) -> Result:
    try:
        measured = check(*given)
    except Exception as error:  # whatever a foreign loss raises is a result
        return Result(name, math.inf, allowed, f"{type(error).__name__}: {error}".splitlines()[0])
    return Result(name, math.inf if math.isnan(measured) else measured, allowed)


def _cell(kind: torch.dtype, shift: int) -> tuple[Tensor, Tensor]:
    """The 24-cell as ``u``, and as ``v`` with its points moved on by ``shift``."""
    units = [sign * x for x in torch.eye(4, dtype=kind) for sign in (1, -1)]
    halves = [torch.tensor(signs, dtype=kind) / 2 for signs in itertools.product((1.0, -1.0), repeat=4)]
    u = torch.stack(units + halves)
    return u, u.roll(shift, 0)


def _right(u: Tensor, v: Tensor, t: float, b: float) -> tuple[float, Tensor, Tensor, Tensor]:
    """The loss and its gradients in ``u``, ``t`` and ``b`` from 60 digits, rounded once."""
    s = (u.double() @ v.double().T).tolist()
    total, slopes = Decimal(0), torch.zeros(len(s), len(s), dtype=torch.float64)
    with localcontext() as context:
        context.prec = 60
        for i, j in itertools.product(range(len(s)), repeat=2):
            sign = -1 if i == j else 1
            e = (-abs(z := sign * (Decimal(t) * Decimal(s[i][j]) - Decimal(b)))).exp()
            total += max(z, Decimal(0)) + (1 + e).ln()
            slopes[i, j] = sign * float((1 if z > 0 else e) / (1 + e))
    by_t = (slopes * torch.tensor(s, dtype=torch.float64)).sum()
    return float(total), t * slopes @ v.double(), by_t, -slopes.sum()


def _error(loss: Loss, setting: tuple[float, float, int], kind: torch.dtype, gradients: bool) -> float:
    """Of the value, or the largest of the gradients' in ``u``, ``t`` and ``b``, relative."""
    t, b, shift = setting
    u, v = _cell(kind, shift)
    right, *slopes = _right(u, v, t, b)
    inputs = [x.requires_grad_(gradients) for x in (u, *torch.tensor([t, b], dtype=kind))]
    value = loss(u, v, *inputs[1:])
    if not gradients:
        return abs(value.item() / right - 1)
    found = torch.autograd.grad(value, inputs)
    errors = [(x - y).abs().max() / y.abs().max() for x, y in zip(found, slopes, strict=True) if y.any()]
    return float(torch.stack(errors).max())


def _copies(loss: Loss) -> float:
    n, kept = 512, {}

    def pack(x: Tensor) -> Tensor:
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    u, v = (random_points(n, 4, seed=0, stream=k, dtype=torch.float32).requires_grad_() for k in (0, 1))
    with saved_tensors_hooks(pack, lambda x: x):
        value = loss(u, v, *torch.tensor([10.0, 5.0], requires_grad=True))
    value.backward()
    return sum(kept.values()) / (4 * n**2)


def _compiled_error(loss: Loss) -> float:
    u, v = (random_points(16, 4, seed=0, stream=k, dtype=torch.float32) for k in (0, 1))
    scalars = torch.tensor([10.0, 5.0])
    compiled = torch.compile(loss, backend="eager", fullgraph=True)
    return abs(compiled(u, v, *scalars).item() / loss(u, v, *scalars).item() - 1)


def _half_error(loss: Loss, kind: torch.dtype, autocast: bool) -> float:
    """Against float64, at SigLIP's scalars, with enough pairs for a float16 sum to overflow."""
    u, v = (random_points(1024, 16, seed=0, stream=k, dtype=kind) for k in (0, 1))
    t, b = torch.tensor([117.8, 12.9])
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        value = loss(u, v, t, b)
    z = t.double() * (u.double() @ v.double().T) - b.double()
    z.diagonal().neg_()
    return abs(value.item() / torch.logaddexp(z, torch.zeros_like(z)).sum().item() - 1)
