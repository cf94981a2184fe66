"""Profiles: one file of papermill parameters per notebook, for example ``profiles/quick/01_name.yml``."""

from __future__ import annotations

import os
from pathlib import Path

PROFILES = ("paper", "quick", "gpu")


def notebooks(root: Path) -> list[str]:
    """Names of the chapters, in order, without extension."""
    return sorted(path.stem for path in (root / "notebooks").glob("[0-9][0-9]_*.md"))


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
        raise ValueError(
            f"profiles/{profile}/{name}.yml names no notebook: there are {', '.join(chapters) or 'none'}"
        )
    for name in chapters:
        if name not in files:
            raise ValueError(
                f"profiles/{profile}/{name}.yml is missing: each notebook needs one, {{}} for its defaults"
            )
    if not os.access(root, os.W_OK):
        raise ValueError(f"cannot write to {root.resolve()}: the book is built in its folder _build")
    if profile == "gpu":
        _require_gpu()


def _require_gpu() -> None:
    import torch

    if not torch.cuda.is_available():
        raise ValueError("PROFILE gpu needs a GPU that torch can use, found none: use paper or quick")
