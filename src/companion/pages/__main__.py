"""``python -m companion.pages <command>``: the steps of the Makefile that no ready-made command does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors of the user are one line on stderr and exit status 1."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m companion.pages", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    pair = commands.add_parser("pair", help="write the .ipynb of the given .md texts")
    pair.add_argument("texts", nargs="+", type=Path)
    pair.set_defaults(run=_pair)
    sync = commands.add_parser("sync", help="make all pairs equal: the one changed last wins")
    sync.add_argument("folder", nargs="?", default=Path("notebooks"), type=Path)
    sync.set_defaults(run=_sync)
    rules = commands.add_parser("rules", help="write make rules: which sources each notebook depends on")
    rules.add_argument("target", type=Path)
    rules.add_argument("--root", default=Path("."), type=Path)
    rules.set_defaults(run=_rules)
    check = commands.add_parser("check", help="stop unless the profile fits the notebooks and the machine")
    check.add_argument("profile")
    check.add_argument("--root", default=Path("."), type=Path)
    check.set_defaults(run=_check)
    stage = commands.add_parser(
        "stage", help="lay out pages, executed notebooks and the scoreboard for Jupyter Book"
    )
    stage.add_argument("--root", default=Path("."), type=Path)
    stage.add_argument(
        "--build", required=True, type=Path, help="folder of the profile, for example _build/paper"
    )
    stage.add_argument("--page", help="lay out this executed notebook of the folder alone")
    stage.set_defaults(run=_stage)
    return parser


def _pair(options: argparse.Namespace) -> None:
    from companion.pages import pairs

    for text in options.texts:
        pairs.write_notebook(text)


def _sync(options: argparse.Namespace) -> None:
    from companion.pages import pairs

    done = pairs.synchronise(options.folder)
    print("\n".join(done) if done else "all pairs agree")


def _rules(options: argparse.Namespace) -> None:
    from companion.pages import rules

    rules.write_rules(options.root, options.target)


def _check(options: argparse.Namespace) -> None:
    from companion.pages import profiles

    profiles.check(options.root, options.profile)


def _stage(options: argparse.Namespace) -> None:
    from companion.pages import staging

    if options.page:
        staging.stage_page(options.root, options.build, options.page)
    else:
        staging.stage(options.root, options.build)


if __name__ == "__main__":
    raise SystemExit(main())
