"""The glyphs of a font and their Unicode names: real pairs of a picture and a caption, without a download.

The font is DejaVu Sans, which matplotlib carries, the names are those of :mod:`unicodedata`, which never change. Each
glyph is drawn on the same canvas with the same baseline, so that case, accents, sub- and superscripts stay visible.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from constellations.checks import nonnegative

SCRIPTS, SIZE = ("LATIN", "GREEK", "CYRILLIC"), 32  # first words of names; height and width of the canvas in pixels


@dataclass(frozen=True)
class Glyphs:
    """Characters, their names and their pictures ``[N, 32, 32]`` (float32, ink in [0, 1])."""

    characters: tuple[str, ...]
    captions: tuple[str, ...]
    images: np.ndarray

    def __len__(self) -> int:
        return len(self.captions)

    def take(self, indices: Iterable[int]) -> Glyphs:
        """The glyphs at these positions, in this order."""
        chosen = [int(i) for i in indices]
        characters = tuple(self.characters[i] for i in chosen)
        return Glyphs(characters, tuple(self.captions[i] for i in chosen), self.images[chosen])


def draw_glyphs(*, least_distance: float = 2.0) -> Glyphs:
    """The letters, numbers, symbols and punctuation marks of DejaVu Sans whose names begin with one of ``SCRIPTS``.

    In order of code points, a glyph is dropped if its squared distance from one already kept is below ``least_distance``
    (in units of fully inked pixels); 0 keeps all, homoglyphs included.

    >>> found = draw_glyphs()
    >>> found.characters[found.captions.index("GREEK SMALL LETTER PHI")], found.images.shape[1:]
    ('φ', (32, 32))
    """
    nonnegative(least_distance, "least_distance")
    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"  # its licence lies beside it
    names = {chr(code): unicodedata.name(chr(code), "") for code in sorted(FT2Font(str(file)).get_charmap())}
    kinds = {c: name.partition(" ")[0] for c, name in names.items() if unicodedata.category(c)[0] in "LNSP"}
    chosen = [c for c, script in kinds.items() if script in SCRIPTS]
    pictures = _draw(chosen, ImageFont.truetype(str(file), 20))
    inked = np.flatnonzero(pictures.any(axis=(1, 2)))
    found = Glyphs(tuple(chosen), tuple(names[c] for c in chosen), pictures).take(inked)
    return found.take(_apart(found.images, least_distance)) if least_distance else found


def _draw(characters: Sequence[str], font: ImageFont.FreeTypeFont) -> np.ndarray:
    pictures = np.empty((len(characters), SIZE, SIZE), dtype=np.float32)
    for k, character in enumerate(characters):
        canvas = Image.new("L", (SIZE, SIZE), 0)
        ImageDraw.Draw(canvas).text((16, 23), character, font=font, fill=255, anchor="ms")
        pictures[k] = np.asarray(canvas, dtype=np.float32) / 255
    return pictures


def _apart(pictures: np.ndarray, least: float) -> list[int]:
    """Positions of pictures that keep a squared distance of ``least`` from all kept before them."""
    flat = pictures.reshape(len(pictures), -1)
    norms = (flat**2).sum(1)
    near = norms[:, None] + norms - 2 * flat @ flat.T < least
    kept: list[int] = []
    for i in range(len(flat)):
        if not near[i, kept].any():
            kept.append(i)
    return kept


def homoglyphs(found: Glyphs) -> list[tuple[int, ...]]:
    """Groups of two or more positions with byte-identical pictures (A, Alpha and Cyrillic A).

    Whatever the encoders, two pairs with one picture have ``s_ii = s_ji`` and ``s_jj = s_ij``, so that ``m* <= 0``.
    """
    groups: dict[bytes, list[int]] = {}
    for i, picture in enumerate(found.images):
        groups.setdefault(picture.tobytes(), []).append(i)
    return [tuple(group) for group in groups.values() if len(group) > 1]
