"""The documents of docs/ as pages: which there are, in what order, and each as safe HTML."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext_lazy as _

FOLDER: Path = settings.ROOT / "docs"
TAGS = {
    "h1", "h2", "h3", "h4", "p", "a", "strong", "em", "code", "pre", "ul", "ol", "li", "table", "thead", "tbody", "tr",
    "th", "td", "blockquote", "hr", "br", "div",
}  # fmt: skip
ATTRIBUTES = {"a": {"href"}, "th": {"scope"}, "div": {"class", "tabindex"}, "pre": {"tabindex"}} | {
    heading: {"id"} for heading in ("h2", "h3", "h4")
}


class Document(NamedTuple):
    """A document's name in addresses, its file without ending and language, and its title."""

    name: str
    file: str
    title: Any


# for whom -> what they read, the shortest first
SHELVES: tuple[tuple[Any, tuple[Document, ...]], ...] = (
    (_("To decide"), (Document("reading", "guides/reading", _("Reading a result")),)),
    (
        _("To analyse"),
        (
            Document("methods", "guides/methods", _("How a result comes about")),
            Document("statistics", "statistics", _("Statistics")),
            Document("finance", "finance", _("Money")),
            Document("checks", "checks", _("Checks")),
            Document("loading", "loading", _("Loading a finished experiment")),
        ),
    ),
    (
        _("To connect"),
        (
            Document("connecting", "guides/connecting", _("Connected in ten minutes")),
            Document("api", "api", _("API")),
        ),
    ),
    (
        _("To run"),
        (
            Document("running", "guides/running", _("Deploying, backing up, upgrading")),
            Document("operations", "operations", _("Operations")),
        ),
    ),
)
DOCUMENTS = {document.name: document for _title, documents in SHELVES for document in documents}


def path_of(document: Document, language: str) -> Path:
    """The document's file in this language, or in English where nobody has written it."""
    folder, _, file = document.file.rpartition("/")
    own = FOLDER / folder / language / f"{file}.md"
    return own if own.exists() else FOLDER / f"{document.file}.md"


def written_in(document: Document, language: str) -> str:
    """The language that the reader gets the document in."""
    return language if path_of(document, language).parent.name == language else "en"


@cache
def html_of(name: str, language: str) -> str:
    """The document as HTML that holds nothing but text, links, lists, tables and code."""
    import nh3
    from markdown import Markdown

    source = path_of(DOCUMENTS[name], language).read_text(encoding="utf-8")
    made = Markdown(extensions=["tables", "fenced_code", "sane_lists", "toc"]).convert(source)
    made = made.replace("<table>", '<div class="scroll" tabindex="0"><table>').replace("</table>", "</table></div>")
    made = made.replace("<pre>", '<pre tabindex="0">').replace("<th>", '<th scope="col">')
    return nh3.clean(made, tags=TAGS, attributes=ATTRIBUTES, link_rel=None, url_schemes={"https", "mailto"})


def linked(html: str, root: str) -> str:
    """Let links between documents, ``../api.md#facts``, lead to their pages below this address."""
    names = {document.file.rpartition("/")[2]: document.name for document in DOCUMENTS.values()}

    def page(link: re.Match[str]) -> str:
        name = names.get(link["file"])
        return f'href="{root}/{name}{link["rest"]}"' if name else link[0]

    return re.sub(r'href="(?:[\w.-]+/)*(?P<file>[\w-]+)\.md(?P<rest>(?:#[\w-]+)?)"', page, html)
