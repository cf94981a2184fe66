"""What the paper measures on embeddings of images and class names: Tables 4-6, Figures 1, 3 and 13."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from constellations.geometry.distribution import nearest_others
from constellations.geometry.matches import matches
from constellations.geometry.report import Report, measure
from constellations.pretrained.store import Embeddings


@dataclass(frozen=True)
class Confusion:
    """An image that is at least as close to another class's text as to its own: ``by`` is the difference."""

    file: str
    own: str
    taken_for: str
    by: float


def find_stores(folder: str | Path) -> list[Path]:
    """The folder itself if it is a store, else its subfolders that are, by name."""
    folder = Path(folder)
    candidates = [folder, *sorted(folder.iterdir())] if folder.is_dir() else []
    found = [path for path in candidates if (path / "manifest.json").is_file()]
    if not found:
        advice = "make one with python -m constellations.pretrained embed"
        raise ValueError(f"{folder} must be a store of embeddings or a folder of stores: {advice}")
    return found[:1] if found[0] == folder else found


def measure_store(embeddings: Embeddings, *, template: str = "bare") -> Report:
    """The report on all images against the class names in one template, every image matching its own class."""
    images, texts, labels = _sides(embeddings, template)
    t = embeddings.manifest["inverse_temperature"]
    return measure(images, texts, labels=(labels, torch.arange(len(texts))), inverse_temperature=t)


def confusions(embeddings: Embeddings, *, template: str = "bare", most: int = 10) -> list[Confusion]:
    """The ``most`` worst retrieval failures, worst first (the paper's Figure 13 shows two)."""
    images, texts, labels = _sides(embeddings, template)
    pairs = matches((labels, torch.arange(len(texts))), len(images), len(texts))
    rival, value = nearest_others(images, texts, pairs)
    by = value - (images * texts[labels]).sum(1)
    worst = by.argsort(descending=True)[:most].tolist()
    names = embeddings.manifest["names"]
    named = [(embeddings.files[i], names[labels[i]], names[rival[i]], float(by[i])) for i in worst]
    return [Confusion(*found) for found in named if found[-1] >= 0]


def _sides(embeddings: Embeddings, template: str) -> tuple[Tensor, Tensor, Tensor]:
    """Images, texts in one template, and the row of each image's text."""
    if template not in embeddings.texts:
        raise ValueError(f"template must be one of {', '.join(embeddings.texts)}, got {template!r}")
    return embeddings.images, embeddings.texts[template], embeddings.labels
