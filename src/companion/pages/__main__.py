"""``python -m companion.pages COMMAND ...``: the steps of the Makefile that no ready-made command does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(".")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors of the user are one line on stderr and exit status 1."""
    name, *given = list(sys.argv[1:] if arguments is None else arguments) or [""]
    try:
        if name not in COMMANDS:
            raise ValueError(f"command must be one of {', '.join(COMMANDS)}, got {name!r}")
        return COMMANDS[name](*given) or 0
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def pair(*texts: str) -> None:
    """``pair TEXT ...``: write the .ipynb of the given .md texts."""
    from companion.pages import pairs

    for text in texts:
        pairs.write_notebook(Path(text))


def sync(folder: str = "notebooks") -> None:
    """``sync [FOLDER]``: make all pairs equal; the file that was edited wins."""
    from companion.pages import pairs

    done = pairs.synchronise(Path(folder))
    print("\n".join(done) if done else "all pairs agree")


def rules(target: str) -> None:
    """``rules FILE``: write make rules, which sources each notebook depends on."""
    from companion.pages import rules

    rules.write_rules(ROOT, Path(target))


def check(profile: str) -> None:
    """``check PROFILE``: stop unless the profile fits the notebooks and the machine."""
    from companion.pages import profiles

    profiles.check(ROOT, profile)


def stage(build: str, page: str = "") -> None:
    """``stage BUILD [PAGE]``: lay out the book, or one executed notebook, for Jupyter Book."""
    from companion.pages import staging

    staging.stage_page(ROOT, Path(build), page) if page else staging.stage(ROOT, Path(build))


def alone(*command: str) -> int:
    """``alone COMMAND ...``: run a command when no other build of this checkout runs."""
    import fcntl
    import subprocess

    Path("_build").mkdir(exist_ok=True)
    with open("_build/.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another build of this checkout runs: waiting for its end", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.run(command, check=False, pass_fds=[lock.fileno()]).returncode


COMMANDS = {command.__name__: command for command in (pair, sync, rules, check, stage, alone)}

if __name__ == "__main__":
    raise SystemExit(main())
