"""The report for a terminal: ``python -m constellations.geometry report image.npy text.npy [--pairs labels.npy]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from operator import attrgetter

from constellations.atomic import check_writable, read_json, replace_on_success, write_json
from constellations.checks import exit_status, number
from constellations.geometry.describe import changes, describe
from constellations.geometry.files import read_labels, read_names, read_points
from constellations.geometry.page import page
from constellations.geometry.report import measure

GATES = {  # what --fail-under knows, and where a report holds it
    "margin": "extreme.margin", "trimmed_margin": "trimmed.margin", "mean_margin": "mean.margin",
    "retrieval": "retrieval_accuracy", "text_retrieval": "text_retrieval_accuracy",
    "hyperplane_margin": "hyperplane_margin",
}  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m constellations.geometry")
    about = (measure.__doc__ or "").split("\n\n")[0]
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("report", help=about, description=about).add_argument
    formats = ".npy, .npz, .safetensors or .parquet; FILE:NAME picks an entry"
    add("images", help=f"image embeddings [M, d]: {formats}")
    add("texts", help="text embeddings [N, d], same formats")
    add("--pairs", metavar="FILE", nargs="+", help="for every image the row of its text, or for every text the row of "
        "its image, or [M, N] of 0 and 1; two files are group ids of images and texts")  # fmt: skip
    names = "names of the images and of the texts: lines, or a JSON list"
    add("--names", metavar="FILE", nargs="+", help=names)
    add("--normalize", action="store_true", help="divide every row by its norm first")
    add("--inverse-temperature", type=number, metavar="T", help="also give inf_b of the loss at T")
    add("--sampled-products", type=number, default=10**8, metavar="K",
        help="count all non-matching products up to this many, sample images beyond (1e8)")  # fmt: skip
    add("--seed", type=number, default=0, help="of the sample (0)")
    add("--json", metavar="FILE", help="also write the report as JSON")
    add("--html", metavar="FILE", help="also write one self-contained page")
    add("--against", metavar="FILE", help="an earlier report's JSON: show what moved")
    add("--fail-under", metavar="NAME=VALUE", type=_gate, action="append", default=[],
        help=f"exit 1 if lower: {', '.join(GATES)}")  # fmt: skip
    add("--quiet", action="store_true", help="no progress bar")
    return parser


def _gate(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        if name in GATES:
            return name, number(value)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"must be NAME=VALUE with a name of {', '.join(GATES)}, got {text!r}")


def _report(options: argparse.Namespace) -> int:
    for target in filter(None, (options.json, options.html)):
        check_writable(target)
    before = read_json(options.against) if options.against else None
    images, texts = (read_points(x, normalize=options.normalize) for x in (options.images, options.texts))
    labels, names, (m, n) = None, None, (len(images), len(texts))
    if options.pairs:
        labels = read_labels(options.pairs, n_images=m, n_texts=n)
    if options.names:
        names = read_names(options.names[0], n_rows=m), read_names(options.names[-1], n_rows=n)
    report = measure(
        images, texts, labels=labels, inverse_temperature=options.inverse_temperature,
        sampled_products=options.sampled_products, seed=options.seed, progress=not options.quiet,
    )  # fmt: skip
    print(describe(report, names))
    moved = changes(before, report.to_json()) if before else None
    for name, old, new, change in moved or ():
        print(f"{name:<28} {old} -> {new}  ({change})")
    if moved == []:
        print(f"nothing moved since {options.against}")
    if options.json:
        write_json(options.json, report.to_json())
    if options.html:
        with replace_on_success(options.html) as path:
            title = f"{options.images} and {options.texts}"
            path.write_text(page(report, title=title, names=names, moved=moved), encoding="utf-8")
    found = {name: (attrgetter(GATES[name])(report), least) for name, least in options.fail_under}
    failed = [f"{name} is {value:.6g}, below {least:g}" for name, (value, least) in found.items() if not value >= least]
    for said in failed:
        print(f"failed: {said}", file=sys.stderr)
    return int(bool(failed))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 2 for bad input and 1 where ``--fail-under`` is not met."""
    return exit_status(_report, _parser().parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
