"""``python -m constellations.pretrained embed IMAGES --store STORE``: embed a folder of images with SigLIP models."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from constellations.atomic import check_writable
from constellations.checks import exit_status, number
from constellations.pretrained.embedding import embed
from constellations.pretrained.encoder import DTYPES, REVISIONS, load_encoder
from constellations.pretrained.folder import scan_folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status (2 for bad input)."""
    return exit_status(_embed, _parser().parse_args(arguments))


def _embed(options: argparse.Namespace) -> None:
    if options.revision and len(options.model or REVISIONS) != 1:
        raise ValueError("--revision needs exactly one --model")
    check_writable(Path(options.store) / "manifest.json")
    folder = scan_folder(options.images, class_names=options.class_names)
    for model in options.model or list(REVISIONS):
        encoder = load_encoder(model, revision=options.revision, device=options.device, dtype=options.dtype)
        store = Path(options.store) / encoder.name.rpartition("/")[2]
        embed(encoder, folder, store, batch_size=options.batch_size, progress=not options.quiet)
        print(f"{len(folder.files)} images of {len(folder.names)} classes in {store}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m constellations.pretrained")
    commands = parser.add_subparsers(dest="command", required=True)
    about = "embed a folder of images and its class names, resuming where it was interrupted"
    add = commands.add_parser("embed", help=about).add_argument
    add("images", help="folder with one subfolder of images per class")
    add("--store", required=True, metavar="DIR", help="where a folder per model is written")
    models = "hub name, local folder or open_clip:NAME/TAG, repeatable (the eight of the paper)"
    add("--model", action="append", metavar="NAME", help=models)
    add("--revision", help="commit of the model's repository (the pinned one)")
    add("--class-names", metavar="FILE", help="JSON or lines 'folder name' (the folders' names)")
    add("--device", help="cpu, cuda, cuda:1, mps (the GPU if there is one)")
    add("--dtype", choices=DTYPES, default="float32", help="of weights and activations (float32)")
    add("--batch-size", type=number, default=64, help="images at a time (64)")
    add("--quiet", action="store_true", help="no progress bar")
    return parser


if __name__ == "__main__":
    sys.exit(main())
