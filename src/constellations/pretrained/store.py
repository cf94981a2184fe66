"""Embeddings on disk: shards that are complete or absent, and a manifest that says what they are of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from constellations.atomic import read_json, reading, replace_on_success, write_json
from constellations.checks import require

FORMAT = 1


@dataclass(frozen=True)
class Embeddings:
    """A complete store: unit rows ``images [M, d]`` and, per template, ``texts[template] [C, d]``, float32.

    ``labels [M]`` are rows of the texts. ``manifest`` holds names, ``inverse_temperature``, ``bias`` and origin.
    """

    images: Tensor
    texts: dict[str, Tensor]
    labels: Tensor
    files: list[str]
    manifest: dict[str, Any]

    @property
    def model(self) -> str:
        """The model's name, without its owner."""
        return str(self.manifest["model"]).rpartition("/")[2]


class Store:
    """A folder of embeddings, written shard by shard and resumable.

    Parameters
    ----------
    manifest:
        Everything that determines the embeddings. A folder that holds another manifest is refused.
    """

    def __init__(self, folder: str | Path, manifest: dict[str, Any], *, files: list[str], labels: list[int]) -> None:
        self.folder = Path(folder)
        self.manifest = json.loads(json.dumps({"format": FORMAT} | manifest | {"n_images": len(files)}))
        existing = self.folder / "manifest.json"
        if not existing.exists():
            write_json(self.folder / "files.json", {"files": files, "labels": labels})
            write_json(existing, self.manifest)
        mine, other = self.manifest, read_json(existing)
        if different := sorted(key for key in mine.keys() | other.keys() if mine.get(key) != other.get(key)):
            advice = "choose another store or remove this one"
            made = f"made otherwise (different: {', '.join(different)})"
            raise ValueError(f"{self.folder} holds embeddings {made}: {advice}")

    @property
    def shards(self) -> list[range]:
        """The images of every shard."""
        n, size = self.manifest["n_images"], self.manifest["shard_size"]
        return [range(start, min(start + size, n)) for start in range(0, n, size)]

    def missing(self) -> list[int]:
        """Shards that are not there yet."""
        return [k for k in range(len(self.shards)) if not _shard(self.folder, k).exists()]

    def write_images(self, k: int, embeddings: Tensor) -> None:
        """Write shard ``k``, in one move.

        Parameters
        ----------
        embeddings:
            Unit rows of the images ``shards[k]``.
        """
        _check(self.folder, embeddings, (len(self.shards[k]), self.manifest["dim"]))
        _save(_shard(self.folder, k), {"embeddings": embeddings})

    def write_texts(self, texts: dict[str, Tensor]) -> None:
        """Write the texts of every template, in one move, unless they are there.

        Parameters
        ----------
        texts:
            By template, the unit rows of all classes, ``[C, d]``.
        """
        if not (path := self.folder / "texts.safetensors").exists():
            _save(path, texts)


def read_store(folder: str | Path) -> Embeddings:
    """Read a complete store."""
    folder = Path(folder)
    if not (folder / "manifest.json").is_file():
        raise ValueError(f"{folder} is no store of embeddings: it has no manifest.json")
    manifest, index = read_json(folder / "manifest.json"), read_json(folder / "files.json")
    require(manifest.get("format") == FORMAT, f"format of {folder}", str(FORMAT), manifest.get("format"))
    n, dim, size = manifest["n_images"], manifest["dim"], manifest["shard_size"]
    paths = [_shard(folder, k) for k in range(-(-n // size))]
    absent = [path.name for path in [*paths, folder / "texts.safetensors"] if not path.exists()]
    if absent:
        lacking = f"{len(absent)} files missing, first {absent[0]}"
        raise ValueError(f"{folder} is incomplete ({lacking}): run the same command again")
    images = torch.cat([_load(path, ["embeddings"])["embeddings"] for path in paths])
    texts = _load(folder / "texts.safetensors", list(manifest["templates"]))
    _check(folder, images, (n, dim))
    for points in texts.values():
        _check(folder, points, (len(manifest["names"]), dim))
    labels = torch.tensor(index["labels"])
    if len(labels) != n or len(index["files"]) != n:
        raise ValueError(f"{folder}/files.json must list {n} images, got {len(labels)}")
    return Embeddings(images, texts, labels, index["files"], manifest)


def _check(folder: Path, points: Tensor, shape: tuple[int, int]) -> None:
    require(points.shape == shape, f"embeddings in {folder}", f"of shape {shape}", tuple(points.shape))
    if not bool(((points.norm(dim=1) - 1).abs() < 1e-3).all()):
        raise ValueError(f"{folder} must hold unit vectors, got rows off the sphere or not finite")


def _shard(folder: Path, k: int) -> Path:
    return folder / f"images-{k:05d}.safetensors"


def _save(path: Path, tensors: dict[str, Tensor]) -> None:
    from safetensors.torch import save_file

    with replace_on_success(path) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary)


def _load(path: Path, names: list[str]) -> dict[str, Tensor]:
    with reading(path, advice=": remove it and run the same command again", extra="pretrained"):
        from safetensors.torch import load_file

        tensors = load_file(path)
        return {name: tensors[name] for name in names}
