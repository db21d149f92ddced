"""The documentation's pages: every file has one, every link leads somewhere, nothing comes from outside."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.test import Client

from impact.config.declarations import apply_files
from impact.dashboard.documents import DOCUMENTS, FOLDER, html_of, path_of
from impact.figures.sentences import level_word
from tests.conftest import caller, signed_in
from workspaces.models import Membership, Workspace

LANGUAGES = ("en", "ja")
GUIDE = FOLDER / "guides/connecting.md"


def page_of(client: Client, path: str, language: str = "en") -> str:
    client.cookies["django_language"] = language
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_every_file_is_a_page() -> None:
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("*.md")} | {
        str(path.relative_to(FOLDER)) for path in (FOLDER / "guides").glob("*.md")
    }
    # the glossary has a page of its own
    assert {f"{one.file}.md" for one in DOCUMENTS.values()} == files - {"glossary.md"}
    assert all(path.exists() for path in (path_of(one, "en") for one in DOCUMENTS.values()))
    assert [path.stem for path in (FOLDER / "guides/ja").glob("*.md")] == ["reading"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(client: Client, db: None, name: str, language: str) -> None:
    page = page_of(client, f"/docs/{name}", language)
    article = page.partition('<article class="doc"')[2].partition("</article>")[0]
    assert article.count("<h1") == 1
    for link in re.findall(r'href="([^"]*)"', article):
        path, _, place = link.partition("#")
        assert path.startswith("/docs/") or not path, link
        target = page_of(client, path, language) if path else page
        assert not place or f'id="{place}"' in target, link


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_holds_nothing_but_text(name: str, language: str) -> None:
    html = html_of(name, language)
    assert re.findall(r"<(script|style|img|iframe|form|svg|object)\b| (style|on\w+|src)=", html) == []
    assert "https://" not in re.sub(r"<code.*?</code>", "", html, flags=re.S)


def test_is_in_the_readers_language_or_says_that_it_is_not(client: Client, db: None) -> None:
    assert '<article class="doc" lang="ja"><h1>結果の読み方' in page_of(client, "/docs/reading", "ja")
    page = page_of(client, "/docs/methods", "ja")
    assert '<article class="doc" lang="en">' in page and "英語のみ" in page
    assert "only in English" not in page_of(client, "/docs/methods")


def test_in_a_workspace_links_stay_there(mate: Membership) -> None:
    client = signed_in(mate)
    assert 'href="/w/mobile/docs/methods"' in page_of(client, "/w/mobile/docs/reading")
    assert 'href="/w/mobile/docs"' in page_of(client, "/w/mobile/")
    assert 'href="/w/mobile/docs/reading"' in page_of(client, "/w/mobile/docs")


@pytest.mark.parametrize("name", ["nothing", "..%2Fapi", "reading.md", "glossary"])
def test_what_is_no_document_is_not_found(client: Client, db: None, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


def test_the_six_words_are_those_of_the_pages() -> None:
    for language in LANGUAGES:
        text = path_of(DOCUMENTS["reading"], language).read_text(encoding="utf-8")
        words = [
            level_word(level, language) for level in ("proven", "likely", "unclear", "harmful", "too_early", "withheld")
        ]
        assert re.findall(r"^\| (\S[^|]*?) \|", text, re.M)[1:] == words


def test_the_calls_of_the_guide_run_as_they_stand(real_workspace: Workspace, tmp_path: Path) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    [declared] = re.findall(r"```yaml\n(.*?)```", text, re.S)
    (tmp_path / "shop.yaml").write_text(declared)
    apply_files(real_workspace, [tmp_path / "shop.yaml"], "test")
    api = caller(real_workspace, "decide", "log", "read")
    calls = re.findall(r"```json\nPOST /api/v1(\S+)\n(.*?)```", text, re.S)
    assert len(calls) == 5
    decision = ""
    for path, body in calls:
        answer = api.post(path, json.loads(body.replace("DECISION", decision)))
        assert answer.status_code == 200, (path, answer.body)
        decision = answer.body.get("decision_id", decision)
        assert answer.body.get("accepted", 1) == 1, (path, answer.body)
    assert decision
