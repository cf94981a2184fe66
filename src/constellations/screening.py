"""Upper bounds of many inner products at once, in eight-bit integers: twice as fast as float32, and rigorous.

A screen may not say which inner product is the largest, but it says which ones cannot be. :mod:`constellations.extremes`
recomputes the few that remain. The bound of every entry is the integer product plus what quantisation and the dropped
directions can hide, by Cauchy-Schwarz: ``|<e_u, v>| + |<u', e_v>| + |<r_u, r_v>|``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

ENGINE = "onednn"
# Activations keep 7 bits so that no pair of products can overflow the 16-bit sums of processors without VNNI.
ACTIVATION_LEVELS, WEIGHT_LEVELS, OUTPUT_LEVELS = 63, 127, 127
ROUNDING = 1e-4  # float32 rounding of rotations, norms and scales: far above what dimension 10^4 can produce
MIN_DIM = 32


@dataclass(frozen=True)
class Quantised:
    """One set of points in integers: ``error`` is each row's ``|x - x'|``, ``residual`` what the rotation dropped."""

    codes: Tensor
    scale: float
    length: Tensor
    error: Tensor
    residual: Tensor


@dataclass(frozen=True)
class Block:
    """Texts ``start:stop`` packed for products, with the largest norms their rows enter a bound with."""

    start: int
    stop: int
    packed: Any
    length: float
    error: float
    residual: float


class Screen:
    """Screens inner products of ``images [M, d]`` and ``texts [N, d]`` (float32, norm at most 1).

    The points are rotated to principal directions of both sets; trailing directions are dropped while they can add
    at most ``tolerance`` to an inner product, and the rest is mixed by a seeded random rotation, so that all
    coordinates have the same spread and quantise well.
    """

    def __init__(self, images: Tensor, texts: Tensor, *, tolerance: float = 0.01, seed: int = 0) -> None:
        rotation = _rotation(images, texts, tolerance=tolerance, seed=seed)
        self.kept = rotation.shape[1]
        self.images = _quantise(images, rotation, ACTIVATION_LEVELS)
        self.texts = _quantise(texts, rotation, WEIGHT_LEVELS)

    def block(self, start: int, stop: int) -> Block:
        """Pack texts ``start:stop``."""
        texts, rows = self.texts, slice(start, stop)
        with _engine():
            weights = torch._make_per_tensor_quantized_tensor(texts.codes[rows], texts.scale, 0)
            packed = torch.ops.quantized.linear_prepack(weights, None)
        parts = (texts.length[rows], texts.error[rows], texts.residual[rows])
        return Block(start, stop, packed, *(part.max().item() for part in parts))

    def codes(self, start: int, stop: int, block: Block) -> Tensor:
        """Integer inner products ``[stop - start, block]`` as uint8: ``(code - 128) / 127`` is the value."""
        codes = self.images.codes[start:stop]
        points = torch._make_per_tensor_quantized_tensor(codes, self.images.scale, ACTIVATION_LEVELS + 1)
        output = torch.ops.quantized.linear(points, block.packed, 1 / OUTPUT_LEVELS, OUTPUT_LEVELS + 1)
        plain = torch.empty(0, dtype=torch.uint8)
        return plain.set_(output.untyped_storage(), 0, output.shape)  # no copy

    def slack(self, start: int, stop: int, block: Block) -> Tensor:
        """How far the true inner products of each row may be from :meth:`values`, either way."""
        rows, images = slice(start, stop), self.images
        quantised = images.error[rows] * block.length + (images.length[rows] + images.error[rows]) * block.error
        return quantised + images.residual[rows] * block.residual + 0.5 / OUTPUT_LEVELS + ROUNDING

    @staticmethod
    def values(codes: Tensor) -> Tensor:
        """Codes as approximate inner products."""
        return (codes.float() - (OUTPUT_LEVELS + 1)) / OUTPUT_LEVELS

    @staticmethod
    def code(values: Tensor) -> Tensor:
        """The largest code whose value is at most the given one (0 if none is)."""
        return (values * OUTPUT_LEVELS + (OUTPUT_LEVELS + 1)).floor().clamp(0, 255).to(torch.uint8)


@contextmanager
def _engine() -> Iterator[None]:
    before = torch.backends.quantized.engine
    torch.backends.quantized.engine = ENGINE
    try:
        yield
    finally:
        torch.backends.quantized.engine = before


def available(dim: int) -> bool:
    """Whether this build of torch multiplies integers correctly on this processor (checked on a small product)."""
    if dim < MIN_DIM or ENGINE not in torch.backends.quantized.supported_engines:
        return False
    generator = torch.Generator().manual_seed(0)
    points = torch.nn.functional.normalize(torch.randn(96, 256, generator=generator), dim=1)
    points[0], points[1] = 1 / 16, 1 / 16
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            screen = Screen(points, points)
            block = screen.block(0, 96)
            found = screen.values(screen.codes(0, 96, block))
    except (RuntimeError, AttributeError, NotImplementedError):
        return False
    return bool(((found - points @ points.T).abs() <= screen.slack(0, 96, block)[:, None]).all())


def _rotation(images: Tensor, texts: Tensor, *, tolerance: float, seed: int) -> Tensor:
    """Columns: principal directions worth keeping, mixed among themselves."""
    samples = [points[:: max(1, len(points) // 4096)] for points in (images, texts)]
    moments = [sample.double().T @ sample.double() / len(sample) for sample in samples]
    directions = torch.linalg.eigh(moments[0] + moments[1]).eigenvectors.flip(1).float()
    tails = [(sample @ directions).square().flip(1).cumsum(1).flip(1).amax(0).sqrt() for sample in samples]
    kept = int((tails[0] * tails[1] > tolerance).sum())
    kept = min(directions.shape[0], max(MIN_DIM, -(-kept // MIN_DIM) * MIN_DIM))
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.linalg.qr(torch.randn(kept, kept, generator=generator, dtype=torch.float64)).Q
    return (directions[:, :kept].double() @ mixing).float()


def _quantise(points: Tensor, rotation: Tensor, levels: int) -> Quantised:
    """Round rotated coordinates to ``levels`` steps either way, clipped at 5 times their root mean square."""
    sample = points[:: max(1, len(points) // 4096)] @ rotation
    limit = 5 * sample.square().mean().sqrt().item() + 1e-12
    scale, zero = limit / levels, levels + 1 if levels == ACTIVATION_LEVELS else 0
    codes = torch.empty(len(points), rotation.shape[1], dtype=torch.uint8 if zero else torch.int8)
    length, error, residual = (torch.empty(len(points)) for _ in range(3))
    for start in range(0, len(points), 8192):
        rows = slice(start, start + 8192)
        rotated = points[rows] @ rotation
        rounded = (rotated / scale).round_().clamp_(-levels, levels)
        codes[rows] = rounded.add(zero).to(codes.dtype)
        error[rows] = (rotated - rounded * scale).norm(dim=1)
        length[rows] = rotated.norm(dim=1)
        hidden = points[rows].square().sum(1) - rotated.square().sum(1)
        # Float32 squares are right to about 1e-6; a square root near zero magnifies that.
        residual[rows] = (hidden.clamp_min(0) + 2e-6).sqrt() if rotation.shape[1] < points.shape[1] else 0.0
    return Quantised(codes, scale, length, error, residual)
