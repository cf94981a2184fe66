"""The built book as files: self-contained, every link leads somewhere, every page has a title and every picture words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
import yaml

pytestmark = pytest.mark.book
ROOT = Path(__file__).resolve().parents[3]
PROFILE = os.environ.get("CONSTELLATIONS_PROFILE", "quick")
HTML = ROOT / "_build" / PROFILE / "html"
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src",
          "embed": "src", "object": "data", "image": "href", "use": "href"}  # fmt: skip
FETCHED_LINKS = {
    "stylesheet",
    "icon",
    "shortcut icon",
    "preload",
    "modulepreload",
    "prefetch",
    "manifest",
    "preconnect",
}
REMOTE = re.compile(r"(?:https?:)?//\w", re.IGNORECASE)
REMOTE_IN_CSS = re.compile(r"(?:url\(\s*|@import\s*)[\"']?(?:https?:)?//", re.IGNORECASE)
REMOTE_IN_JS = re.compile(
    r"(?:\bimport\s*\(?|importScripts\(|fetch\(|\.src\s*=|from)\s*[\"'`](?:https?:)?//", re.IGNORECASE
)
MARKUP_LEFT_OVER = re.compile(
    r"\{(?:glue|prf|numref|ref|cite|doc|eq|math|code-cell|figure|include)[:}]|Traceback \(most recent"
)


@dataclass
class Page(HTMLParser):
    """What one page loads, links to and shows."""

    path: Path
    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    images: list[dict[str, str]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    headings: int = 0
    title: str = ""
    scripts: str = ""
    text: str = ""
    redirect: str = ""
    _inside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self.ids |= {values[key] for key in ("id", "name") if values.get(key)}
        self.headings += tag == "h1"
        if tag in LOADED and values.get(LOADED[tag]):
            self.loads.append(values[LOADED[tag]])
        if tag == "link" and values.get("rel", "").lower() in FETCHED_LINKS:
            self.loads.append(values["href"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "img":
            self.images.append(values)
        if tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
            self.redirect = values["content"].partition("url=")[2]
        if tag in ("script", "style", "title", "code", "pre"):
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        where = self._inside[-1] if self._inside else ""
        if where == "title":
            self.title += data
        elif where == "script":
            self.scripts += data
        elif not where:
            self.text += data


@cache
def pages() -> dict[Path, Page]:
    if not (HTML / "index.html").exists():
        wanted = f"no book in {HTML.relative_to(ROOT)}: build it with make book PROFILE={PROFILE}"
        pytest.fail(wanted) if os.environ.get("CI") else pytest.skip(wanted)
    return {path.resolve(): Page(path) for path in sorted(HTML.rglob("*.html")) if "_static" not in path.parts}


def contents() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]


def local(page: Page) -> Iterator[tuple[str, Path, str]]:
    """Every address of a page that stays in the book: as written, the file and the fragment."""
    for address in page.loads + page.links + [page.redirect]:
        if address and not urlsplit(address).scheme and not address.startswith("//"):
            plain, fragment = urldefrag(address)
            plain = unquote(plain.partition("?")[0])
            yield address, (page.path.parent / plain if plain else page.path).resolve(), unquote(fragment)


def found(problems: list[str]) -> str:
    return f"{len(problems)} problems:\n" + "\n".join(problems[:20])


def test_every_entry_of_the_contents_has_its_page() -> None:
    missing = [name for name in contents() if (HTML / f"{name}.html").resolve() not in pages()]
    assert not missing, found(missing)


def test_the_first_page_leads_to_the_landing_page() -> None:
    first = pages()[(HTML / "index.html").resolve()]
    assert first.redirect == "book/index.html" or "book/index.html" in first.links


def test_pages_load_nothing_from_the_network() -> None:
    problems = [
        f"{page.path.relative_to(HTML)} loads {address}"
        for page in pages().values() for address in page.loads if REMOTE.match(address)
    ]  # fmt: skip
    problems += [
        f"{p.path.relative_to(HTML)}: inline script" for p in pages().values() if REMOTE_IN_JS.search(p.scripts)
    ]
    assert not problems, found(problems)


@pytest.mark.parametrize(("ending", "pattern"), [("css", REMOTE_IN_CSS), ("js", REMOTE_IN_JS)])
def test_styles_and_scripts_load_nothing_from_the_network(ending: str, pattern: re.Pattern[str]) -> None:
    assert pages()
    files = [path for path in sorted(HTML.rglob(f"*.{ending}")) if not path.name.endswith(".map")]
    assert files
    problems = []
    for path in files:
        match = pattern.search(path.read_text(encoding="utf-8", errors="replace"))
        if match:
            problems.append(f"{path.relative_to(HTML)}: ...{match.string[match.start() : match.start() + 90]}...")
    assert not problems, found(problems)


def test_every_link_and_picture_inside_the_book_exists() -> None:
    problems = []
    for page in pages().values():
        for address, target, fragment in local(page):
            if not target.exists():
                problems.append(f"{page.path.relative_to(HTML)} -> {address}")
            elif fragment and target in pages() and fragment not in pages()[target].ids | {"top"}:
                problems.append(f"{page.path.relative_to(HTML)} -> {address}: no such place on the page")
    assert not problems, found(problems)


def test_every_page_has_a_title_and_one_main_heading() -> None:
    problems = [
        f"{page.path.relative_to(HTML)}: title {page.title!r}, {page.headings} main headings"
        for page in pages().values() if not page.redirect and (not page.title.strip() or page.headings < 1)
    ]  # fmt: skip
    assert not problems, found(problems)


def test_every_picture_has_a_description() -> None:
    """An empty description is only for ornaments, and the book has none; a file name is no description."""
    problems = []
    for page in pages().values():
        for image in page.images:
            alt = image.get("alt", "").strip()
            if len(alt) < 10 and "logo" not in image.get("class", ""):
                problems.append(f"{page.path.relative_to(HTML)}: {image.get('src')} has alt {alt!r}")
            elif re.search(r"\.(svg|png|jpe?g)$", alt):
                problems.append(f"{page.path.relative_to(HTML)}: {image.get('src')} is described by a file name")
    assert not problems, found(problems)


def test_no_markup_and_no_traceback_is_left_in_the_text() -> None:
    problems = [
        f"{page.path.relative_to(HTML)}: {match.group()}"
        for page in pages().values() for match in MARKUP_LEFT_OVER.finditer(page.text)
    ]  # fmt: skip
    assert not problems, found(problems)


def test_the_scoreboard_links_every_chapter() -> None:
    page = pages()[(HTML / "book" / "scoreboard.html").resolve()]
    reached = {target for _, target, _ in local(page)}
    missing = [name for name in contents() if "notebooks/" in name and (HTML / f"{name}.html").resolve() not in reached]
    assert not missing, found(missing)


def test_the_landing_page_leads_to_every_chapter_and_to_the_paper() -> None:
    page = pages()[(HTML / "book" / "index.html").resolve()]
    reached = {target for _, target, _ in local(page)}
    assert not [
        name for name in contents() if "notebooks/" in name and (HTML / f"{name}.html").resolve() not in reached
    ]
    assert "https://arxiv.org/abs/2509.18552" in page.links


@pytest.mark.parametrize("name", [name for name in contents() if name.startswith("notebooks/")])
def test_every_figure_of_a_chapter_leads_to_its_files_and_is_in_the_gallery(name: str) -> None:
    text = (HTML / f"{name}.html").read_text(encoding="utf-8")
    captions = re.findall(r"<figcaption>.*?</figcaption>", text, re.DOTALL)
    gallery = pages()[(HTML / "book" / "gallery.html").resolve()]
    assert captions
    for caption in captions:
        files = re.findall(r'href="\.\./(_static/figures/\w+\.(?:svg|png|npz|html))"', caption)
        assert len(files) == (1 if files[0].endswith("html") else 3), caption
        assert {f"../{file}" for file in files} <= set(gallery.links), caption


def test_chapters_are_called_by_the_number_they_show_and_linked() -> None:
    problems = [
        f"{page.path.relative_to(HTML)}: {words}"
        for page in pages().values() for words in re.findall(r"[Cc]hapter (?:0\d|20)\b.{20}", page.text)
    ]  # fmt: skip
    assert not problems, found(problems)
    assert "A. Settings of Tables 2 and 3" in pages()[(HTML / "book" / "index.html").resolve()].text


def test_every_page_of_the_book_describes_itself() -> None:
    for name in contents():
        head = (HTML / f"{name}.html").read_text(encoding="utf-8").partition("</head>")[0]
        (told,) = re.findall(r'<meta name="description" content="([^"]+)"', head)
        assert 40 < len(told) <= 210 and f'content="{told}"' in head.partition("og:description")[2], name
