"""Which sources a notebook depends on, read from its imports, as rules for make. Standard library only: it runs often."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from constellations.files import replace_on_success

PACKAGE = "constellations"
CODE_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
OPTIONS = re.compile(r"\A(?:---\n.*?^---\n|(?::[\w-]+:[^\n]*\n)+)", re.MULTILINE | re.DOTALL)


def code_of(text: str) -> str:
    """The Python code of a MyST notebook, cell after cell.

    >>> code_of("words\\n```{code-cell} ipython3\\n:tags: [x]\\n\\nimport a\\n```\\n")
    'import a\\n'
    """
    return "\n".join(OPTIONS.sub("", cell).lstrip("\n") for cell in CODE_CELL.findall(text))


def sources_of(text: Path, package: Path) -> list[Path]:
    """Files of the package that a notebook uses: modules, found through imports, and the data files that they name.

    Parameters
    ----------
    text:
        A MyST notebook.
    package:
        The folder of the package, ``src/constellations``.

    Raises
    ------
    ValueError
        If a code cell of the notebook, or a module, is not valid Python.
    """
    modules: set[Path] = set()
    waiting = list(_imported(code_of(text.read_text(encoding="utf-8")), package, text))
    while waiting:
        module = waiting.pop()
        if module not in modules:
            modules.add(module)
            waiting += _imported(module.read_text(encoding="utf-8"), package, module)
    written = "\n".join(path.read_text(encoding="utf-8") for path in [text, *sorted(modules)])
    data = [path for path in sorted((package / "data").glob("*")) if path.is_file() and path.stem in written]
    return sorted(modules) + data


def write_rules(root: Path, target: Path) -> None:
    """Write a file for make: what it depends on itself, and the sources of each notebook's executed form."""
    package = root / "src" / PACKAGE
    modules = " ".join(str(path.relative_to(root)) for path in _python_files(package))
    # The second line, a rule without a recipe, keeps make going after a module is renamed: the list is then made anew.
    lines = [f"{target}: {modules}", f"{modules}:"]
    for text in sorted((root / "notebooks").glob("[0-9][0-9]_*.md")):
        sources = " ".join(str(path.relative_to(root)) for path in sources_of(text, package))
        lines.append(f"$(EXECUTED)/{text.stem}.ipynb: {sources}")
    with replace_on_success(target) as path:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _python_files(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def _imported(code: str, package: Path, where: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise ValueError(f"{where} must hold valid Python, got a syntax error: {error}") from error
    tree.body = [node for node in tree.body if not _is_script(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(alias.name.split("."), package)
        elif isinstance(node, ast.ImportFrom) and node.module:
            base = node.module.split(".")
            for alias in node.names:
                yield from _files([*base, alias.name], package)


def _is_script(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)


def _files(name: Sequence[str], package: Path) -> Iterator[Path]:
    """The file of a dotted name and the ``__init__.py`` of the packages around it; nothing for foreign names."""
    if name[0] != PACKAGE:
        return
    folder = package
    yield folder / "__init__.py"
    for part in name[1:]:
        if (folder / f"{part}.py").exists():
            yield folder / f"{part}.py"
            return
        folder = folder / part
        if not (folder / "__init__.py").exists():
            return
        yield folder / "__init__.py"
