"""``python -m constellations.pretrained embed IMAGES --store STORE``: embed a folder of images with SigLIP models."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from constellations.atomic import check_writable
from constellations.checks import number
from constellations.pretrained.embedding import embed
from constellations.pretrained.encoder import DTYPES, REVISIONS, load_encoder
from constellations.pretrained.folder import scan_folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status (2 for bad input)."""
    options = _parser().parse_args(arguments)
    try:
        if options.revision and len(options.model or REVISIONS) != 1:
            raise ValueError("--revision needs exactly one --model")
        check_writable(Path(options.store) / "manifest.json")
        folder = scan_folder(options.images, class_names=options.class_names)
        for model in options.model or list(REVISIONS):
            encoder = load_encoder(
                model, revision=options.revision, device=options.device, dtype=options.dtype
            )
            store = Path(options.store) / encoder.name.rpartition("/")[2]
            embed(encoder, folder, store, batch_size=options.batch_size, progress=not options.quiet)
            print(f"{len(folder.files)} images of {len(folder.names)} classes in {store}")
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m constellations.pretrained")
    command = parser.add_subparsers(dest="command", required=True).add_parser(
        "embed", help="embed a folder of images and its class names, resuming where it was interrupted"
    )
    command.add_argument("images", help="folder with one subfolder of images per class")
    command.add_argument("--store", required=True, metavar="DIR", help="where a folder per model is written")
    command.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="hub name, local folder or open_clip:NAME/TAG, repeatable (the eight of the paper)",
    )
    command.add_argument("--revision", help="commit of the model's repository (the pinned one)")
    command.add_argument(
        "--class-names", metavar="FILE", help="JSON or lines 'folder name' (the folders' names)"
    )
    command.add_argument("--device", help="cpu, cuda, cuda:1, mps (the GPU if there is one)")
    command.add_argument(
        "--dtype", choices=DTYPES, default="float32", help="of weights and activations (float32)"
    )
    command.add_argument("--batch-size", type=number, default=64, help="images at a time (64)")
    command.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


if __name__ == "__main__":
    sys.exit(main())
