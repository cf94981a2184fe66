"""Reading embeddings from .npy, .npz, .safetensors and .parquet files, with errors that name the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

SUFFIXES = (".npy", ".npz", ".safetensors", ".parquet")


def read_array(path: str | Path) -> Tensor:
    """One array from a file; ``file.npz:name`` picks an entry (or column) where there are several.

    A parquet file may hold one list-valued column (a vector per row) or only numeric columns (a coordinate each).

    Raises
    ------
    ValueError
        For a missing or unreadable file, another suffix, an unknown entry or one that must be chosen.
    """
    file, entry = _split(str(path))
    if file.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{file} must end in one of {', '.join(SUFFIXES)}")
    if not file.is_file():
        raise ValueError(f"no such file: {file}")
    readers = {
        ".npy": _read_npy,
        ".npz": _read_npz,
        ".safetensors": _read_safetensors,
        ".parquet": _read_parquet,
    }
    try:
        array = readers[file.suffix.lower()](file, entry)
        return array if isinstance(array, Tensor) else torch.from_numpy(np.array(array))
    except ImportError as error:
        raise ValueError(
            f"{file} needs the package {error.name}: pip install 'constellations[book]'"
        ) from error
    except (OSError, TypeError, EOFError, BadZipFile) as error:
        raise ValueError(f"{file} cannot be read: {error}") from error


def read_points(path: str | Path, *, normalize: bool = False) -> Tensor:
    """Embeddings ``[N, d]`` in float32 (float64 files stay float64), finite and of unit norm.

    Half precision is widened and re-normalised, as its rows are off the sphere by rounding. Rows are checked in
    blocks, so that no temporary is as large as the data.

    Raises
    ------
    ValueError
        As :func:`read_array`; for a wrong shape or type, NaN, zero rows, or rows off the sphere without ``normalize``.
    """
    points = read_array(path)
    if points.ndim != 2 or 0 in points.shape or points.is_complex() or points.dtype == torch.bool:
        raise ValueError(
            f"{path} must hold real numbers of shape [N, d], got {points.dtype} {tuple(points.shape)}"
        )
    half = points.dtype in (torch.float16, torch.bfloat16)
    points = points if points.dtype == torch.float64 else points.float()
    for start in range(0, len(points), 8192):
        rows = points[start : start + 8192]
        norms = rows.norm(dim=1, keepdim=True)
        if not bool(torch.isfinite(norms).all()):
            raise ValueError(
                f"{path} must be finite, got NaN or infinity in rows {start} to {start + len(rows) - 1}"
            )
        if not bool((norms > 0).all()):
            raise ValueError(f"{path} must have no zero rows, got row {start + int(norms.argmin())}")
        worst = (norms - 1).abs().max().item()
        if worst > (2e-2 if half else 1e-3) and not normalize:
            raise ValueError(
                f"{path} must have rows of norm 1, got a norm off by {worst:.3g}: "
                "pass --normalize to divide every row by its norm"
            )
        if half or normalize:
            rows /= norms
    return points


def read_labels(path: str | Path, *, n_images: int, n_texts: int) -> Tensor:
    """For every image the row of its text: ``[n_images]`` integers in ``[0, n_texts)``.

    Raises
    ------
    ValueError
        For a wrong shape, fractions, or a row that the texts do not have.
    """
    labels = read_array(path)
    if labels.ndim != 1 or len(labels) != n_images:
        raise ValueError(f"{path} must hold one label per image, {n_images}, got shape {tuple(labels.shape)}")
    return check_labels(labels, n_texts=n_texts, name=str(path))


def check_labels(labels: Any, *, n_texts: int, name: str = "labels") -> Tensor:
    """Labels as int64, each a row of the texts."""
    labels = torch.as_tensor(labels)
    whole = labels.double().round()
    if not bool((labels.double() == whole).all()):
        raise ValueError(f"{name} must be integers, got dtype {labels.dtype} with fractions")
    labels = whole.long()
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < n_texts:
        got = f"{int(labels.min())} to {int(labels.max())}"
        raise ValueError(f"{name} must be rows of the texts, 0 to {n_texts - 1}, got {got}")
    return labels


def _split(path: str) -> tuple[Path, str | None]:
    head, colon, tail = path.rpartition(":")
    if colon and Path(head).suffix.lower() in SUFFIXES:
        return Path(head), tail
    return Path(path), None


def _choose(file: Path, names: list[str], entry: str | None) -> str:
    if entry is None and len(names) == 1:
        return names[0]
    if entry not in names:
        raise ValueError(
            f"{file} holds {', '.join(names) or 'nothing'}: choose one as {file}:NAME, got {entry!r}"
        )
    return entry


def _read_npy(file: Path, entry: str | None) -> Any:
    if entry is not None:
        raise ValueError(f"{file} holds a single array, got the entry {entry!r}")
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise ValueError(f"{file} cannot be read: {error}") from error


def _read_npz(file: Path, entry: str | None) -> Any:
    with np.load(file, allow_pickle=False) as archive:
        return archive[_choose(file, list(archive.files), entry)]


def _read_safetensors(file: Path, entry: str | None) -> Tensor:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as archive:
            return archive.get_tensor(_choose(file, list(archive.keys()), entry))
    except SafetensorError as error:
        raise ValueError(f"{file} cannot be read: {error}") from error


def _read_parquet(file: Path, entry: str | None) -> np.ndarray:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(file)
    lists = [f.name for f in table.schema if hasattr(f.type, "value_type")]
    if entry is None and not lists and len(table.column_names) > 1:
        return np.column_stack([column.to_numpy() for column in table.columns])
    column = table[_choose(file, lists or table.column_names, entry)].combine_chunks()
    if not hasattr(column.type, "value_type"):
        return column.to_numpy(zero_copy_only=False)
    lengths = (
        np.unique(column.value_lengths().to_numpy(zero_copy_only=False)) if len(column) else np.array([0])
    )
    if len(lengths) != 1 or column.null_count:
        raise ValueError(f"{file} must hold vectors of one length, got lengths {lengths.tolist()[:5]}")
    return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)
