"""What is left to the profile gpu, as the page about rerunning shows it."""

from __future__ import annotations

from pathlib import Path

from companion.pages.profiles import left_to_gpu
from companion.pages.templates import render


def test_lists_chapters_that_the_profile_enlarges(tmp_path: Path) -> None:
    folder = tmp_path / "profiles" / "gpu"
    folder.mkdir(parents=True)
    (folder / "01_first.yml").write_text("# More seeds,\n# and longer.\nn_seeds: 100\nsizes: [1, 2]\n")
    (folder / "02_second.yml").write_text("{}\n")
    assert left_to_gpu(tmp_path) == {"01_first": ("More seeds, and longer.", {"n_seeds": 100, "sizes": [1, 2]})}


def test_says_so_if_nothing_is_left(tmp_path: Path) -> None:
    assert "Nothing: the two profiles agree." in render("left_to_gpu.md", left=left_to_gpu(tmp_path), titles={})
