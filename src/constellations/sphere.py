"""Points on the unit sphere: validation, normalisation and seeded random draws."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from constellations.checks import integer, require

Points = Tensor | ArrayLike


def holds(condition: Tensor) -> bool:
    """Whether a condition on values is true; taken for granted where a trace or ``torch.func`` has no values."""
    if torch.compiler.is_compiling():
        return True
    try:
        return bool(condition)
    except RuntimeError:
        return True


def as_points(x: Points, name: str = "points", *, unit: bool = True) -> Tensor:
    """Validate an array of points and return it as a floating tensor.

    Parameters
    ----------
    x:
        Tensor or array of shape ``[..., N, d]`` with ``N >= 1`` and ``d >= 1``. Tensors keep their dtype, device
        and gradient; other inputs become float64 (float32 arrays stay float32).
    name:
        How errors call the argument.
    unit:
        Also require rows of Euclidean norm 1, to within ``1e-6`` in float64 and ``2e-2`` below: rows normalised in
        bfloat16 stay valid when cast to float32. Values cannot be checked while ``torch.compile`` or ``vmap`` traces.

    Raises
    ------
    ValueError
        For a wrong number of axes, an empty axis, a non-floating type, NaN or infinity, or rows off the sphere.

    Examples
    --------
    >>> as_points([[1.0, 0.0], [0.0, 1.0]]).shape
    torch.Size([2, 2])
    """
    points = as_tensor(x)
    if not points.is_floating_point():
        if points.is_complex() or points.dtype == torch.bool:
            raise ValueError(f"{name} must hold real numbers, got dtype {points.dtype}")
        points = points.to(torch.float64)
    if points.ndim < 2 or 0 in points.shape:
        raise ValueError(f"{name} must have shape [..., N, d] with N, d >= 1, got {tuple(points.shape)}")
    allowed = 1e-6 if points.dtype == torch.float64 else 2e-2
    off = _deviation(points.detach()) if unit else None
    if off is None or not holds(off <= allowed):
        if not holds(torch.isfinite(points).all()):
            raise ValueError(f"{name} must be finite, got NaN or infinite entries")
        if off is not None:
            advice = "normalise it first, for example with constellations.sphere.normalize"
            got = f"a norm off by {off.item():.3g}"
            raise ValueError(f"{name} must have rows of norm 1 (within {allowed:g}), got {got}; {advice}")
    return points


def as_tensor(x: Points) -> Tensor:
    """A tensor as it is; a copy where torch cannot share the memory: foreign byte order, negative strides, read-only."""
    if isinstance(x, Tensor):
        return x
    array = np.asarray(x)
    kind, long = array.dtype, array.dtype == np.longdouble
    if long or kind.kind not in "fiub" or not kind.isnative or not array.flags.writeable:
        array = array.astype(np.float64 if long else kind.newbyteorder("="))
    return torch.as_tensor(np.ascontiguousarray(array) if array.ndim else array)


def _deviation(points: Tensor) -> Tensor:
    """The largest distance of a row's norm from 1, NaN for NaN."""
    kind = torch.promote_types(points.dtype, torch.float32)
    return (torch.linalg.vector_norm(points, dim=-1, dtype=kind) - 1).abs().max()


def as_pairs(u: Points, v: Points, *, at_least: int = 2, matched: bool = True) -> tuple[Tensor, Tensor]:
    """Validate two sets of points ``u``, ``v`` of one shape ``[..., N, d]``, with ``N >= at_least``.

    Sets that are not ``matched`` may differ in their number of points.

    Raises
    ------
    ValueError
        As :func:`as_points`; for different shapes, types or devices; for fewer than ``at_least`` pairs.
    """
    u, v = as_points(u, "u"), as_points(v, "v")
    if u.shape != v.shape and (matched or (*u.shape[:-2], u.shape[-1]) != (*v.shape[:-2], v.shape[-1])):
        allowed, got = "" if matched else " but for N", f"{tuple(u.shape)} and {tuple(v.shape)}"
        raise ValueError(f"u and v must have the same shape [..., N, d]{allowed}, got {got}")
    if u.device != v.device:
        raise ValueError(f"u and v must be on one device, got {u.device} and {v.device}")
    if (least := min(u.shape[-2], v.shape[-2])) < at_least:
        raise ValueError(f"n_pairs must be at least {at_least}, got {least}")
    dtype = torch.promote_types(u.dtype, v.dtype)
    return u.to(dtype), v.to(dtype)


def normalize(x: Points) -> Tensor:
    """Rows divided by their Euclidean norm; shape ``[..., N, d]`` is kept.

    Raises
    ------
    ValueError
        For non-finite entries or a zero row.

    Examples
    --------
    >>> normalize([[3.0, 4.0]]).tolist()
    [[0.6, 0.8]]
    """
    points = as_points(x, "x", unit=False)
    norms = points.norm(dim=-1, keepdim=True)
    if not holds((norms > 0).all()):
        raise ValueError("x must have no zero rows: a zero vector has no direction")
    return points / norms


def random_points(n_pairs: int, dim: int, *, seed: int, stream: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """``n_pairs`` independent uniform points of the sphere in ``R^dim``: normalised Gaussians, shape ``[N, d]``.

    The draw is made on the CPU in float64 from ``numpy.random.default_rng([seed, stream])``, so that a seed means the
    same points on every device, in every precision and in every batch.

    Parameters
    ----------
    seed, stream:
        Non-negative integers. Streams of one seed are independent (one per modality, say).

    Raises
    ------
    ValueError
        If ``n_pairs`` or ``dim`` is below 1 or ``seed`` or ``stream`` is negative.

    Examples
    --------
    >>> random_points(5, 3, seed=0).shape
    torch.Size([5, 3])
    """
    shape = integer(n_pairs, "n_pairs", 1), integer(dim, "dim", 1)
    rng = np.random.default_rng([integer(seed, "seed", 0), integer(stream, "stream", 0)])
    return normalize(torch.from_numpy(rng.standard_normal(shape))).to(dtype)


def tangent(x: Tensor, gradient: Tensor) -> Tensor:
    """Projection of ``gradient`` on the tangent space of the sphere at each row of ``x``: ``g - <g, x> x``.

    Examples
    --------
    >>> tangent(torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 3.0]])).tolist()
    [[0.0, 3.0]]
    """
    require(x.shape == gradient.shape, "gradient", f"of the shape of x, {tuple(x.shape)}", tuple(gradient.shape))
    return gradient - (gradient * x).sum(-1, keepdim=True) * x
