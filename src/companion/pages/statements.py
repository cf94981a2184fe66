"""The map of statements: what each page's ``prf:`` directives state, what their proofs use, and how they are known.

Two comment lines may follow ``:label:`` in a directive: ``% uses: label, label`` (what its proof uses without a link),
``% mentions: label`` (a link that is no use), and ``% status:`` one of :data:`STATUSES`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from companion.pages.profiles import number
from companion.pages.templates import render

STATUSES = {
    "proved": "proved in this book",
    "cited": "proved in the paper or the source named",
    "defined": "a definition",
    "measured": "measured here, not proved",
    "conjectured": "conjectured",
    "open": "open",
}
DIRECTIVE = re.compile(r"^```\{prf:(\w+)\} *(.*?)\n(.*?)^``` *$", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^````\w.*?^````", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\{prf:ref\}`(?:[^`<]*<)?([\w.-]+)>?`")
PAPER = re.compile(r"(\w+ [\d.]+) of the paper")


@dataclass(frozen=True)
class Statement:
    """A result, definition or problem: ``name`` is what links show, ``heading`` its title on the page."""

    label: str
    kind: str
    name: str
    heading: str
    page: str
    status: str
    uses: tuple[str, ...]

    @property
    def item(self) -> str:
        """The name as record ids spell it, for example ``theorem-3.3``."""
        return self.name.lower().replace(" ", "-")


def read(root: Path, pages: Sequence[str]) -> list[Statement]:
    """Every statement of the pages of a book, in order.

    Raises
    ------
    ValueError
        For a statement without label or an unknown status, naming page and title.
    """
    found: list[Statement] = []
    for page in pages:
        path = root / f"{page}.md"
        found += _on_page(page, path.read_text(encoding="utf-8")) if path.exists() else []
    return found


def as_data(statements: Sequence[Statement], verdicts: Mapping[str, str]) -> list[dict]:
    """What ``statements.json`` holds: each statement with its verdict and what uses it."""
    return [
        asdict(one) | {
            "verdict": verdicts.get(one.item, ""),
            "used_by": [other.label for other in statements if one.label in other.uses],
        }
        for one in statements
    ]  # fmt: skip


def page(data: Sequence[Mapping], titles: Mapping[str, str]) -> str:
    """The map as a picture whose boxes are links."""
    shown = [{**entry, "title": _short_title(entry)} for entry in data]
    return render("statements.html", data=shown, titles=titles, statuses=STATUSES)


def _on_page(page: str, text: str) -> list[Statement]:
    blocks = list(DIRECTIVE.finditer(SHOWN.sub("", text)))
    found: list[Statement] = []
    for index, block in enumerate(blocks):
        kind, title, body = block.groups()
        if kind == "proof":
            continue
        proofs = ""
        for later in blocks[index + 1 :]:
            if later[1] != "proof":
                break
            proofs += later[3]
        label = re.search(r"^:label: *(\S+)", body, re.MULTILINE)
        if label is None:
            raise ValueError(f"{page}.md: the {kind} {title!r} must have a :label:")
        uses = _listed("uses", body) + LINK.findall(body + proofs)
        dropped = {label[1], *_listed("mentions", body)}
        status = " ".join(_listed("status", body)) or ("open" if "(open)" in title else _usual_status(kind, proofs))
        if status not in STATUSES:
            raise ValueError(f"{page}.md: status of {label[1]} must be one of {', '.join(STATUSES)}, got {status!r}")
        name, heading = _names(kind, title, page, sum(not PAPER.match(s.heading) for s in found))
        kept = tuple(dict.fromkeys(use for use in uses if use not in dropped))
        found.append(Statement(label[1], kind, name, heading, page, status, kept))
    return found


def _listed(word: str, body: str) -> list[str]:
    return [
        part
        for line in re.findall(rf"^% {word}:(.*)$", body, re.MULTILINE)
        for part in re.split(r"[,\s]+", line.strip())
    ]


def _usual_status(kind: str, proofs: str) -> str:
    return {"conjecture": "conjectured", "definition": "defined"}.get(kind, "proved" if proofs else "cited")


def _names(kind: str, title: str, page: str, earlier: int) -> tuple[str, str]:
    """The paper's number for what is the paper's; chapter and letter for everything else."""
    paper = PAPER.match(title)
    if paper:
        return paper[1], title
    chapter = number(page.removeprefix("notebooks/")) if page.startswith("notebooks/") else ""
    name = f"{kind.title()} {chapter}{chr(ord('A') + earlier)}"
    return name, f"{name}. {title}" if title else name


def _short_title(entry: Mapping) -> str:
    title = entry["heading"].removeprefix(entry["name"]).removeprefix(" of the paper")
    return title.strip(" .,:").removesuffix(" (ours)")
