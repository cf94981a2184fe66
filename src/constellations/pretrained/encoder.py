"""SigLIP and other sigmoid dual encoders from the Hugging Face hub or a local folder."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from constellations.checks import choice, first_line, require
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
EXTRA = 'pip install --editable ".[pretrained]"'


@dataclass(frozen=True)
class Encoder:
    """A dual encoder with a sigmoid head, ready to embed. ``bias`` is subtracted, as everywhere in this package.

    ``encode_images`` and ``encode_texts`` are its own functions, of RGB pictures and of texts.
    """

    name: str
    revision: str | None
    fingerprint: str
    inverse_temperature: float
    bias: float
    dtype: str
    image_preprocessing: str
    encode_images: Callable[[list[Any]], Any]
    encode_texts: Callable[[list[str]], Any]

    @torch.inference_mode()
    def images(self, images: Sequence[Any]) -> Tensor:
        """Unit rows ``[n, d]``, float32, on the CPU.

        Parameters
        ----------
        images:
            Pictures of PIL, in any mode and of any size.
        """
        return _unit_rows(self.encode_images([image.convert("RGB") for image in images]))

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """Unit rows ``[n, d]``, float32, on the CPU.

        Parameters
        ----------
        texts:
            Sentences as they are.
        """
        return _unit_rows(self.encode_texts(list(texts)))


def _unit_rows(output: Any) -> Tensor:
    # older versions of transformers return the tensor itself
    return normalize(getattr(output, "pooler_output", output).float().cpu())


def load_encoder(
    model: str, *, revision: str | None = None, device: str | None = None, dtype: str = "float32"
) -> Encoder:
    """Load a sigmoid dual encoder.

    Parameters
    ----------
    model:
        A name on the Hugging Face hub, or a local folder written by ``save_pretrained`` or ``hf download``; with the
        package open_clip also ``open_clip:NAME/TAG``.
    revision:
        A commit of the repository; left out, the paper's models are taken at the commits in :data:`REVISIONS`.
    device:
        ``"cuda"`` or ``"cpu"``; left out, the GPU if there is one.
    dtype:
        ``"float32"`` or ``"bfloat16"``, of weights and activations; embeddings are normalised in float32.
    """
    choice(dtype, "dtype", DTYPES)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        got = f"{device!r} ({first_line(error)})"
        raise ValueError(f"device must be cpu or one that works here, got {got}") from error
    if model.startswith("open_clip:"):
        return _of_open_clip(model.removeprefix("open_clip:"), device, dtype)
    local = Path(model).is_dir()
    revision = None if local else revision or REVISIONS.get(model)
    network, processor = _from_pretrained(model, revision)
    got = f"{model} ({type(network).__name__})"
    require(hasattr(network, "get_image_features"), "model", "a dual encoder of images and texts", got)
    length = int(network.config.text_config.max_position_embeddings)
    settings = processor.image_processor.to_dict()

    def encode_images(pictures: list[Any]) -> Any:
        inputs = processor.image_processor(images=pictures, return_tensors="pt")
        kinds = {name: DTYPES[dtype] if x.is_floating_point() else x.dtype for name, x in inputs.items()}
        return network.get_image_features(**{name: x.to(device, kinds[name]) for name, x in inputs.items()})

    def encode_texts(texts: list[str]) -> Any:
        """Padded to the full length and without attention mask, as SigLIP was trained."""
        options = {"padding": "max_length", "truncation": True, "max_length": length}
        tokens = processor.tokenizer(texts, return_tensors="pt", **options)["input_ids"]
        return network.get_text_features(input_ids=tokens.to(device))

    return Encoder(
        name=Path(model).name if local else model, revision=revision, **_measured(network, model, device, dtype),
        image_preprocessing=repr(sorted((key, repr(value)) for key, value in settings.items())),
        encode_images=encode_images, encode_texts=encode_texts,
    )  # fmt: skip


def _measured(network: Any, model: str, device: str, dtype: str) -> dict[str, Any]:
    """Put a network to work; what it says of itself, whoever built it. Released code adds its bias to the logit."""
    scalars: list[Any] = [getattr(network, name, None) for name in ("logit_scale", "logit_bias")]
    right, got = all(x is not None for x in scalars), f"{model} ({type(network).__name__})"
    require(right, "model", "a dual encoder with logit_scale and logit_bias", got)
    t, b, fingerprint = math.exp(scalars[0].item()), -scalars[1].item(), _fingerprint(network)
    network.to(device, DTYPES[dtype]).eval()
    return {"fingerprint": fingerprint, "inverse_temperature": t, "bias": b, "dtype": dtype}


def _of_open_clip(name: str, device: str, dtype: str) -> Encoder:
    """A sigmoid model of open_clip, ``NAME/TAG`` of its list of pretrained models or ``hf-hub:OWNER/NAME``."""
    try:
        import open_clip
    except ImportError as error:
        advice = "pip install open_clip_torch"
        raise ValueError(f"open_clip:{name} needs the package open_clip: {advice}") from error
    architecture, _, tag = (name, "", "") if name.startswith("hf-hub:") else name.partition("/")
    try:
        network, transform = open_clip.create_model_from_pretrained(architecture, pretrained=tag or None)
        tokenizer = open_clip.get_tokenizer(architecture)
    except Exception as error:
        raise ValueError(f"open_clip:{name} cannot be loaded ({first_line(error)})") from error
    return Encoder(
        name=f"open_clip/{name.replace('/', '-')}", revision=tag or None, image_preprocessing=repr(transform),
        **_measured(network, f"open_clip:{name}", device, dtype),
        encode_images=lambda x: network.encode_image(torch.stack([*map(transform, x)]).to(device, DTYPES[dtype])),
        encode_texts=lambda texts: network.encode_text(tokenizer(texts).to(device)),
    )  # fmt: skip


def _from_pretrained(model: str, revision: str | None) -> tuple[Any, Any]:
    try:
        from transformers import AutoModel, AutoProcessor
    except ImportError as error:
        raise ValueError(f"pretrained models need the package {error.name}: {EXTRA}") from error
    options = {} if revision is None else {"revision": revision}
    try:
        network, info = AutoModel.from_pretrained(model, use_safetensors=True, output_loading_info=True, **options)
        if info["missing_keys"]:
            raise ValueError(f"its weights lack {', '.join(sorted(info['missing_keys'])[:3])}")
        return network, AutoProcessor.from_pretrained(model, **options)
    except ImportError as error:
        raise ValueError(f"{model} cannot be loaded: {EXTRA} ({error})") from error
    except Exception as error:  # damaged files make readers raise anything
        said = f"{model} cannot be loaded ({first_line(error)})"
        if Path(model).is_dir():
            raise ValueError(said) from error
        pinned = f" --revision {revision}" if revision else ""
        advice = f"'hf download {model}{pinned} --local-dir FOLDER' elsewhere and give FOLDER as the model"
        raise ValueError(f"{said}. Without network, run {advice}") from error


def _fingerprint(network: Any) -> str:
    """A hash of names, shapes and first entries of all weights: enough to tell two checkpoints apart."""
    digest = hashlib.sha256()
    for name, weights in sorted(network.state_dict().items()):
        start = weights.detach().flatten()[:64].float().cpu().numpy().tobytes()
        digest.update(f"{name} {tuple(weights.shape)}".encode() + start)
    return digest.hexdigest()
