"""The text of generated pages: the templates of ``book/_templates``, filled in."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from companion.pages.profiles import number

TEMPLATES = Path(__file__).parents[3] / "book" / "_templates"


def render(template: str, **facts: object) -> str:
    """A template with its facts; in ``.html`` ones every fact is text, in ``.md`` ones it is Markdown."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=lambda name: str(name).endswith(".html"),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template(template).render(facts, number=number)
