"""Signing in and out, a forgotten password, the language: each works, refuses, and says so in both languages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client

from tests.conftest import PASSWORD, signed_in
from workspaces.models import Membership

NEW = "another horse, another battery"


def sign_in(client: Client, email: str = "mate@example.com", password: str = PASSWORD, after: str = "") -> int:
    return client.post(f"/sign-in{after}", {"username": email, "password": password}).status_code


def reset_link(email: str) -> str:
    """Ask for a new password and return the path of the link that was mailed."""
    assert Client().post("/password", {"email": email})["Location"] == "/password/sent"
    link = re.search(r"http://testserver(/password/\S+)", str(mail.outbox[-1].body))
    assert link
    return link[1]


def choose(link: str, password: str) -> Client:
    """Open the link and type a password twice."""
    client = Client()
    form = client.get(link, follow=True)
    client.post(form.request["PATH_INFO"], {"new_password1": password, "new_password2": password})
    return client


def test_signs_in_and_out(mate: Membership) -> None:
    client = Client()
    assert sign_in(client) == 302
    assert client.get("/w/mobile/").status_code == 200
    assert client.post("/sign-out")["Location"] == "/sign-in"
    assert client.get("/w/mobile/").status_code == 302


def test_the_case_of_an_address_does_not_matter(mate: Membership) -> None:
    assert sign_in(Client(), " Mate@Example.com ") == 302


@pytest.mark.parametrize(("language", "label"), [("en", "E-mail"), ("ja", "メールアドレス")])
@pytest.mark.parametrize(("email", "password"), [("mate@example.com", "wrong"), ("nobody@example.com", PASSWORD)])
def test_a_wrong_password_and_no_account_look_the_same(
    mate: Membership, email: str, password: str, language: str, label: str
) -> None:
    client = Client()
    client.cookies["django_language"] = language
    page = client.post("/sign-in", {"username": email, "password": password})
    assert page.status_code == 200
    alert = re.search(r'role="alert">(.*?)</div>', page.content.decode(), re.S)
    assert alert and len(alert[1]) > 10
    other = client.post("/sign-in", {"username": "x@example.com", "password": "y"}).content.decode()
    assert alert[1] in other
    assert f">{label}</label>" in other


def test_somebody_who_is_not_active_does_not_get_in(mate: Membership) -> None:
    mate.person.is_active = False
    mate.person.save()
    assert sign_in(Client()) == 200


def test_leads_back_to_where_one_wanted_to_go_but_never_elsewhere(mate: Membership) -> None:
    client = Client()
    asked = client.get("/w/mobile/jobs")["Location"]
    assert asked == "/sign-in?next=/w/mobile/jobs"
    answer = client.post(asked, {"username": "mate@example.com", "password": PASSWORD})
    assert answer["Location"] == "/w/mobile/jobs"
    away = Client().post("/sign-in?next=https://evil.example/", {"username": "mate@example.com", "password": PASSWORD})
    assert away["Location"] == "/"


def test_a_forgotten_password_is_replaced_by_a_link(mate: Membership) -> None:
    link = reset_link("mate@example.com")
    assert mail.outbox[0].to == ["mate@example.com"]
    assert "Impact" in mail.outbox[0].subject and "\n" not in mail.outbox[0].subject
    choose(link, NEW)
    assert sign_in(Client(), password=NEW) == 302
    assert sign_in(Client(), password=PASSWORD) == 200


def test_a_link_works_once_and_for_a_day(mate: Membership) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as time:
        used = reset_link("mate@example.com")
        choose(used, NEW)
        assert "used or is over" in Client().get(used, follow=True).content.decode()
        late = reset_link("mate@example.com")
        time.shift(timedelta(days=1, seconds=1))
        assert "used or is over" in Client().get(late, follow=True).content.decode()
    assert sign_in(Client(), password=NEW) == 302


@pytest.mark.parametrize("password", ["short", "mate@example.com", "password1234"])
def test_a_weak_password_is_not_taken(mate: Membership, password: str) -> None:
    choose(reset_link("mate@example.com"), password)
    assert sign_in(Client(), password=PASSWORD) == 302


def test_an_address_without_an_account_is_not_told_apart(mate: Membership) -> None:
    assert Client().post("/password", {"email": "nobody@example.com"})["Location"] == "/password/sent"
    assert mail.outbox == []


def test_a_new_password_ends_other_sessions(mate: Membership) -> None:
    elsewhere = signed_in(mate)
    assert elsewhere.get("/w/mobile/").status_code == 200
    choose(reset_link("mate@example.com"), NEW)
    assert elsewhere.get("/w/mobile/").status_code == 302


@pytest.mark.parametrize(("language", "said"), [("ja", "メンバー"), ("en", "Members")])
def test_the_language_is_chosen_and_kept(mate: Membership, language: str, said: str) -> None:
    client = signed_in(mate)
    answer = client.post("/language", {"language": language, "next": "/w/mobile/members"})
    assert answer["Location"] == "/w/mobile/members"
    page = client.get("/w/mobile/members").content.decode()
    assert f'<html lang="{language}">' in page and f"<h1>{said}</h1>" in page
    assert client.post("/language", {"language": "ja", "next": "https://evil.example/"})["Location"] == "/"


def test_a_page_is_in_the_browsers_language_until_one_is_chosen(db: None) -> None:
    assert '<html lang="ja">' in Client().get("/sign-in", headers={"Accept-Language": "ja,en;q=0.5"}).content.decode()
    assert '<html lang="en">' in Client().get("/sign-in", headers={"Accept-Language": "de"}).content.decode()


def test_pages_forbid_scripts_and_frames_of_others(mate: Membership) -> None:
    answer = signed_in(mate).get("/w/mobile/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY" and answer["X-Content-Type-Options"] == "nosniff"
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", answer.content.decode())
