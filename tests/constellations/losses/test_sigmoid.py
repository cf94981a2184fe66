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


@pytest.mark.parametrize("shape", [(8,), (2, 1), (8, 8)])
def test_a_scalar_per_sample_is_refused(shape):
    x = torch.eye(8)
    with pytest.raises(ValueError, match="inverse_temperature must be one number or one per configuration"):
        losses.sigmoid_loss(x, x, inverse_temperature=torch.ones(shape), bias=0.0)


def test_scalars_of_one_element_give_one_number():
    x = torch.eye(8)
    options = {"inverse_temperature": torch.tensor([4.7]).exp(), "bias": torch.tensor([[12.9]])}
    assert losses.sigmoid_loss(x, x, **options).shape == ()


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("chunk_size", [None, 100])
def test_half_precision_is_computed_in_float32(kind, chunk_size):
    u, v = (x.to(kind) for x in pairs(1024, 64, dtype=torch.float32))
    for options in ({"bias": 0.0, "reduction": "mean"}, {"relative_bias": 0.11}):
        options |= {"inverse_temperature": 117.8, "chunk_size": chunk_size}
        value = losses.sigmoid_loss(u, v, **options)
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(losses.sigmoid_loss(u.float(), v.float(), **options).item(), rel=1e-6)


def test_half_precision_gradients_and_the_published_variant_are_finite():
    u, v = (x.half().requires_grad_() for x in pairs(64, 16, dtype=torch.float32))
    for variant in ("exact", "published"):
        loss = losses.sigmoid_loss(u, v, inverse_temperature=60.0, relative_bias=0.5, variant=variant)
        for gradient in torch.autograd.grad(loss, (u, v)):
            assert gradient.dtype == torch.float16
            assert torch.isfinite(gradient).all()
    assert torch.isfinite(losses.triplet(u, v, margin_parameter=0.5))


def test_rows_normalised_in_bfloat16_and_cast_are_points():
    raw = torch.randn(256, 64, generator=torch.Generator().manual_seed(0)).bfloat16()
    u = torch.nn.functional.normalize(raw, dim=-1)
    options = {"inverse_temperature": 10.0, "relative_bias": 0.0}
    assert losses.sigmoid_loss(u.float(), u.float(), **options) == losses.sigmoid_loss(u, u, **options)


def test_autocast_does_not_reach_the_logits():
    u, v = pairs(64, 16, dtype=torch.float32)
    options = {"inverse_temperature": 117.8, "bias": 12.9}
    outside = losses.sigmoid_loss(u, v, **options)
    for variant in ("exact", "published"):
        outside = losses.sigmoid_loss(u, v, variant=variant, **options)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert losses.sigmoid_loss(u, v, variant=variant, **options) == outside


def brute_force(u, v, t, b, matching):
    """The plain sum over all pairs, entry by entry, differentiable."""
    total = torch.zeros((), dtype=torch.float64)
    for i in range(len(u)):
        for j in range(len(v)):
            z = t * (u[i] @ v[j]) - b
            x = -z if matching[i, j] else z
            total = total + x.clamp_min(0) + torch.log1p(torch.exp(-x.abs()))
    return total


def labelled(draw):
    """A size, the labels in one of their forms, and the boolean matrix they mean."""
    m, n, form = (
        draw(st.integers(1, 6)),
        draw(st.integers(1, 6)),
        draw(st.sampled_from(["matched", "matrix", "ids", "both"])),
    )
    if form == "matched":
        n = max(m, 2)
        return n, n, None, np.eye(n, dtype=bool)
    if form == "ids":
        ids = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
        return n, n, ids, ids[:, None] == ids
    if form == "both":
        rows, columns = (np.array(draw(st.lists(st.integers(0, 3), min_size=k, max_size=k))) for k in (m, n))
        return m, n, (rows, columns), rows[:, None] == columns
    matrix = np.array(draw(st.lists(st.booleans(), min_size=m * n, max_size=m * n))).reshape(m, n)
    return m, n, matrix, matrix


@settings(max_examples=60, deadline=None)
@given(st.data(), st.floats(0.1, 300.0), st.floats(-1.0, 1.5), st.integers(0, 10**6), st.sampled_from([None, 1, 2, 5]))
def test_any_labels_against_brute_force(data, t, relative_bias, seed, chunk_size):
    m, n, labels, matching = labelled(data.draw)
    inputs = [random_points(k, 3, seed=seed, stream=s) for s, k in enumerate((m, n))]
    inputs += [torch.tensor(x, dtype=torch.float64) for x in (t, t * relative_bias)]
    for x in inputs:
        x.requires_grad_()
    u, v, temperature, bias = inputs
    options = {"inverse_temperature": temperature, "bias": bias, "labels": labels, "chunk_size": chunk_size}
    value, expected = losses.sigmoid_loss(u, v, **options), brute_force(*inputs, matching)
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=0)
    # Slopes add up to less than the loss, a gradient in the points is at most t times them.
    atol = 1e-12 * max(1.0, t) * expected.item()
    found = torch.autograd.grad(value, inputs)
    for gradient, right in zip(found, torch.autograd.grad(expected, inputs), strict=True):
        torch.testing.assert_close(gradient, right, rtol=0, atol=atol)
    for reduction, size in (("mean", m * n), ("per_pair", m)):
        assert losses.sigmoid_loss(u, v, reduction=reduction, **options).item() == pytest.approx(value.item() / size)


@settings(max_examples=40, deadline=None)
@given(st.data(), st.floats(60.0, 600.0), st.sampled_from([None, 1, 2, 5]))
def test_any_labels_against_brute_force_near_zero_loss(data, t, chunk_size):
    _, n, labels, matching = labelled(data.draw)
    u = torch.tensor(matching, dtype=torch.float64) / math.sqrt(n)
    u = torch.cat([u, (1 - u.square().sum(1, keepdim=True)).clamp_min(0).sqrt()], dim=1)
    scalars = [torch.tensor(x, dtype=torch.float64) for x in (t, 0.5 * t / math.sqrt(n))]
    inputs = [x.requires_grad_() for x in (u, torch.eye(n, n + 1, dtype=torch.float64), *scalars)]
    options = {"inverse_temperature": inputs[2], "bias": inputs[3], "labels": labels, "chunk_size": chunk_size}
    value, expected = losses.sigmoid_loss(*inputs[:2], **options), brute_force(*inputs, matching)
    assert 0 < expected.item() < 1e-3
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=0)
    found = torch.autograd.grad(value, inputs)
    for gradient, right in zip(found, torch.autograd.grad(expected, inputs), strict=True):
        torch.testing.assert_close(gradient, right, rtol=0, atol=1e-12 * t * expected.item())


@pytest.mark.parametrize("chunk_size", [None, 2])
@pytest.mark.parametrize("labels", [None, [0, 0, 1, 1, 2, 3]])
def test_value_and_gradient_near_zero_loss_keep_their_digits(chunk_size, labels):
    u = torch.eye(6, dtype=torch.float64)[[0, 0, 1, 1, 2, 3] if labels else range(6)]
    u.requires_grad_()
    t = torch.tensor(80.0, dtype=torch.float64, requires_grad=True)
    options = {"inverse_temperature": t, "relative_bias": 0.5, "labels": labels, "chunk_size": chunk_size}
    value = losses.sigmoid_loss(u, u.detach(), **options)
    assert value.item() == pytest.approx(36 * math.log1p(math.exp(-40.0)), rel=1e-13)
    (by_t,) = torch.autograd.grad(value, t)
    assert by_t.item() == pytest.approx(-18 / (1 + math.exp(40.0)), rel=1e-13)


@pytest.mark.parametrize("labels", [None, [0, 0, 1, 1, 2]])
@pytest.mark.parametrize("chunk_size", [None, 2])
def test_second_derivatives(labels, chunk_size):
    u, v = pairs(5, 3)
    inputs = [x.requires_grad_() for x in (u, v, *torch.tensor([4.0, 0.2], dtype=torch.float64))]

    def loss(a, b, t, bias):
        a, b = (torch.nn.functional.normalize(x, dim=-1) for x in (a, b))
        return losses.sigmoid_loss(a, b, inverse_temperature=t, bias=bias, labels=labels, chunk_size=chunk_size)

    assert torch.autograd.gradcheck(loss, inputs)
    assert torch.autograd.gradgradcheck(loss, inputs)


@pytest.mark.parametrize("t", [1e3, 1e4])
def test_float32_gradients_have_no_subnormal_numbers(t):
    u, v = (x.requires_grad_() for x in pairs(12, 3, dtype=torch.float32))
    losses.sigmoid_loss(u, v, inverse_temperature=t, relative_bias=0.1).backward()
    for x in (u.grad, v.grad):
        assert not ((x != 0) & (x.abs() < 1e-38)).any()


def test_it_maps_and_differentiates_under_torch_func():
    u, v = torch.stack([pairs(6, 3, k)[0] for k in range(4)]), pairs(6, 3)[1]

    def loss(x, t):
        return losses.sigmoid_loss(
            torch.nn.functional.normalize(x, dim=-1), v, inverse_temperature=t, relative_bias=0.1
        )

    t = torch.tensor([1.0, 5.0, 20.0, 60.0], dtype=torch.float64)
    expected = torch.stack([loss(x, s) for x, s in zip(u, t, strict=True)])
    torch.testing.assert_close(torch.func.vmap(loss)(u, t), expected)
    torch.testing.assert_close(
        torch.func.vmap(loss, in_dims=(0, None))(u, t[1]), torch.stack([loss(x, t[1]) for x in u])
    )
    by_u = torch.func.vmap(torch.func.grad(loss))(u, t)
    for x, s, found in zip(u, t, by_u, strict=True):
        x = x.clone().requires_grad_()
        torch.testing.assert_close(found, torch.autograd.grad(loss(x, s), x)[0])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.ones(3, 3, dtype=torch.bool), "boolean matrix of shape"),
        ([0, 1, 2], "integer group ids, 7 of u and 7 of v"),
        ([0.5] * 7, "integer group ids"),
        (([0] * 7, [1] * 6), "integer group ids"),
    ],
)
def test_bad_labels_are_named(labels, message):
    with pytest.raises(ValueError, match=message):
        losses.sigmoid_loss(*pairs(), inverse_temperature=1.0, bias=0.0, labels=labels)


def test_sets_of_two_sizes_need_labels():
    u, v = pairs()
    with pytest.raises(ValueError, match="same shape"):
        losses.sigmoid_loss(u[:4], v, inverse_temperature=1.0, bias=0.0)
    with pytest.raises(ValueError, match="but for N"):
        losses.sigmoid_loss(u, random_points(7, 2, seed=0), inverse_temperature=1.0, bias=0.0, labels=[0] * 7)


def test_gradients_of_a_batch_taken_in_chunks_are_those_of_each_configuration():
    sides = [torch.stack([random_points(7, 4, seed=k, stream=stream) for k in range(3)]) for stream in (0, 1)]
    whole, chunked = ([x.clone().requires_grad_() for x in sides] for _ in range(2))
    for points, size in ((whole, None), (chunked, 3)):
        losses.sigmoid_loss(*points, inverse_temperature=5.0, relative_bias=0.1, chunk_size=size).sum().backward()
    for a, b in zip(whole, chunked, strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-12, atol=1e-14)
