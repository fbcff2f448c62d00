"""Bugs and the log: a 500 with its id, one line for each request, and nobody's data in it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chalice.app import Chalice

from chalicelib.core import db
from chalicelib.core import http as edge
from chalicelib.core.config import config
from tests.support import logs
from tests.support.api import Api
from tests.support.edge import define, is_problem
from tests.support.people import Person
from tests.support.program import program_of


@pytest.fixture(scope="module")
def program(app: Chalice) -> Iterator[Chalice]:
    """An app with those endpoints."""
    with program_of(define) as built:
        yield built


@pytest.fixture
def client(program: Chalice, api: Api) -> Api:
    """A client of it."""
    return Api(program)


@pytest.mark.parametrize("kind", ["sql", "answer", "lie", "python"])
def test_a_bug_is_a_500_with_its_id_and_nothing_else(
    client: Api, log_lines: Path, kind: str
) -> None:
    answer = client.post(f"/v1/tests/bugs/{kind}")
    assert is_problem(answer, 500, "internal_error")
    assert answer.json["detail"] == answer.json["title"]
    assert not re.search("Traceback|canary|nowhere|Error", answer.text)
    line = logs.last_request(log_lines)
    assert line["request_id"] == answer.headers["Request-Id"]
    assert (line["status"], line["code"]) == (500, "internal_error")
    assert any("support/edge.py" in place for place in line["error"]) or kind in {"answer", "lie"}
    assert "canary" not in log_lines.read_text()


def test_a_bug_of_the_edge_itself_is_one_too(
    client: Api, monkeypatch: pytest.MonkeyPatch, log_lines: Path
) -> None:
    def bug(*_: Any) -> Any:
        raise ZeroDivisionError("canary@kith.example")

    monkeypatch.setattr(edge, "_answer", bug)
    answer = client.post("/v1/tests/things", {"name": "x"})
    assert is_problem(answer, 500, "internal_error")
    assert "canary" not in answer.text


def test_answers_are_held_against_their_schema_in_tests_alone(
    client: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = replace(config(), check_answers=False)
    monkeypatch.setattr(edge, "config", lambda: told)
    assert client.post("/v1/tests/bugs/lie").json == {"name": 7}


def test_one_line_tells_of_a_request_what_may_be_told(client: Api, log_lines: Path) -> None:
    answer = client.post("/v1/tests/things", {"name": "x"})
    (line,) = logs.lines(log_lines, "request")
    assert set(line) == {
        "at",
        "event",
        "request_id",
        "operation",
        "status",
        "ms",
        "round_trips",
    }
    assert line["operation"] == "support_create"
    assert line["request_id"] == answer.headers["Request-Id"]
    assert (line["status"], line["round_trips"]) == (201, 1)
    assert 0 < line["ms"] < 5000


def test_round_trips_are_counted_though_the_connection_is_new(client: Api, log_lines: Path) -> None:
    db.session.close()
    client.post("/v1/tests/things", {"name": "x"})
    assert logs.last_request(log_lines)["round_trips"] == 1


def test_a_refused_request_leaves_one_line_with_its_code(client: Api, log_lines: Path) -> None:
    client.post("/v1/tests/things", {"name": 7})
    (line,) = logs.lines(log_lines, "request")
    assert (line["status"], line["code"], line["round_trips"]) == (400, "validation_failed", 0)
    assert "error" not in line


def test_no_personal_data_reaches_the_log(
    client: Api, api: Api, ana: Person, log_lines: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    canaries = {
        "email": "canary.mail@kith.example",
        "password": "canary-password-7x",
        "name": "Canary Name",
        "token": "canary_token_123456789012345678901234567890",
        "contact": "canary-contact",
        "address": "203.0.113.77",
    }
    account = {name: canaries[name] for name in ("email", "password", "name")}
    elsewhere = Api(api.app, address=canaries["address"])
    elsewhere.post("/v1/auth/sign_ups", account)
    elsewhere.post("/v1/auth/sign_ups", account | {"contact": canaries["contact"]})
    elsewhere.post("/v1/auth/sessions", {**account, "name": canaries["name"]})
    elsewhere.post("/v1/auth/sessions", {one: account[one] for one in ("email", "password")})
    mailed = {one: canaries[one] for one in ("token", "password")}
    elsewhere.post("/v1/auth/verifications", mailed)
    elsewhere.post("/v1/auth/sessions/refresh", {"refresh_token": canaries["token"]})
    elsewhere.get("/v1/me", headers={"authorization": f"Bearer {canaries['token']}"})
    ana.api.get(f"/v1/billing/payments?cursor={canaries['token']}&{canaries['contact']}=1")
    ana.api.get(f"/v1/billing/checkouts/{canaries['contact']}")
    ana.api.get("/v1/me", headers={"user-agent": canaries["contact"], "x-forwarded-for": "canary"})
    client.post("/v1/tests/bugs/python", headers={"idempotency-key": canaries["contact"]})
    written = log_lines.read_text() + "".join(capfd.readouterr())
    assert written.count('"event":"request"') >= 11
    assert "canary" not in written.lower()
    assert not any(canary in written for canary in canaries.values())
    assert str(ana.api.token) not in written
    assert ana.email not in written
