"""Paired features for two encoders: of glyphs and their names, or a reader's own; whitening; held-out splits."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from companion.studies.glyphs import Glyphs
from constellations.checks import integer
from constellations.geometry.files import read_array


@dataclass(frozen=True)
class PairedFeatures:
    """Features of matching rows: ``image [N, D1]``, ``text [N, D2]`` (float32) and a name for every pair."""

    image: np.ndarray
    text: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Split:
    """Positions of the training and of the held-out pairs; ``held_out_groups`` names what training never saw."""

    train: np.ndarray
    test: np.ndarray
    held_out_groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Whitening:
    """An affine map to uncorrelated coordinates of unit variance: ``(x - mean) @ matrix``."""

    mean: np.ndarray
    matrix: np.ndarray

    def __call__(self, features: ArrayLike) -> np.ndarray:
        """``[N, D]`` to ``[N, n_components]``, float32."""
        return ((np.asarray(features) - self.mean) @ self.matrix).astype(np.float32)


def text_features(captions: Sequence[str], *, bigrams: bool = True) -> np.ndarray:
    """Signed hashed counts ``[N, 1024]`` of words, letter trigrams and (``bigrams``) neighbouring words.

    Without word bigrams the order of words is all but lost: "... WITH DIAERESIS AND MACRON" and "... WITH MACRON AND
    DIAERESIS" get the same features. The hash is CRC-32, the same in every process.
    """
    if not captions:
        raise ValueError("captions must not be empty")
    features = np.zeros((len(captions), 1024), dtype=np.float32)
    for row, caption in zip(features, captions, strict=True):
        for part in _parts(caption, bigrams):
            code = zlib.crc32(part.encode())
            row[code % len(row)] += 1 if code >> 31 else -1
    return features


def _parts(caption: str, bigrams: bool) -> Iterator[str]:
    words = caption.split()
    yield from (f"word {word}" for word in words)
    if bigrams:
        yield from (f"words {a} {b}" for a, b in pairwise(words))
    for word in words:
        padded = f"<{word}>"
        yield from (padded[k : k + 3] for k in range(len(padded) - 2))


def fit_whitening(features: ArrayLike, *, n_components: int) -> Whitening:
    """Whiten along the ``n_components`` principal axes of ``[N, D]``, or as many as have a variance to speak of.

    Axes are signed so that their largest coordinate is positive: the same data give the same coordinates.

    Raises
    ------
    ValueError
        For fewer than two rows, constant features or ``n_components < 1``.
    """
    x = np.asarray(features, dtype=np.float64)
    integer(n_components, "n_components", 1)
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"features must be [N, D] with N >= 2, got {x.shape}")
    mean = x.mean(0)
    variances, axes = np.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    variances, axes = variances[::-1], axes[:, ::-1]
    n = min(n_components, int((variances > 1e-6 * max(variances[0], 0.0)).sum()))
    if not variances[0] > 1e-12:
        raise ValueError("features must not be constant: every row is the same")
    axes = axes[:, :n] * np.sign(axes[np.abs(axes[:, :n]).argmax(0), np.arange(n)])
    return Whitening(mean, axes / np.sqrt(variances[:n]))


def whiten_pairs(
    data: PairedFeatures, train: Sequence[int] | np.ndarray, *, n_components: int
) -> tuple[np.ndarray, np.ndarray]:
    """Both sides of all pairs, whitened by the statistics of the pairs at the positions ``train`` alone."""
    image, text = (fit_whitening(x[train], n_components=n_components)(x) for x in (data.image, data.text))
    return image, text


def random_split(n_pairs: int, *, held_out: float, seed: int) -> Split:
    """Hold out a random fraction of the pairs, at least two of them, and leave at least two.

    Raises
    ------
    ValueError
        For fewer than four pairs or a fraction outside (0, 1).
    """
    _check_split(n_pairs, held_out)
    order = np.random.default_rng(seed).permutation(n_pairs)
    n_test = min(max(2, round(held_out * n_pairs)), n_pairs - 2)
    return Split(np.sort(order[n_test:]), np.sort(order[:n_test]))


def split_by(captions: Sequence[str], part: Literal["base letter", "accent"], *, held_out: float, seed: int) -> Split:
    """Hold out whole groups of captions: letters, or accents (what follows WITH), that training never sees.

    Groups are drawn at random until a fraction ``held_out`` of the captions is held out. Captions without an accent
    are never held out by accent.

    Raises
    ------
    ValueError
        For an unknown part, a fraction outside (0, 1), or captions that do not fall into at least two groups.
    """
    _check_split(len(captions), held_out)
    if part not in ("base letter", "accent"):
        raise ValueError(f"part must be 'base letter' or 'accent', got {part!r}")
    keys = [base_letter(caption) if part == "base letter" else accent(caption) for caption in captions]
    groups = sorted(set(keys) - {""})
    order = np.random.default_rng(seed).permutation(len(groups))
    chosen: list[str] = []
    while sum(key in chosen for key in keys) < max(2, held_out * len(keys)):
        if len(chosen) + 1 >= len(groups):
            raise ValueError(f"captions must have more groups by {part}, got {len(groups)}")
        chosen.append(groups[order[len(chosen)]])
    test = np.array([key in chosen for key in keys])
    return Split(np.flatnonzero(~test), np.flatnonzero(test), tuple(sorted(chosen)))


def base_letter(caption: str) -> str:
    """``LATIN O`` for LATIN SMALL LETTER O WITH GRAVE, and for its capital."""
    words = caption.partition(" WITH ")[0].split()
    return " ".join(word for word in words if word not in ("SMALL", "CAPITAL", "LETTER"))


def accent(caption: str) -> str:
    """What follows WITH; empty for a plain letter."""
    return caption.partition(" WITH ")[2]


def _check_split(n_pairs: int, held_out: float) -> None:
    if n_pairs < 4 or not 0 < held_out < 1:
        raise ValueError(f"n_pairs must be at least 4 and held_out in (0, 1), got {n_pairs} and {held_out!r}")


def glyph_features(found: Glyphs) -> PairedFeatures:
    """Pixels and hashed captions of glyphs, ready for :func:`fit_whitening`."""
    return PairedFeatures(found.images.reshape(len(found), -1), text_features(found.captions), found.captions)


def read_features(images: str | Path, texts: str | Path = "") -> PairedFeatures:
    """A reader's own pairs: row i of one array matches row i of the other.

    ``file.npz``, ``.safetensors`` or ``.parquet`` with entries (columns) ``image`` and ``text``; or two files, each as
    :func:`constellations.geometry.files.read_array` reads it (``file.npz:entry`` picks an entry).

    Raises
    ------
    ValueError
        For files that cannot be read, other shapes than ``[N, D]``, different ``N``, fewer than 8 pairs, NaN.
    """
    places = (str(images), str(texts)) if str(texts) else (f"{images}:image", f"{images}:text")
    arrays = []
    for place in places:
        array = read_array(place)
        if array.ndim != 2 or 0 in array.shape or array.is_complex():
            raise ValueError(f"{place} must hold real numbers of shape [N, D], got {tuple(array.shape)}")
        arrays.append(array.float().numpy())
        if not np.isfinite(arrays[-1]).all():
            raise ValueError(f"{place} must be finite, got NaN or infinity")
    if len(arrays[0]) != len(arrays[1]) or len(arrays[0]) < 8:
        counts = f"{len(arrays[0])} and {len(arrays[1])}"
        raise ValueError(f"{places[0]} and {places[1]} must hold the same N >= 8 rows, got {counts}")
    return PairedFeatures(arrays[0], arrays[1], tuple(f"row {i}" for i in range(len(arrays[0]))))
