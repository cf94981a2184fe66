"""Encoders: closed gradients against autograd, history against brute force, what training must and cannot do."""

from __future__ import annotations

import math

import pytest
import torch

from companion.studies import encoders
from constellations import geometry, losses, sphere


def random_pairs(n, dim, seed, *, dtype=torch.float64):
    return [sphere.random_points(n, dim, seed=seed, stream=k).to(dtype) for k in (0, 1)]


@pytest.mark.parametrize("parameterization", ["bias", "relative_bias"])
def test_one_step_is_adam_on_the_sigmoid_loss(parameterization):
    x, y = (torch.randn(9, 5, generator=torch.Generator().manual_seed(k)) for k in (0, 1))
    options = dict(dim=4, hidden=8, parameterization=parameterization, relative_bias=0.3, seed=3)
    start = encoders.train_encoders(x, y, n_steps=1, learning_rate=1e-9, scalar_rate=1e-9, **options)
    found = encoders.train_encoders(x, y, n_steps=1, learning_rate=1e-2, scalar_rate=1e-2, **options)
    f, g, loss = start.image_tower, start.text_tower, start.loss
    weights = [*f.parameters(), *g.parameters(), *loss.parameters()]
    optimizer = torch.optim.Adam(weights, lr=1e-2)
    loss(f(x), g(y)).backward()
    optimizer.step()
    done = [*found.image_tower.parameters(), *found.text_tower.parameters(), *found.loss.parameters()]
    for a, b in zip(done, weights, strict=True):
        torch.testing.assert_close(a, b, rtol=2e-4, atol=1e-5)


@pytest.fixture(scope="module")
def trained() -> encoders.Encoders:
    x, y = (torch.randn(40, 20, generator=torch.Generator().manual_seed(k)) for k in (0, 1))
    return encoders.train_encoders(x, y, dim=8, hidden=64, n_steps=250, record_every=60)


def test_history_is_what_brute_force_finds(trained):
    log = trained.history
    assert log.steps.tolist() == [0, 60, 120, 180, 240, 250]
    best = geometry.separation(trained.u, trained.v)
    assert trained.separation == best and trained.last("loss") == log.loss[-1]
    assert math.isclose(log.margin[-1].item(), best.margin, abs_tol=1e-5)
    assert math.isclose(log.optimal_relative_bias[-1].item(), best.relative_bias, abs_tol=1e-5)
    scalars = {"inverse_temperature": log.inverse_temperature[-1], "relative_bias": log.relative_bias[-1]}
    loss = losses.sigmoid_loss(trained.u, trained.v, **scalars).item()
    assert math.isclose(log.loss[-1].item(), loss, rel_tol=1e-3)


def test_held_out_pairs_are_watched_and_change_nothing(trained):
    x, y = torch.eye(12), torch.eye(12).flip(0)
    options = dict(dim=3, hidden=16, n_steps=40, record_every=20)
    plain = encoders.train_encoders(x[:8], y[:8], **options)
    watched = encoders.train_encoders(x[:8], y[:8], held_out=(x[8:], y[8:]), **options)
    assert torch.equal(plain.u, watched.u) and bool(plain.history.held_out_recall.isnan().all())
    u, v = watched.embed_images(x[8:]), watched.embed_texts(y[8:])
    assert encoders.curves([watched, plain])["margin"].shape == (2, 3)
    assert watched.history.held_out_recall[-1] == geometry.nearest_neighbour_accuracy(u, v)


def test_training_separates_random_pairs(trained):
    assert trained.history.margin[0] < -0.3 < 0.05 < trained.history.margin[-1]
    assert geometry.nearest_neighbour_accuracy(trained.u, trained.v) == 1.0


def test_identical_images_cannot_be_separated():
    x, y = torch.eye(12), torch.eye(12)
    x[1] = x[0]
    found = encoders.train_encoders(x, y, dim=6, hidden=32, learning_rate=5e-3, n_steps=400, record_every=400)
    assert geometry.separation(found.u, found.v).margin <= 1e-12
    assert geometry.separation(found.u[1:], found.v[1:]).margin > 0


@pytest.mark.parametrize("parameterization", ["bias", "relative_bias"])
def test_both_parameterisations_start_at_the_same_function(parameterization):
    found = encoders.train_encoders(
        torch.eye(5), torch.eye(5), dim=3, parameterization=parameterization, relative_bias=0.4, n_steps=1
    )
    log = found.history
    assert math.isclose(log.relative_bias[0], 0.4, rel_tol=1e-6)
    assert math.isclose(log.inverse_temperature[0], 10, rel_tol=1e-6)


def test_fixed_scalars_stay_and_locked_texts_stay():
    locked = sphere.random_points(10, 4, seed=0)
    found = encoders.train_encoders(
        torch.eye(10), locked, dim=4, hidden=16, lock_text=True, train_scalars=False, n_steps=30
    )
    assert found.history.inverse_temperature.unique().tolist() == [pytest.approx(10)]
    assert found.history.relative_bias.unique().tolist() == [1.0]
    torch.testing.assert_close(found.v, locked, atol=1e-6, rtol=0)
    assert found.history.loss[-1] < found.history.loss[0]
    with pytest.raises(ValueError, match="it was locked"):
        found.embed_texts(torch.eye(10))


def test_seeds_decide_and_leave_the_global_state_alone(trained):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    runs = [encoders.train_encoders(torch.eye(6), torch.eye(6), dim=3, n_steps=5, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(runs[0].u, runs[1].u) and not torch.equal(runs[0].u, runs[2].u)


def test_new_rows_are_embedded_each_by_itself(trained):
    x = torch.randn(7, 20)
    for embed in (trained.embed_images, trained.embed_texts):
        u = embed(x)
        torch.testing.assert_close(u.norm(dim=1), torch.ones(7, dtype=torch.float64))
        torch.testing.assert_close(embed(x[2:4]), u[2:4], atol=1e-6, rtol=0)
    assert not torch.allclose(trained.embed_images(x), trained.embed_texts(x))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 0}, "dim must be"),
        ({"n_steps": 0}, "n_steps must be"),
        ({"record_every": 2.5}, "record_every must be"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"scalar_rate": math.inf}, "scalar_rate must be"),
        ({"parameterization": "both"}, "parameterization"),
        ({"inverse_temperature": -1.0}, "inverse_temperature"),
        ({"text": torch.eye(5)}, "one N >= 2"),
        ({"text": torch.full((4, 4), math.nan)}, "text must be finite"),
        ({"lock_text": True, "dim": 3}, "dim must be that of the locked texts"),
        ({"lock_text": True, "dim": 4, "text": 2 * torch.eye(4)}, "norm 1"),
    ],
)
def test_bad_input(options, message):
    arguments = {"image": torch.eye(4), "text": torch.eye(4), "dim": 4} | options
    with pytest.raises(ValueError, match=message):
        encoders.train_encoders(arguments.pop("image"), arguments.pop("text"), **arguments)
