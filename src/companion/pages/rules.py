"""Which sources a notebook depends on, read from its imports, as rules for make. Standard library only: it runs often."""

from __future__ import annotations

import re
import tempfile
from modulefinder import ModuleFinder
from pathlib import Path

from constellations.atomic import replace_on_success

CODE_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
OPTIONS = re.compile(r"\A(?:---\n.*?^---\n|(?::[\w-]+:[^\n]*\n)+)", re.MULTILINE | re.DOTALL)


def code_of(text: str) -> str:
    """The Python code of a MyST notebook, cell after cell.

    >>> code_of("words\\n```{code-cell} ipython3\\n:tags: [x]\\n\\nimport a\\n```\\n")
    'import a\\n'
    """
    return "\n".join(OPTIONS.sub("", cell).lstrip("\n") for cell in CODE_CELL.findall(text))


def sources_of(text: Path, src: Path) -> list[Path]:
    """Files below ``src`` that a notebook uses: modules, found through imports, and the data files that they name."""
    finder = ModuleFinder(path=[str(src)])
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / text.with_suffix(".py").name
        script.write_text(code_of(text.read_text(encoding="utf-8")), encoding="utf-8")
        try:
            finder.run_script(str(script))
        except SyntaxError as error:
            raise ValueError(f"{text} must hold valid Python, got a syntax error: {error}") from error
    modules = sorted(
        Path(file)
        for name, module in finder.modules.items()
        if name != "__main__" and (file := getattr(module, "__file__", None))
    )
    written = "\n".join(path.read_text(encoding="utf-8") for path in [text, *modules])
    return modules + [path for path in sorted(src.glob("*/data/*.*")) if path.stem in written]


def write_rules(root: Path, target: Path) -> None:
    """Write a file for make: what it depends on itself, and the sources of each notebook's executed form."""
    root = root.resolve()
    src = root / "src"
    modules = " ".join(str(path.relative_to(root)) for path in sorted(src.rglob("*.py")))
    # The second line, a rule without a recipe, keeps make going after a module is renamed: the list is then made anew.
    lines = [f"{target}: {modules}", f"{modules}:"]
    for text in sorted((root / "notebooks").glob("[0-9][0-9]_*.md")):
        sources = " ".join(str(path.relative_to(root)) for path in sources_of(text, src))
        lines.append(f"$(EXECUTED)/{text.stem}.ipynb: {sources}")
    with replace_on_success(target) as path:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
