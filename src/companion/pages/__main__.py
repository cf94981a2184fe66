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
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m companion.pages", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(run, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(run.__name__.strip("_"), help=text)
        added.set_defaults(run=run)
        return added

    command(_pair, "write the .ipynb of the given .md texts").add_argument("texts", nargs="+", type=Path)
    sync = command(_sync, "make all pairs equal: the file that was edited wins")
    sync.add_argument("folder", nargs="?", default=Path("notebooks"), type=Path)
    rules = command(_rules, "write make rules: which sources each notebook depends on")
    rules.add_argument("target", type=Path)
    command(_check, "stop unless the profile fits the notebooks and the machine").add_argument("profile")
    stage = command(_stage, "lay out pages, executed notebooks and the scoreboard for Jupyter Book")
    stage.add_argument("--build", required=True, type=Path, help="for example _build/paper")
    stage.add_argument("--page", help="lay out this executed notebook of the folder alone")
    alone = command(_alone, "run a command when no other build of this checkout runs")
    alone.add_argument("command", nargs=argparse.REMAINDER)
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

    rules.write_rules(Path("."), options.target)


def _check(options: argparse.Namespace) -> None:
    from companion.pages import profiles

    profiles.check(Path("."), options.profile)


def _stage(options: argparse.Namespace) -> None:
    from companion.pages import staging

    if options.page:
        staging.stage_page(Path("."), options.build, options.page)
    else:
        staging.stage(Path("."), options.build)


def _alone(options: argparse.Namespace) -> int:
    import fcntl
    import subprocess

    Path("_build").mkdir(exist_ok=True)
    with open("_build/.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another build of this checkout runs: waiting for its end", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.run(options.command, check=False, pass_fds=[lock.fileno()]).returncode


if __name__ == "__main__":
    raise SystemExit(main())
