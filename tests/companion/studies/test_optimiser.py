"""What chapter 16 proves: Adam on an exponential, the shift of a threshold in batches; and the formula it argues for."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from companion.studies import optimiser
from constellations import losses, sphere, training
from constellations.losses.bias import best_bias


@settings(max_examples=40, deadline=None)
@given(y=st.floats(1e-3, 30.0))
def test_growth_is_the_integral_it_is_said_to_be(y):
    step = 1e-4 * y
    slope = (optimiser.growth(y + step) - optimiser.growth(y - step)) / (2 * step)
    assert slope == pytest.approx(np.sqrt(np.expm1(2 * y)), rel=1e-4)


def test_growth_starts_as_a_power_and_ends_as_an_exponential():
    assert optimiser.growth(0.0) == 0
    assert optimiser.growth(1e-4) == pytest.approx(np.sqrt(8 / 9) * 1e-6, rel=1e-3)
    assert optimiser.growth(20.0) == pytest.approx(np.exp(20.0), rel=1e-8)


@settings(max_examples=25, deadline=None)
@given(beta2=st.floats(0.3, 0.95), rate=st.floats(0.02, 5.0), start=st.floats(-3.0, 3.0))
def test_adam_on_an_exponential_keeps_the_clock(beta2, rate, start):
    """The library's Adam, bias correction included, which fades."""
    x = torch.tensor([start], dtype=torch.float64)
    adam = training.Adam(beta1=0.0, beta2=beta2, epsilon=1e-290).over(x, learning_rate=rate, n_terms=1)
    c, before = optimiser.tick(beta2), 0.0
    for _ in range(int(min(1500, 250 / c))):
        before = x.item()
        adam(-torch.exp(-x))
    root = brentq(lambda u: 1 - beta2 * np.exp(2 * u) - (1 - beta2) * (u / rate) ** 2, 0, min(c, rate))
    assert x.item() - before == pytest.approx(root, abs=1e-6)
    y = (1 - beta2) * (c / rate) ** 2
    assert y > 0.5 or c - y <= root < c


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000), n_pairs=st.integers(3, 15), dim=st.integers(2, 6), t=st.floats(0.5, 80.0),
    closeness=st.floats(0.0, 1.0), data=st.data(),
)  # fmt: skip
def test_batches_move_the_threshold_as_far_as_proved(seed, n_pairs, dim, t, closeness, data):
    size = data.draw(st.integers(2, n_pairs))
    u = sphere.random_points(n_pairs, dim, seed=seed)
    v = sphere.normalize(closeness * u + (1.01 - closeness) * sphere.random_points(n_pairs, dim, seed=seed, stream=1))
    s, own = (u @ v.T).numpy(), np.eye(n_pairs, dtype=bool)
    rho = (size - 1) / (n_pairs - 1)
    full, batch = (
        best_bias(s[own], s[~own], inverse_temperature=t, weights=np.full(n_pairs**2 - n_pairs, w))[0]
        for w in (1.0, rho)
    )
    loss = losses.sigmoid_loss(u, v, inverse_temperature=t, bias=batch).item()
    least = -np.log(rho) / 2
    assert least - 1e-9 <= full - batch <= least * np.exp(min(loss, 600.0)) + 1e-9


def test_the_formula_follows_a_run():
    log = training.synchronize(
        n_pairs=6, dim=4, seeds=[0], train_bias=False, n_steps=3000, record_every=100, dtype=torch.float64,
        optimizer=training.Adam(beta2=0.99, epsilon=1e-30),
    ).history  # fmt: skip
    steps, loss = optimiser.predicted(log, 0.99)
    measured = log.loss[torch.isin(log.steps, torch.from_numpy(steps))].mean(1).numpy()
    assert loss[-1] == pytest.approx(measured[-1])
    late = steps > 1500
    assert np.log(loss[late]) == pytest.approx(np.log(measured[late]), abs=0.1)
