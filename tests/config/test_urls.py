"""Every address and everybody who may ask for it: a new address without its line here fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from experiments.declarations import PolicyDeclared, declare_policy
from impact.analysis.models import Analysis
from impact.config.api import ENDPOINTS
from impact.reports.unsubscribing import unsubscribe_link
from tests.conftest import enter
from tests.reports.board import frozen, schedule
from workspaces.models import Workspace
from workspaces.services.people import invite

ROLES = ("viewer", "analyst", "operator", "admin")
CAST = ("anonymous", *ROLES, "stranger")
EVERYBODY = (200, 200, 200, 200, 200, 200)
AWAY = (302, 302, 302, 302, 302, 302)
MEMBERS = (302, 200, 200, 200, 200, 404)
PERSONS = (302, 302, 302, 302, 302, 404)
ADMINS = (302, 403, 403, 403, 200, 404)
ANALYSTS = (302, 403, 302, 302, 302, 404)
OPERATORS = (302, 403, 403, 302, 302, 404)
# a name that nothing has; tests/ledger/test_quarantine.py has the rows that there are
MISSING = (302, 404, 404, 404, 404, 404)
MISSING_TO_OPERATORS = (302, 403, 403, 404, 404, 404)
MISSING_TO_ADMINS = (302, 403, 403, 403, 404, 404)
NEVER = (405, 405, 405, 405, 405, 405)
NOTHING = (404, 404, 404, 404, 404, 404)

# route -> method -> what it answers to each of the cast
TABLE: dict[str, dict[str, tuple[int, ...]]] = {
    "": {"GET": AWAY},
    "w/<workspace>/": {"GET": MEMBERS},
    "w/<workspace>/models": {"GET": MEMBERS},
    "w/<workspace>/models/<key>": {"GET": MEMBERS},
    "w/<workspace>/models/<key>/days.csv": {"GET": MEMBERS},
    "w/<workspace>/models/<key>/calibration.csv": {"GET": MEMBERS},
    "w/<workspace>/experiments": {"GET": MEMBERS},
    "w/<workspace>/experiments/<key>": {"GET": MEMBERS},
    "w/<workspace>/experiments/<key>/what-if": {"GET": MEMBERS},
    "w/<workspace>/experiments/<key>/what-if.csv": {"GET": MEMBERS},
    "w/<workspace>/experiments/<key>/compliance": {"GET": MEMBERS},
    "w/<workspace>/experiments/<key>/results.json": {"GET": MEMBERS},
    "w/<workspace>/experiments/<key>/results.xlsx": {"GET": MEMBERS},
    "w/<workspace>/experiments/<key>/comparisons.csv": {"GET": MEMBERS},
    "w/<workspace>/experiments/<key>/<name>.csv": {"GET": MISSING},
    "w/<workspace>/experiments/<key>/agreement": {"GET": MEMBERS, "POST": PERSONS},
    "w/<workspace>/experiments/<key>/start": {"GET": ANALYSTS, "POST": ANALYSTS},
    "w/<workspace>/experiments/<key>/waive": {"GET": ANALYSTS, "POST": ANALYSTS},
    "w/<workspace>/experiments/<key>/withdraw": {"GET": ANALYSTS, "POST": ANALYSTS},
    "w/<workspace>/experiments/<key>/assignments": {
        "GET": (302, 403, 200, 200, 200, 404),
        "POST": (302, 403, 400, 400, 400, 404),
    },
    "demo/enter": {"GET": AWAY, "POST": (302, 404, 404, 404, 404, 404)},
    "w/<workspace>/leave": {"GET": PERSONS, "POST": PERSONS},
    "w/<workspace>/load": {"GET": (302, 403, 200, 200, 200, 404), "POST": (302, 403, 400, 400, 400, 404)},
    "w/<workspace>/design": {"GET": (302, 403, 200, 200, 200, 404), "POST": (302, 403, 200, 200, 200, 404)},
    "w/<workspace>/design/preview": {"GET": ANALYSTS, "POST": ANALYSTS},
    "w/<workspace>/actions": {"GET": MEMBERS},
    "w/<workspace>/decision-points": {"GET": MEMBERS},
    "w/<workspace>/decision-points/<key>": {"GET": MEMBERS},
    "w/<workspace>/policies": {"GET": MEMBERS},
    "w/<workspace>/policies/<key>": {"GET": MEMBERS},
    "w/<workspace>/metrics": {"GET": MEMBERS},
    "w/<workspace>/metrics/<key>": {"GET": MEMBERS},
    "w/<workspace>/assumptions": {"GET": MEMBERS},
    "w/<workspace>/assumptions/<key>": {"GET": MEMBERS},
    "w/<workspace>/declare/metric": {"GET": (302, 403, 200, 200, 200, 404), "POST": (302, 403, 422, 422, 422, 404)},
    "w/<workspace>/declare/assumption": {
        "GET": (302, 403, 200, 200, 200, 404),
        "POST": (302, 403, 422, 422, 422, 404),
    },
    "w/<workspace>/reports": {"GET": MEMBERS},
    "w/<workspace>/reports/<number>": {"GET": MEMBERS},
    "w/<workspace>/reports/<number>/send-again": {"GET": ANALYSTS, "POST": ANALYSTS},
    "w/<workspace>/reports/<number>/review": {"GET": PERSONS, "POST": PERSONS},
    "w/<workspace>/reports/<number>/sign": {"GET": PERSONS, "POST": PERSONS},
    "w/<workspace>/reports/<number>/claim": {"GET": PERSONS, "POST": PERSONS},
    "w/<workspace>/claims": {"GET": MEMBERS},
    "w/<workspace>/claims/<id>/withdraw": {"GET": MISSING, "POST": MISSING},
    "w/<workspace>/reports/<number>.pdf": {"GET": MEMBERS},
    "w/<workspace>/reports/<number>.xlsx": {"GET": MEMBERS},
    "w/<workspace>/reports/<number>.csv": {"GET": MEMBERS},
    "w/<workspace>/reports/<number>.periods.csv": {"GET": MEMBERS},
    "w/<workspace>/reports/<number>.json": {"GET": MEMBERS},
    "w/<workspace>/reports/schedules/<key>/preview": {"GET": MEMBERS},
    "w/<workspace>/reports/schedules/<key>/make": {"GET": ANALYSTS, "POST": ANALYSTS},
    "w/<workspace>/reports/schedules/<key>/pause": {"GET": ANALYSTS, "POST": ANALYSTS},
    "w/<workspace>/reports/schedules/<key>/resume": {"GET": ANALYSTS, "POST": ANALYSTS},
    "w/<workspace>/rates": {"GET": MEMBERS},
    "w/<workspace>/rates/add": {"GET": ANALYSTS, "POST": (302, 403, 422, 422, 422, 404)},
    "w/<workspace>/data": {"GET": MEMBERS},
    "w/<workspace>/data/import": {"GET": OPERATORS, "POST": (302, 403, 403, 422, 422, 404)},
    "w/<workspace>/data/imports/<id>/reasons": {"GET": MISSING},
    "w/<workspace>/quarantine": {"GET": MEMBERS},
    "w/<workspace>/quarantine/replay": {"GET": OPERATORS, "POST": OPERATORS},
    "w/<workspace>/quarantine/<id>": {"GET": MISSING},
    "w/<workspace>/quarantine/<id>/replay": {"GET": MISSING_TO_OPERATORS, "POST": MISSING_TO_OPERATORS},
    "w/<workspace>/quarantine/<id>/dismiss": {"GET": MISSING_TO_OPERATORS, "POST": MISSING_TO_OPERATORS},
    "w/<workspace>/jobs": {"GET": MEMBERS},
    "w/<workspace>/jobs/<uuid:id>/file": {"GET": (302, 403, 404, 404, 404, 404)},
    "w/<workspace>/members": {"GET": MEMBERS},
    "w/<workspace>/members/invite": {"GET": (302, 403, 403, 403, 302, 404), "POST": ADMINS},
    "w/<workspace>/members/<id>": {"GET": MISSING_TO_ADMINS, "POST": MISSING_TO_ADMINS},
    "w/<workspace>/members/<id>/remove": {"GET": MISSING, "POST": MISSING},
    "w/<workspace>/keys": {"GET": (302, 403, 403, 200, 200, 404)},
    "w/<workspace>/keys/new": {"GET": (302, 403, 403, 403, 302, 404), "POST": (302, 403, 403, 403, 422, 404)},
    "w/<workspace>/keys/<id>/revoke": {"GET": MISSING_TO_ADMINS, "POST": MISSING_TO_ADMINS},
    "w/<workspace>/audit": {"GET": MEMBERS},
    "w/<workspace>/health": {"GET": MEMBERS},
    "w/<workspace>/docs": {"GET": MEMBERS},
    "w/<workspace>/docs/<name>": {"GET": MEMBERS},
    "docs": {"GET": EVERYBODY},
    "docs/<name>": {"GET": EVERYBODY},
    "sign-in": {"GET": EVERYBODY},
    "sign-out": {"GET": NEVER},
    "account": {"GET": (302, 200, 200, 200, 200, 200), "POST": (302, 422, 422, 422, 422, 422)},
    "join/<token>": {"GET": EVERYBODY},
    "password": {"GET": EVERYBODY},
    "password/sent": {"GET": EVERYBODY},
    "password/<uidb64>/<token>": {"GET": EVERYBODY},
    "password/changed": {"GET": EVERYBODY},
    "unsubscribe/<signed>": {"GET": EVERYBODY, "POST": EVERYBODY},
    "language": {"GET": AWAY, "POST": AWAY},
    "glossary": {"GET": EVERYBODY},
    "api/docs": {"GET": EVERYBODY},
    "api/openapi.json": {"GET": EVERYBODY},
    "api/v1/": {"GET": NOTHING},
    "api/v1/<path:rest>": {"GET": NOTHING},
    "health/live": {"GET": EVERYBODY},
    "health/ready": {"GET": EVERYBODY},
}
# who has signed in is nobody to the API: tests/config/test_api.py has what its keys may do
OF_API = {f"api/v1{endpoint.path}": (401,) * len(CAST) for endpoint in ENDPOINTS}


# what <key> stands for beneath these; elsewhere it is the experiment offers
KEYS = {
    "models": "churn",
    "decision-points": "offer",
    "policies": "bonus-for-all",
    "schedules": "board",
    "metrics": "churn",
    "assumptions": "kept",
}


def keyed(route: str) -> str:
    """The route with the key of something that is there."""
    for name, key in KEYS.items():
        route = route.replace(f"{name}/<key>", f"{name}/{key}")
    return route


def routes(patterns: Any = None, before: str = "") -> Iterator[str]:
    """Every route there is, as it is written."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLPattern):
            yield before + str(one.pattern)
        else:
            yield from routes(one.url_patterns, before + str(one.pattern))


def test_every_address_is_in_the_table() -> None:
    assert set(routes()) == {*TABLE, *OF_API}
    assert all(len(answers) == len(CAST) for methods in TABLE.values() for answers in methods.values())


@pytest.mark.parametrize("who", CAST)
def test_every_address_to(who: str, analysed: Analysis, workspace: Workspace, other_workspace: Workspace) -> None:
    board = schedule(workspace)
    number = frozen(board).number
    declared_policy(workspace)
    _, token = invite(workspace=workspace, role="viewer", actor="test")
    values = {
        "<workspace>": "mobile", "<key>": "offers", "<number>": str(number), "<token>": token, "<name>": "reading",
        "<signed>": unsubscribe_link(board, "cfo@example.com").rsplit("/", 1)[-1], "<uidb64>": "Mg",
        "<path:rest>": "none", "<uuid:id>": str(UUID(int=0)), "<source>": "crm", "<id>": "none",
    }  # fmt: skip
    place = CAST.index(who)
    client = browser(who, workspace, other_workspace)
    calls = [(route, method, answers) for route, methods in TABLE.items() for method, answers in methods.items()]
    calls += [(f"api/v1{one.path}", one.method, OF_API[f"api/v1{one.path}"]) for one in ENDPOINTS]
    wrong = {}
    for route, method, answers in calls:
        path = keyed(route)
        for name, value in values.items():
            path = path.replace(name, value)
        answer = client.generic(method, f"/{path}", "role=viewer", "application/x-www-form-urlencoded")
        if answer.status_code != answers[place]:
            wrong[f"{method} /{route}"] = (answer.status_code, "not", answers[place])
        if who == "anonymous" and route.startswith("w/"):
            assert answer["Location"].startswith("/sign-in?next=/w/")
    assert wrong == {}


def test_nothing_of_a_workspace_is_in_an_answer_to_a_stranger(
    analysed: Analysis, workspace: Workspace, other_workspace: Workspace
) -> None:
    client = browser("stranger", workspace, other_workspace)
    for route in TABLE:
        if route.startswith("w/"):
            path = keyed(route).replace("<workspace>", "mobile").replace("<key>", "offers").replace("<number>", "1")
            page = client.get(f"/{path}").content.decode()
            assert "Mobile" not in page and "Offers" not in page, path


@pytest.mark.parametrize("name", ["a%00b", "%F0%9F%9A%97", "a" * 3000, "..%2F..", "%25", "0", "-1", "٣"])
@pytest.mark.parametrize("route", [route for route in TABLE if re.search("<(key|number|id)>", route)])
def test_no_name_in_an_address_ends_in_an_error(route: str, name: str, workspace: Workspace) -> None:
    client = browser("admin", workspace, workspace)
    path = route.replace("<workspace>", "mobile").replace("<key>", name).replace("<number>", name).replace("<id>", name)
    assert client.get(f"/{path}").status_code == 404


def declared_policy(workspace: Workspace) -> None:
    said = PolicyDeclared(key="bonus-for-all", decision_point="offer", kind="fixed", action="bonus")
    declare_policy(workspace, said, "test")


def browser(who: str, workspace: Workspace, other_workspace: Workspace) -> Client:
    """A browser in which one of the cast has signed in."""
    client = Client()
    if who == "stranger":
        client.force_login(enter(other_workspace, "stranger@example.com", "admin").person)
    elif who != "anonymous":
        client.force_login(enter(workspace, f"{who}@example.com", who).person)
    return client
