"""The moving parts of a chunk of runs: points, scalars, their gradients, and one step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import reduce

import numpy as np
import torch
from torch import Tensor

from constellations.training.gradients import EdgeGradients
from constellations.training.measures import Snapshot, snapshot
from constellations.training.settings import CACHE_ENTRIES, Settings

BATCH_STREAM = 2**31  # the random numbers of a seed that draw batches; lower streams draw points
STEPS_AHEAD = 32  # batches drawn at once


class State:
    """R runs: points ``[R, d, N]`` of every modality, and three scalars per run, all that is trained in one flat buffer.

    The scalars are ``log t``, the bias (or relative bias) and the logit ``x`` of the adapter's ``delta = sigmoid(x)``.
    """

    def __init__(self, settings: Settings, runs: slice) -> None:
        self.settings = s = settings
        own = {name: x[runs].copy() for name, x in s.runs.items()}
        self.relative, self.adapted, n_runs = "relative_bias" in own, "adapter" in own, len(own["seeds"])
        moving = {a: s.counts[a] for a in range(s.n_modalities) if a != s.locked}
        size = n_runs * s.dim * sum(moving.values())
        flat = torch.zeros(size + 3 * n_runs, dtype=s.dtype, device=s.device)
        self.gradient = torch.zeros_like(flat)
        self.trained, self.d_trained = (y[:size].view(n_runs, s.dim, -1) for y in (flat, self.gradient))
        self.x, self.dx = (
            dict(zip(moving, y.split(list(moving.values()), 2), strict=True)) for y in (self.trained, self.d_trained)
        )
        self.log_t, self.bias, self.logit = flat[size:].view(3, -1)
        self.d_log_t, self.d_bias, self.d_logit = self.gradient[size:].view(3, -1)
        for a in range(s.n_modalities):
            points = s.initial_points(a, runs).transpose(1, 2)
            self.x.setdefault(a, flat.new_empty(points.shape)).copy_(points)
        self.log_t.copy_(torch.from_numpy(np.log(own["inverse_temperature"])))
        self.bias.copy_(torch.from_numpy(own["relative_bias" if self.relative else "bias"]))
        if self.adapted:
            self.logit.copy_(torch.from_numpy(np.log(own["adapter"] / (1 - own["adapter"]))))
        self.t = torch.from_numpy(own["inverse_temperature"]).to(flat)
        self.scale, self.offset = self.t.clone() if self.adapted else self.t, self.bias.clone()
        self.spare, self.column = torch.empty_like(self.trained), torch.empty_like(self.trained[:, :1])
        self.descend = s.optimizer.over(flat, learning_rate=s.learning_rate, n_terms=math.prod(s.table))
        self.batches = _batches(own["seeds"], s.n_pairs, s.table[0])
        self.seen, self.d_seen = self.x, self.dx
        if s.batch_size is not None:
            self.seen, self.d_seen = (
                {a: y.new_zeros(*y.shape[:2], s.batch_size) for a, y in side.items()} for side in (self.x, self.dx)
            )
        self.groups = list(self._groups())
        self.by_each = list(zip(*[(group.by_scale, group.by_offset) for group in self.groups], strict=True))

    def _groups(self) -> Iterator[EdgeGradients]:
        """As many edges at once as have logits that fit a cache together; a locked modality is always the second."""
        s, entries = self.settings, CACHE_ENTRIES[self.settings.device.type]
        size = max(1, entries // (len(self.t) * math.prod(s.table)))
        edges = [(c, a) if a == s.locked else (a, c) for a, c in s.edges]
        matching = s.matching.T if s.matching is not None and s.locked == 0 else s.matching
        for start in range(0, len(edges), size):
            yield EdgeGradients(
                edges[start : start + size], self.seen, self.d_seen, scale=self.scale, offset=self.offset,
                matching=matching, published=s.loss == "published", entries=entries, adds=len(edges) > size,
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

    def step(self) -> None:
        """One step on all that is trained, along tangents of the spheres, and back to the spheres."""
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
        if self.settings.batch_size is not None:
            index = next(self.batches).to(self.t.device).expand(-1, self.settings.dim, -1)
            for a, x in self.x.items():
                torch.gather(x, 2, index, out=self.seen[a])
        if len(self.groups) > 1:
            for dx in self.d_seen.values():
                dx.zero_()
        for group in self.groups:
            group()
        if self.settings.batch_size is not None:
            self.d_trained.zero_()
            for a, dx in self.d_seen.items():
                self.dx[a].scatter_(2, index, dx)

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


def _batches(seeds: np.ndarray, n_pairs: int, size: int) -> Iterator[Tensor]:
    """Indices ``[R, 1, size]`` of pairs of every run, without replacement and anew at every step, by its seed alone."""
    generators = [np.random.default_rng([int(seed), BATCH_STREAM]) for seed in seeds]
    while True:
        keys = [generator.random((STEPS_AHEAD, n_pairs), dtype=np.float32) for generator in generators]
        yield from torch.from_numpy(np.stack(keys, 1)).topk(size, sorted=False).indices[:, :, None]
