"""Tables in Markdown, the machine they were measured on, and the least time of a few calls."""

from __future__ import annotations

import os
import platform
import time
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch


def markdown(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table: words to the left, numbers to the right."""
    lines = [[str(cell) for cell in row] for row in rows]
    sides = [":--" if column[0][:1].isalpha() else "--:" for column in zip(*lines, strict=True)]
    return "\n".join("| " + " | ".join(line) + " |" for line in ([*columns], sides, *lines))


def machine() -> str:
    """Processor, cores, memory, torch, our version, day and load, in one line."""
    known = dict(
        line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    ) if Path("/proc/cpuinfo").exists() else {}  # fmt: skip
    name = next((value.strip() for value in known.values()), platform.processor() or platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    vector = torch.backends.cpu.get_cpu_capability()
    return (
        f"{os.cpu_count()} cores of {name} ({vector}), {memory:.0f} GiB, torch {torch.__version__}, "
        f"version {project['version']}, "
        f"{time.strftime('%Y-%m-%d')}, load average {load()}"
    )


def load() -> str:
    """How many tasks wanted a core in the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def least(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Least seconds by the clock and of processor time of a few calls: a busy machine disturbs the second less."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        call()
        seconds.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    wall, processor = zip(*seconds, strict=True)
    return min(wall), min(processor)
