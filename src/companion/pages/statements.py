"""The map of statements: what each page's ``prf:`` directives state, what their proofs use, and how they are known.

Two comment lines may follow ``:label:`` in a directive: ``% uses: label, label`` (what its proof uses without a link),
``% mentions: label`` (a link that is no use), and ``% status:`` one of :data:`STATUSES`.
"""

from __future__ import annotations

import graphlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

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
ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto">'
    '<path d="M0 0L6 3L0 6z"/></marker></defs>'
)
WIDTH, BOX, HEIGHT, GAP, LEFT, PER_LINE = 916, 118, 36, 8, 30, 7


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


def problems(statements: Sequence[Statement]) -> list[str]:
    """Labels given twice, uses that lead nowhere, and circles, in words."""
    uses = {statement.label: set(statement.uses) for statement in statements}
    labels = [statement.label for statement in statements]
    found = [f"{label} is given twice" for label in sorted(uses) if labels.count(label) > 1]
    found += [f"{label} uses {used}: no such statement" for label in uses for used in sorted(uses[label] - set(uses))]
    try:
        tuple(graphlib.TopologicalSorter(uses).static_order())
    except graphlib.CycleError as error:
        found.append(f"a circle: {' uses '.join(reversed(error.args[1]))}")
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
    """The map as HTML: a picture whose boxes are links, and the same as a table."""
    place, lines, y = {}, [], 0
    for name in dict.fromkeys(entry["page"] for entry in data):
        entries = [entry for entry in data if entry["page"] == name]
        lines.append(f'<text class="page" x="0" y="{y + 14}">{escape(_short(titles.get(name, name), 90))}</text>')
        for k, entry in enumerate(entries):
            place[entry["label"]] = (LEFT + k % PER_LINE * (BOX + GAP), y + 22 + k // PER_LINE * (HEIGHT + GAP))
        y += 46 + ((len(entries) - 1) // PER_LINE + 1) * (HEIGHT + GAP)
    for entry in data:
        for used in entry["uses"]:
            (x0, y0), (x1, y1) = place[used], place[entry["label"]]
            x0, x1, beside = x0 + BOX // 2, x1 + BOX // 2, y0 == y1
            y0, bend = (y0, 18) if beside else (y0 + HEIGHT, max(24, abs(y1 - y0) // 2))
            curve = f"M{x0} {y0}C{x0} {y0 - bend if beside else y0 + bend} {x1} {y1 - bend} {x1} {y1 - 3}"
            lines.append(f'<path data-from="{used}" data-to="{entry["label"]}" d="{curve}"/>')
    lines += [_box(entry, *place[entry["label"]]) for entry in data]
    label = "Statements and what their proofs use"
    head = f'<svg id="statement-map" viewBox="0 0 {WIDTH} {y}" role="group" aria-label="{label}">{ARROW}'
    picture = f'<div class="table-scroll" tabindex="0">{head}{"".join(lines)}</svg></div>'
    return f'<div id="statement-focus" aria-live="polite"></div>\n{picture}\n'


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
    chapter = re.search(r"/(\d\d)_", page)
    number = f"{int(chapter[1]) if chapter else ''}{chr(ord('A') + earlier)}"
    name = f"{kind.title()} {number}"
    return name, f"{name}. {title}" if title else name


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _box(entry: Mapping, x: int, y: int) -> str:
    text = (
        entry["heading"].removeprefix(entry["name"]).removeprefix(" of the paper").strip(" .,:").removesuffix(" (ours)")
    )
    verdict = f"; {entry['verdict']}" if entry["verdict"] else ""
    title = escape(f"{entry['heading']}: {STATUSES[entry['status']]}{verdict}")
    middle = x + BOX // 2
    return (
        f'<a class="statement {entry["status"]}" href="../{entry["page"]}.html#{entry["label"]}" '
        f'data-label="{entry["label"]}" aria-label="{title}"><title>{title}</title>'
        f'<rect x="{x}" y="{y}" width="{BOX}" height="{HEIGHT}" rx="5"/>'
        f'<text x="{middle}" y="{y + (15 if text else 22)}" class="name">{escape(entry["name"])}</text>'
        f'<text x="{middle}" y="{y + 28}">{escape(_short(text, 23))}</text></a>'
    )
