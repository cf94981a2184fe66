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
        self.scalars, self.d_scalars = (
            flat[size:].view(3, n_runs, 1, 1),
            gradient[size:].view(3, n_runs, 1, 1),
        )
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
        numbers = [np.log(s.inverse_temperature[runs]), s.offset[runs]]
        if s.adapter is not None:
            numbers.append(np.log(s.adapter[runs] / (1 - s.adapter[runs])))
        for place, number in enumerate(numbers):
            self.scalars[place, :, 0, 0] = torch.from_numpy(number.copy())
        self.frozen_t = torch.from_numpy(s.inverse_temperature[runs].copy()).to(self.x)[:, None, None]

    def inverse_temperature(self) -> Tensor:
        return self.scalars[0].exp() if self.settings.train_inverse_temperature else self.frozen_t

    def delta(self) -> Tensor:
        """The adapter's ``delta`` ``[R]``, 1 without an adapter, in float64."""
        x = self.scalars[2, :, 0, 0].double()
        return torch.sigmoid(x) if self.settings.adapter is not None else torch.ones_like(x)

    def points(self) -> Tensor:
        """Points ``[R, k, N, d]`` on the CPU, modalities in their own order."""
        back = [self.order.index(k) for k in range(self.settings.n_modalities)]
        return self.x[back].permute(1, 0, 3, 2).contiguous().cpu()

    def snapshot(self) -> Snapshot:
        t, offset = self.inverse_temperature().flatten().double(), self.scalars[1].flatten().double()
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
        torch.mul(self.trained, self.column, out=self.spare)
        self.d_trained.sub_(self.spare)
        self.adam.step(self.gradient)
        torch.mul(self.trained, self.trained, out=self.spare)
        torch.sum(self.spare, 2, keepdim=True, out=self.column)
        self.trained.div_(self.column.sqrt_())

    def compute_gradient(self) -> None:
        """Gradients of the summed loss with respect to points and scalars; frozen scalars keep a zero gradient."""
        s, t, offset = self.settings, self.inverse_temperature(), self.scalars[1]
        square = None if s.adapter is None else torch.sigmoid(self.scalars[2]).square()
        scale = t if square is None else t * square
        shift = t * offset if s.relative else offset
        if square is not None:
            shift = shift + t * (1 - square)
        by_scale, by_shift = self.groups[0].accumulate(scale, shift, fresh=True)
        for group in self.groups[1:]:
            a, b = group.accumulate(scale, shift, fresh=False)
            by_scale, by_shift = by_scale + a, by_shift + b
        by_scale, by_shift = by_scale[:, None, None], by_shift[:, None, None]
        if s.train_inverse_temperature:
            moved = shift if s.relative else (0.0 if square is None else t * (1 - square))
            torch.sub(by_scale, by_shift * moved, out=self.d_scalars[0])
        if s.train_bias:
            torch.mul(by_shift, -t if s.relative else -1.0, out=self.d_scalars[1])
        if square is not None:
            self.d_scalars[2] = 2 * (1 - square.sqrt()) * (by_scale + by_shift * t * square)


class _Group:
    """A few edges treated as one batch; a ``lone`` one, the only one of two modalities, writes where it likes."""

    def __init__(self, state: State, edges: list[Edge], *, lone: bool) -> None:
        s, x, self.x, self.dx = state.settings, state.x, state.x, state.dx
        self.edges, self.lone = edges, lone
        self.second = s.locked is None or any(b > 0 for _, b in edges)
        self.work = EdgeGradients(
            (len(edges), x.shape[1], s.dim, s.n_pairs, s.n_pairs),
            published=s.loss == "published",
            entries=CACHE_ENTRIES[s.device.type],
            like=x,
            d_second=self.dx[edges[0][1]] if lone else None,
        )
        self.index = [torch.tensor(side, device=x.device) for side in zip(*edges, strict=True)]
        self.onto = [torch.nn.functional.one_hot(side, s.n_modalities).T.to(x) for side in self.index]

    def accumulate(self, scale: Tensor, shift: Tensor, *, fresh: bool) -> tuple[Tensor, Tensor]:
        """Add (if ``fresh``, write) the edges' gradients to the points'; return those of scale and shift, ``[R]``."""
        work, (a, b), n_edges = self.work, self.edges[0], len(self.edges)
        u, v = (self.x[a : a + 1], self.x[b : b + 1]) if n_edges == 1 else (self.x[i] for i in self.index)
        by_scale, by_shift = work(u, v, scale, shift, second=self.second)
        if self.lone:
            torch.mul(work.d_first[0], scale, out=self.dx[a])
            return by_scale, by_shift
        if fresh:
            self.dx.zero_()
        if n_edges == 1:
            self.dx[a].addcmul_(work.d_first[0], scale)
            if self.second:
                self.dx[b] += work.d_second
        else:
            flat = self.dx.view(self.dx.shape[0], -1)
            flat.addmm_(self.onto[0], (work.d_first * scale).view(n_edges, -1))
            if self.second:
                flat.addmm_(self.onto[1], work.d_second.view(n_edges, -1))
        return by_scale, by_shift


def _oriented(edges: tuple[Edge, ...], order: list[int], locked_first: bool) -> list[Edge]:
    """Edges by place in the buffer, the locked modality (place 0) always second."""
    placed = [(order.index(a), order.index(b)) for a, b in edges]
    return [(b, a) if locked_first and a == 0 else (a, b) for a, b in placed]
