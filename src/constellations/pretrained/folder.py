"""Folders of images with one subfolder per class, as ImageNet's validation set is usually kept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")


@dataclass(frozen=True)
class ImageFolder:
    """Images of a folder: ``files[i]`` (relative to ``root``) shows class ``labels[i]``, called ``names[labels[i]]``.

    Classes and files are sorted; ``digest`` is a hash of the list of files with their sizes.
    """

    root: Path
    classes: tuple[str, ...]
    names: tuple[str, ...]
    files: tuple[str, ...]
    labels: tuple[int, ...]
    digest: str


def scan_folder(root: str | Path, *, class_names: str | Path | None = None) -> ImageFolder:
    """List the images in ``root/<class>/``.

    Parameters
    ----------
    class_names:
        What each class is called: a JSON object ``{"n01440764": "tench", ...}`` or a text file with lines
        ``n01440764 tench``. Left out, folder names are used, with underscores as spaces.

    Raises
    ------
    ValueError
        For a folder that is missing or has fewer than two class subfolders, a class without images, or one without name.
    """
    root = Path(root)
    if not root.is_dir():
        raise ValueError(
            f"images must be a folder with one subfolder per class, got {root}, which is no folder"
        )
    classes = sorted(
        entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    )
    if len(classes) < 2:
        raise ValueError(f"{root} must have at least 2 class subfolders, got {len(classes)}")
    files, labels, listing = [], [], hashlib.sha256()
    for label, name in enumerate(classes):
        found = sorted(p for p in (root / name).rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if not found:
            raise ValueError(
                f"{root / name} holds no image ({', '.join(SUFFIXES)}): fill or remove the folder"
            )
        for path in found:
            files.append(path.relative_to(root).as_posix())
            labels.append(label)
            listing.update(f"{files[-1]}\t{path.stat().st_size}\n".encode())
    names = _names(classes, class_names)
    return ImageFolder(root, tuple(classes), names, tuple(files), tuple(labels), listing.hexdigest())


def _names(classes: list[str], class_names: str | Path | None) -> tuple[str, ...]:
    if class_names is None:
        return tuple(name.replace("_", " ") for name in classes)
    path = Path(class_names)
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() == ".json":
            table = {str(key): str(value) for key, value in json.loads(text).items()}
        else:
            table = dict(line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(
            f"class_names must be a JSON object or lines 'folder name', got {path}: {error}"
        ) from error
    missing = [name for name in classes if not table.get(name, "").strip()]
    if missing:
        raise ValueError(f"{path} must name every class, got none for {', '.join(missing[:5])}")
    return tuple(table[name].strip() for name in classes)
