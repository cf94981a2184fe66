"""Pretrained sigmoid encoders on a reader's own images: embed once, store, measure.

``python -m constellations.pretrained embed IMAGES --model google/siglip-base-patch16-224 --store STORE``

Embedding needs the optional dependencies (``pip install --editable ".[pretrained]"``); reading and measuring a store
needs safetensors alone.
"""

from constellations.pretrained.embedding import TEMPLATES, embed
from constellations.pretrained.encoder import REVISIONS, Encoder, load_encoder
from constellations.pretrained.folder import ImageFolder, scan_folder
from constellations.pretrained.measuring import Confusion, confusions, find_stores, measure_store
from constellations.pretrained.store import Embeddings, Store, read_store

__all__ = [
    "REVISIONS", "TEMPLATES", "Confusion", "Embeddings", "Encoder", "ImageFolder", "Store", "confusions",
    "embed", "find_stores", "load_encoder", "measure_store", "read_store", "scan_folder",
]  # fmt: skip
