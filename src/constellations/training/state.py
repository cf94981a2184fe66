"""The moving parts of a chunk of runs: points, scalars, their gradients, and one step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from constellations.training.gradients import EdgeGradients
from constellations.training.measures import Snapshot, snapshot
from constellations.training.settings import CACHE_ENTRIES, Edge, Settings

BATCH_STREAM = 2**31  # the random numbers of a seed that draw batches; lower streams draw points
STEPS_AHEAD = 32  # batches drawn at once


class State:
    """R runs: points ``[R, d, N]`` of every modality, and three scalars per run, all that is trained in one flat buffer.

    The scalars are ``log t``, the bias (or relative bias) and the logit ``x`` of the adapter's ``delta = sigmoid(x)``.
    """

    def __init__(self, settings: Settings, runs: slice) -> None:
        self.settings = s = settings
        n_runs = len(s.seeds[runs])
        moving = [a for a in range(s.n_modalities) if a != s.locked]
        counts = [s.counts[a] for a in moving]
        size = n_runs * s.dim * sum(counts)
        flat = torch.zeros(size + 3 * n_runs, dtype=s.dtype, device=s.device)
        self.gradient = torch.zeros_like(flat)
        self.trained, self.d_trained = (y[:size].view(n_runs, s.dim, -1) for y in (flat, self.gradient))
        self.x = dict(zip(moving, self.trained.split(counts, 2), strict=True))
        self.dx = dict(zip(moving, self.d_trained.split(counts, 2), strict=True))
        if s.locked is not None:
            self.x[s.locked] = flat.new_zeros(n_runs, s.dim, s.counts[s.locked])
        self.log_t, self.bias, self.logit = flat[size:].view(3, -1)
        self.d_log_t, self.d_bias, self.d_logit = self.gradient[size:].view(3, -1)
        self._initialise(runs)
        self.spare, self.column = torch.empty_like(self.trained), torch.empty_like(self.trained[:, :1])
        rows, columns = s.table
        self.descend = s.optimizer.over(flat, learning_rate=s.learning_rate, n_terms=rows * columns)
        self.batch = None if s.batch_size is None else _Batch(self, runs)
        per_group = max(1, CACHE_ENTRIES[s.device.type] // (n_runs * rows * columns))
        edges = [(c, a) if a == s.locked else (a, c) for a, c in s.edges]
        parts = [edges[i : i + per_group] for i in range(0, len(edges), per_group)]
        self.groups = [_Group(self, part, alone=len(parts) == 1) for part in parts]

    def _initialise(self, runs: slice) -> None:
        s = self.settings
        for a, x in self.x.items():
            x.copy_(s.initial_points(a, runs).transpose(1, 2))
        self.log_t.copy_(torch.from_numpy(np.log(s.inverse_temperature[runs])))
        self.bias.copy_(torch.from_numpy(s.offset[runs].copy()))
        if s.adapter is not None:
            self.logit.copy_(torch.from_numpy(np.log(s.adapter[runs] / (1 - s.adapter[runs]))))
        self.t = torch.from_numpy(s.inverse_temperature[runs].copy()).to(self.log_t)
        self.scale, self.offset = self.t if s.adapter is None else self.t.clone(), self.bias.clone()

    def delta(self) -> Tensor:
        """The adapter's ``delta`` ``[R]``, 1 without an adapter, in float64."""
        x = self.logit.double()
        return torch.sigmoid(x) if self.settings.adapter is not None else torch.ones_like(x)

    def points(self) -> list[Tensor]:
        """Points ``[R, N, d]`` of every modality, on the CPU."""
        return [self.x[a].transpose(1, 2).contiguous().cpu() for a in range(self.settings.n_modalities)]

    def snapshot(self) -> Snapshot:
        s = self.settings
        self._logit_scalars()
        t, offset = (y.to(torch.float64, copy=True) for y in (self.t, self.bias))
        b_rel = offset if s.relative else offset / t
        return snapshot(self.x, t, b_rel, self.delta(), s)

    def step(self) -> None:
        """One step on all that is trained, along tangents of the spheres, and back to the spheres."""
        self._gradient()
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
        if s.relative:
            torch.mul(self.t, self.bias, out=self.offset)
        else:
            self.offset.copy_(self.bias)
        if s.adapter is not None:
            square = torch.sigmoid(self.logit).square_()
            torch.mul(self.t, square, out=self.scale)
            self.offset.add_(self.t * (1 - square))

    def _gradient(self) -> None:
        """Gradients of the summed loss with respect to points and scalars; frozen scalars keep a zero gradient."""
        s = self.settings
        self._logit_scalars()
        if self.batch is not None:
            self.batch.draw()
        if len(self.groups) > 1:
            for dx in self.groups[0].dx.values():
                dx.zero_()
        for group in self.groups:
            group.accumulate()
        if self.batch is not None:
            self.batch.scatter()
        by_scale, by_offset = self.groups[0].work.by_scale, self.groups[0].work.by_offset
        for group in self.groups[1:]:
            by_scale, by_offset = by_scale + group.work.by_scale, by_offset + group.work.by_offset
        if s.train_inverse_temperature:
            moving = self.offset if s.relative else self.offset - self.bias
            torch.addcmul(by_scale, by_offset, moving, value=-1, out=self.d_log_t)
        if s.train_bias:
            torch.mul(by_offset, self.t if s.relative else 1.0, out=self.d_bias)
            self.d_bias.neg_()
        if s.adapter is not None:
            delta = torch.sigmoid(self.logit)
            torch.mul(2 * (1 - delta), by_scale + by_offset * self.scale, out=self.d_logit)


class _Batch:
    """B of the N pairs of every run, without replacement and anew in every step: their points and gradients."""

    def __init__(self, state: State, runs: slice) -> None:
        seeds, self.state, self.size = state.settings.seeds[runs], state, state.settings.table[0]
        self.generators = [np.random.default_rng([int(seed), BATCH_STREAM]) for seed in seeds]
        self.ahead: list[Tensor] = []
        self.x = {a: y.new_zeros(*y.shape[:2], self.size) for a, y in state.x.items()}
        self.dx = {a: torch.zeros_like(self.x[a]) for a in state.dx}

    def draw(self) -> None:
        if not self.ahead:
            shape = (STEPS_AHEAD, self.state.settings.n_pairs)
            keys = np.stack([generator.random(shape, dtype=np.float32) for generator in self.generators], 1)
            drawn = torch.from_numpy(keys).topk(self.size, sorted=False).indices
            self.ahead = list(drawn[:, :, None].to(self.state.t.device))
        index = self.ahead.pop(0)
        self.index = index.expand(-1, self.state.trained.shape[1], -1)
        for a, x in self.state.x.items():
            torch.gather(x, 2, self.index, out=self.x[a])

    def scatter(self) -> None:
        self.state.d_trained.zero_()
        for a, dx in self.dx.items():
            self.state.dx[a].scatter_(2, self.index, dx)


class _Group:
    """A few edges treated as one; ``alone`` they write their gradients, else they add them."""

    def __init__(self, state: State, edges: list[Edge], *, alone: bool) -> None:
        s, self.edges, self.alone = state.settings, edges, alone
        seen = state if state.batch is None else state.batch
        self.x, self.dx, self.column = seen.x, seen.dx, state.scale[:, None, None]
        self.second = any(c in self.dx for _, c in edges)
        a, c = edges[0]
        matching = s.matching if s.matching is None or (a, c) in s.edges else s.matching.T
        self.u, self.v = self.x[a][None], self.x[c][None]
        self.work = EdgeGradients(
            (len(edges), *self.u.shape[1:], self.v.shape[3]), scale=state.scale, offset=state.offset,
            published=s.loss == "published", matching=matching, entries=CACHE_ENTRIES[s.device.type],
        )  # fmt: skip

    def accumulate(self) -> None:
        u, v, work = self.u, self.v, self.work
        if len(self.edges) > 1:
            u, v = (torch.stack([self.x[a] for a in side]) for side in zip(*self.edges, strict=True))
        work(u, v, second=self.second)
        written: set[int] = set() if self.alone else set(self.dx)
        for (a, c), d_first, d_second in zip(self.edges, work.d_first, work.d_second, strict=True):
            if a in written:
                self.dx[a].addcmul_(d_first, self.column)
            else:
                torch.mul(d_first, self.column, out=self.dx[a])
            if c in self.dx:
                (self.dx[c].add_ if c in written else self.dx[c].copy_)(d_second)
            written |= {a, c}
