"""Profiles: one file of papermill parameters per notebook, for example ``profiles/quick/01_name.yml``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

PROFILES = ("paper", "quick", "gpu")


def notebooks(root: Path) -> list[str]:
    """Names of the chapters, in order, without extension."""
    return sorted(path.stem for path in (root / "notebooks").glob("[0-9][0-9]_*.md"))


def number(name: str) -> str:
    """The number that readers see of a chapter; those from 20 on are appendices.

    >>> number("04_dimension_bounds"), number("20_settings_of_tables")
    ('4', 'A')
    """
    first = int(name[:2])
    return str(first) if first < 20 else chr(ord("A") + first - 20)


def check(root: Path, profile: str) -> None:
    """Stop unless a profile fits: every file names a notebook, every notebook has a file, the folder can be written.

    Raises
    ------
    ValueError
        Naming the profile or file that does not fit and what is allowed.
    """
    if profile not in PROFILES:
        raise ValueError(f"PROFILE must be one of {', '.join(PROFILES)}, got {profile!r}")
    chapters = notebooks(root)
    files = {path.stem for path in (root / "profiles" / profile).glob("*.yml")}
    for name in sorted(files - set(chapters)):
        raise ValueError(f"profiles/{profile}/{name}.yml names no notebook: there are {', '.join(chapters) or 'none'}")
    for name in chapters:
        if name not in files:
            raise ValueError(
                f"profiles/{profile}/{name}.yml is missing: each notebook needs one, {{}} for its defaults"
            )
    try:
        (root / "_build").mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=root / "_build") as probe:
            probe.write(bytes(2**20))
    except OSError as error:
        raise ValueError(
            f"cannot write to {(root / '_build').resolve()}, where the book is built: {error.strerror}"
        ) from error
    if profile == "gpu":
        _require_gpu()


def left_to_gpu(root: Path) -> dict[str, tuple[str, dict[str, object]]]:
    """For each chapter that ``profiles/gpu`` enlarges, the comment and the parameters of that file."""
    found = {}
    for path in sorted((root / "profiles" / "gpu").glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        comments = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
        if settings := yaml.safe_load(text):
            found[path.stem] = (" ".join(comments), settings)
    return found


def _require_gpu() -> None:
    import torch

    if not torch.cuda.is_available():
        raise ValueError("PROFILE gpu needs a GPU that torch can use, found none: use paper or quick")
