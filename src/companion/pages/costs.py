"""What the profile ``paper`` leaves to the profile ``gpu``, read from the profile's own files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml


def left_to_gpu(root: Path, titles: Mapping[str, str]) -> str:
    """A Markdown table: for each chapter that ``profiles/gpu`` enlarges, its comment and its parameters.

    Parameters
    ----------
    root:
        The repository.
    titles:
        The title of each chapter, by notebook name, in order.
    """
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
