"""Profiles: one file of papermill parameters per notebook, for example ``profiles/quick/01_name.yml``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml

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


def left_to_gpu(root: Path, titles: Mapping[str, str]) -> str:
    """A Markdown table: for each chapter that ``profiles/gpu`` enlarges, its comment and its parameters."""
    rows = []
    for name, title in titles.items():
        path = root / "profiles" / "gpu" / f"{name}.yml"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        settings = yaml.safe_load(text) or {}
        if settings:
            comments = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
            values = ", ".join(f"`{key} = {value}`" for key, value in settings.items())
            rows.append(f"| [{name[:2]} {title}](../notebooks/{name}) | {' '.join(comments)} | {values} |")
    if not rows:
        return "Nothing: the two profiles agree.\n"
    return "\n".join(["| chapter | in the profile gpu | parameters |", "| --- | --- | --- |", *rows, ""])


def _require_gpu() -> None:
    import torch

    if not torch.cuda.is_available():
        raise ValueError("PROFILE gpu needs a GPU that torch can use, found none: use paper or quick")
