"""The book's own Sphinx extension: nothing from the network, names of statements, and what the theme leaves to mend."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import sphinx_proof.domain
import sphinx_tippy
import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment
from sphinx.ext.autosummary import Autosummary
from sphinx.util.nodes import make_refnode
from sphinx_proof.nodes import unenumerable_node, visit_unenumerable_node

from companion.pages.profiles import number
from companion.pages.templates import TEMPLATES, render

UNWANTED = "sphinx_thebe"
CHAPTERS = "notebooks/"


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx after the extensions that are changed here."""
    for name in ("sphinx_proof", "sphinx_tippy", UNWANTED):
        app.setup_extension(name)
    for listeners in app.events.listeners.values():
        listeners[:] = [entry for entry in listeners if entry.handler.__module__ != UNWANTED]
    app.registry.css_files[:] = [entry for entry in app.registry.css_files if "thebe" not in str(entry[0])]
    app.add_domain(Statements, override=True)
    html = (visit_unenumerable_node, lambda translator, node: translator.body.append("</div>"))
    app.add_node(unenumerable_node, override=True, html=html)
    # For the printed book: an extension that names this builder hides what all others say of HTML.
    handlers = app.registry.translation_handlers
    handlers["singlehtml"] = handlers["html"] | handlers.get("singlehtml", {})
    # The files of hover texts get one name each, so that two builds are equal.
    sphinx_tippy.uuid4 = lambda: "hover"
    app.add_directive("summary", Summary)
    app.connect("autodoc-process-docstring", _describe_parameters, priority=900)
    app.add_builder(Prose, override=True)
    app.connect("env-check-consistency", _number_by_file)
    app.connect("build-finished", _drop_icon_script)
    app.connect("html-collect-pages", _not_found)
    app.connect("build-finished", _write_sitemap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


@cache
def _parameters() -> dict[str, str]:
    return yaml.safe_load((TEMPLATES / "parameters.yml").read_text(encoding="utf-8"))


@cache
def _file(path: Path) -> dict[str, dict[str, str]]:
    return {one["label"]: one for one in json.loads(path.read_text())} if path.exists() else {}


def _known(env: BuildEnvironment) -> dict[str, dict[str, str]]:
    """What ``statements.json`` says, by label."""
    return _file(Path(env.srcdir, "statements.json"))


def _named(directive: type) -> type:
    """A directive of sphinx-proof whose title is the statement's heading and whose number is left out."""

    class Named(directive):
        def run(self) -> list[nodes.Node]:
            known = _known(self.env).get(self.options.get("label"))
            if known:
                self.arguments = [known["heading"]]
            self.options["nonumber"] = None
            return super().run()

    return Named


class Statements(sphinx_proof.domain.ProofDomain):
    """Statements under the names that ``statements.json`` gives them: the paper's own, or chapter and letter."""

    directives: ClassVar[dict] = {
        kind: _named(directive) if kind != "proof" else directive
        for kind, directive in sphinx_proof.domain.ProofDomain.directives.items()
    }

    def resolve_xref(self, env: BuildEnvironment, fromdocname, builder, typ, target, node, contnode):
        """A link that shows the statement's name, or what the author wrote; plain text where its page is not built."""
        known = _known(env).get(target)
        if known is None:
            return super().resolve_xref(env, fromdocname, builder, typ, target, node, contnode)
        text = nodes.Text(known["name"]) if contnode.astext() == target else contnode[0]
        built = getattr(env, "proof_list", {})
        return make_refnode(builder, fromdocname, built[target]["docname"], target, text) if target in built else text


def _number_by_file(app: Sphinx, env: BuildEnvironment) -> None:
    """Chapter 16 is number 16 wherever the table of contents puts it, in titles, figures and side bar; pages have none."""
    for page, sections in env.toc_secnumbers.items():
        shown = (number(page.removeprefix(CHAPTERS)),) if page.startswith(CHAPTERS) else ()
        for numbers in (sections, *env.toc_fignumbers.get(page, {}).values()):
            numbers.update({key: (*shown, *each[1:]) for key, each in numbers.items() if each and shown})  # type: ignore[arg-type]
        for node in (env.titles[page], *env.tocs[page].findall(nodes.reference)):
            if node.get("secnumber"):
                node["secnumber"] = (*shown, *node["secnumber"][1:]) if shown else None
        if not shown:
            sections.clear()


class Summary(Autosummary):
    """A table of the public names of a module, ``.. summary:: package.module``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module = import_module(self.arguments[0])
        own = {name: one for name, one in vars(module).items() if getattr(one, "__module__", "") == module.__name__}
        names = getattr(module, "__all__", [name for name in own if not name.startswith("_")])
        shown = [f"~{module.__name__}.{name}" for name in names if callable(getattr(module, name))]
        self.content = StringList(shown)
        self.options["nosignatures"] = None
        self.env.ref_context.pop("py:module", None)
        return super().run()


def _describe_parameters(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """What the names of parameters mean throughout, where a docstring leaves it at that; before what it says itself."""
    if inspect.isfunction(obj):
        known = _parameters()
        given = re.findall(r"\w+", " ".join(re.findall(r"^:param (.*?):", "\n".join(lines), re.MULTILINE)))
        parameters = inspect.signature(obj).parameters
        told = [f":param {one}: {known[one]}" for one in parameters if one in known.keys() - given]
        place = next((k for k, x in enumerate(lines) if re.match(r":(param|ret|rai)|\.\. rubric|>>>", x)), len(lines))
        lines[place:place] = ["", *told, ""] if told else []


class Prose(StandaloneHTMLBuilder):
    """Pages whose code is left out of the search, and a scoreboard that is found row by row."""

    def index_page(self, pagename: str, doctree: nodes.document, title: str) -> None:
        """Feed the search with a copy that lacks the code."""
        prose = doctree.deepcopy()
        for code in list(prose.findall(nodes.literal_block)):
            code.parent.remove(code)
        for node in prose.findall(addnodes.index) if pagename == "book/scoreboard" else ():
            node["entries"] = [(one[0], one[1], one[1].lower().replace(" ", "-"), *one[3:]) for one in node["entries"]]
        super().index_page(pagename, prose, title)


def _not_found(app: Sphinx) -> list[tuple[str, dict[str, str], str]]:
    """The page that a server shows for an address without one; its links need the book's own address."""
    wanted = app.builder.name == "html" and app.config.html_baseurl
    return [("404", {"title": "No such page"}, "404.html")] if wanted else []


def _write_sitemap(app: Sphinx, exception: Exception | None) -> None:
    """Every page of the book for search engines, where its address is known."""
    if exception is None and app.builder.name == "html" and app.config.html_baseurl:
        text = render("sitemap.xml", address=app.config.html_baseurl, pages=sorted(app.env.all_docs))
        Path(app.outdir, "sitemap.xml").write_text(text, encoding="utf-8")


def _drop_icon_script(app: Sphinx, exception: Exception | None) -> None:
    """Icons come by style sheet instead of a script of 1.5 MB."""
    if exception is None and app.builder.format == "html":
        for path in Path(app.outdir).rglob("*.html"):
            html = re.sub(r"\s*<script[^>]*fontawesome\.js[^>]*></script>", "", path.read_text(encoding="utf-8"))
            html = re.sub(r"\s*<link[^>]*(?:fontawesome|fa-[a-z]+-\d+)[^>]*/?>", "", html)
            path.write_text(html, encoding="utf-8")
        for path in Path(app.outdir, "_static", "scripts").glob("fontawesome*"):
            path.unlink()
