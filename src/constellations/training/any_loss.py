"""Any loss of two modalities, minimised on the sphere: Adam with automatic differentiation.

For the sigmoid loss :func:`constellations.training.synchronize` is many times faster.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from constellations.checks import positive, require
from constellations.geometry import separation
from constellations.losses.rows import row_gap
from constellations.sphere import random_points, tangent


@dataclass(frozen=True)
class Minimization:
    """Where R runs ended: ``u``, ``v`` are ``[R, N, d]``, all else ``[R]``."""

    u: Tensor
    v: Tensor
    inverse_temperature: Tensor
    loss: Tensor
    margin: Tensor
    row_gap: Tensor


def minimize(
    loss: Callable[[Tensor, Tensor, Tensor], Tensor],
    *,
    n_pairs: int,
    dim: int,
    seeds: Sequence[int],
    inverse_temperature: float | Sequence[float] = 10.0,
    train_inverse_temperature: bool = True,
    n_steps: int = 1000,
    learning_rate: float = 0.01,
) -> Minimization:
    """Minimise ``loss(u, v, t)`` from random points, in float64: Adam on the product of spheres.

    Gradients are projected on the tangent spaces, rows put back on the sphere after every step, and the learning rate
    falls to zero along a cosine, so that a minimum at a fixed ``t`` is reached to many digits.

    Parameters
    ----------
    loss:
        Takes ``u``, ``v`` ``[R, N, d]`` and ``t`` ``[R]``; returns one value per run, ``[R]``.
    seeds:
        One run per seed. The initial points of a seed are those of :func:`constellations.training.synchronize`.
    inverse_temperature:
        Initial ``t > 0``, one for all runs or one per run.
    train_inverse_temperature:
        Whether ``log t`` is trained.

    Raises
    ------
    ValueError
        For no seeds, ``t <= 0``, fewer than one step, or a learning rate that is not positive.

    Examples
    --------
    >>> from constellations.losses import info_nce
    >>> result = minimize(
    ...     lambda u, v, t: info_nce(u, v, inverse_temperature=t), n_pairs=4, dim=3, seeds=[0], n_steps=300
    ... )
    >>> result.row_gap.item() > 0
    True
    """
    numbers = {"learning_rate": learning_rate, "n_steps": n_steps, "number of seeds": len(seeds)}
    for name, value in numbers.items():
        require(value > 0, name, "above 0", value)
    starts = [random_points(n_pairs, dim, seed=s, stream=k) for k in (0, 1) for s in seeds]
    points = torch.stack(starts).unflatten(0, (2, -1)).requires_grad_()
    t = torch.as_tensor(positive(inverse_temperature, "inverse_temperature"))
    require(t.shape in ((), (len(seeds),)), "inverse_temperature", f"one number or {len(seeds)} of them", t.tolist())
    log_t = t.log().expand(len(seeds)).clone().requires_grad_(train_inverse_temperature)
    optimiser = torch.optim.Adam([x for x in (points, log_t) if x.requires_grad], lr=learning_rate)
    for step in range(n_steps):
        optimiser.param_groups[0]["lr"] = learning_rate * (1 + math.cos(math.pi * step / n_steps)) / 2
        optimiser.zero_grad()
        loss(points[0], points[1], log_t.exp()).sum().backward()
        with torch.no_grad():
            points.grad = tangent(points, points.grad)
            optimiser.step()
            points /= points.norm(dim=-1, keepdim=True)
    (u, v), t = points.detach(), log_t.detach().exp()
    return Minimization(u, v, t, loss(u, v, t).detach(), separation(u, v).margin, row_gap(u, v).rows)
