"""The batched synchroniser: R independent runs at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from threading import Event
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import pad
from tqdm import tqdm

from constellations.checks import integer, require
from constellations.losses.arguments import Labels
from constellations.sphere import Points, as_points
from constellations.training.measures import Snapshot, Synchronization, Trajectory, joined
from constellations.training.optimizers import Adam, Descent
from constellations.training.settings import Settings, graph_edges, matching_pairs, per_run
from constellations.training.state import State

ADAM = Adam()


def synchronize(
    *,
    n_pairs: int = 100,
    dim: int = 10,
    seeds: int | Iterable[int] = range(10),
    n_modalities: int = 2,
    graph: str | Iterable[Sequence[int]] = "complete",
    inverse_temperature: float | Iterable[float] = 10.0,
    bias: float | Iterable[float] | None = None,
    relative_bias: float | Iterable[float] | None = None,
    train_inverse_temperature: bool = True,
    train_bias: bool = True,
    locked: int | tuple[int, Points] | None = None,
    adapter: float | Iterable[float] | None = None,
    labels: Labels | None = None,
    batch_size: int | None = None,
    n_steps: int = 10_000,
    learning_rate: float = 0.01,
    optimizer: Adam | Descent = ADAM,
    loss: Literal["exact", "published"] = "exact",
    record_every: int | None = None,
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
    progress: bool = False,
    chunk_size: int | None = None,
    n_threads: int | None = None,
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
    n_pairs:
        ``N >= 2`` points per modality.
    dim:
        Dimension of the points, at least 1.
    seeds:
        One run per seed: ``range(3)`` makes three, the number 3 alone one. The initial points of modality ``k`` are
        ``sphere.random_points(N, d, seed=seed, stream=k)``, whatever the batch and the device.
    n_modalities:
        ``k >= 2`` modalities.
    graph:
        Which of them are compared: ``"complete"``, ``"star"`` (modality 0 with each other one) or a list of edges.
    inverse_temperature:
        Initial ``t > 0``, a number or one per run.
    bias:
        Initial ``b``, a number or one per run, if ``b`` is to be trained.
    relative_bias:
        Initial ``b_rel`` (Definition 1 of the paper), a number or one per run. Without ``bias`` it is trained, from 0 if
        left out.
    train_inverse_temperature:
        ``False`` freezes ``t`` at its initial value.
    train_bias:
        ``False`` freezes the bias, or relative bias, at its initial value.
    locked:
        The index of a modality that is not trained, or ``(index, points)`` with points ``[N, d]`` or ``[R, N, d]``.
    adapter:
        Initial ``delta`` in (0, 1) of an explicit adapter between two modalities, trained as ``delta = sigmoid(x)``: the
        loss sees ``(delta u, sqrt(1 - delta^2))`` and ``(delta v, -sqrt(1 - delta^2))`` (Observation 1 of the paper).
    labels:
        Which pairs of two modalities match, as :func:`constellations.losses.sigmoid_loss` takes them: group ids ``[N]``,
        or a boolean matrix ``[N, M]`` (``n_pairs`` queries, M documents as second modality). Exact loss only.
    batch_size:
        Every step sees that many of the N pairs, drawn without replacement for each run by its seed, and the mean loss
        over their pairs; what is recorded is the loss of all pairs. By default every step sees all.
    n_steps:
        Steps of the optimiser, at least 0.
    learning_rate:
        Its learning rate, for points and scalars alike.
    optimizer:
        :class:`Adam`, by default with betas (0.9, 0.999) and epsilon 1e-8, or :class:`Descent`.
    loss:
        ``"exact"``, or ``"published"``: the authors' ``-log(sigmoid(x) + 1e-8)`` with the gradient it has in ``dtype``.
    record_every:
        Keep a history: step 0, every that many steps, and the last step.
    dtype:
        Precision of the training, float32 or float64. What is measured is float64.
    device:
        Place of the training. Results are on the CPU. On a GPU a step is recorded once and replayed, and the more runs
        there are the less each of them costs.
    progress:
        Show a progress bar.
    chunk_size:
        Runs trained side by side in one thread, by default as many as fit a cache.
    n_threads:
        Threads that share the chunks: by default the environment variable ``CONSTELLATIONS_THREADS``, else as many as
        torch would use, four at most. The bits of a result do not depend on it.

    Returns
    -------
    :class:`Synchronization`. The same call on the same machine gives the same bits.

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
    require(
        bias is None or relative_bias is None, "at most one of bias and relative_bias", "given", (bias, relative_bias)
    )
    relative_bias = 0.0 if bias is None and relative_bias is None else relative_bias
    own = {"seeds": seeds, "inverse_temperature": inverse_temperature, "bias": bias, "relative_bias": relative_bias}
    n_pairs, k = integer(n_pairs, "n_pairs", 2), integer(n_modalities, "n_modalities", 2)
    index, points = locked if isinstance(locked, (tuple, list)) else (locked, None)
    settings = Settings(
        n_pairs=n_pairs, dim=integer(dim, "dim", 1), n_modalities=k, edges=graph_edges(graph, k),
        runs=per_run({**own, "adapter": adapter}),
        train_inverse_temperature=bool(train_inverse_temperature), train_bias=bool(train_bias),
        locked=None if index is None else integer(index, "locked", 0),
        locked_points=None if points is None else as_points(points, "locked points").detach(),
        matching=matching_pairs(labels, n_pairs),
        batch_size=None if batch_size is None else integer(batch_size, "batch_size", 2),
        n_steps=integer(n_steps, "n_steps", 0), learning_rate=float(learning_rate), optimizer=optimizer, loss=loss,
        record_every=None if record_every is None else integer(record_every, "record_every", 1),
        dtype=dtype, device=torch.device(device),
        chunk_size=None if chunk_size is None else integer(chunk_size, "chunk_size", 1),
    )  # fmt: skip
    chunks, stop, before = settings.chunks(), Event(), torch.get_num_threads()
    wanted = int(os.environ.get("CONSTELLATIONS_THREADS", min(before, 4))) if n_threads is None else n_threads
    n_threads = integer(wanted, "n_threads", 1) if settings.device.type == "cpu" else 1
    with ExitStack() as at_last:
        at_last.callback(torch.set_num_threads, before)
        bar = at_last.enter_context(tqdm(total=settings.n_steps * len(chunks), unit="step", disable=not progress))
        workers = at_last.enter_context(ThreadPoolExecutor(n_threads, initializer=_quiet_thread))
        at_last.callback(stop.set)
        finished = list(workers.map(partial(_run_chunk, settings, bar=bar, stop=stop), chunks))
    return _collect(settings, finished)


def _quiet_thread() -> None:
    """One thread of torch in each of ours, so that bits do not depend on their number; denormal numbers, slow, are 0."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


Finished = tuple[list[Tensor], Tensor, list[Snapshot]]


def _run_chunk(settings: Settings, runs: slice, *, bar: tqdm, stop: Event) -> Finished:
    """Train some of the runs; their points, adapters and snapshots."""
    record, shots = set(settings.record_steps), []
    with torch.inference_mode():
        state = State(settings, runs)
        for step in range(settings.n_steps + 1):
            if step in record:
                shots.append(state.snapshot())
            if step == 1 and settings.device.type == "cuda":
                state.record()
            if step < settings.n_steps and not stop.is_set():
                state.step()
                bar.update()
        return state.points(), state.delta().cpu(), shots


def _collect(settings: Settings, chunks: Sequence[Finished]) -> Synchronization:
    """The chunks' results in one."""
    points, deltas, shots = zip(*chunks, strict=True)
    together = [torch.cat(x) for x in zip(*points, strict=True)]
    most, tracks = max(settings.counts), joined(shots)
    final, steps = {name: track[-1] for name, track in tracks.items()}, torch.tensor(settings.record_steps)
    return Synchronization(
        **final, bias=final["inverse_temperature"] * final["relative_bias"],
        points=torch.stack([pad(x, (0, 0, 0, most - x.shape[1]), value=torch.nan) for x in together], 1),
        edges=settings.edges, counts=settings.counts, adapter=torch.cat(deltas) if "adapter" in settings.runs else None,
        history=None if settings.record_every is None else Trajectory(steps=steps, **tracks),
    )  # fmt: skip
