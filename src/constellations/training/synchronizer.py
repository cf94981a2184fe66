"""Adam on the product of spheres, for a batch of independent runs."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from tqdm.auto import tqdm

from constellations.training import settings as checks
from constellations.training.measures import NAMES, Synchronization, history_of, measure
from constellations.training.objective import Objective
from constellations.training.settings import Settings

CPU_ENTRIES, GPU_ENTRIES = 160_000, 200_000_000


def synchronize(
    *,
    n_pairs: int = 100,
    dim: int = 10,
    seeds: Any = range(10),
    n_modalities: int = 2,
    graph: Any = "complete",
    inverse_temperature: Any = 10.0,
    bias: Any = None,
    relative_bias: Any = None,
    train_inverse_temperature: Any = True,
    train_bias: Any = True,
    locked: int | None = None,
    adapter: Any = None,
    initial: Any = None,
    n_steps: int = 10_000,
    learning_rate: float = 0.01,
    loss: Literal["exact", "published"] = "exact",
    record_every: int | None = None,
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> Synchronization:
    r"""Train ``R`` independent configurations by the sigmoid loss, as the paper's synthetic experiments do.

    The points of ``k`` modalities start as normalised Gaussians. Adam (default betas) moves the points, ``log t`` and the
    bias together, at the gradient of

    .. math::
        \sum_{(a, b) \in \text{edges}} \frac{1}{N^2} L\big(X^a, X^b; t, b\big),

    and every row is projected back on the sphere after each step.

    Parameters
    ----------
    seeds:
        One per run; ``R = len(seeds)``. A seed gives the same starting points on every device and in every batch.
    graph:
        Which modalities are compared: ``"complete"``, ``"star"`` (around modality 0) or a list of pairs.
    inverse_temperature, bias, relative_bias:
        Starting values, one number or one per run. ``bias`` chooses the parameterisation ``t s - b``, ``relative_bias``
        (the default, at 0) ``t (s - b_rel)`` of Definition 1.
    train_inverse_temperature, train_bias:
        Whether these are trained or frozen, one truth value or one per run.
    locked:
        A modality that stays where it starts (Observation 1).
    adapter:
        Starting value ``x`` of an explicit adapter with ``delta = sigmoid(x)`` that is trained along: the locked points
        become ``(delta u, sqrt(1 - delta^2))``, the others ``(delta v, -sqrt(1 - delta^2))``, so that
        ``s' = delta^2 s - (1 - delta^2)``. Needs ``locked`` and two modalities. Margins are of the points without it.
    initial:
        Starting points by modality, ``{modality: [N, d] or [R, N, d]}``, instead of random ones.
    loss:
        ``"exact"``, or ``"published"``: the clamped loss of the authors' notebooks.
    record_every:
        Keep a history of the start, of every so many steps and of the end.
    progress:
        Show a progress bar.

    Returns
    -------
    Synchronization
        Points ``[R, k, N, d]``, final scalars and measures ``[R]``, and the history.

    Raises
    ------
    ValueError
        For a value out of range, both ``bias`` and ``relative_bias``, a list that is not one per run, an unknown graph,
        loss or modality.

    Examples
    --------
    >>> result = synchronize(n_pairs=4, dim=3, seeds=[0, 1], n_steps=500)
    >>> result.points.shape, bool((result.margin > 0).all())
    (torch.Size([2, 2, 4, 3]), True)
    """
    options = locals()
    chosen = _settings(**{name: value for name, value in options.items() if name != "progress"})
    size = _chunk_size(chosen)
    chunks = [slice(start, start + size) for start in range(0, chosen.n_runs, size)]
    start = chosen.start()
    with tqdm(total=chosen.n_steps * len(chunks), unit="steps", disable=not progress) as bar:
        parts = [_train(chosen, chunk, start[chunk], bar) for chunk in chunks]
    final = {name: torch.cat([part[1][name] for part in parts]) for name in (*NAMES, "edge_margin")}
    history = None
    if chosen.record_every is not None:
        history = history_of(_recorded_steps(chosen), [part[2] for part in parts])
    points = torch.cat([part[0] for part in parts])
    return Synchronization(points=points, edges=chosen.edges, history=history, **final)


def _settings(
    *, n_pairs: int, dim: int, seeds: Any, n_modalities: int, graph: Any, inverse_temperature: Any, bias: Any,
    relative_bias: Any, train_inverse_temperature: Any, train_bias: Any, locked: Any, adapter: Any, initial: Any,
    n_steps: int, learning_rate: float, loss: str, record_every: Any, dtype: torch.dtype, device: Any,
) -> Settings:  # fmt: skip
    if bias is not None and relative_bias is not None:
        raise ValueError(f"give at most one of bias and relative_bias, got {bias!r} and {relative_bias!r}")
    relative, several = bias is None, checks.seeds_of(seeds)
    level = (0.0 if relative_bias is None else relative_bias) if relative else bias
    scalars = checks.scalars_of(len(several), inverse_temperature=inverse_temperature, bias=level)
    if not bool((scalars["inverse_temperature"] > 0).all()):
        raise ValueError(f"inverse_temperature must be above 0, got {inverse_temperature!r}")
    flags = checks.scalars_of(
        len(several), train_inverse_temperature=train_inverse_temperature, train_bias=train_bias
    )
    modalities = checks.integer(n_modalities, "n_modalities", at_least=2)
    n, d = checks.integer(n_pairs, "n_pairs", at_least=2), checks.integer(dim, "dim", at_least=1)
    if locked is not None and locked not in range(modalities):
        raise ValueError(f"locked must be None or a modality from 0 to {modalities - 1}, got {locked!r}")
    if adapter is not None and (locked is None or modalities != 2):
        raise ValueError(
            f"adapter needs a locked modality and n_modalities=2, got locked={locked!r}, {modalities}"
        )
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype!r}")
    return Settings(
        seeds=several, n_pairs=n, dim=d, n_modalities=modalities, edges=checks.edges_of(graph, modalities),
        inverse_temperature=scalars["inverse_temperature"], bias=scalars["bias"], relative=relative,
        train_inverse_temperature=flags["train_inverse_temperature"] != 0, train_bias=flags["train_bias"] != 0,
        locked=locked, adapter=None if adapter is None else checks.scalars_of(len(several), adapter=adapter)["adapter"],
        n_steps=checks.integer(n_steps, "n_steps", at_least=1),
        learning_rate=checks.positive(learning_rate, "learning_rate"), loss=checks.choice(loss, "loss", checks.LOSSES),
        record_every=None if record_every is None else checks.integer(record_every, "record_every", at_least=1),
        dtype=dtype, device=torch.device(device), initial=checks.initial_of(initial, modalities, n, d),
    )  # fmt: skip


def _chunk_size(settings: Settings) -> int:
    """As many runs as keep the logits in cache (CPU) or in memory (GPU)."""
    entries = GPU_ENTRIES if settings.device.type == "cuda" else CPU_ENTRIES
    return max(1, entries // (len(settings.edges) * settings.n_pairs**2))


def _recorded_steps(settings: Settings) -> list[int]:
    every = settings.record_every or settings.n_steps
    return sorted({*range(0, settings.n_steps, every), settings.n_steps})


@torch.no_grad()
def _train(
    settings: Settings, chunk: slice, start: Tensor, bar: Any
) -> tuple[Tensor, dict[str, Tensor], list[dict[str, Tensor]]]:
    """Train the runs of one chunk; returns points ``[runs, k, N, d]``, final measures and records."""
    where = {"dtype": settings.dtype, "device": settings.device}
    points = start.transpose(2, 3).to(**where).contiguous()
    columns = [settings.inverse_temperature.log(), settings.bias]
    columns.append(torch.zeros_like(settings.bias) if settings.adapter is None else settings.adapter)
    scalars = torch.stack(columns, dim=1)[chunk].to(**where)
    trained = _trained_scalars(settings)[chunk].to(**where)
    moving = [k for k in range(settings.n_modalities) if k != settings.locked]
    objective = _objective(settings, len(points))
    points.grad, scalars.grad = torch.zeros_like(points), torch.zeros_like(scalars)
    adam = torch.optim.Adam([points, scalars], lr=settings.learning_rate, fused=True)
    recorded = set(_recorded_steps(settings)) if settings.record_every is not None else set()
    records = [measure(points, scalars, settings)] if 0 in recorded else []
    for step in range(1, settings.n_steps + 1):
        objective.gradients(points, scalars, points.grad, scalars.grad)
        scalars.grad.mul_(trained)
        if settings.locked is not None:
            points.grad[:, settings.locked] = 0
        adam.step()
        for block in [points] if len(moving) == settings.n_modalities else [points[:, k] for k in moving]:
            block.div_(block.square().sum(-2, keepdim=True).sqrt_())
        if step in recorded:
            records.append(measure(points, scalars, settings))
        bar.update()
    return points.transpose(2, 3).contiguous().cpu(), measure(points, scalars, settings), records


def _trained_scalars(settings: Settings) -> Tensor:
    """The mask ``[R, 3]`` of scalars that move."""
    with_adapter = torch.full_like(settings.train_bias, settings.adapter is not None)
    return torch.stack([settings.train_inverse_temperature, settings.train_bias, with_adapter], dim=1)


def _objective(settings: Settings, n_runs: int) -> Objective:
    return Objective(
        n_runs, settings.edges, settings.n_modalities, settings.n_pairs, settings.dim,
        relative=settings.relative, adapter=settings.adapter is not None, published=settings.loss == "published",
        dtype=settings.dtype, device=settings.device,
    )  # fmt: skip
