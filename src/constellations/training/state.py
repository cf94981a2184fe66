"""The moving parts of a chunk of runs: points, scalars, their gradients, and one step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from constellations.training.adam import Adam
from constellations.training.gradients import EdgeGradients
from constellations.training.measures import Snapshot, snapshot
from constellations.training.settings import CACHE_ENTRIES, Edge, Settings


class State:
    """R runs in one flat buffer: a locked modality, the trained ones ``[k, R, d, N]``, and three scalars per run.

    The scalars are ``log t``, the bias (or relative bias) and the logit ``x`` of the adapter's ``delta = sigmoid(x)``.
    """

    def __init__(self, settings: Settings, runs: slice) -> None:
        self.settings = s = settings
        k, n_runs, n = s.n_modalities, len(s.seeds[runs]), s.n_pairs
        order = [a for a in range(k) if a != s.locked]
        self.order = order if s.locked is None else [s.locked, *order]
        shape = (k, n_runs, s.dim, n)
        size = k * n_runs * s.dim * n
        flat = torch.zeros(size + 3 * n_runs, dtype=s.dtype, device=s.device)
        gradient = torch.zeros_like(flat)
        self.x, self.dx = flat[:size].view(shape), gradient[:size].view(shape)
        self.log_t, self.bias, self.logit = flat[size:].view(3, n_runs)
        self.d_log_t, self.d_bias, self.d_logit = gradient[size:].view(3, n_runs)
        self._initialise(runs)
        start = 0 if s.locked is None else 1
        self.trained, self.d_trained = self.x[start:], self.dx[start:]
        self.spare, self.column = torch.empty_like(self.trained), torch.empty_like(self.trained[:, :, :1])
        start *= n_runs * s.dim * n
        self.gradient = gradient[start:]
        self.adam = Adam(flat[start:], learning_rate=s.learning_rate, gradient_scale=float(n * n))
        edges = _oriented(s.edges, self.order, s.locked is not None)
        per_group = max(1, CACHE_ENTRIES[s.device.type] // (n_runs * n**2))
        self.groups = [
            _Group(self, edges[i : i + per_group], lone=len(edges) == 1 and k == 2)
            for i in range(0, len(edges), per_group)
        ]

    def _initialise(self, runs: slice) -> None:
        s = self.settings
        for place, k in enumerate(self.order):
            self.x[place] = s.initial_points(k, runs).transpose(1, 2)
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

    def points(self) -> Tensor:
        """Points ``[R, k, N, d]`` on the CPU, modalities in their own order."""
        back = [self.order.index(k) for k in range(self.settings.n_modalities)]
        return self.x[back].permute(1, 0, 3, 2).contiguous().cpu()

    def snapshot(self) -> Snapshot:
        self._logit_scalars()
        t, offset = self.t.to(torch.float64, copy=True), self.bias.to(torch.float64, copy=True)
        b_rel = offset if self.settings.relative else offset / t
        back = [self.order.index(k) for k in range(self.settings.n_modalities)]
        return snapshot(
            self.x[back],
            self.settings.edges,
            t,
            b_rel,
            self.delta(),
            published=self.settings.loss == "published",
        )

    def step(self) -> None:
        """One step on all that is trained, along tangents of the spheres, and back to the spheres."""
        self.compute_gradient()
        torch.mul(self.trained, self.d_trained, out=self.spare)
        torch.sum(self.spare, 2, keepdim=True, out=self.column)
        self.d_trained.addcmul_(self.trained, self.column, value=-1)
        self.adam.step(self.gradient)
        torch.mul(self.trained, self.trained, out=self.spare)
        torch.sum(self.spare, 2, keepdim=True, out=self.column)
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

    def compute_gradient(self) -> None:
        """Gradients of the summed loss with respect to points and scalars; frozen scalars keep a zero gradient."""
        s = self.settings
        self._logit_scalars()
        for number, group in enumerate(self.groups):
            group.accumulate(fresh=number == 0)
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


class _Group:
    """A few edges treated as one batch; a ``lone`` one, the only one of two modalities, writes where it likes."""

    def __init__(self, state: State, edges: list[Edge], *, lone: bool) -> None:
        s, x, self.x, self.dx = state.settings, state.x, state.x, state.dx
        self.edges, self.lone = edges, lone
        self.second = s.locked is None or any(b > 0 for _, b in edges)
        self.work = EdgeGradients(
            (len(edges), x.shape[1], s.dim, s.n_pairs, s.n_pairs),
            scale=state.scale,
            offset=state.offset,
            published=s.loss == "published",
            entries=CACHE_ENTRIES[s.device.type],
            d_second=self.dx[edges[0][1]] if lone else None,
        )
        self.column = state.scale[:, None, None]
        self.index = [torch.tensor(side, device=x.device) for side in zip(*edges, strict=True)]
        self.onto = [torch.nn.functional.one_hot(side, s.n_modalities).T.to(x) for side in self.index]
        (a, b) = edges[0]
        self.u, self.v, self.du, self.dv = x[a : a + 1], x[b : b + 1], self.dx[a], self.dx[b]

    def accumulate(self, *, fresh: bool) -> None:
        """Add (if ``fresh``, write) the edges' gradients to the points'."""
        if len(self.index[0]) == 1:
            self.work(self.u, self.v, second=self.second)
        else:
            self.work(*(self.x[side] for side in self.index), second=self.second)
        if fresh and not self.lone:
            self.dx.zero_()
        if self.lone:
            torch.mul(self.work.d_first[0], self.column, out=self.du)
        elif len(self.index[0]) == 1:
            self.du.addcmul_(self.work.d_first[0], self.column)
            if self.second:
                self.dv += self.work.d_second
        else:
            flat, n_edges = self.dx.view(self.dx.shape[0], -1), len(self.index[0])
            flat.addmm_(self.onto[0], (self.work.d_first * self.column).view(n_edges, -1))
            if self.second:
                flat.addmm_(self.onto[1], self.work.d_second.view(n_edges, -1))


def _oriented(edges: tuple[Edge, ...], order: list[int], locked_first: bool) -> list[Edge]:
    """Edges by place in the buffer, the locked modality (place 0) always second."""
    placed = [(order.index(a), order.index(b)) for a, b in edges]
    return [(b, a) if locked_first and a == 0 else (a, b) for a, b in placed]
