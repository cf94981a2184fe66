"""The figures of the chapters as files: links under each of them, and a page that shows all."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from nbformat import NotebookNode
from PIL import Image

MADE = re.compile(r'run\.show\(\w+, "(\w+)"')
NUMBER = r"(?:Figure|Table)s? \d+(?:–\d+| and \d+)?"
PAPER = re.compile(rf"(?<!plane of )(?<!products of )({NUMBER}) of the paper(?! is)|the paper's ({NUMBER})")
FILES = {"svg": "SVG", "png": "PNG", "npz": "data", "html": "alone on a page"}
THUMBNAIL = (640, 480)


def figures_of(name: str, notebook: NotebookNode, folder: Path) -> list[dict[str, str]]:
    """The figures of a chapter; each caption gets links to its files in ``folder``."""
    found = []
    for cell in notebook.cells:
        options, made = cell.metadata.get("mystnb", {}), MADE.search(cell.source)
        if "figure" in options and made:
            options = {"image": {"alt": ""}} | options
            stem, caption = f"{name[:2]}_{made[1]}", options["figure"]["caption"].strip()
            links = " · ".join(
                f'<a href="../_static/figures/{stem}.{ending}">{word}</a>'
                for ending, word in FILES.items()
                if (folder / f"{stem}.{ending}").exists()
            )
            paper = PAPER.search(caption)
            found.append({
                "stem": stem, "label": options["figure"]["name"], "alt": " ".join(options["image"]["alt"].split()),
                "caption": re.split(r"\. (?=[A-Z$(])", " ".join(caption.split()))[0].rstrip("."), "links": links,
                "paper": (paper[1] or f"compare {paper[2]}") if paper else "", "live": (folder / f"{stem}.html").exists(),
            })  # fmt: skip
            options["figure"]["caption"] = f'{caption} <span class="figure-files">{links}</span>'
    return found


def copy_files(folder: Path, target: Path) -> None:
    """The files of all figures for readers, and a small picture of each."""
    (target / "thumbnails").mkdir()
    if folder.exists():
        shutil.copytree(folder, target / "_static" / "figures")
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as picture:
            picture.thumbnail(THUMBNAIL)
            picture.save(target / "thumbnails" / f"{path.stem}.webp")
