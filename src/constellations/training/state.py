"""The moving parts of a chunk of runs: points, scalars, their gradients, and one step."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import reduce
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from constellations.losses.arguments import Matching
from constellations.training.gradients import StripGradients
from constellations.training.measures import Snapshot, snapshot
from constellations.training.settings import CACHE_ENTRIES, Settings

BATCH_STREAM = 2**31  # the random numbers of a seed that draw batches; lower streams draw points
STEPS_AHEAD = 32  # batches drawn at once


class State:
    """R runs: points ``[R, d, N]`` of every modality, and three scalars per run, all that is trained in one flat buffer.

    Below the points lies a row of ones, as the products want it; its gradient stays 0.

    The scalars are ``log t``, the bias (or relative bias) and the logit ``x`` of the adapter's ``delta = sigmoid(x)``.
    """

    def __init__(self, settings: Settings, runs: slice) -> None:
        self.settings = s = settings
        own = {name: x[runs].copy() for name, x in s.runs.items()}
        self.relative, self.adapted, n_runs = "relative_bias" in own, "adapter" in own, len(own["seeds"])
        moving = [a for a in range(s.n_modalities) if a != s.locked]
        counts = [s.counts[a] for a in moving]
        size = n_runs * (s.dim + 1) * sum(counts)
        flat = torch.zeros(size + 3 * n_runs, dtype=s.dtype, device=s.device)
        self.gradient = torch.zeros_like(flat)
        self.all, d_all = (y[:size].view(n_runs, s.dim + 1, -1) for y in (flat, self.gradient))
        self.all[:, -1] = 1
        self.trained, self.d_trained = self.all[:, :-1], d_all[:, :-1]
        self.fixed = flat.new_ones(n_runs, s.dim + 1, s.counts[s.locked or 0])
        self.x = {a: self.fixed[:, :-1] for a in range(s.n_modalities)}
        self.x |= zip(moving, self.trained.split(counts, 2), strict=True)
        for a, x in self.x.items():
            x.copy_(s.initial_points(a, runs).transpose(1, 2))
        self.log_t, self.bias, self.logit = flat[size:].view(3, -1)
        self.d_log_t, self.d_bias, self.d_logit = self.gradient[size:].view(3, -1)
        self.log_t.copy_(torch.from_numpy(np.log(own["inverse_temperature"])))
        self.bias.copy_(torch.from_numpy(own["relative_bias" if self.relative else "bias"]))
        if self.adapted:
            self.logit.copy_(torch.from_numpy(np.log(own["adapter"] / (1 - own["adapter"]))))
        self.t = torch.from_numpy(own["inverse_temperature"]).to(flat)
        self.scale, self.offset = self.t.clone() if self.adapted else self.t, self.bias.clone()
        self.spare, self.column = torch.empty_like(self.trained), torch.empty_like(self.trained[:, :1])
        self.descend = s.optimizer.over(flat, learning_rate=s.learning_rate, n_terms=math.prod(s.table))
        self.batches = _batches(own["seeds"], s.n_pairs, s.table[0])
        self.seen, self.d_seen, self.seen_fixed = self.all, self.d_trained, self.fixed
        if s.batch_size is not None:
            self.starts = s.n_pairs * torch.arange(len(moving), device=s.device)[:, None]
            self.drawn = self.starts.new_empty(n_runs, 1, s.batch_size)
            counts = [s.batch_size] * len(moving)
            self.seen, self.seen_fixed = (flat.new_empty(n_runs, s.dim + 1, n) for n in (sum(counts), s.batch_size))
            self.d_seen = torch.zeros_like(self.seen[:, :-1])
        ends = np.cumsum(counts)
        self.strips = list(self._strips(dict(zip(moving, map(slice, ends - counts, ends), strict=True))))
        self.move: Callable[[], object] = self._move
        self.by_each = list(zip(*[(strip.by_scale, strip.by_offset) for strip in self.strips], strict=True))

    def _strips(self, columns: Mapping[int, slice]) -> Iterator[StripGradients]:
        """Edges in strips whose logits fit a cache together; ``columns`` are those of the trained modalities."""
        s, entries = self.settings, CACHE_ENTRIES[self.settings.device.type]
        one = len(self.t) * math.prod(s.table)
        edges = {(c, a) if a == s.locked else (a, c) for a, c in s.edges}
        strips = list(_neighbours(edges, list(columns), max(1, entries // one)))
        widest = max(len(others) for _, others in strips)
        space = widest * min(one, max(entries, 16 * len(self.t) * max(s.table)))
        room = [self.t.new_empty(space) for _ in range(1 + (s.loss == "published"))]
        matching = Matching(matrix=s.matching.T if s.matching is not None and s.locked == 0 else s.matching)
        for a, others in strips:
            u, moving = columns[a], others[0] in columns
            v = slice(columns[others[0]].start, columns[others[-1]].stop) if moving else slice(None)
            second, d_second = (self.seen, self.d_seen[:, :, v]) if moving else (self.seen_fixed, None)
            yield StripGradients(
                self.seen[:, :, u], second[:, :, v], self.d_seen[:, :, u], d_second, scale=self.scale, offset=self.offset,
                width=len(others), matching=matching, room=room, adds=len(strips) > 1,
            )  # fmt: skip

    def delta(self) -> Tensor:
        """The adapter's ``delta`` ``[R]``, 1 without an adapter, in float64."""
        x = self.logit.double()
        return torch.sigmoid(x) if self.adapted else torch.ones_like(x)

    def points(self) -> list[Tensor]:
        """Points ``[R, N, d]`` of every modality, on the CPU."""
        return [self.x[a].transpose(1, 2).contiguous().cpu() for a in range(self.settings.n_modalities)]

    def snapshot(self) -> Snapshot:
        """What is measured at this moment."""
        s = self.settings
        self._logit_scalars()
        t, offset = (y.to(torch.float64, copy=True) for y in (self.t, self.bias))
        return snapshot(self.x, t, offset if self.relative else offset / t, self.delta(), s)

    def record(self) -> None:
        """Replay every step from now on as one graph: on a GPU most kernels of a step take less time than their launch."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.move()
        self.move = graph.replay

    def step(self) -> None:
        """One step on all that is trained, on all pairs or on the next batch of them."""
        if self.settings.batch_size is not None:
            self.drawn.copy_(next(self.batches))
        self.move()

    def _move(self) -> None:
        """Along tangents of the spheres, and back to the spheres."""
        self._logit_scalars()
        self._points_gradient()
        self._scalars_gradient()
        torch.mul(self.trained, self.d_trained, out=self.spare)
        torch.sum(self.spare, 1, keepdim=True, out=self.column)
        self.d_trained.addcmul_(self.trained, self.column, value=-1)
        self.descend(self.gradient)
        torch.mul(self.trained, self.trained, out=self.spare)
        torch.sum(self.spare, 1, keepdim=True, out=self.column)
        self.trained.div_(self.column.sqrt_())

    def _logit_scalars(self) -> None:
        """Scale and offset of the logits ``a s - o``, from ``log t``, the bias and the adapter."""
        s = self.settings
        if s.train_inverse_temperature:
            torch.exp(self.log_t, out=self.t)
        if self.relative:
            torch.mul(self.t, self.bias, out=self.offset)
        else:
            self.offset.copy_(self.bias)
        if self.adapted:
            square = torch.sigmoid(self.logit).square_()
            torch.mul(self.t, square, out=self.scale)
            self.offset.add_(self.t * (1 - square))

    def _points_gradient(self) -> None:
        """Gradients of the summed loss of all pairs, or of a batch of them, in the points."""
        batch, rows = self.settings.batch_size is not None, self.settings.dim + 1
        if batch:
            wide = (self.drawn[:, :, None] + self.starts).flatten(2).expand(-1, rows, -1)
            torch.gather(self.all, 2, wide, out=self.seen)
            if self.settings.locked is not None:
                torch.gather(self.fixed, 2, self.drawn.expand(-1, rows, -1), out=self.seen_fixed)
        if len(self.strips) > 1:
            self.d_seen.zero_()
        for strip in self.strips:
            strip()
        if batch:
            self.d_trained.zero_().scatter_(2, wide[:, 1:], self.d_seen)

    def _scalars_gradient(self) -> None:
        """Gradients in the scalars; those that are frozen keep a zero gradient."""
        s = self.settings
        by_scale, by_offset = (reduce(torch.add, each) for each in self.by_each)
        if s.train_inverse_temperature:
            moving = self.offset if self.relative else self.offset - self.bias
            torch.addcmul(by_scale, by_offset, moving, value=-1, out=self.d_log_t)
        if s.train_bias:
            torch.mul(by_offset, self.t if self.relative else 1.0, out=self.d_bias)
            self.d_bias.neg_()
        if self.adapted:
            delta = torch.sigmoid(self.logit)
            torch.mul(2 * (1 - delta), by_scale + by_offset * self.scale, out=self.d_logit)


def _neighbours(
    edges: Collection[tuple[int, int]], moving: Sequence[int], most: int
) -> Iterator[tuple[int, list[int]]]:
    """Each trained modality with those at its edges: at most ``most`` that lie side by side, or the locked one."""
    for a in moving:
        places = [k for k, c in enumerate(moving) if (a, c) in edges]
        for _, strip in groupby(enumerate(places), lambda place: place[1] - place[0]):
            others = [moving[k] for _, k in strip]
            yield from ((a, others[k : k + most]) for k in range(0, len(others), most))
        yield from ((a, [c]) for b, c in edges if b == a and c not in moving)


def _batches(seeds: np.ndarray, n_pairs: int, size: int) -> Iterator[Tensor]:
    """Indices ``[R, 1, size]`` of pairs of every run, without replacement and anew at every step, by its seed alone."""
    generators = [np.random.default_rng([int(seed), BATCH_STREAM]) for seed in seeds]
    while True:
        keys = [generator.random((STEPS_AHEAD, n_pairs), dtype=np.float32) for generator in generators]
        yield from torch.from_numpy(np.stack(keys, 1)).topk(size, sorted=False).indices[:, :, None]
