"""``python -m companion.studies.atlas``: check the shipped atlas, or search for one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fractions import Fraction

from companion.studies.atlas.search import save_codes, search
from companion.studies.atlas.table import load_atlas, save_atlas

DIMS = (2, 3, 4)
SIZES = (3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 24)
BIASES = ("-1/2", "-1/4", "0", "1/4", "1/2")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 1 if an entry of the shipped atlas fails, 2 for bad input."""
    options = _parser().parse_args(arguments)
    if options.action == "verify":
        failed = [e for e in load_atlas() if not (e.is_certified() and e.midpoints_are_a_code())]
        for entry in failed:
            print(f"not certified: d = {entry.dim}, N = {entry.n_pairs}, b_rel = {entry.relative_bias}")
        print(f"{len(load_atlas()) - len(failed)} of {len(load_atlas())} entries certified")
        return 1 if failed else 0
    try:
        where, how = (options.dims, options.sizes), {"n_runs": options.runs, "seed": options.seed}
        if options.action == "codes":
            save_codes(*where, options.output, **how)
            return 0
        biases = [Fraction(b) for b in options.relative_biases]
        entries = search(*where, biases, known=load_atlas() if options.keep else (), **how)
        save_atlas(entries, options.output)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{len(entries)} entries written to {options.output}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m companion.studies.atlas", description=main.__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("verify", help="check every shipped configuration in exact integer arithmetic")
    searching = actions.add_parser("search", help="search for configurations (20 minutes for the whole atlas)")
    codes = actions.add_parser("codes", help="search for the spherical codes that the atlas is compared with")
    for action in (searching, codes):
        action.add_argument("--output", required=True, metavar="FILE", help="CSV to write")
        action.add_argument("--dims", type=int, nargs="+", default=DIMS, metavar="D")
        action.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N")
        action.add_argument("--runs", type=int, default=100, help="random starts (100); 0: neighbours only")
        action.add_argument("--seed", type=int, default=0)
    searching.add_argument("--relative-biases", nargs="+", default=BIASES, metavar="P/Q", help="rational numbers")
    searching.add_argument("--keep", action="store_true", help="start from the shipped entries, keep unbeaten ones")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
