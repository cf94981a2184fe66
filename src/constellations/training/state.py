"""The moving parts of a chunk of runs: points, scalars, their gradients, and one step."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from constellations.sphere import random_points
from constellations.training.adam import Adam
from constellations.training.gradients import Workspace, edge_gradients
from constellations.training.measures import Scalars, Snapshot, measure
from constellations.training.settings import Edge, Settings

BATCH_ENTRIES = {"cpu": 2**18, "cuda": 2**26}


class State:
    """R runs in one flat buffer: a locked modality, the trained ones ``[k, R, d, N]``, and three scalars per run.

    The scalars are ``log t``, the bias (or relative bias) and the logit ``x`` of the adapter's ``delta = sigmoid(x)``.
    """

    def __init__(self, settings: Settings, runs: slice) -> None:
        self.settings = settings
        k, n, d = settings.n_modalities, settings.n_pairs, settings.dim
        self.n_runs = len(settings.seeds[runs])
        order = [k_ for k_ in range(k) if k_ != settings.locked]
        self.order = order if settings.locked is None else [settings.locked, *order]
        self.edges = _oriented(settings.edges, self.order, settings.locked is not None)
        size = k * self.n_runs * d * n
        flat = torch.zeros(size + 3 * self.n_runs, dtype=settings.dtype, device=settings.device)
        gradient = torch.zeros_like(flat)
        shape = (k, self.n_runs, d, n)
        self.x, self.dx = flat[:size].view(shape), gradient[:size].view(shape)
        self.scalars, self.d_scalars = flat[size:].view(3, -1), gradient[size:].view(3, -1)
        self._initialise(runs)
        self.first_trained = 0 if settings.locked is None else 1
        start = self.first_trained * self.n_runs * d * n
        self.gradient = gradient[start:]
        self.adam = Adam(flat[start:], learning_rate=settings.learning_rate, gradient_scale=float(n * n))
        self._products = torch.empty_like(self.x[self.first_trained :])
        self._prepare()

    def _initialise(self, runs: slice) -> None:
        s = self.settings
        for place, k in enumerate(self.order):
            if k == s.locked and s.locked_points is not None:
                points = s.locked_points[runs].double()
            else:
                drawn = [random_points(s.n_pairs, s.dim, seed=seed, stream=k) for seed in s.seeds[runs]]
                points = torch.stack(drawn)
            self.x[place] = points.transpose(1, 2)
        self.scalars[0] = torch.from_numpy(np.log(s.inverse_temperature[runs]))
        self.scalars[1] = torch.from_numpy(s.bias[runs].copy())
        if s.adapter is not None:
            delta = s.adapter[runs]
            self.scalars[2] = torch.from_numpy(np.log(delta / (1 - delta)))
        self.frozen_t = torch.from_numpy(s.inverse_temperature[runs].copy()).to(self.x)

    def _prepare(self) -> None:
        """Groups of edges whose logits fit the cache together, with their buffers."""
        s = self.settings
        per_group = BATCH_ENTRIES[s.device.type] // (self.n_runs * s.n_pairs**2)
        per_group = min(len(self.edges), max(1, per_group))
        self.groups = [
            _Group(self, self.edges[i : i + per_group]) for i in range(0, len(self.edges), per_group)
        ]
        sizes = {len(group.edges) * self.n_runs for group in self.groups}
        entries = BATCH_ENTRIES[s.device.type]
        create = partial(Workspace.create, published=s.published, like=self.x, entries=entries)
        self.work = {size: create(size, s.dim, s.n_pairs) for size in sizes}

    def inverse_temperature(self) -> Tensor:
        return self.scalars[0].exp() if self.settings.train_inverse_temperature else self.frozen_t

    def delta(self) -> Tensor:
        """The adapter's ``delta``, 1 without an adapter, in float64."""
        x = self.scalars[2].double()
        return torch.sigmoid(x) if self.settings.adapter is not None else torch.ones_like(x)

    def points(self) -> Tensor:
        """Points ``[R, k, N, d]`` on the CPU, modalities in their own order."""
        back = [self.order.index(k) for k in range(self.settings.n_modalities)]
        return self.x[back].permute(1, 0, 3, 2).contiguous().cpu()

    def measure(self) -> Snapshot:
        t, offset = self.inverse_temperature().double(), self.scalars[1].double()
        c = offset if self.settings.relative else offset / t
        back = [self.order.index(k) for k in range(self.settings.n_modalities)]
        edges = self.settings.edges
        return measure(self.x[back], edges, Scalars(t, c, self.delta()), published=self.settings.published)

    def step(self) -> None:
        """One step of Adam on all that is trained, along tangents of the spheres, and back to the spheres."""
        self.compute_gradient()
        trained, gradient = self.x[self.first_trained :], self.dx[self.first_trained :]
        torch.mul(trained, gradient, out=self._products)
        torch.mul(trained, self._products.sum(2, keepdim=True), out=self._products)
        gradient.sub_(self._products)
        self.adam.step(self.gradient)
        torch.mul(trained, trained, out=self._products)
        trained.div_(self._products.sum(2, keepdim=True).sqrt_())

    def compute_gradient(self) -> None:
        """Gradients of the summed loss with respect to points and scalars."""
        s, t, offset = self.settings, self.inverse_temperature(), self.scalars[1]
        square = torch.sigmoid(self.scalars[2]).square() if s.adapter is not None else None
        scale = t if square is None else t * square
        shift = t * offset if s.relative else offset
        if square is not None:
            shift = shift + t * (1 - square)
        by_scale, by_shift = self.groups[0].accumulate(scale, shift, fresh=True)
        for group in self.groups[1:]:
            a, b = group.accumulate(scale, shift, fresh=False)
            by_scale, by_shift = by_scale + a, by_shift + b
        self._scalar_gradients(t, shift, square, by_scale, by_shift)

    def _scalar_gradients(
        self, t: Tensor, shift: Tensor, square: Tensor | None, by_scale: Tensor, by_shift: Tensor
    ) -> None:
        """From ``scale dL/dscale`` and ``-dL/dshift`` to the trained scalars; frozen ones keep a zero gradient."""
        s = self.settings
        if s.train_inverse_temperature:
            moved = shift if s.relative else (0.0 if square is None else t * (1 - square))
            torch.sub(by_scale, by_shift * moved, out=self.d_scalars[0])
        if s.train_bias:
            self.d_scalars[1] = -by_shift * t if s.relative else -by_shift
        if square is not None:
            self.d_scalars[2] = 2 * (1 - square.sqrt()) * (by_scale + by_shift * t * square)


class _Group:
    """A few edges treated as one batch."""

    def __init__(self, state: State, edges: list[Edge]) -> None:
        self.state, self.edges = state, edges
        self.index = [torch.tensor(side, device=state.x.device) for side in zip(*edges, strict=True)]
        k = state.settings.n_modalities
        onto = [torch.nn.functional.one_hot(side, k).T.to(state.x) for side in self.index]
        self.onto_first, self.onto_second = onto
        self.onto_locked = state.settings.locked is not None and all(b == 0 for _, b in edges)

    def accumulate(self, scale: Tensor, shift: Tensor, *, fresh: bool) -> tuple[Tensor, Tensor]:
        """Add (if ``fresh``, write) the edges' gradients to the points'; return those of scale and shift, ``[R]``."""
        state, n_edges, single = self.state, len(self.edges), len(self.edges) == 1
        work = state.work[n_edges * state.n_runs]
        x, dim, shape = state.x, state.settings.dim, (n_edges * state.n_runs, *state.x.shape[2:])
        u, v = (x[a] for a in self.edges[0]) if single else (x[i].view(shape) for i in self.index)
        scales, shifts = scale.repeat(n_edges), shift.repeat(n_edges)
        by_scale, by_shift = edge_gradients(u, v, scales, shifts, work, second=not self.onto_locked)
        parts = work.d_first[:, :dim], work.d_second[:, :dim]
        if fresh and not (single and state.settings.n_modalities == 2):
            state.dx.zero_()
        self._scatter(*parts, scale, fresh=fresh)
        return by_scale.view(n_edges, -1).sum(0), by_shift.view(n_edges, -1).sum(0)

    def _scatter(self, first: Tensor, second: Tensor, scale: Tensor, *, fresh: bool) -> None:
        state, n_edges = self.state, len(self.edges)
        dx = state.dx
        column = scale[:, None, None]
        if n_edges == 1 and fresh and state.settings.n_modalities == 2:
            a, b = self.edges[0]
            torch.mul(first, column, out=dx[a])
            if not self.onto_locked:
                dx[b] = second
        elif n_edges == 1:
            a, b = self.edges[0]
            dx[a].addcmul_(first, column)
            if not self.onto_locked:
                dx[b] += second
        else:
            flat = dx.view(dx.shape[0], -1)
            weighted = first.unflatten(0, (n_edges, -1)) * column
            flat.addmm_(self.onto_first, weighted.reshape(n_edges, -1))
            if not self.onto_locked:
                flat.addmm_(self.onto_second, second.reshape(n_edges, -1))


def _oriented(edges: tuple[Edge, ...], order: list[int], locked_first: bool) -> list[Edge]:
    """Edges by place in the buffer, the locked modality (place 0) always second."""
    placed = [(order.index(a), order.index(b)) for a, b in edges]
    return [(b, a) if locked_first and a == 0 else (a, b) for a, b in placed]
