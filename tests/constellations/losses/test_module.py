"""The module: the function with its own scalars, as training loops, compilers and wrappers meet it."""

import math

import pytest
import torch

from constellations import losses
from constellations.sphere import random_points


def points(n_pairs=7, dim=4):
    return (random_points(n_pairs, dim, seed=0, stream=k, dtype=torch.float32) for k in (0, 1))


@pytest.mark.parametrize("parameterization", ["bias", "relative_bias"])
def test_the_module_is_the_function(parameterization):
    u, v = points()
    module = losses.SigmoidLoss(parameterization=parameterization, inverse_temperature=8.0, **{parameterization: 0.5})
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
        ({"bias": 1.0}, "^bias must be left out"),
        ({"parameterization": "bias", "relative_bias": 0.0}, "^relative_bias must be left out"),
        ({"parameterization": "both", "bias": 0.0}, "parameterization must be one of"),
        ({"relative_bias": 0.0, "inverse_temperature": -2.0}, "inverse_temperature"),
        ({"relative_bias": 0.0, "reduction": "max"}, "reduction"),
    ],
)
def test_the_module_names_what_is_wrong(options, message):
    with pytest.raises(ValueError, match=message):
        losses.SigmoidLoss(**options)


def test_the_default_start_is_siglips_and_the_default_reduction_the_mean():
    u, v = points()
    for parameterization, bias in (("relative_bias", {"relative_bias": 1.0}), ("bias", {"bias": 10.0})):
        module = losses.SigmoidLoss(parameterization=parameterization)
        expected = losses.sigmoid_loss(u, v, inverse_temperature=10.0, reduction="mean", **bias)
        torch.testing.assert_close(module(u, v), expected)


def siglip_loss(u, v, logit_scale, logit_bias):
    """As in SigLIP's code: a scale that is a logarithm, an added bias, the sum over the batch size."""
    logits = u @ v.T * logit_scale.exp() + logit_bias
    signs = 2 * torch.eye(len(u)) - 1
    return -torch.nn.functional.logsigmoid(signs * logits).sum() / len(u)


@pytest.mark.parametrize("parameterization", ["bias", "relative_bias"])
def test_siglips_scalars_give_siglips_loss_and_come_back(parameterization):
    u, v = points()
    scalars = {"logit_scale": torch.tensor(math.log(117.8)), "logit_bias": torch.tensor(-12.9)}
    module = losses.SigmoidLoss.from_siglip(parameterization=parameterization, **scalars)
    torch.testing.assert_close(module(u, v), siglip_loss(u, v, **scalars), rtol=1e-5, atol=0)
    assert module.to_siglip() == pytest.approx({name: x.item() for name, x in scalars.items()}, rel=1e-6)


def test_siglips_scalars_take_the_options_of_the_module():
    u, v = points()
    given = {"logit_scale": 2.0, "logit_bias": -3.0}
    module = losses.SigmoidLoss.from_siglip(**given, chunk_size=3, one_element=True)
    assert module.chunk_size == 3 and {x.shape for x in module.parameters()} == {(1,)}
    torch.testing.assert_close(module(u, v), losses.SigmoidLoss.from_siglip(**given)(u, v), rtol=1e-6, atol=0)


@pytest.mark.parametrize("options", [{}, {"chunk_size": 3}, {"parameterization": "bias", "reduction": "per_pair"}])
def test_it_compiles_whole_forward_and_backward(options):
    u, v = (x.requires_grad_() for x in points())
    module = losses.SigmoidLoss(**options)
    inputs = (u, v, *module.parameters())
    compiled = torch.compile(module, backend="aot_eager", fullgraph=True)
    value, expected = compiled(u, v), module(u, v)
    torch.testing.assert_close(value, expected)
    for found, right in zip(torch.autograd.grad(value, inputs), torch.autograd.grad(expected, inputs), strict=True):
        torch.testing.assert_close(found, right)


def test_it_exports():
    u, v = points()
    module = losses.SigmoidLoss()
    torch.testing.assert_close(torch.export.export(module, (u, v)).module()(u, v), module(u, v))


def test_labels_are_those_of_the_function():
    u, v = points()
    module = losses.SigmoidLoss(reduction="sum")
    labels = [0, 0, 1, 2, 2, 2, 3]
    expected = losses.sigmoid_loss(u, v, inverse_temperature=10.0, relative_bias=1.0, labels=labels)
    torch.testing.assert_close(module(u, v, labels), expected)


def test_one_element_scalars_give_the_same_loss_of_shape_nothing():
    u, v = points()
    vector = losses.SigmoidLoss(one_element=True)
    assert {tuple(p.shape) for p in vector.parameters()} == {(1,)}
    torch.testing.assert_close(vector(u, v), losses.SigmoidLoss()(u, v))


def test_half_precision_module_and_points_give_float32():
    u, v = points()
    module = losses.SigmoidLoss(inverse_temperature=16.0, relative_bias=0.5)
    expected = module(u.bfloat16(), v.bfloat16())
    module.bfloat16()
    assert module(u.bfloat16(), v.bfloat16()).dtype == torch.float32
    torch.testing.assert_close(module(u.bfloat16(), v.bfloat16()), expected, rtol=2e-2, atol=0)


def test_points_of_other_shapes_are_named():
    u, v = points()
    with pytest.raises(ValueError, match="same shape"):
        losses.SigmoidLoss()(u, v[:3])
