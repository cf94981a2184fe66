"""The batched synchroniser: R independent runs at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from constellations.training.measures import Snapshot, Synchronization, history, join
from constellations.training.settings import (
    Settings,
    check_kinds,
    check_locked,
    check_scalars,
    graph_edges,
    integer,
    per_run,
)
from constellations.training.state import State

CHUNK_ENTRIES = {"cpu": 2**18, "cuda": 2**26}


def synchronize(
    *,
    n_pairs: int = 100,
    dim: int = 10,
    seeds: int | Iterable[int] = range(10),
    n_modalities: int = 2,
    graph: str | Iterable[Sequence[int]] = "complete",
    inverse_temperature: Any = 10.0,
    bias: Any = None,
    relative_bias: Any = None,
    train_inverse_temperature: bool = True,
    train_bias: bool = True,
    locked: Any = None,
    adapter: Any = None,
    n_steps: int = 10_000,
    learning_rate: float = 0.01,
    loss: Literal["exact", "published"] = "exact",
    record_every: int | None = None,
    dtype: torch.dtype = torch.float32,
    device: Any = "cpu",
    progress: bool = False,
) -> Synchronization:
    r"""Train R independent configurations from random points, as the paper's experiments do.

    The points of all modalities, ``t' = log t`` and the bias (or relative bias) are trained together by Adam on the loss
    averaged over the ``N^2`` pairs and summed over the edges of a graph. Gradients of points are tangent to the sphere, as
    those of a loss of ``x / |x|`` are, and rows are put back on it after every step.

    .. math::
        L = \sum_{(a,c)} \Bigl[ \sum_i \ell(-z^{ac}_{ii}) + \sum_{i \ne j} \ell(z^{ac}_{ij}) \Bigr], \qquad
        z^{ac}_{ij} = t \langle U^{(a)}_i, U^{(c)}_j \rangle - b = t (\langle U^{(a)}_i, U^{(c)}_j \rangle - b_{rel}).

    Parameters
    ----------
    n_pairs, dim:
        ``N >= 2`` points per modality in ``R^dim``, ``dim >= 1``.
    seeds:
        One run per seed. The initial points of modality ``k`` are ``sphere.random_points(N, d, seed=seed, stream=k)``,
        whatever the batch and the device.
    n_modalities, graph:
        ``k >= 2`` modalities; ``"complete"``, ``"star"`` (modality 0 with each other one) or a list of edges.
    inverse_temperature, bias, relative_bias:
        Initial values, a number or one per run. Give ``bias`` to train ``b``, ``relative_bias`` to train ``b_rel``
        (Definition 1 of the paper), or neither for ``relative_bias=0.0``.
    train_inverse_temperature, train_bias:
        ``False`` freezes the scalar at its initial value.
    locked:
        The index of a modality that is not trained, or ``(index, points)`` with points ``[N, d]`` or ``[R, N, d]``.
    adapter:
        Initial ``delta`` in (0, 1) of an explicit adapter between two modalities, trained as ``delta = sigmoid(x)``: the
        loss sees ``(delta u, sqrt(1 - delta^2))`` and ``(delta v, -sqrt(1 - delta^2))`` (Observation 1 of the paper).
    n_steps, learning_rate:
        Steps (at least 0) of Adam with betas (0.9, 0.999) and epsilon 1e-8.
    loss:
        ``"exact"``, or ``"published"``: the authors' ``-log(sigmoid(x) + 1e-8)`` with the gradient it has in ``dtype``.
    record_every:
        Keep a history: step 0, every that many steps, and the last step.
    dtype, device:
        Precision (float32 or float64) and place of the training. Results are on the CPU.
    progress:
        Show a progress bar.

    Returns
    -------
    :class:`Synchronization`. The same call on the same machine with the same number of threads gives the same bits.

    Raises
    ------
    ValueError
        Naming the argument, for sizes or numbers out of range, both biases, sequences of different lengths, a bad graph,
        a locked modality or points that do not fit, an adapter with more than two modalities, an unknown loss, dtype or
        device.

    Examples
    --------
    >>> result = synchronize(n_pairs=4, dim=4, seeds=range(3), relative_bias=0.0, n_steps=300)
    >>> result.points.shape, bool((result.margin > 0).all())
    (torch.Size([3, 2, 4, 4]), True)
    """
    settings = _settings(**locals())
    size = _chunk_size(settings)
    chunks = [slice(start, start + size) for start in range(0, settings.n_runs, size)]
    bar = tqdm(total=settings.n_steps * len(chunks), unit="step", disable=not progress)
    with bar, torch.inference_mode(), _flushed_denormals(), _threads_for(settings):
        finished = [_run_chunk(settings, chunk, bar) for chunk in chunks]
    return _collect(settings, *zip(*finished, strict=True))


def _settings(**given: Any) -> Settings:
    """Check the arguments of :func:`synchronize`."""
    if given["bias"] is not None and given["relative_bias"] is not None:
        raise ValueError(
            f"give at most one of bias and relative_bias, got {given['bias']!r} and {given['relative_bias']!r}"
        )
    relative = given["bias"] is None
    offset = given["bias"] if not relative else given["relative_bias"]
    n_pairs, dim = integer(given["n_pairs"], "n_pairs", at_least=2), integer(given["dim"], "dim", at_least=1)
    k = integer(given["n_modalities"], "n_modalities", at_least=2)
    seeds = (
        given["seeds"]
        if np.ndim(given["seeds"]) == 0 and not _iterable(given["seeds"])
        else list(given["seeds"])
    )
    name = "relative_bias" if relative else "bias"
    numbers = per_run(
        **{"seeds": seeds, "inverse_temperature": given["inverse_temperature"], "adapter": given["adapter"]},
        **{name: 0.0 if offset is None else offset},
    )
    offsets = numbers.pop(name)
    check_scalars(**numbers, learning_rate=given["learning_rate"])  # type: ignore[arg-type]
    kinds = {key: given[key] for key in ("loss", "dtype", "device", "adapter")}
    device = check_kinds(**kinds, n_modalities=k)
    drawn = tuple(int(seed) for seed in numbers["seeds"])  # type: ignore[union-attr]
    every = given["record_every"]
    index, points = check_locked(given["locked"], n_modalities=k, n_runs=len(drawn), n_pairs=n_pairs, dim=dim)
    return Settings(
        n_pairs=n_pairs,
        dim=dim,
        seeds=drawn,
        n_modalities=k,
        edges=graph_edges(given["graph"], k),
        inverse_temperature=numbers["inverse_temperature"],  # type: ignore[arg-type]
        bias=offsets,  # type: ignore[arg-type]
        relative=relative,
        train_inverse_temperature=bool(given["train_inverse_temperature"]),
        train_bias=bool(given["train_bias"]),
        locked=index,
        locked_points=points,
        adapter=numbers["adapter"],
        n_steps=integer(given["n_steps"], "n_steps", at_least=0),
        learning_rate=float(given["learning_rate"]),
        published=given["loss"] == "published",
        record_every=None if every is None else integer(every, "record_every", at_least=1),
        dtype=given["dtype"],
        device=device,
    )


def _iterable(value: Any) -> bool:
    return isinstance(value, Iterable) and not (isinstance(value, (np.ndarray, Tensor)) and value.ndim == 0)


def _chunk_size(settings: Settings) -> int:
    """Runs whose logits fit the cache together."""
    return max(1, CHUNK_ENTRIES[settings.device.type] // settings.n_pairs**2)


@contextmanager
def _flushed_denormals():
    """Treat denormal numbers as 0 on this thread: square roots of them are a hundred times slower, and worth nothing."""
    was_on = torch.full((1,), 1e-40).mul(1.0).item() == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(was_on)


@contextmanager
def _threads_for(settings: Settings):
    """Stay on one thread where a chunk's matrices are small: handing them out costs more than it saves."""
    before = torch.get_num_threads()
    if settings.device.type == "cpu" and settings.n_pairs**2 < CHUNK_ENTRIES["cpu"]:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _run_chunk(settings: Settings, runs: slice, bar: tqdm) -> tuple[Tensor, Tensor, Snapshot, list[Snapshot]]:
    """Train some of the runs; their points, adapters, final measures and history."""
    state = State(settings, runs)
    record, shots = set(settings.record_steps), []
    for step in range(settings.n_steps + 1):
        if step in record:
            shots.append(state.measure())
        if step < settings.n_steps:
            state.step()
            bar.update()
    last = shots[-1] if shots else state.measure()
    return state.points(), state.delta().cpu(), last, shots


def _collect(settings: Settings, points: Any, deltas: Any, last: Any, shots: Any) -> Synchronization:
    """The chunks' results in one."""
    final = join(last)
    steps = settings.record_steps
    return Synchronization(
        points=torch.cat(points).clone(),
        bias=final["inverse_temperature"] * final["relative_bias"],
        edges=settings.edges,
        adapter=None if settings.adapter is None else torch.cat(deltas),
        history=history(steps, shots) if steps else None,
        **final,
    )
