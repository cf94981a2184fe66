"""The conformance kit: our loss passes every check, the usual formulas fail those that they must fail."""

import torch
from torch.nn.functional import logsigmoid, softplus

from constellations import losses, testing


def ours(u, v, t, b):
    return losses.sigmoid_loss(u, v, inverse_temperature=t, bias=b)


def our_chunks(size):
    return lambda u, v, t, b: losses.sigmoid_loss(u, v, inverse_temperature=t, bias=b, chunk_size=size)


def usual_chunks(size):
    """The sum of softplus over all pairs minus the matching logits, rows at a time, as the usual code has it."""

    def loss(u, v, t, b):
        parts = [softplus(t * (x @ v.T) - b).sum() for x in u.split(size)]
        return torch.stack(parts).sum() - (t * (u * v).sum(1) - b).sum()

    return loss


def clamped(u, v, t, b):
    p = torch.sigmoid((2 * torch.eye(len(u), dtype=u.dtype) - 1) * (t * (u @ v.T) - b))
    return -torch.log(p + 1e-8).sum()


def failures(results):
    return {result.name for result in results if not result.passed}


def test_our_loss_passes_whole_and_in_chunks():
    results = testing.conformance(ours, chunked=our_chunks)
    assert len(results) == 53
    assert failures(results) == set()


def test_the_usual_chunked_formula_loses_its_digits_near_zero():
    assert {"value near zero, float32", "value near zero, float64"} <= failures(testing.conformance(usual_chunks(7)))


def test_the_clamped_loss_loses_gradients_too():
    failed = failures(testing.conformance(clamped))
    assert {"value near zero, float64", "gradient near zero, float64", "gradient all pairs wrong, float32"} <= failed


def test_a_loss_that_raises_fails_with_its_reason():
    def broken(u, v, t, b):
        raise RuntimeError("no kernel")

    results = testing.conformance(broken)
    assert failures(results) == {result.name for result in results}
    assert "RuntimeError: no kernel" in {result.failure for result in results}


def test_the_kit_measures_what_it_names():
    def doubled(u, v, t, b):
        """Twice the value, and twice the gradient in t alone."""
        return ours(u, v, t, b) + ours(u.detach(), v.detach(), t, b.detach())

    by_name = {result.name: result for result in testing.conformance(doubled)}
    assert abs(by_name["value large t, float64"].measured - 1) < 1e-12
    assert by_name["gradient near zero, float64"].measured > 0.99
    assert by_name["compiled whole"].passed
    copies = "N x N copies kept for the backward pass"
    assert by_name[copies].measured < 0.1
    kept = {
        result.name: result.measured
        for result in testing.conformance(lambda u, v, t, b: -logsigmoid(t * (u @ v.T) - b).sum())
    }
    assert kept[copies] >= 1.9
