"""Reading embeddings, labels and names from files as people keep them, with errors that name the file and the row."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from constellations.atomic import reading
from constellations.checks import require
from constellations.losses.arguments import Labels
from constellations.sphere import as_tensor

INDEX = re.compile(r"__index_level_\d+__|Unnamed: \d+|level_\d+|index")  # how an index column is called


def read_array(path: str | Path) -> Tensor:
    """One array from a file; ``file.npz:name`` picks an entry (or column) where there are several.

    A parquet file may hold one list-valued column (a vector per row) or only numeric columns of one kind (a coordinate
    each); the index that pandas stores beside them is no coordinate.
    """
    head, colon, tail = str(path).rpartition(":")
    file, entry = (Path(head), tail) if colon and Path(head).suffix.lower() in READERS else (Path(path), None)
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise ValueError(f"{file} must end in one of {', '.join(READERS)}")
    with reading(file):
        array = reader(file, entry)
        if not isinstance(array, Tensor) and array.dtype.kind not in "biufc":
            raise ValueError(f"{file} must hold numbers, got dtype {array.dtype}")
        return array if isinstance(array, Tensor) else as_tensor(np.array(array))


def read_points(path: str | Path, *, normalize: bool = False) -> Tensor:
    """Embeddings ``[N, d]`` in float32 (float64 files stay float64), finite and of unit norm.

    Half precision is widened and re-normalised, as its rows are off the sphere by rounding. Rows are checked in
    blocks, so that no temporary is as large as the data.
    """
    points = read_array(path)
    if points.ndim != 2 or 0 in points.shape or points.is_complex() or points.dtype == torch.bool:
        got = f"{points.dtype} {tuple(points.shape)}"
        raise ValueError(f"{path} must hold real numbers of shape [N, d], got {got}")
    half = points.dtype in (torch.float16, torch.bfloat16)
    points = points if points.dtype == torch.float64 else points.float()
    allowed = torch.inf if normalize else 2e-2 if half else 1e-3
    advice = "have rows of norm 1 (pass --normalize to divide every row by its norm)"
    for start in range(0, len(points), 8192):
        rows = points[start : start + 8192]
        norms = rows.norm(dim=1)
        wrong = {"be finite": ~norms.isfinite(), "have no zero rows": norms == 0, advice: (norms - 1).abs() > allowed}
        for rule, found in wrong.items():
            for k in found.nonzero()[:1, 0].tolist():
                raise ValueError(f"{path} must {rule}, got norm {norms[k]:.5g} in row {start + k}")
        if half or normalize:
            rows /= norms[:, None]
    return points


def read_labels(paths: Sequence[str | Path], *, n_images: int, n_texts: int) -> Labels:
    """Which pairs match, from one file or two, as :func:`constellations.geometry.separation` takes it.

    One file of integers: for every image the row of its text, or, where the counts differ, for every text the row of its
    image (five captions an image). One of booleans or of 0 and 1, ``[n_images, n_texts]``: relevance. Two: group ids.
    """
    require(len(paths) in (1, 2), "labels", "one file, or two of group ids", len(paths))
    arrays = [read_array(path) for path in paths]
    for path, array in zip(paths, arrays, strict=True):
        if array.is_complex() or bool((array.double() != array.double().round()).any()):
            raise ValueError(f"{path} must hold integers, got dtype {array.dtype} with fractions")
    first, *other = (array.long() for array in arrays)
    if other:
        return first, other[0]
    if first.shape == (n_images, n_texts) and bool(((first == 0) | (first == 1)).all()):
        return first.bool()
    shape, allowed = tuple(first.shape), f"one label per image, {n_images}, or per text, {n_texts}"
    require(shape in ((n_images,), (n_texts,)), str(paths[0]), allowed, shape)
    count, what = (n_texts, "texts") if len(first) == n_images else (n_images, "images")
    for k in ((first < 0) | (first >= count)).nonzero()[:1, 0].tolist():
        raise ValueError(f"{paths[0]} must hold rows of the {what}, 0 to {count - 1}, got {first[k]} in row {k}")
    return (first, torch.arange(n_texts)) if what == "texts" else (torch.arange(n_images), first)


def read_names(path: str | Path, *, n_rows: int) -> list[str]:
    """A name for every row: lines of text, or a JSON list."""
    with reading(path) as file:
        text = file.read_text(encoding="utf-8-sig")
        names = json.loads(text) if file.suffix.lower() == ".json" else text.splitlines()
        if not isinstance(names, list) or len(names) != n_rows:
            raise ValueError(f"{file} must hold one name per row, {n_rows}, got {len(names)}")
    return [str(name) for name in names]


def _choose(file: Path, names: list[str], entry: str | None) -> str:
    if entry is None and len(names) == 1:
        return names[0]
    if entry not in names:
        held = ", ".join(names) or "nothing"
        raise ValueError(f"{file} holds {held}: choose one as {file}:NAME, got {entry!r}")
    return entry


def _read_npy(file: Path, entry: str | None) -> Any:
    if entry is not None:
        raise ValueError(f"{file} holds a single array, got the entry {entry!r}")
    return np.load(file, mmap_mode="r", allow_pickle=False)


def _read_npz(file: Path, entry: str | None) -> Any:
    with np.load(file, allow_pickle=False) as archive:
        if not hasattr(archive, "files"):
            raise ValueError(f"{file} is a single array: call it .npy")
        return archive[_choose(file, list(archive.files), entry)]


def _read_safetensors(file: Path, entry: str | None) -> Tensor:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as archive:
        return archive.get_tensor(_choose(file, list(archive.keys()), entry))


def _read_parquet(file: Path, entry: str | None) -> np.ndarray:
    import pandas as pd

    frame = pd.read_parquet(file, partitioning=None).rename(columns=str)  # what pandas stored as index is no column
    first = {name: next(iter(frame[name].dropna()), np.empty(0)) for name in frame if frame[name].dtype == object}
    lists = [name for name, value in first.items() if isinstance(value, np.ndarray)]
    if entry is None and not lists and frame.shape[1] > 1:
        kinds = {name: kind.kind for name, kind in frame.dtypes.items()}
        allowed = "f" if "f" in kinds.values() else "iu"
        wrong = [name for name, kind in kinds.items() if kind not in allowed or INDEX.fullmatch(name)]
        if wrong:
            advice = "drop them, or store the vectors as one list-valued column"
            raise ValueError(f"{file} must hold coordinates alone, got columns {', '.join(wrong[:5])}: {advice}")
        return frame.to_numpy()
    name = _choose(file, [*frame] if entry else lists or [*frame], entry)
    if name not in lists:
        return frame[name].to_numpy()
    lengths = sorted({np.size(x) if isinstance(x, np.ndarray) else 0 for x in frame[name]})
    if len(lengths) != 1:
        raise ValueError(f"{file} must hold vectors of one length, got lengths {lengths[:5]}")
    return np.stack(frame[name].to_numpy())


READERS = {".npy": _read_npy, ".npz": _read_npz, ".safetensors": _read_safetensors, ".parquet": _read_parquet}
