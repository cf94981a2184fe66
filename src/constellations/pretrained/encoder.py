"""SigLIP and other sigmoid dual encoders from the Hugging Face hub or a local folder."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from constellations.sphere import normalize

# The eight models of the paper, each at a fixed commit of its repository.
REVISIONS = {
    "google/siglip-base-patch16-224": "7fd15f0689c79d79e38b1c2e2e2370a7bf2761ed",
    "google/siglip-base-patch16-256": "b078df89e446d623010d890864d4207fe6399f61",
    "google/siglip-base-patch16-384": "41aec1c83b32e0a6fca20ad88ba058aa5b5ea394",
    "google/siglip-base-patch16-512": "753a949581523b60257d93e18391e8c27f72eb22",
    "google/siglip-large-patch16-256": "d0da9f876e7d66b4e250cd2450c3ba2ce735e447",
    "google/siglip-large-patch16-384": "ce005573a40965dfd21fd937fbdeeebf2439fc35",
    "google/siglip-so400m-patch14-224": "d04cf29fca7b6374f74d8bea1969314492266b5e",
    "google/siglip-so400m-patch14-384": "9fdffc58afc957d1a03a25b10dba0329ab15c2a3",
}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
EXTRA = "pip install 'constellations[pretrained]'"


@dataclass(frozen=True)
class Encoder:
    """A dual encoder with a sigmoid head, ready to embed. ``bias`` is subtracted, as everywhere in this package."""

    name: str
    revision: str | None
    fingerprint: str
    inverse_temperature: float
    bias: float
    max_length: int
    dtype: str
    model: Any
    processor: Any

    @property
    def relative_bias(self) -> float:
        """``b / t``."""
        return self.bias / self.inverse_temperature

    @property
    def image_preprocessing(self) -> str:
        """The image processor's settings, as sorted text."""
        settings = self.processor.image_processor.to_dict()
        return repr(sorted((key, repr(value)) for key, value in settings.items()))

    @torch.inference_mode()
    def images(self, images: Sequence[Any]) -> Tensor:
        """Embed PIL images: unit rows ``[n, d]``, float32, on the CPU."""
        inputs = self.processor.image_processor(
            images=[image.convert("RGB") for image in images], return_tensors="pt"
        )
        pixels = inputs["pixel_values"].to(self.model.device, DTYPES[self.dtype])
        return _unit_rows(self.model.get_image_features(pixel_values=pixels))

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts, padded to the full length and without attention mask, as SigLIP was trained: ``[n, d]``."""
        inputs = self.processor.tokenizer(
            list(texts),
            padding="max_length",
            truncation=True,
            max_length=self.max_length,
            return_tensors="pt",
        )
        return _unit_rows(self.model.get_text_features(input_ids=inputs["input_ids"].to(self.model.device)))


def _unit_rows(output: Any) -> Tensor:
    features = getattr(
        output, "pooler_output", output
    )  # older versions of transformers return the tensor itself
    return normalize(features.float().cpu())


def load_encoder(
    model: str, *, revision: str | None = None, device: str | None = None, dtype: str = "float32"
) -> Encoder:
    """Load a sigmoid dual encoder.

    Parameters
    ----------
    model:
        A name on the Hugging Face hub, or a local folder written by ``save_pretrained`` or ``hf download``.
    revision:
        A commit of the repository; left out, the paper's models are taken at the commits in :data:`REVISIONS`.
    device:
        ``"cuda"`` or ``"cpu"``; left out, the GPU if there is one.
    dtype:
        ``"float32"`` or ``"bfloat16"``, of weights and activations; embeddings are normalised in float32.

    Raises
    ------
    ValueError
        Without the optional dependencies; for a model that cannot be had or has no sigmoid head.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    local = Path(model).is_dir()
    revision = None if local else revision or REVISIONS.get(model)
    network, processor = _from_pretrained(model, revision)
    head = [getattr(network, name, None) for name in ("logit_scale", "logit_bias")]
    if head[0] is None or head[1] is None or not hasattr(network, "get_image_features"):
        kind = type(network).__name__
        raise ValueError(
            f"model must be a dual encoder with logit_scale and logit_bias, got {model} ({kind})"
        )
    return Encoder(
        name=Path(model).name if local else model,
        revision=revision,
        fingerprint=_fingerprint(network),
        inverse_temperature=math.exp(head[0].item()),
        bias=-head[1].item(),  # released code adds its bias to the logit
        max_length=int(network.config.text_config.max_position_embeddings),
        dtype=dtype,
        model=network.to(device, DTYPES[dtype]).eval(),
        processor=processor,
    )


def _from_pretrained(model: str, revision: str | None) -> tuple[Any, Any]:
    try:
        from transformers import AutoModel, AutoProcessor
    except ImportError as error:
        raise ValueError(f"pretrained models need the package {error.name}: {EXTRA}") from error
    options = {} if revision is None else {"revision": revision}
    try:
        return (
            AutoModel.from_pretrained(model, use_safetensors=True, **options),
            AutoProcessor.from_pretrained(model, **options),
        )
    except ImportError as error:
        raise ValueError(f"{model} cannot be loaded: {EXTRA} ({error})") from error
    except (OSError, ValueError, KeyError) as error:
        pinned = f" --revision {revision}" if revision else ""
        raise ValueError(
            f"{model} cannot be loaded ({str(error).strip().splitlines()[0]}). Without network, run "
            f"'hf download {model}{pinned} --local-dir FOLDER' elsewhere and give FOLDER as the model"
        ) from error


def _fingerprint(network: Any) -> str:
    """A hash of names, shapes and first entries of all weights: enough to tell two checkpoints apart."""
    digest = hashlib.sha256()
    for name, weights in sorted(network.state_dict().items()):
        start = weights.detach().flatten()[:64].float().cpu().numpy().tobytes()
        digest.update(f"{name} {tuple(weights.shape)}".encode() + start)
    return digest.hexdigest()
