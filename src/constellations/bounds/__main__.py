"""``python -m constellations.bounds``: the brackets in a terminal."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from typing import Any

from constellations import bounds
from constellations.checks import exit_status

ABOUT = "How many pairs of unit vectors fit at a margin, which dimension they need, which margin they allow."
EPILOG = """\
Give two of --pairs, --dim and --margin; the third is bracketed by rigorous bounds. The margin is the half gap
m* = (min s_ii - max s_ij) / 2, the relative bias b / t lies in the middle of the gap.

  python -m constellations.bounds --pairs 1e10 --margin 0.07 --relative-bias 0.07
  python -m constellations.bounds --dim 768 --margin 0.07 --relative-bias 0.07
  python -m constellations.bounds --pairs 1e10 --dim 768 --relative-bias 0.07
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status (2 for bad input)."""
    return exit_status(_print, _parser().parse_args(arguments))


def _print(options: argparse.Namespace) -> None:
    title, rows = _answer(options.pairs, options.dim, options.margin, options.relative_bias)
    if options.json:
        print(json.dumps({name: x for name, x, *_ in rows} | {f"{name}_by": why for name, _, _, why in rows}))
    else:
        print("\n  ".join([title, *(f"{text}  ({why})" for *_, text, why in rows)]))


def _parser() -> argparse.ArgumentParser:
    prog, style = "python -m constellations.bounds", argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog=prog, description=ABOUT, epilog=EPILOG, formatter_class=style)
    add = parser.add_argument
    add("--pairs", type=float, metavar="N", help="number of pairs, for example 1e10")
    add("--dim", type=int, metavar="D", help="embedding dimension")
    add("--margin", type=float, metavar="M", help="margin m (half the gap)")
    add("--relative-bias", type=float, default=0.0, metavar="B", help="relative bias b / t (default 0)")
    add("--json", action="store_true", help="print JSON")
    return parser


def _answer(n: Any, d: Any, m: Any, b: float) -> tuple[str, list[tuple[str, float, str, str]]]:
    """What was asked, and one row for each end of the bracket: name, value, text, what decided."""
    given = [f"--{name}" for name, x in (("pairs", n), ("dim", d), ("margin", m)) if x is not None]
    if len(given) != 2:
        raise ValueError(f"give exactly two of --pairs, --dim and --margin, got {' '.join(given) or 'none'}")
    title = "" if n is None else f"{_count(math.log(n))} pairs, "
    title += f"margin {m:g}" if d is None else f"d = {d:,}" + ("" if m is None else f", margin {m:g}")
    if d is None:
        ends, why = bounds.required_dimension(n, m, b, explain=True)
        texts, names = ["impossible below  d = {:,}", "possible from     d = {:,}"], ["dim_low", "dim_high"]
    elif m is None:
        ends, why = bounds.margin_bracket(n, d, b, explain=True)
        texts = ["possible          m = {:.4f}", "impossible above  m = {:.4f}"]
        names = ["margin_guaranteed", "margin_impossible_above"]
    else:
        sizes = bounds.log_max_pairs_lower, bounds.log_max_pairs_upper
        ends, why = zip(*(size(d, m, b, explain=True) for size in sizes), strict=True)
        texts = [f"possible          N = {_count(ends[0])}", f"impossible above  N = {_count(ends[1])}"]
        names = ["log_pairs_lower", "log_pairs_upper"]
        if m < bounds.margin_upper_bound(b):
            ends += bounds.exponent_lower(m, b), bounds.exponent_kabatiansky_levenshtein(m, b)
            why += "Theorem 3.3", "Kabatiansky and Levenshtein"
            texts += ["log(N)/d for large d: at least {:.4g}", "log(N)/d for large d: at most {:.4g}"]
            names += ["exponent_lower", "exponent_upper"]
    rows = [(name, x, text.format(x), by) for name, x, text, by in zip(names, ends, texts, why, strict=True)]
    return f"{title}, relative bias {b:g}", rows


def _count(log_pairs: float) -> str:
    """A number of pairs from its logarithm: in full while it is small, as a power of ten beyond."""
    if log_pairs < math.log(1e7):
        return f"{math.floor(math.exp(log_pairs) * (1 + 1e-12)):,}"
    return f"10^{log_pairs / math.log(10):.5g}"


if __name__ == "__main__":
    raise SystemExit(main())
