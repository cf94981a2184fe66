"""The exact largest non-matching inner product, and who is beaten in retrieval, for sets too large for a matrix.

Where the processor multiplies bfloat16 faster than float32, blocks are screened in bfloat16 with a rigorous error
bound. Only what might hold a new maximum, or a rival of an image's own text, is multiplied again in float32, and what
decides in float64: the result is the same with and without the screen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
import tqdm
from torch import Tensor

IMAGE_BLOCK, TEXT_BLOCK = 512, 8192
FLOAT32_ROUNDING = 2e-6
MOST_CANDIDATES = 3_000  # listed pairs cost memory traffic, a product of whole rows arithmetic
SMALL = 2**26  # below this many inner products the float32 pass takes a second


@dataclass(frozen=True)
class Extremes:
    """Matching and largest non-matching inner products of ``M`` images and ``N`` texts, ``labels[i]`` the text of image i.

    ``matching`` is float64 ``[M]``; ``beaten[i]`` says that some other text is at least as close to image ``i`` as its own.
    """

    matching: np.ndarray
    max_non_matching: float
    non_matching_index: tuple[int, int]
    beaten: np.ndarray

    @property
    def min_matching(self) -> float:
        """``min_i s_i,label(i)``."""
        return float(self.matching.min())

    @property
    def matching_index(self) -> int:
        """The image that attains :attr:`min_matching`."""
        return int(self.matching.argmin())


def extremes(
    images: Tensor, texts: Tensor, labels: Tensor, *, screen: bool | None = None, progress: bool = False
) -> Extremes:
    """Scan all inner products of ``images [M, d]`` and ``texts [N, d]`` (unit rows, ``N >= 2``) in blocks.

    Memory is ``O((M + N) d)``: no block is larger than 512 x 8,192.

    Parameters
    ----------
    labels:
        ``[M]`` integers: image ``i`` matches text ``labels[i]`` alone.
    screen:
        Screen in bfloat16 first (``True``), never (``False``), or where that is faster (``None``).
    progress:
        Show a progress bar.
    """
    if screen is None:
        screen = len(images) * len(texts) > SMALL and _bfloat16_is_faster(images.shape[1])
    scan = _Scan(images, texts, labels, screen=screen)
    starts = range(0, len(texts), TEXT_BLOCK)
    with tqdm.tqdm(total=len(starts) * len(images), disable=not progress, unit="row", desc="extremes") as bar:
        for start in starts:
            for first in range(0, len(images), IMAGE_BLOCK):
                rows = torch.arange(first, min(first + IMAGE_BLOCK, len(images)))
                scan.screen(rows, start) if screen else scan.refine(rows, start)
                bar.update(len(rows))
    return Extremes(scan.matching.numpy(), scan.best, scan.witness, scan.beaten.numpy())


class _Rounded:
    """Points in bfloat16, with the length that rounding took from or added to each row."""

    def __init__(self, points: Tensor) -> None:
        self.points = points.bfloat16()
        self.error = torch.empty(len(points))
        for start in range(0, len(points), TEXT_BLOCK):
            rows = slice(start, start + TEXT_BLOCK)
            self.error[rows] = (points[rows] - self.points[rows].float()).norm(dim=1)


class _Scan:
    """What is known so far: the best non-matching inner product, its witness, and the rows already beaten."""

    def __init__(self, images: Tensor, texts: Tensor, labels: Tensor, *, screen: bool) -> None:
        self.images, self.texts, self.labels = images, texts, labels
        self.images32, self.texts32 = images.float(), texts.float()
        self.matching = torch.empty(len(images), dtype=torch.float64)
        for first in range(0, len(images), TEXT_BLOCK):
            rows = torch.arange(first, min(first + TEXT_BLOCK, len(images)))
            self.matching[rows] = self._products(rows, labels[rows])
        self.own = self.matching.float()
        self.beaten = torch.zeros(len(images), dtype=torch.bool)
        self.best, self.witness = -np.inf, (0, 0)
        if screen:
            self.images16, self.texts16 = _Rounded(self.images32), _Rounded(self.texts32)
            sample = torch.linspace(0, len(images) - 1, max(1, min(1024, len(images) // 16))).long()
            for start in range(
                0, len(texts), TEXT_BLOCK
            ):  # a good maximum rules most blocks out from the start
                for rows in sample.split(IMAGE_BLOCK):
                    self.refine(rows, start)

    def screen(self, rows: Tensor, start: int) -> None:
        """Rule consecutive ``rows`` out against one block of texts, or refine them."""
        u, v = slice(int(rows[0]), int(rows[-1]) + 1), slice(start, start + TEXT_BLOCK)
        s = self.images16.points[u] @ self.texts16.points[v].T
        _mask_matching(s, self.labels[rows] - start)
        top = s.amax(1).float()
        slack = _slack(self.images16.error[u], self.texts16.error[v].max())
        self.beaten[u] |= top - slack > self.own[u] + FLOAT32_ROUNDING
        known = torch.where(self.beaten[u], self.best, self.own[u].clamp_max(self.best))
        wanted = known - slack - FLOAT32_ROUNDING
        open_rows = (top >= wanted).nonzero()[:, 0]
        if not len(open_rows):
            return
        candidates = (s[open_rows].float() >= wanted[open_rows, None]).nonzero()
        if len(candidates) > MOST_CANDIDATES:
            self.refine(rows[open_rows], start)
        else:
            self._decide(rows[open_rows[candidates[:, 0]]], candidates[:, 1] + start)

    def refine(self, rows: Tensor, start: int) -> None:
        """Multiply ``rows`` with one block of texts in float32, and what might decide anything in float64."""
        s = self.images32[rows] @ self.texts32[start : start + TEXT_BLOCK].T
        _mask_matching(s, self.labels[rows] - start)
        top, column = s.max(1)
        self.beaten[rows] |= top > self.own[rows] + FLOAT32_ROUNDING
        near = (top - self.own[rows]).abs() <= FLOAT32_ROUNDING
        near |= top >= max(self.best, top.max().item()) - FLOAT32_ROUNDING
        self._decide(rows[near], column[near] + start)

    def _products(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Float64 inner products of listed pairs."""
        return (self.images[rows].double() * self.texts[columns].double()).sum(1)

    def _decide(self, rows: Tensor, columns: Tensor) -> None:
        other = columns != self.labels[rows]  # a block may hold nothing but the matching text
        rows, columns = rows[other], columns[other]
        if not len(rows):
            return
        values = self._products(rows, columns)
        self.beaten[rows[values >= self.matching[rows]]] = True
        value, k = values.max(0)
        if value.item() > self.best:
            self.best, self.witness = value.item(), (int(rows[k]), int(columns[k]))


def _slack(image_errors: Tensor, text_error: Tensor) -> Tensor:
    """``|<u, v> - s16| <= |e_u| |v| + |u'| |e_v|`` plus the result's own rounding, relative ``2^-8`` of at most 1.01."""
    return 1.001 * image_errors + 1.01 * text_error + 1.01 * 2**-8


def _mask_matching(block: Tensor, columns: Tensor) -> None:
    inside = ((columns >= 0) & (columns < block.shape[1])).nonzero()[:, 0]
    block[inside, columns[inside]] = -torch.inf


def _bfloat16_is_faster(dim: int) -> bool:
    """Whether a bfloat16 product takes less than two thirds of the time of a float32 one here."""
    points = torch.ones(IMAGE_BLOCK, dim)
    seconds = []
    for x in (points, points.bfloat16()):
        times = []
        for _ in range(20):  # the first ones warm up
            start = time.perf_counter()
            torch.mm(x, x.T)
            times.append(time.perf_counter() - start)
        seconds.append(min(times))
    return seconds[1] < seconds[0] / 1.5
