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

from constellations.checks import integer, nonnegative

SCRIPTS = ("LATIN", "GREEK", "CYRILLIC")


@dataclass(frozen=True)
class Glyphs:
    """Characters, their names and their pictures ``[N, size, size]`` (float32, ink in [0, 1])."""

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


def draw_glyphs(*, scripts: Sequence[str] | None = SCRIPTS, size: int = 32, least_distance: float = 2.0) -> Glyphs:
    """The named letters, numbers, symbols and punctuation marks of DejaVu Sans whose name begins with a script.

    Parameters
    ----------
    scripts:
        First words of names, for example ``("LATIN", "GREEK")``; ``None`` takes all.
    size:
        Height and width of the canvas, 16 to 128 pixels.
    least_distance:
        In order of code points, a glyph is dropped if its squared distance from one already kept is below this (at a
        size of 32; in units of fully inked pixels). 0 keeps all, homoglyphs included.

    Raises
    ------
    ValueError
        For a size or distance out of range, or scripts that the font does not have.

    Examples
    --------
    >>> greek = draw_glyphs(scripts=["GREEK"])
    >>> greek.characters[greek.captions.index("GREEK SMALL LETTER ALPHA")], greek.images.shape[1:]
    ('α', (32, 32))
    """
    if integer(size, "size", 16) > 128:
        raise ValueError(f"size must be an integer from 16 to 128, got {size!r}")
    nonnegative(least_distance, "least_distance")
    names = {chr(code): unicodedata.name(chr(code), "") for code in sorted(_font_map())}
    chosen = [c for c, name in names.items() if name and _wanted(c, name, scripts)]
    if len(chosen) < 2:
        known = ", ".join(sorted({name.split()[0] for name in names.values() if name})[:12])
        raise ValueError(f"scripts must begin at least two names of the font ({known}, ...), got {scripts!r}")
    pictures = _draw(chosen, size)
    inked = np.flatnonzero(pictures.any(axis=(1, 2)))
    found = Glyphs(tuple(chosen), tuple(names[c] for c in chosen), pictures).take(inked)
    return found.take(_apart(found.images, least_distance * (size / 32) ** 2)) if least_distance else found


def font_path() -> Path:
    """The font file that matplotlib carries; its licence lies beside it."""
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def _font_map() -> dict[int, int]:
    return dict(FT2Font(str(font_path())).get_charmap())


def _wanted(character: str, name: str, scripts: Sequence[str] | None) -> bool:
    kind = unicodedata.category(character)[0] in "LNSP"
    return kind and (scripts is None or name.split()[0] in scripts)


def _draw(characters: Sequence[str], size: int) -> np.ndarray:
    font = ImageFont.truetype(str(font_path()), round(size * 20 / 32))
    place = (size // 2, round(size * 23 / 32))
    pictures = np.empty((len(characters), size, size), dtype=np.float32)
    for k, character in enumerate(characters):
        canvas = Image.new("L", (size, size), 0)
        ImageDraw.Draw(canvas).text(place, character, font=font, fill=255, anchor="ms")
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
