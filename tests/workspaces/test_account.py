"""One's own page: language, zone and mails are kept and followed; what is no choice is refused."""

from __future__ import annotations

import pytest

from tests.conftest import signed_in
from workspaces.models import Membership, Person

KEPT = {"language": "ja", "time_zone": "Asia/Tokyo", "mail": "never"}


def test_is_kept_and_followed(mate: Membership) -> None:
    client = signed_in(mate)
    page = client.get("/account").content.decode()
    assert "mate@example.com" in page and "that of each workspace" in page
    answer = client.post("/account", KEPT)
    assert (answer.status_code, answer["Location"]) == (302, "/account")
    person = Person.objects.get(email="mate@example.com")
    assert (person.language, person.time_zone, person.mail, person.languages) == ("ja", "Asia/Tokyo", "never", ["ja"])
    page = client.get("/account").content.decode()
    assert '<html lang="ja">' in page and "保存しました" in page
    assert '<option value="Asia/Tokyo" selected>' in page


@pytest.mark.parametrize("change", [{"language": "fr"}, {"time_zone": "Mars/Phobos"}, {"mail": "hourly"}, {"mail": ""}])
def test_what_is_no_choice_is_refused(mate: Membership, change: dict[str, str]) -> None:
    answer = signed_in(mate).post("/account", KEPT | change)
    assert answer.status_code == 422 and 'role="alert"' in answer.content.decode()
    assert Person.objects.get(email="mate@example.com").mail == "daily"


def test_who_chose_none_is_told_in_all_languages(mate: Membership) -> None:
    assert mate.person.languages == ["en", "ja"]


def test_every_page_leads_there(mate: Membership) -> None:
    assert 'href="/account"' in signed_in(mate).get("/w/mobile/").content.decode()
