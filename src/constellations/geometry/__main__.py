"""The report for a terminal: ``python -m constellations.geometry report image.npy text.npy [--pairs labels.npy]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from constellations.atomic import replace_on_success
from constellations.geometry.files import read_labels, read_points
from constellations.geometry.report import Loss, Report, measure


def describe(report: Report) -> str:
    """The report as text for a terminal."""
    r = report
    pairs = f"{r.n_images:,} images, {r.n_texts:,} texts, d = {r.dim}"
    sampled = (
        "" if r.percentiles_from_images == r.n_images else f" (from {r.percentiles_from_images:,} images)"
    )
    rows = [("embeddings", pairs)]
    for label, gap in (("extremes", r.extreme), ("5th/95th pct." + sampled, r.trimmed), ("means", r.mean)):
        numbers = f"matching {gap.matching:+.5f}  non-matching {gap.non_matching:+.5f}"
        rows.append((label, f"{numbers}  m {gap.margin:+.5f}  b_rel {gap.relative_bias:+.5f}"))
    i, j = r.non_matching_index
    rows += [
        ("decided by", f"image {r.matching_index} with its own text; image {i} with text {j}"),
        ("constellation", "yes" if r.extreme.margin >= 0 else "no: some pair is on the wrong side"),
        ("retrieval", f"{r.retrieval_accuracy:.4%} of images find their own text first"),
        ("linear shift", f"xi {r.xi:.5f} = {r.mean_of_norms:.5f} - {r.norm_of_mean:.5f}"),
        ("modality gap", f"means {r.distance_of_means:.5f} apart; {_separability(r)}"),
        ("dimension", _dimension(r)),
    ]
    if r.loss is not None:
        rows += _loss(r.loss)
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label:<{width}}  {text}" for label, text in rows)


def _loss(loss: Loss) -> list[tuple[str, str]]:
    kind = "" if loss.exact else " (estimated from a sample)"
    value = f"inf_b L {loss.infimum:.4e}{kind} at b = {loss.bias:.4f}"
    box = f"the margin alone allows {loss.lower:.3e} to {loss.upper:.3e}"
    proven = f"a loss of {loss.infimum:.3e} proves "
    proven += (
        f"m* >= {loss.certified_margin:+.5f}" if loss.certified_margin > -1 else "nothing: it is too large"
    )
    return [(f"loss at t = {loss.inverse_temperature:g}", f"{value}; {box}"), ("certificate", proven)]


def _separability(r: Report) -> str:
    if r.separable:
        return f"a hyperplane separates all images from all texts (margin {r.hyperplane_margin:.5f})"
    wrong = f"{r.wrong_images} images and {r.wrong_texts} texts"
    return f"no separating hyperplane found; the best one leaves {wrong} on the wrong side"


def _dimension(r: Report) -> str:
    brackets = (("margin", r.required_dimension), ("margin by means", r.required_dimension_by_means))
    return "; ".join(
        f"{name} needs d between {found[0]} and {found[1]}" if found else f"{name} not positive: no bracket"
        for name, found in brackets
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m constellations.geometry")
    command = parser.add_subparsers(dest="command", required=True).add_parser(
        "report",
        help="measure image and text embeddings",
        description=(measure.__doc__ or "").split("\n\n")[0],
    )
    formats = ".npy, .npz, .safetensors or .parquet; FILE:NAME picks an entry"
    command.add_argument("images", help=f"image embeddings [M, d]: {formats}")
    command.add_argument("texts", help="text embeddings [N, d], same formats")
    command.add_argument(
        "--pairs", metavar="LABELS", help="for every image the row of its text, [M] integers"
    )
    command.add_argument("--normalize", action="store_true", help="divide every row by its norm first")
    command.add_argument(
        "--inverse-temperature", type=float, metavar="T", help="also give inf_b of the loss at T"
    )
    command.add_argument("--sampled-products", type=int, default=10**8, metavar="K",
                         help="count all non-matching products up to this many, sample images beyond (1e8)")  # fmt: skip
    command.add_argument("--seed", type=int, default=0, help="of the sample (0)")
    command.add_argument("--json", metavar="FILE", help="also write the report as JSON")
    command.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status (2 for bad input)."""
    options = _parser().parse_args(arguments)
    try:
        images = read_points(options.images, normalize=options.normalize)
        texts = read_points(options.texts, normalize=options.normalize)
        labels = None
        if options.pairs is not None:
            labels = read_labels(options.pairs, n_images=len(images), n_texts=len(texts))
        report = measure(
            images,
            texts,
            labels=labels,
            inverse_temperature=options.inverse_temperature,
            sampled_products=options.sampled_products,
            seed=options.seed,
            progress=not options.quiet,
        )
        if options.json:
            with replace_on_success(Path(options.json)) as path:
                path.write_text(json.dumps(report.to_json(), indent=1) + "\n")
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(describe(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
