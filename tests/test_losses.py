"""Losses: exact values from high-precision arithmetic, gradients, parameterisations, hard regimes, bad input."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from constellations import losses
from constellations.geometry import separation
from constellations.sphere import random_points


def pairs(n_pairs=7, dim=4, seed=0, dtype=torch.float64):
    return random_points(n_pairs, dim, seed=seed, dtype=dtype), random_points(
        n_pairs, dim, seed=seed, stream=1, dtype=dtype
    )


def softplus(x: float) -> Decimal:
    """log(1 + e^x) to 40 digits."""
    with localcontext() as context:
        context.prec = 60
        x = Decimal(x)
        if x < -200:
            return x.exp() - (2 * x).exp() / 2
        return (1 + x.exp()).ln() if x < 200 else x + (-x).exp()


def reference_loss(u, v, t, b):
    """The summed loss from the float64 inner products, everything after them in 60 digits."""
    s = (u @ v.T).numpy()
    total = Decimal(0)
    for i in range(len(s)):
        for j in range(len(s)):
            logit = Decimal(t) * Decimal(float(s[i, j])) - Decimal(b)
            total += softplus(-logit if i == j else logit)
    return total


@pytest.mark.parametrize("t", [0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0])
@pytest.mark.parametrize("b", [-30.0, 0.0, 3.7])
def test_the_exact_loss_is_right_to_1e_12(t, b):
    u, v = pairs()
    value = losses.sigmoid_loss(u, v, inverse_temperature=t, bias=b).item()
    assert value == pytest.approx(float(reference_loss(u, v, t, b)), rel=1e-12)


@pytest.mark.parametrize("t", [20.0, 60.0, 300.0, 700.0])
def test_losses_near_zero_keep_their_digits(t):
    eye = torch.eye(6, dtype=torch.float64)
    value = losses.sigmoid_loss(eye, eye, inverse_temperature=t, relative_bias=0.5).item()
    assert value == pytest.approx(36 * math.log1p(math.exp(-t / 2)), rel=1e-12)
    assert 0 < value < 1e-2


@given(st.floats(-1e4, 1e4))
def test_one_entry_at_any_logit_up_to_1e4(bias):
    eye = torch.eye(2, dtype=torch.float64)
    value = losses.sigmoid_loss(eye, eye, inverse_temperature=1.0, bias=bias).item()
    expected = 2 * softplus(bias - 1.0) + 2 * softplus(-bias)
    assert value == pytest.approx(float(expected), rel=1e-12)


@given(st.floats(0.1, 200.0), st.floats(-2.0, 2.0), st.integers(0, 1000))
def test_both_parameterisations_are_one_loss(t, relative_bias, seed):
    u, v = pairs(seed=seed)
    one = losses.sigmoid_loss(u, v, inverse_temperature=t, relative_bias=relative_bias)
    other = losses.sigmoid_loss(u, v, inverse_temperature=t, bias=t * relative_bias)
    assert one.item() == pytest.approx(other.item(), rel=1e-9)


def test_mean_is_the_sum_over_n_squared():
    u, v = pairs()
    options = {"inverse_temperature": 5.0, "bias": 1.0}
    total = losses.sigmoid_loss(u, v, **options)
    assert losses.sigmoid_loss(u, v, reduction="mean", **options).item() == pytest.approx(total.item() / 49)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("t", [1.0, 1e3, 1e4])
@pytest.mark.parametrize("variant", ["exact", "published"])
def test_gradients_stay_finite_when_saturated(t, dtype, variant):
    u, v = (x.requires_grad_() for x in pairs(dtype=dtype))
    log_t = torch.tensor(math.log(t), dtype=dtype, requires_grad=True)
    b = torch.tensor(0.3, dtype=dtype, requires_grad=True)
    losses.sigmoid_loss(u, v, inverse_temperature=log_t.exp(), bias=b, variant=variant).backward()
    for x in (u, v, log_t, b):
        assert torch.isfinite(x.grad).all()


def test_the_exact_gradient_sees_a_badly_violated_pair_and_the_published_one_does_not():
    u = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], requires_grad=True)
    for variant, alive in (("exact", True), ("published", False)):
        u.grad = None
        loss = losses.sigmoid_loss(u, -u.detach(), inverse_temperature=60.0, bias=0.0, variant=variant)
        loss.backward()
        assert (u.grad.abs().max() > 1.0) == alive


def test_gradients_agree_with_finite_differences():
    u, v = pairs(5, 3)
    t, b = torch.tensor(4.0, dtype=torch.float64), torch.tensor(0.2, dtype=torch.float64)

    def loss(a, b_, t_, bias):
        return losses.sigmoid_loss(
            torch.nn.functional.normalize(a, dim=-1),
            torch.nn.functional.normalize(b_, dim=-1),
            inverse_temperature=t_,
            bias=bias,
        )

    inputs = tuple(x.clone().requires_grad_() for x in (u, v, t, b))
    assert torch.autograd.gradcheck(loss, inputs)


def test_the_published_variant_is_the_clamped_formula():
    u, v = pairs(6, 3)
    t, b = 9.0, 0.4
    x = t * (u @ v.T) - b
    eye = torch.eye(6, dtype=torch.float64)
    p = torch.sigmoid(x)
    expected = -(eye * torch.log(p + 1e-8) + (1 - eye) * torch.log(1 - p + 1e-8)).sum()
    value = losses.sigmoid_loss(u, v, inverse_temperature=t, bias=b, variant="published")
    assert value.item() == pytest.approx(expected.item(), rel=1e-12)


def test_batches_and_per_configuration_scalars():
    u = torch.stack([pairs(seed=k)[0] for k in range(3)])
    v = torch.stack([pairs(seed=k)[1] for k in range(3)])
    t = torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64)
    batch = losses.sigmoid_loss(u, v, inverse_temperature=t, relative_bias=0.1)
    single = [losses.sigmoid_loss(u[k], v[k], inverse_temperature=t[k], relative_bias=0.1) for k in range(3)]
    assert torch.allclose(batch, torch.stack(single), rtol=1e-13)


@settings(max_examples=40)
@given(st.floats(0.05, 500.0), st.integers(2, 12), st.integers(0, 1000))
def test_the_optimal_bias_is_a_minimum(t, n_pairs, seed):
    u, v = pairs(n_pairs, 3, seed)
    best = losses.optimal_bias(u, v, inverse_temperature=t)
    at = losses.sigmoid_loss(u, v, inverse_temperature=t, bias=best.bias).item()
    assert best.loss == pytest.approx(at, rel=1e-9)
    assert best.relative_bias == pytest.approx(best.bias / t)
    for shift in (-0.1, -1e-3, 1e-3, 0.1):
        other = losses.sigmoid_loss(u, v, inverse_temperature=t, bias=best.bias + shift).item()
        assert other >= best.loss * (1 - 1e-12)


def test_the_optimal_bias_approaches_the_optimal_relative_bias():
    eye = torch.eye(5, dtype=torch.float64)
    s = separation(eye, eye)
    best = losses.optimal_bias(eye, eye, inverse_temperature=torch.tensor([10.0, 100.0, 1000.0]))
    assert best.loss.shape == (3,)
    assert abs(best.relative_bias[-1].item() - s.relative_bias) < 1e-3


def test_info_nce_and_triplet_against_brute_force():
    u, v = pairs(8, 3, 5)
    t, a = 7.0, 0.5
    s = (u @ v.T).numpy()
    rows = sum(np.log(np.exp(t * s[i]).sum()) - t * s[i, i] for i in range(8))
    columns = sum(np.log(np.exp(t * s[:, i]).sum()) - t * s[i, i] for i in range(8))
    assert losses.info_nce(u, v, inverse_temperature=t).item() == pytest.approx(rows, rel=1e-12)
    both = losses.info_nce(u, v, inverse_temperature=t, symmetric=True).item()
    assert both == pytest.approx(rows + columns, rel=1e-12)
    distances = ((u[:, None] - v[None]) ** 2).sum(-1).numpy()
    expected = sum(
        max(distances[i, i] - distances[i, j] + a, 0) for i in range(8) for j in range(8) if i != j
    )
    assert losses.triplet(u, v, margin_parameter=a).item() == pytest.approx(expected, rel=1e-12)


def test_info_nce_near_zero_keeps_its_digits():
    eye = torch.eye(4, dtype=torch.float64)
    value = losses.info_nce(eye, eye, inverse_temperature=60.0).item()
    assert value == pytest.approx(4 * math.log1p(3 * math.exp(-60.0)), rel=1e-12)


@pytest.mark.parametrize("parameterization", ["bias", "relative_bias"])
def test_the_module_is_the_function(parameterization):
    u, v = pairs(dtype=torch.float32)
    module = losses.SigmoidLoss(
        parameterization=parameterization, inverse_temperature=8.0, **{parameterization: 0.5}
    )
    expected = losses.sigmoid_loss(u, v, inverse_temperature=8.0, reduction="mean", **{parameterization: 0.5})
    value = module(u, v)
    assert value.item() == pytest.approx(expected.item(), rel=1e-6)
    value.backward()
    assert module.log_inverse_temperature.grad is not None
    assert getattr(module, parameterization).grad is not None
    relative = 0.5 if parameterization == "relative_bias" else 0.5 / 8.0
    assert module.current_relative_bias().item() == pytest.approx(relative, rel=1e-5)


def test_frozen_scalars_are_buffers():
    module = losses.SigmoidLoss(relative_bias=0.1, train_inverse_temperature=False, train_bias=False)
    assert list(module.parameters()) == []
    assert set(module.state_dict()) == {"log_inverse_temperature", "relative_bias"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inverse_temperature": 0.0}, "inverse_temperature must be finite and above 0"),
        ({"inverse_temperature": -1.0}, "inverse_temperature"),
        ({"inverse_temperature": float("nan")}, "inverse_temperature"),
        ({"bias": None}, "exactly one of bias and relative_bias"),
        ({"relative_bias": 0.0}, "exactly one of bias and relative_bias"),
        ({"bias": float("inf")}, "bias must be finite"),
        ({"variant": "clamped"}, "variant must be one of"),
        ({"reduction": "none"}, "reduction must be one of"),
    ],
)
def test_bad_options_are_named(options, message):
    u, v = pairs()
    arguments = {"inverse_temperature": 1.0, "bias": 0.0} | options
    with pytest.raises(ValueError, match=message):
        losses.sigmoid_loss(u, v, **arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs relative_bias alone"),
        ({"bias": 1.0}, "needs relative_bias alone"),
        ({"parameterization": "bias", "relative_bias": 0.0}, "needs bias alone"),
        ({"parameterization": "both", "bias": 0.0}, "parameterization must be one of"),
        ({"relative_bias": 0.0, "inverse_temperature": -2.0}, "inverse_temperature"),
        ({"relative_bias": 0.0, "reduction": "max"}, "reduction"),
    ],
)
def test_the_module_names_what_is_wrong(options, message):
    with pytest.raises(ValueError, match=message):
        losses.SigmoidLoss(**options)


def test_bad_points_are_named():
    u, v = pairs()
    for bad, message in ((u * 2, "norm 1"), (u * float("nan"), "finite"), (u[:3], "same shape")):
        with pytest.raises(ValueError, match=message):
            losses.sigmoid_loss(bad, v, inverse_temperature=1.0, bias=0.0)


@pytest.mark.parametrize("chunk_size", [1, 3, 4, 7, 100])
@pytest.mark.parametrize("variant", ["exact", "published"])
def test_chunks_of_any_size_give_the_same_loss_and_gradient(chunk_size, variant):
    results = []
    for size in (None, chunk_size):
        u, v = (x.requires_grad_() for x in pairs(7, 3))
        t = torch.tensor(12.0, dtype=torch.float64, requires_grad=True)
        options = {"inverse_temperature": t, "relative_bias": 0.1, "variant": variant, "chunk_size": size}
        loss = losses.sigmoid_loss(u, v, **options)
        loss.backward()
        results.append((loss.detach(), u.grad, v.grad, t.grad))
    for whole, chunked in zip(*results, strict=True):
        assert torch.allclose(whole, chunked, rtol=1e-12, atol=1e-14)


def test_chunked_losses_near_zero_keep_their_digits():
    eye = torch.eye(6, dtype=torch.float64)
    value = losses.sigmoid_loss(eye, eye, inverse_temperature=80.0, relative_bias=0.5, chunk_size=4).item()
    assert value == pytest.approx(36 * math.log1p(math.exp(-40.0)), rel=1e-12)


@pytest.mark.parametrize("chunk_size", [0, -1, 2.5, True])
def test_a_bad_chunk_size_is_named(chunk_size):
    u, v = pairs()
    with pytest.raises(ValueError, match="chunk_size must be"):
        losses.sigmoid_loss(u, v, inverse_temperature=1.0, bias=0.0, chunk_size=chunk_size)


def _one_process(rank, n_processes, folder):
    store = torch.distributed.FileStore(f"{folder}/store", n_processes)
    torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=n_processes)
    u, v = (x[rank * 4 : (rank + 1) * 4].clone().requires_grad_() for x in pairs(8, 3))
    loss = losses.distributed_sigmoid_loss(u, v, inverse_temperature=9.0, relative_bias=0.2, chunk_size=3)
    loss.backward()
    torch.save((loss.detach(), u.grad, v.grad), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_add_up_to_the_whole_loss_and_gradient(tmp_path):
    torch.multiprocessing.spawn(_one_process, args=(2, str(tmp_path)), nprocs=2)
    parts = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    u, v = (x.requires_grad_() for x in pairs(8, 3))
    whole = losses.sigmoid_loss(u, v, inverse_temperature=9.0, relative_bias=0.2)
    whole.backward()
    assert torch.allclose(sum(part[0] for part in parts), whole.detach(), rtol=1e-12)
    assert torch.allclose(torch.cat([part[1] for part in parts]), u.grad, rtol=1e-11, atol=1e-14)
    assert torch.allclose(torch.cat([part[2] for part in parts]), v.grad, rtol=1e-11, atol=1e-14)


def test_the_distributed_loss_needs_a_process_group():
    u, v = pairs()
    with pytest.raises(ValueError, match="process group"):
        losses.distributed_sigmoid_loss(u, v, inverse_temperature=9.0, relative_bias=0.2)
