"""``python -m constellations.bounds``: the brackets in a terminal."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from typing import Any

from constellations.bounds.exponents import exponent_lower, exponent_upper, margin_upper_bound
from constellations.bounds.inverse import margin_bracket, required_dimension
from constellations.bounds.sizes import log_max_pairs_lower, log_max_pairs_upper

EPILOG = """\
Give two of --pairs, --dim and --margin; the third is bracketed by rigorous bounds. The margin is the half gap
m* = (min s_ii - max s_ij) / 2, the relative bias b / t lies in the middle of the gap.

  python -m constellations.bounds --pairs 1e10 --margin 0.07 --relative-bias 0.07
  python -m constellations.bounds --dim 768 --margin 0.07 --relative-bias 0.07
  python -m constellations.bounds --pairs 1e10 --dim 768 --relative-bias 0.07
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status (2 for bad input)."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        answer = _answer(options)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(answer) if options.json else _describe(answer))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m constellations.bounds",
        description="How many pairs of unit vectors fit at a margin, which dimension they need, which margin they allow.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pairs", type=float, metavar="N", help="number of pairs, for example 1e10")
    parser.add_argument("--dim", type=int, metavar="D", help="embedding dimension")
    parser.add_argument("--margin", type=float, metavar="M", help="margin m (half the gap)")
    parser.add_argument(
        "--relative-bias", type=float, default=0.0, metavar="B", help="relative bias b / t (default 0)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _answer(options: argparse.Namespace) -> dict[str, Any]:
    n, d, m, b = options.pairs, options.dim, options.margin, options.relative_bias
    if sum(x is None for x in (n, d, m)) != 1:
        given = [name for name, x in (("--pairs", n), ("--dim", d), ("--margin", m)) if x is not None]
        raise ValueError(f"give exactly two of --pairs, --dim and --margin, got {' '.join(given) or 'none'}")
    asked = {name: x for name, x in (("pairs", n), ("dim", d), ("margin", m)) if x is not None}
    asked["relative_bias"] = b
    if d is None:
        low, high = required_dimension(n, m, b)
        return {**asked, "dim_low": low, "dim_high": high}
    if n is None:
        answer = {
            "log_pairs_lower": log_max_pairs_lower(d, m, b),
            "log_pairs_upper": log_max_pairs_upper(d, m, b),
        }
        if m < margin_upper_bound(b):
            answer |= {"exponent_lower": exponent_lower(m, b), "exponent_upper": exponent_upper(m, b)}
        return {**asked, **answer}
    guaranteed, impossible = margin_bracket(n, d, b)
    return {**asked, "margin_guaranteed": guaranteed, "margin_impossible_above": impossible}


def _describe(answer: dict[str, Any]) -> str:
    b = f"relative bias {answer['relative_bias']:g}"
    if "dim_low" in answer:
        return (
            f"{_count(math.log(answer['pairs']))} pairs, margin {answer['margin']:g}, {b}\n"
            f"  impossible below  d = {answer['dim_low']:,}\n  possible from     d = {answer['dim_high']:,}"
        )
    if "log_pairs_lower" in answer:
        text = (
            f"d = {answer['dim']:,}, margin {answer['margin']:g}, {b}\n"
            f"  possible          N = {_count(answer['log_pairs_lower'])}\n"
            f"  impossible above  N = {_count(answer['log_pairs_upper'])}"
        )
        if "exponent_lower" in answer:
            text += (
                f"\n  exponents log(N)/d for large d: at least {answer['exponent_lower']:.4g} (Theorem 3.3), "
                f"at most {answer['exponent_upper']:.4g} (Theorem 3.5)"
            )
        return text
    return (
        f"{_count(math.log(answer['pairs']))} pairs, d = {answer['dim']:,}, {b}\n"
        f"  possible          m = {answer['margin_guaranteed']:.4f}\n"
        f"  impossible above  m = {answer['margin_impossible_above']:.4f}"
    )


def _count(log_pairs: float) -> str:
    """A number of pairs from its logarithm: in full while it is small, as a power of ten beyond."""
    if log_pairs < math.log(1e7):
        return f"{math.floor(math.exp(log_pairs) * (1 + 1e-12)):,}"
    return f"10^{log_pairs / math.log(10):.5g}"


if __name__ == "__main__":
    raise SystemExit(main())
