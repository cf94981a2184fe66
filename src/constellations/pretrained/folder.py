"""Folders of images with one subfolder per class, as ImageNet's validation set is usually kept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from constellations.atomic import reading
from constellations.checks import require

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
    """
    root = Path(root)
    require(root.is_dir(), "images", "a folder with one subfolder per class", str(root))
    classes = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not _hidden(entry, root))
    if len(classes) < 2:
        raise ValueError(f"{root} must have at least 2 class subfolders, got {len(classes)}")
    files, labels, listing = [], [], hashlib.sha256()
    for label, name in enumerate(classes):
        inside = (p for p in (root / name).rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        found = sorted(p for p in inside if not _hidden(p, root))
        if not found:
            kinds = ", ".join(SUFFIXES)
            raise ValueError(f"{root / name} holds no image ({kinds}): fill or remove the folder")
        for path in found:
            files.append(path.relative_to(root).as_posix())
            labels.append(label)
            listing.update(f"{files[-1]}\t{path.stat().st_size}\n".encode())
    names = _names(classes, class_names)
    return ImageFolder(root, tuple(classes), names, tuple(files), tuple(labels), listing.hexdigest())


def _hidden(path: Path, root: Path) -> bool:
    """Files of an operating system or an editor: names that begin with a dot, and what macOS puts into archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(root).parts)


def open_image(path: str | Path) -> Any:
    """An image file as an 8-bit RGB picture, as a viewer shows it.

    Turned as its EXIF entry says, 16 bits scaled to 8, transparent parts on white; the first frame of an animation.
    """
    with reading(path, kind=" as an image", advice=": repair or remove it", extra="pretrained") as file:
        from PIL import Image, ImageOps

        with Image.open(file) as image:
            picture = ImageOps.exif_transpose(image)
        if picture.mode.startswith("I") or picture.mode == "F":
            pixels = np.asarray(picture).astype(np.float64)
            if picture.mode == "F" or pixels.min() < 0 or pixels.max() > 65535:
                raise ValueError(f"its pixels must be of 8 or 16 bits, got mode {picture.mode}")
            picture = Image.fromarray((pixels / 257).round().astype(np.uint8))
        if picture.has_transparency_data:
            white = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(white, picture.convert("RGBA"))
        return picture.convert("RGB")


def _names(classes: list[str], class_names: str | Path | None) -> tuple[str, ...]:
    if class_names is None:
        return tuple(name.replace("_", " ") for name in classes)
    with reading(class_names, kind=" as class_names, a JSON object or lines 'folder name'") as path:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            table = {str(key): str(value) for key, value in json.loads(text).items()}
        else:
            table = dict(line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    missing = [name for name in classes if not table.get(name, "").strip()]
    if missing:
        raise ValueError(f"{path} must name every class, got none for {', '.join(missing[:5])}")
    return tuple(table[name].strip() for name in classes)
