"""The exact largest non-matching inner product, and who is beaten in retrieval, for sets too large for a matrix.

Blocks of inner products are screened in eight-bit integers with rigorous error bounds (:mod:`constellations.screening`);
only rows that might hold a new maximum, or a rival of their own caption, are multiplied again in float32, and
candidates for the maximum in float64. What is reported is therefore what a full float32 pass would report.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
import tqdm
from torch import Tensor

from constellations import screening

IMAGE_BLOCK, TEXT_BLOCK = 512, 8192
FLOAT32_ROUNDING = 2e-6
MOST_CANDIDATES = 3_000  # listed pairs cost memory traffic, a product of whole rows arithmetic
SMALL = 2**22  # below this many inner products, screening is not worth its preparation


@dataclass(frozen=True)
class Extremes:
    """Matching and largest non-matching inner products of ``M`` images and ``N`` texts, ``labels[i]`` the text of image i.

    ``matching`` is float64 ``[M]``; ``beaten[i]`` says that some other text is at least as close to image ``i`` as its own;
    ``kept_directions`` is the number of directions screened, or ``None`` if every product was made in float32.
    """

    matching: np.ndarray
    max_non_matching: float
    non_matching_index: tuple[int, int]
    beaten: np.ndarray
    kept_directions: int | None

    @property
    def min_matching(self) -> float:
        """``min_i s_i,label(i)``."""
        return float(self.matching.min())

    @property
    def matching_index(self) -> int:
        """The image that attains :attr:`min_matching`."""
        return int(self.matching.argmin())


def extremes(
    images: Tensor,
    texts: Tensor,
    labels: Tensor,
    *,
    screen: bool | None = None,
    progress: bool = False,
) -> Extremes:
    """Scan all inner products of ``images [M, d]`` and ``texts [N, d]`` (unit rows, ``N >= 2``) in blocks.

    Memory is ``O((M + N) d)``: no block is larger than 512 x 8,192.

    Parameters
    ----------
    labels:
        ``[M]`` integers: image ``i`` matches text ``labels[i]`` alone.
    screen:
        Screen in integers first (``True``), never (``False``), or where it pays and works (``None``).
    progress:
        Show a progress bar.
    """
    if screen is None:
        screen = len(images) * len(texts) > SMALL and screening.available(images.shape[1])
    scan = _Scan(images, texts, labels, screen=screen)
    blocks = range(0, len(texts), TEXT_BLOCK)
    with tqdm.tqdm(total=len(blocks) * len(images), disable=not progress, unit="row", desc="extremes") as bar:
        for start in blocks:
            block = scan.open_block(start)
            for first in range(0, len(images), IMAGE_BLOCK):
                scan.visit(first, min(first + IMAGE_BLOCK, len(images)), start, block)
                bar.update(min(IMAGE_BLOCK, len(images) - first))
    kept = scan.screen.kept if scan.screen else None
    return Extremes(scan.matching.numpy(), scan.best, scan.witness, scan.beaten.numpy(), kept)


class _Scan:
    """What is known so far: the best non-matching inner product, its witness, and the rows already beaten."""

    def __init__(self, images: Tensor, texts: Tensor, labels: Tensor, *, screen: bool) -> None:
        self.images, self.texts, self.labels = images, texts, labels
        self.images32, self.texts32 = images.float(), texts.float()
        self.matching = torch.empty(len(images), dtype=torch.float64)
        for first in range(0, len(images), TEXT_BLOCK):
            rows = torch.arange(first, min(first + TEXT_BLOCK, len(images)))
            self.matching[rows] = self.products(rows, labels[rows])
        self.own = self.matching.float()
        self.beaten = torch.zeros(len(images), dtype=torch.bool)
        self.best, self.witness = -np.inf, (0, 0)
        self.screen = None
        if screen:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.screen = screening.Screen(self.images32, self.texts32)
            self._first_guess()

    def products(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Float64 inner products of listed pairs."""
        return (self.images[rows].double() * self.texts[columns].double()).sum(1)

    def _first_guess(self) -> None:
        """A maximum over some rows, so that most blocks are ruled out from the start."""
        rows = torch.linspace(0, len(self.images) - 1, max(1, min(1024, len(self.images) // 16))).long()
        for start in range(0, len(self.texts), TEXT_BLOCK):
            self.refine(rows, start)

    def open_block(self, start: int) -> screening.Block | None:
        """Prepare texts ``start`` and following."""
        return self.screen.block(start, min(start + TEXT_BLOCK, len(self.texts))) if self.screen else None

    def visit(self, first: int, last: int, start: int, block: screening.Block | None) -> None:
        """Rule rows ``first:last`` out against one block of texts, or refine them."""
        if self.screen is None or block is None:
            self.refine(torch.arange(first, last), start)
            return
        codes = self.screen.codes(first, last, block)
        _mask_matching(codes, self.labels[first:last] - start, 0)
        top = self.screen.values(codes.amax(1))
        slack = self.screen.slack(first, last, block)
        beaten, own = self.beaten[first:last], self.own[first:last]
        beaten |= top - slack > own + FLOAT32_ROUNDING
        wanted = torch.where(beaten, self.best, own.clamp_max(self.best)) - slack - FLOAT32_ROUNDING
        open_rows = (top >= wanted).nonzero()[:, 0]
        if not len(open_rows):
            return
        lowest = self.screen.code(wanted[open_rows])
        candidates = (codes[open_rows] >= lowest[:, None]).nonzero()
        if len(candidates) > MOST_CANDIDATES:
            self.refine(open_rows + first, start)
        else:
            row, column = open_rows[candidates[:, 0]] + first, candidates[:, 1] + start
            self._decide(row[column != self.labels[row]], column[column != self.labels[row]])

    def refine(self, rows: Tensor, start: int) -> None:
        """Multiply ``rows`` with one block of texts in float32, and what might decide anything in float64."""
        block = self.texts32[start : start + TEXT_BLOCK]
        s = self.images32[rows] @ block.T
        _mask_matching(s, self.labels[rows] - start, -torch.inf)
        top, column = s.max(1)
        self.beaten[rows] |= top > self.own[rows] + FLOAT32_ROUNDING
        near = (top - self.own[rows]).abs() <= FLOAT32_ROUNDING
        near |= top >= max(self.best, top.max().item()) - FLOAT32_ROUNDING
        if near.any():
            self._decide(rows[near], column[near] + start)

    def _decide(self, rows: Tensor, columns: Tensor) -> None:
        values = self.products(rows, columns)
        values[columns == self.labels[rows]] = -torch.inf  # a block that holds nothing but the matching text
        self.beaten[rows[values >= self.matching[rows]]] = True
        if not len(values):
            return
        value, k = values.max(0)
        if value.item() > self.best:
            self.best, self.witness = value.item(), (int(rows[k]), int(columns[k]))


def _mask_matching(block: Tensor, columns: Tensor, value: float) -> None:
    inside = ((columns >= 0) & (columns < block.shape[1])).nonzero()[:, 0]
    block[inside, columns[inside]] = value
