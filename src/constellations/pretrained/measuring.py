"""What the paper measures on embeddings of images and class names: Tables 4-6, Figures 1, 3 and 13."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from constellations.geometry.distribution import nearest_others
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
        raise ValueError(
            f"{folder} must be a store of embeddings or a folder of stores: make one with "
            "python -m constellations.pretrained embed"
        )
    return found[:1] if found[0] == folder else found


def measure_store(embeddings: Embeddings, *, template: str = "bare") -> Report:
    """The report on all images against the class names in one template, every image matching its own class."""
    _check_template(embeddings, template)
    return measure(
        embeddings.images,
        embeddings.texts[template],
        labels=(embeddings.labels, torch.arange(len(embeddings.texts[template]))),
        inverse_temperature=embeddings.manifest["inverse_temperature"],
    )


def confusions(embeddings: Embeddings, *, template: str = "bare", most: int = 10) -> list[Confusion]:
    """The ``most`` worst retrieval failures, worst first (the paper's Figure 13 shows two)."""
    _check_template(embeddings, template)
    images, texts, labels = embeddings.images, embeddings.texts[template], embeddings.labels
    rival, value = nearest_others(images, texts, (labels, torch.arange(len(texts))))
    by = value - (images * texts[labels]).sum(1)
    worst = by.argsort(descending=True)[:most].tolist()
    names = embeddings.manifest["names"]
    return [
        Confusion(embeddings.files[i], names[int(labels[i])], names[int(rival[i])], float(by[i]))
        for i in worst
        if by[i] >= 0
    ]


def _check_template(embeddings: Embeddings, template: str) -> None:
    if template not in embeddings.texts:
        raise ValueError(f"template must be one of {', '.join(embeddings.texts)}, got {template!r}")
