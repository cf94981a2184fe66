"""From a folder of images to a store of embeddings, resumable and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from constellations.checks import integer, require
from constellations.pretrained.encoder import Encoder
from constellations.pretrained.folder import ImageFolder, open_image
from constellations.pretrained.store import Store

# The paper embeds the bare name; the other template is the customary one for zero-shot classification.
TEMPLATES = {"bare": "{}", "photo": "a photo of a {}"}
# What a store tells of its encoder, beside the model's name.
OF_ENCODER = "revision", "fingerprint", "dtype", "inverse_temperature", "bias", "image_preprocessing"


def embed(
    encoder: Encoder,
    folder: ImageFolder,
    store: str | Path,
    *,
    templates: Mapping[str, str] = TEMPLATES,
    batch_size: int = 64,
    shard_size: int = 4096,
    n_threads: int = 4,
    progress: bool = False,
) -> Store:
    """Embed all images and class names of ``folder`` into the folder ``store``.

    Interrupted, it continues with the first missing shard; a complete store is left alone. At most one shard of
    embeddings and two batches of images are in memory.

    Parameters
    ----------
    templates:
        Each with one ``{}``, for the name of the class.
    n_threads:
        Threads that decode images.
    """
    for name, value in (("batch_size", batch_size), ("shard_size", shard_size), ("n_threads", n_threads)):
        integer(value, name, 1)
    for key, template in templates.items():
        require(template.count("{}") == 1, f"templates[{key!r}]", "a text with one {}", template)
    texts = {key: encoder.texts([t.format(name) for name in folder.names]) for key, t in templates.items()}
    known = {name: getattr(encoder, name) for name in OF_ENCODER}
    manifest = {"model": encoder.name} | known | {
        "files_digest": folder.digest, "classes": list(folder.classes), "names": list(folder.names),
        "templates": dict(templates), "dim": next(iter(texts.values())).shape[1], "shard_size": shard_size,
    }  # fmt: skip
    target = Store(store, manifest, files=list(folder.files), labels=list(folder.labels))
    target.write_texts(texts)
    count = len(folder.files)
    done = count - sum(len(target.shards[k]) for k in target.missing())
    bar = tqdm(total=count, initial=done, disable=not progress, unit="image", desc=encoder.name)
    with ThreadPoolExecutor(n_threads) as pool, bar:
        for k in target.missing():
            parts = []
            paths = [folder.root / folder.files[i] for i in target.shards[k]]
            for images in _batches(paths, batch_size, pool):
                parts.append(encoder.images(images))
                bar.update(len(images))
            target.write_images(k, torch.cat(parts))
    return target


def _batches(paths: Sequence[Path], size: int, pool: ThreadPoolExecutor) -> Iterator[list[Any]]:
    """Decoded images, one batch ahead of the model."""
    ahead = [pool.submit(open_image, path) for path in paths[:size]]
    for start in range(size, len(paths) + size, size):
        current, ahead = ahead, [pool.submit(open_image, path) for path in paths[start : start + size]]
        yield [future.result() for future in current]
