"""The synchroniser against automatic differentiation, a plain Adam loop, and the theorems."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from constellations import geometry, losses, sphere, training
from constellations.training.engine import _settings
from constellations.training.gradients import exact_slopes_, published_slopes_
from constellations.training.state import State

DEFAULTS = training.synchronize.__kwdefaults__
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


def checked(**given):
    return _settings(**{**DEFAULTS, **given})


def plain_parameters(settings) -> tuple[Tensor, Tensor]:
    """Initial points ``[k, R, N, d]`` and scalars ``[3, R]``, made independently of the engine."""
    k, n, d = settings.n_modalities, settings.n_pairs, settings.dim
    points = torch.stack(
        [
            torch.stack([sphere.random_points(n, d, seed=s, stream=a) for s in settings.seeds])
            for a in range(k)
        ]
    )
    if settings.locked_points is not None:
        points[settings.locked] = settings.locked_points
    delta = (
        torch.full((settings.n_runs,), 0.5) if settings.adapter is None else torch.tensor(settings.adapter)
    )
    scalars = [settings.inverse_temperature, settings.bias]
    t, b = (torch.tensor(x.copy(), dtype=torch.float64) for x in scalars)
    return points, torch.stack([t.log(), b, torch.logit(delta.double())])


def plain_loss(settings, points: Tensor, scalars: Tensor) -> Tensor:
    """The loss ``[R]`` written down once more with the library's losses and the adapter as extra coordinates."""
    t = scalars[0].exp()
    name = "relative_bias" if settings.relative else "bias"
    variant = "published" if settings.published else "exact"
    total = torch.zeros(settings.n_runs, dtype=torch.float64)
    for a, c in settings.edges:
        u, v = points[a], points[c]
        if settings.adapter is not None:
            delta = torch.sigmoid(scalars[2])[:, None, None]
            height = (1 - delta.square()).sqrt().expand(*u.shape[:2], 1)
            u, v = torch.cat([delta * u, height], 2), torch.cat([delta * v, -height], 2)
        total = total + losses.sigmoid_loss(
            u, v, inverse_temperature=t, variant=variant, **{name: scalars[1]}
        )
    return total


def plain_gradients(settings, points: Tensor, scalars: Tensor) -> tuple[Tensor, Tensor]:
    points, scalars = points.detach().requires_grad_(), scalars.detach().requires_grad_()
    plain_loss(settings, points, scalars).sum().backward()
    frozen = [not settings.train_inverse_temperature, not settings.train_bias, settings.adapter is None]
    d_points, d_scalars = points.grad, scalars.grad
    d_scalars[torch.tensor(frozen)] = 0
    if settings.locked is not None:
        d_points[settings.locked] = 0
    return d_points, d_scalars


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_those_of_automatic_differentiation(case):
    settings = checked(**SMALL, **CASES[case])
    state = State(settings, slice(None))
    state.compute_gradient()
    d_points, d_scalars = plain_gradients(settings, *plain_parameters(settings))
    trained = [k for k in range(settings.n_modalities) if k != settings.locked]
    back = [state.order.index(k) for k in trained]
    d_points = d_points[trained]
    scale = max(d_points.abs().max().item(), d_scalars.abs().max().item(), 1e-3)
    assert torch.allclose(state.dx[back].transpose(2, 3), d_points, rtol=1e-9, atol=1e-12 * scale)
    assert torch.allclose(state.d_scalars, d_scalars, rtol=1e-9, atol=1e-11 * scale)


@pytest.mark.parametrize("case", CASES)
def test_fifty_steps_are_those_of_a_plain_adam_loop(case):
    settings = checked(**SMALL, **CASES[case])
    points, scalars = plain_parameters(settings)
    points.requires_grad_(), scalars.requires_grad_()
    optimiser = torch.optim.Adam([points, scalars], lr=0.01)
    for _ in range(50):
        through = points.detach().requires_grad_()
        d_points, d_scalars = plain_gradients(settings, points, scalars)
        (d_points,) = torch.autograd.grad(through / through.norm(dim=-1, keepdim=True), through, d_points)
        points.grad, scalars.grad = d_points / settings.n_pairs**2, d_scalars / settings.n_pairs**2
        optimiser.step()
        with torch.no_grad():
            points.copy_(points / points.norm(dim=-1, keepdim=True))
    ours = training.synchronize(**SMALL, **CASES[case], n_steps=50)
    assert torch.allclose(ours.points.transpose(0, 1), points, atol=1e-8)
    assert torch.allclose(ours.inverse_temperature.log(), scalars[0], atol=1e-9)
    offset = ours.relative_bias if settings.relative else ours.bias
    assert torch.allclose(offset, scalars[1], atol=1e-9)
    assert torch.allclose(ours.loss, plain_loss(settings, points, scalars), rtol=1e-7)
    if settings.adapter is not None:
        assert torch.allclose(ours.adapter, torch.sigmoid(scalars[2]), atol=1e-9)


@pytest.mark.parametrize("loss", ["exact", "published"])
@pytest.mark.parametrize("matching", [True, False])
def test_float32_slopes_are_those_of_automatic_differentiation(loss, matching):
    z = torch.linspace(-300, 300, 4001)
    tables = torch.zeros(len(z), 2, 2)
    where = (slice(None), 0, 0) if matching else (slice(None), 0, 1)
    tables[where] = z
    if loss == "exact":
        exact_slopes_(tables)
    else:
        published_slopes_(tables, torch.empty_like(tables))
    z.requires_grad_()
    p = torch.sigmoid(z)
    if loss == "published":
        value = -torch.log((p if matching else 1 - p) + 1e-8)
    else:
        value = -torch.nn.functional.logsigmoid(z if matching else -z)
    (expected,) = torch.autograd.grad(value.sum(), z)
    assert torch.allclose(tables[where], expected, rtol=2e-6, atol=1e-37)
    assert bool(((tables[where] == 0) == (expected == 0)).all()) or loss == "exact"


@pytest.mark.parametrize("loss", ["exact", "published"])
def test_a_run_does_not_depend_on_its_batch(loss, monkeypatch):
    grid = training.sweep(seeds=range(4), relative_bias=[-0.5, 0.5])
    common = dict(n_pairs=12, dim=4, n_steps=300, record_every=100, loss=loss, dtype=torch.float64)
    together = training.synchronize(**grid, **common)
    alone = training.synchronize(seeds=[grid["seeds"][5]], relative_bias=grid["relative_bias"][5], **common)
    assert torch.allclose(together.points[5], alone.points[0], atol=1e-7)
    assert torch.allclose(together.history.loss[:, 5], alone.history.loss[:, 0], rtol=1e-6)
    monkeypatch.setattr("constellations.training.engine.CHUNK_ENTRIES", {"cpu": 3 * 12**2})
    chunked = training.synchronize(**grid, **common)
    assert torch.allclose(together.points, chunked.points, atol=1e-7)
    assert torch.allclose(together.history.margin, chunked.history.margin, atol=1e-7)


@pytest.mark.parametrize("given", [{}, dict(loss="published"), dict(locked=0), dict(n_modalities=3)])
def test_rows_of_logits_at_a_time_do_not_change_the_gradient(given, monkeypatch):
    settings = checked(**{**SMALL, "n_pairs": 50}, relative_bias=0.1, **given)
    whole = State(settings, slice(None))
    whole.compute_gradient()
    monkeypatch.setattr("constellations.training.state.BATCH_ENTRIES", {"cpu": 1})
    split = State(settings, slice(None))
    split.compute_gradient()
    assert all(work.logits.shape[1] == 16 for work in split.work.values())
    trained = slice(split.first_trained, None)
    assert torch.allclose(split.dx[trained], whole.dx[trained], rtol=1e-9, atol=1e-9)
    assert torch.allclose(split.d_scalars, whole.d_scalars, rtol=1e-9, atol=1e-9)


def test_groups_of_edges_do_not_change_the_gradient(monkeypatch):
    settings = checked(**SMALL, n_modalities=5, relative_bias=0.1)
    whole = State(settings, slice(None))
    whole.compute_gradient()
    for entries in (1, 3 * 49 * 4):
        monkeypatch.setattr("constellations.training.state.BATCH_ENTRIES", {"cpu": entries})
        split = State(settings, slice(None))
        split.compute_gradient()
        assert len(split.groups) > 1
        assert torch.allclose(split.dx, whole.dx, atol=1e-12)
        assert torch.allclose(split.d_scalars, whole.d_scalars, atol=1e-9)


@pytest.mark.parametrize("loss", ["exact", "published"])
def test_the_same_call_gives_the_same_bits(loss):
    calls = [
        training.synchronize(n_pairs=30, dim=5, seeds=range(3), n_steps=200, loss=loss) for _ in range(2)
    ]
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
    edges = [
        geometry.separation(result.points[:, a].double(), result.points[:, c].double())
        for a, c in result.edges
    ]
    low = torch.stack([e.min_matching for e in edges]).amin(0)
    high = torch.stack([e.max_non_matching for e in edges]).amax(0)
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
    result = training.synchronize(
        n_pairs=5, dim=3, n_modalities=3, seeds=[4, 2], n_steps=0, dtype=torch.float64
    )
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
    assert result.margin.reshape(grid.shape).mean(1).tolist() == pytest.approx(
        list(published.values()), abs=0.004
    )
