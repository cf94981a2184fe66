"""Any loss of two modalities, minimised on the sphere: Adam with automatic differentiation.

For the sigmoid loss :mod:`constellations.training` is many times faster; this is the plain loop for all other losses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from constellations.checks import positive
from constellations.geometry import separation
from constellations.losses.rows import row_gap
from constellations.sphere import random_points, tangent

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Descent:
    """Where R runs ended, and how they got there.

    ``u``, ``v`` are ``[R, N, d]``; ``inverse_temperature``, ``loss``, ``margin`` and ``row_gap`` are ``[R]``; the
    histories are ``[S, R]`` at the ``steps`` ``[S]``.
    """

    u: Tensor
    v: Tensor
    inverse_temperature: Tensor
    loss: Tensor
    margin: Tensor
    row_gap: Tensor
    steps: Tensor
    margin_history: Tensor
    row_gap_history: Tensor


def descend(
    loss: Loss,
    *,
    n_pairs: int,
    dim: int,
    seeds: Sequence[int],
    inverse_temperature: float | Sequence[float] = 10.0,
    train_inverse_temperature: bool = True,
    n_steps: int = 1000,
    learning_rate: float = 0.01,
    record_every: int = 50,
) -> Descent:
    """Minimise ``loss(u, v, t)`` from random points, in float64: Adam on the product of spheres.

    Gradients are projected on the tangent spaces, rows put back on the sphere after every step, and the learning rate
    falls to zero along a cosine, so that a minimum at a fixed ``t`` is reached to many digits.

    Parameters
    ----------
    loss:
        Takes ``u``, ``v`` ``[R, N, d]`` and ``t`` ``[R]``; returns one value per run, ``[R]``.
    seeds:
        One run per seed. The initial points of a seed are those of :func:`constellations.training.synchronize`.
    inverse_temperature, train_inverse_temperature:
        Initial ``t > 0``, one for all runs or one per run, and whether ``log t`` is trained.
    record_every:
        Steps between entries of the histories; the last step is always recorded.

    Raises
    ------
    ValueError
        For no seeds, ``t <= 0``, fewer than one step, a learning rate or ``record_every`` that is not positive.

    Examples
    --------
    >>> from constellations.losses import info_nce
    >>> result = descend(
    ...     lambda u, v, t: info_nce(u, v, inverse_temperature=t), n_pairs=4, dim=3, seeds=[0], n_steps=300
    ... )
    >>> result.row_gap.item() > 0
    True
    """
    options = {
        "learning_rate": learning_rate,
        "n_steps": n_steps,
        "record_every": record_every,
        "number of seeds": len(seeds),
    }
    for name, value in options.items():
        if not value > 0:
            raise ValueError(f"{name} must be above 0, got {value!r}")
    points = torch.stack(
        [torch.stack([random_points(n_pairs, dim, seed=s, stream=k) for s in seeds]) for k in (0, 1)]
    ).requires_grad_()
    t = torch.as_tensor(positive(inverse_temperature, "inverse_temperature"))
    if t.ndim and t.shape != (len(seeds),):
        raise ValueError(f"inverse_temperature must be one number or {len(seeds)} of them, got {len(t)}")
    log_t = t.log().expand(len(seeds)).clone()
    log_t.requires_grad_(train_inverse_temperature)
    optimiser = torch.optim.Adam([x for x in (points, log_t) if x.requires_grad], lr=learning_rate)
    history = []
    for step in range(n_steps + 1):
        if step % record_every == 0 or step == n_steps:
            history.append((step, *_measure(points)))
        if step < n_steps:
            optimiser.param_groups[0]["lr"] = learning_rate * (1 + math.cos(math.pi * step / n_steps)) / 2
            _one_step(loss, points, log_t, optimiser)
    u, v = points.detach()
    t = log_t.detach().exp()
    steps, margins, gaps = zip(*history, strict=True)
    tracks = torch.tensor(steps), torch.stack(margins), torch.stack(gaps)
    return Descent(u, v, t, loss(u, v, t).detach(), margins[-1], gaps[-1], *tracks)


def _one_step(loss: Loss, points: Tensor, log_t: Tensor, optimiser: torch.optim.Optimizer) -> None:
    optimiser.zero_grad()
    loss(points[0], points[1], log_t.exp()).sum().backward()
    with torch.no_grad():
        points.grad = tangent(points, points.grad)  # type: ignore[arg-type]
    optimiser.step()
    with torch.no_grad():
        points /= points.norm(dim=-1, keepdim=True)


def _measure(points: Tensor) -> tuple[Tensor, Tensor]:
    u, v = points.detach()
    return separation(u, v).margin, row_gap(u, v).rows
