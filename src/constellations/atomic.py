"""Reading and writing files: errors name the file, and an interrupted run never leaves half of one behind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from constellations.checks import first_line


@contextmanager
def reading(path: str | os.PathLike[str], *, kind: str = "", advice: str = "", extra: str = "book") -> Iterator[Path]:
    """Yield an existing file; whatever its reader raises in the block becomes one ValueError that names the file.

    ``kind`` (" as an image") and ``advice`` (": repair or remove it") frame what the reader says; ``extra`` holds the
    packages that a reader may lack. A ValueError that names the file already is passed on.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} is a folder, not a file" if path.is_dir() else f"no such file: {path}")
    try:
        with path.open("rb") as file:
            start = file.read(64)
        if start.startswith(b"version https://git-lfs"):
            raise ValueError("it is a Git LFS pointer, not the data; run 'git lfs pull' where it came from")
        if not start:
            raise ValueError("it has 0 bytes")
        yield path
    except ImportError as error:
        needs = f"{path} needs the package {error.name}"
        raise ValueError(f'{needs}: pip install --editable ".[{extra}]"') from error
    except Exception as error:  # damaged files make readers raise anything
        if isinstance(error, ValueError) and str(error).startswith(str(path)):
            raise
        raise ValueError(f"{path} cannot be read{kind}: {first_line(error)}{advice}") from error


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A JSON object from a file."""
    with reading(path) as file:
        return dict(json.loads(file.read_text(encoding="utf-8")))


def write_json(target: str | os.PathLike[str], content: Mapping[str, Any]) -> None:
    """A JSON object into a file, in one move."""
    with replace_on_success(target) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def check_writable(target: str | os.PathLike[str]) -> None:
    """A ValueError unless a file can be written there: asked before long work starts."""
    _reserve(Path(target)).unlink()


@contextmanager
def replace_on_success(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``target``; move it over ``target`` if the block succeeds, delete it otherwise.

    The folder is created if needed. A ValueError names a place that cannot be written.
    """
    target = Path(target)
    temporary = _reserve(target)
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _reserve(target: Path) -> Path:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    if target.is_dir():
        raise ValueError(f"cannot write {target}: it is a folder; give the name of a file")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"cannot write {target}: {reason}; choose a folder you may write to") from error
    return temporary
