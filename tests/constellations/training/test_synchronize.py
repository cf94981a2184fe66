"""The synchroniser against automatic differentiation, a plain Adam loop, and the theorems."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from constellations import geometry, losses, sphere, training

SMALL = dict(n_pairs=7, dim=3, seeds=range(3), inverse_temperature=[3.0, 10.0, 30.0], dtype=torch.float64)
CASES = {
    "relative bias": dict(relative_bias=[-0.5, 0.0, 0.4]),
    "bias": dict(bias=[-5.0, 0.0, 3.0]),
    "neither": {},
    "published": dict(relative_bias=0.2, loss="published"),
    "published bias": dict(bias=2.0, loss="published"),
    "frozen t": dict(relative_bias=0.2, train_inverse_temperature=False),
    "frozen bias": dict(bias=1.0, train_bias=False),
    "all frozen": dict(bias=1.0, train_bias=False, train_inverse_temperature=False),
    "three": dict(n_modalities=3, relative_bias=0.1),
    "star": dict(n_modalities=4, graph="star", bias=1.0),
    "edges": dict(n_modalities=4, graph=[(2, 0), (1, 3)], bias=1.0),
    "locked": dict(locked=0, relative_bias=-0.2),
    "second locked": dict(locked=1, bias=0.3),
    "locked of four": dict(locked=2, n_modalities=4, relative_bias=0.1),
    "star, hub locked": dict(locked=0, n_modalities=3, graph="star", relative_bias=0.1),
    "adapter": dict(adapter=[0.3, 0.6, 0.9], relative_bias=[0.2, -0.3, 0.0]),
    "adapter, bias, locked": dict(adapter=0.62, bias=1.5, locked=0),
    "adapter, published": dict(adapter=0.62, relative_bias=0.5, locked=1, loss="published"),
}


class Plain:
    """The optimisation of one call, written once more with automatic differentiation and torch's Adam, in float64."""

    def __init__(
        self, *, n_pairs, dim, seeds, inverse_temperature=10.0, bias=None, relative_bias=None, n_modalities=2,
        graph="complete", locked=None, adapter=None, loss="exact", train_inverse_temperature=True, train_bias=True,
        dtype=torch.float64,
    ):  # fmt: skip
        self.variant, self.n_pairs, self.edges = loss, n_pairs, training.graph_edges(graph, n_modalities)
        self.name = "relative_bias" if bias is None else "bias"
        self.locked, self.adapted = locked, adapter is not None
        draws = [[sphere.random_points(n_pairs, dim, seed=s, stream=a) for s in seeds] for a in range(n_modalities)]
        self.points = torch.stack([torch.stack(draw) for draw in draws])
        self.n_runs = self.points.shape[1]
        offset = (relative_bias or 0.0) if bias is None else bias
        t, b, delta = (self.spread(x) for x in (inverse_temperature, offset, adapter or 0.5))
        self.scalars = torch.stack([t.log(), b, torch.logit(delta)])
        self.frozen = torch.tensor([not train_inverse_temperature, not train_bias, adapter is None])

    def spread(self, number) -> Tensor:
        return torch.as_tensor(number, dtype=torch.float64).expand(self.n_runs)

    def loss(self, points: Tensor, scalars: Tensor) -> Tensor:
        total = torch.zeros(self.n_runs, dtype=torch.float64)
        for a, c in self.edges:
            u, v = points[a], points[c]
            if self.adapted:
                delta = torch.sigmoid(scalars[2])[:, None, None]
                height = (1 - delta.square()).sqrt().expand(*u.shape[:2], 1)
                u, v = torch.cat([delta * u, height], 2), torch.cat([delta * v, -height], 2)
            t = scalars[0].exp()
            total = total + losses.sigmoid_loss(
                u, v, inverse_temperature=t, variant=self.variant, **{self.name: scalars[1]}
            )
        return total

    def gradients(self) -> tuple[Tensor, Tensor]:
        """Of the mean loss, tangent to the spheres, 0 for what is not trained."""
        points, scalars = (x.detach().clone().requires_grad_() for x in (self.points, self.scalars))
        self.loss(points / points.norm(dim=-1, keepdim=True), scalars).sum().backward()
        if self.locked is not None:
            points.grad[self.locked] = 0
        scalars.grad[self.frozen] = 0
        return points.grad / self.n_pairs**2, scalars.grad / self.n_pairs**2

    def run(self, n_steps: int, **options) -> None:
        """Steps of Adam."""
        optimiser = torch.optim.Adam([self.points, self.scalars], lr=0.01, **options)
        for _ in range(n_steps):
            self.points.grad, self.scalars.grad = self.gradients()
            optimiser.step()
            self.points /= self.points.norm(dim=-1, keepdim=True)


def assert_same(result, plain: Plain, atol: float = 1e-8) -> None:
    """That a result is where a plain loop ended."""
    assert torch.allclose(result.points.transpose(0, 1), plain.points, atol=atol)
    assert torch.allclose(result.inverse_temperature.log(), plain.scalars[0], atol=atol)
    offset = result.relative_bias if plain.name == "relative_bias" else result.bias
    assert torch.allclose(offset, plain.scalars[1], atol=10 * atol)
    assert torch.allclose(result.loss, plain.loss(plain.points, plain.scalars), rtol=1e-6)
    if plain.adapted:
        assert torch.allclose(result.adapter, torch.sigmoid(plain.scalars[2]), atol=atol)


@pytest.mark.parametrize("case", CASES)
def test_fifty_steps_are_those_of_a_plain_adam_loop(case):
    plain = Plain(**SMALL, **CASES[case])
    plain.run(50)
    assert_same(training.synchronize(**SMALL, **CASES[case], n_steps=50), plain)


MANY_ROWS = dict(n_pairs=530, dim=3, seeds=[0], dtype=torch.float64)
MANY_EDGES = dict(n_pairs=200, dim=3, seeds=range(4), dtype=torch.float64, n_modalities=5)


@pytest.mark.parametrize(
    "given",
    [
        MANY_ROWS,
        dict(**MANY_ROWS, loss="published"),
        dict(**MANY_ROWS, locked=0),
        dict(**MANY_ROWS, n_modalities=3),
        MANY_EDGES,
        dict(**MANY_EDGES, locked=3),
    ],
)
def test_rows_and_edges_treated_a_few_at_a_time_are_those_of_a_plain_loop(given):
    """More logits than are held at once: of one edge, and of several edges of several runs."""
    plain = Plain(**given)
    plain.run(3)
    assert_same(training.synchronize(**given, n_steps=3, chunk_size=4), plain)


@pytest.mark.parametrize("loss", ["exact", "published"])
@pytest.mark.parametrize("given", [dict(n_pairs=12, seeds=range(9)), dict(n_pairs=600, seeds=range(2))])
def test_the_number_of_threads_does_not_change_a_bit(loss, given):
    common = dict(dim=4, n_steps=12, record_every=4, loss=loss, chunk_size=1 + (given["n_pairs"] < 100), **given)
    one, *others = (training.synchronize(**common, n_threads=n) for n in (1, 2, 5))
    for other in others:
        assert torch.equal(one.points, other.points)
        assert all(torch.equal(getattr(one.history, x), getattr(other.history, x)) for x in vars(one.history))


def test_threads_of_torch_and_of_the_environment_are_left_alone(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setenv("CONSTELLATIONS_THREADS", "2")
    training.synchronize(n_pairs=3, dim=2, seeds=range(4), n_steps=2, chunk_size=1)
    assert torch.get_num_threads() == before
    monkeypatch.setenv("CONSTELLATIONS_THREADS", "0")
    with pytest.raises(ValueError, match="n_threads"):
        training.synchronize(n_pairs=3, dim=2, seeds=[0], n_steps=0)


@pytest.mark.parametrize("loss", ["exact", "published"])
def test_a_run_does_not_depend_on_its_chunk(loss):
    grid = training.sweep(seeds=range(4), relative_bias=[-0.5, 0.5])
    common = dict(n_pairs=12, dim=4, n_steps=300, record_every=100, loss=loss, dtype=torch.float64)
    together = training.synchronize(**grid, **common)
    alone = training.synchronize(seeds=[grid["seeds"][5]], relative_bias=grid["relative_bias"][5], **common)
    assert torch.allclose(together.points[5], alone.points[0], atol=1e-7)
    assert torch.allclose(together.history.loss[:, 5], alone.history.loss[:, 0], rtol=1e-6)
    chunked = training.synchronize(**grid, **common, chunk_size=3)
    assert torch.allclose(together.points, chunked.points, atol=1e-7)
    assert torch.allclose(together.history.margin, chunked.history.margin, atol=1e-7)


@pytest.mark.parametrize("loss", ["exact", "published"])
def test_the_same_call_gives_the_same_bits(loss):
    calls = [training.synchronize(n_pairs=30, dim=5, seeds=range(3), n_steps=200, loss=loss) for _ in range(2)]
    first, second = calls
    assert torch.equal(first.points, second.points)
    assert torch.equal(first.loss, second.loss)


def test_the_caller_keeps_its_denormal_numbers():
    training.synchronize(n_pairs=3, dim=2, seeds=[0], n_steps=2)
    assert torch.full((1,), 1e-40).mul(1.0).item() > 0


def test_the_loss_goes_to_zero_and_the_limit_is_a_constellation():
    result = training.synchronize(n_pairs=20, dim=6, seeds=range(4), bias=0.0, n_steps=6000, record_every=500)
    log = result.history
    assert bool((log.loss.diff(dim=0) < 0).all())
    assert bool((result.loss < 1e-2).all())
    for r in range(4):
        assert geometry.is_constellation(
            result.u[r], result.v[r], margin=result.margin[r].item(),
            relative_bias=result.optimal_relative_bias[r].item(), atol=1e-6,
        )  # fmt: skip
        gap = geometry.separation(result.u[r].double(), result.v[r].double())
        assert gap.margin == pytest.approx(result.margin[r].item(), abs=1e-6)
    assert bool(((result.relative_bias - result.optimal_relative_bias).abs() < result.margin).all())


@pytest.mark.parametrize("loss", ["exact", "published"])
@pytest.mark.parametrize("adapter", [None, 0.4])
def test_the_records_are_those_of_the_library(loss, adapter):
    result = training.synchronize(
        n_pairs=9, dim=4, seeds=[3, 4], bias=2.0, n_steps=70, record_every=30, loss=loss, adapter=adapter,
        dtype=torch.float64, locked=0,
    )  # fmt: skip
    u, v = result.u, result.v
    if adapter is not None:
        delta = result.adapter[:, None, None]
        height = (1 - delta**2).sqrt().expand(2, 9, 1)
        u, v = torch.cat([delta * u, height], -1), torch.cat([delta * v, -height], -1)
    log, gap = result.history, geometry.separation(u, v)
    scalars = dict(inverse_temperature=result.inverse_temperature, bias=result.bias)
    assert log.steps.tolist() == [0, 30, 60, 70]
    assert torch.allclose(log.margin[-1], gap.margin)
    assert torch.allclose(log.optimal_relative_bias[-1], gap.relative_bias)
    assert torch.allclose(log.xi[-1], geometry.linear_representation_gap(u, v).xi)
    assert torch.allclose(log.loss[-1], losses.sigmoid_loss(u, v, **scalars, variant=loss), rtol=1e-9)
    assert torch.allclose(result.exact_loss, losses.sigmoid_loss(u, v, **scalars), rtol=1e-9)
    assert torch.allclose(log.relative_bias[-1], result.bias / result.inverse_temperature)
    assert torch.equal(result.margin, log.margin[-1])


def test_edges_are_measured_apart_and_together():
    result = training.synchronize(n_pairs=6, dim=5, n_modalities=3, seeds=[0, 1], n_steps=40)
    edges = [geometry.separation(result.points[:, a].double(), result.points[:, c].double()) for a, c in result.edges]
    low = torch.stack([e.matching for e in edges]).amin(0)
    high = torch.stack([e.non_matching for e in edges]).amax(0)
    assert torch.allclose(result.edge_margin, torch.stack([e.margin for e in edges], 1), atol=1e-6)
    assert torch.allclose(result.margin, (low - high) / 2, atol=1e-6)
    assert bool((result.margin <= result.edge_margin.amin(1) + 1e-9).all())


def test_frozen_parts_do_not_move():
    points = sphere.random_points(8, 3, seed=99)
    result = training.synchronize(
        n_pairs=8, dim=3, seeds=range(2), locked=(1, points), inverse_temperature=7.3, relative_bias=0.31,
        train_inverse_temperature=False, train_bias=False, n_steps=60, dtype=torch.float64,
    )  # fmt: skip
    assert torch.equal(result.points[:, 1], points.expand(2, 8, 3))
    assert result.inverse_temperature.tolist() == [7.3, 7.3]
    assert result.relative_bias.tolist() == [0.31, 0.31]
    assert not torch.allclose(result.u[0], sphere.random_points(8, 3, seed=0))


def test_initial_points_belong_to_the_seed():
    result = training.synchronize(n_pairs=5, dim=3, n_modalities=3, seeds=[4, 2], n_steps=0, dtype=torch.float64)
    for r, seed in enumerate([4, 2]):
        for k in range(3):
            assert torch.equal(result.points[r, k], sphere.random_points(5, 3, seed=seed, stream=k))


def test_results_without_history():
    assert training.synchronize(n_pairs=3, dim=2, seeds=1, n_steps=3).history is None


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (dict(n_pairs=1), "n_pairs"),
        (dict(n_pairs=2.5), "n_pairs"),
        (dict(dim=0), "dim"),
        (dict(n_modalities=1), "n_modalities"),
        (dict(seeds=[]), "seeds"),
        (dict(seeds=[-1]), "seeds"),
        (dict(seeds=[0.5]), "seeds"),
        (dict(inverse_temperature=0.0), "inverse_temperature"),
        (dict(inverse_temperature=[1.0, math.nan]), "inverse_temperature"),
        (dict(inverse_temperature=[1.0, 2.0, 3.0]), "one length"),
        (dict(bias=0.0, relative_bias=0.0), "at most one"),
        (dict(bias=math.inf), "bias"),
        (dict(relative_bias=[[0.0]]), "relative_bias"),
        (dict(graph="ring"), "graph"),
        (dict(graph=[(0, 2)]), "graph"),
        (dict(graph=[(0, 1), (1, 0)]), "graph"),
        (dict(locked=2), "locked"),
        (dict(locked=(0, torch.eye(3))), "locked points"),
        (dict(locked=(0, 2 * torch.ones(4, 3))), "norm"),
        (dict(adapter=1.0), "adapter"),
        (dict(adapter=0.5, n_modalities=3), "adapter"),
        (dict(n_steps=-1), "n_steps"),
        (dict(learning_rate=0.0), "learning_rate"),
        (dict(loss="clamped"), "loss"),
        (dict(record_every=0), "record_every"),
        (dict(chunk_size=0), "chunk_size"),
        (dict(batch_size=1), "batch_size"),
        (dict(batch_size=5), "batch_size"),
        (dict(labels=[0, 1, 2]), "labels"),
        (dict(labels=[0, 0, 0, 0]), "labels"),
        (dict(labels=[0, 0, 1, 2], n_modalities=3), "labels"),
        (dict(labels=[0, 0, 1, 2], loss="published"), "labels"),
        (dict(labels=[0, 0, 1, 2], batch_size=2), "labels"),
        (dict(n_threads=0), "n_threads"),
        (dict(dtype=torch.float16), "dtype"),
    ],
)
def test_bad_input_is_named(given, named):
    with pytest.raises(ValueError, match=named):
        training.synchronize(**{**dict(n_pairs=4, dim=3, seeds=[0, 1], n_steps=1), **given})


def test_an_empty_axis_of_a_sweep_is_named():
    with pytest.raises(ValueError, match="relative_bias"):
        training.sweep(relative_bias=[])


def test_the_published_figure_9_is_reached():
    """N = 100, d = 10, 5,000 steps; the paper's means over 100 runs, to within 0.004."""
    published = {-0.3333333333333333: 0.1030, 0.5555555555555556: 0.2234, 1.0: 0.2764}
    grid = training.sweep(seeds=range(2), relative_bias=list(published))
    result = training.synchronize(**grid, train_bias=False, n_steps=5000)
    assert result.margin.reshape(grid.shape).mean(1).tolist() == pytest.approx(list(published.values()), abs=0.004)
