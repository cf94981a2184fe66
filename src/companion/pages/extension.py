"""The book's own Sphinx extension: nothing from the network, names of statements, and what the theme leaves to mend."""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import sphinx_proof.domain
import sphinx_tippy
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode
from sphinx_proof.nodes import unenumerable_node, visit_unenumerable_node

UNWANTED = "sphinx_thebe"
DESCRIBED = 200


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
    app.connect("env-check-consistency", lambda app, env: _number_by_file(env))
    app.connect("html-page-context", _describe)
    app.connect("build-finished", _mend_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


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


def _number_by_file(env: BuildEnvironment) -> None:
    """Chapter 16 is number 16 wherever the table of contents puts it, in titles, figures and side bar."""
    for page, sections in env.toc_secnumbers.items():
        chapter = re.match(r"notebooks/(\d\d)_", page)
        if chapter:
            for numbers in (sections, *env.toc_fignumbers.get(page, {}).values()):
                numbers.update({key: (int(chapter[1]), *number[1:]) for key, number in numbers.items() if number})
            for node in (env.titles[page], *env.tocs[page].findall(nodes.reference)):
                if node.get("secnumber"):
                    node["secnumber"] = (int(chapter[1]), *node["secnumber"][1:])


def _describe(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """A description of each page in its head: its first paragraph."""
    if doctree is None:
        return
    first = next(
        (node.astext() for node in doctree.findall(nodes.paragraph) if len(node.astext()) > 40), app.config.project
    )
    text = " ".join(first.split())
    text = escape(text if len(text) <= DESCRIBED else text[:DESCRIBED].rsplit(" ", 1)[0] + " …", quote=True)
    title = escape(re.sub(r"<[^>]+>", "", context.get("title") or "Constellations"), quote=True)
    tags = {"og:title": title, "og:description": text, "og:type": "article", "og:site_name": "Constellations"}
    context["metatags"] += f'<meta name="description" content="{text}" />'
    context["metatags"] += "".join(f'<meta property="{key}" content="{value}" />' for key, value in tags.items())


def _mend_all(app: Sphinx, exception: Exception | None) -> None:
    """Icons by style sheet instead of a script of 1.5 MB; folds, tables and formulas for keyboards and screen readers."""
    if exception is None and app.builder.format == "html":
        for path in Path(app.outdir).rglob("*.html"):
            path.write_text(mended(path.read_text(encoding="utf-8")), encoding="utf-8")
        for path in Path(app.outdir, "_static", "scripts").glob("fontawesome*"):
            path.unlink()


def mended(html: str) -> str:
    """One page with its faults mended.

    >>> mended('<th><p>x</p></th><summary aria-label="Toggle hidden content">')
    '<th scope="col"><p>x</p></th><summary>'
    """
    html = re.sub(r"\s*<script[^>]*fontawesome\.js[^>]*></script>", "", html)
    html = re.sub(r"\s*<link[^>]*(?:fontawesome|fa-[a-z]+-\d+)[^>]*/?>", "", html)
    html = re.sub(r'(<summary[^>]*?) aria-label="[^"]*"', r"\1", html)
    html = re.sub(
        r"<th(?: class=\"(head[^\"]*)\")?>",
        lambda m: f'<th scope="col"{f" class={chr(34)}{m[1]}{chr(34)}" if m[1] else ""}>',
        html,
    )
    html = re.sub(
        r'<div class="(table-scroll|pst-scrollable-table-container)">', r'<div class="\1" tabindex="0">', html
    )
    html = re.sub(r'(<button[^>]*?search-button[^>]*?) aria-label="Search"', r"\1", html)
    return html.replace('role="doc-biblioentry"', "").replace(
        '<div role="list" class="citation-list">', '<div class="citation-list">'
    )
