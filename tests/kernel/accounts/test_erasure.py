"""Leaving for good: nothing that was somebody's is left anywhere, and what was paid stays."""

import base64
import uuid
from pathlib import Path

import pytest

from chalicelib import registry
from chalicelib.core import clock, db
from chalicelib.kernel.accounts import service as accounts
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.logs import last_request
from tests.support.people import PASSWORD, Person, again, credit, person, post_of
from tests.support.races import at_once, many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe
from tests.support.times import Times

PATH = "/v1/me/erasure"
BODY = {"password": PASSWORD}

NAME = "Zephyrine Quillfeather"
EMAIL = "zephyrine.quillfeather@kith.example"
WANTED = "quillfeather.wanted@kith.example"
PHONE = "+5511900018273"
DEVICE = "Quillfeather's phone"
DESCRIPTION = "Quillfeather tells of plumes."
INTERESTS = ["plumes of quillfeather"]
REPORT = "Quillfeather was written to three times."
DOMAIN = "quillfeather.com"
CONTACT = {"email": "plumes@quillfeather.example", "phone": "+5511911118273", "handle": "@plumes"}

CANARIES = ["quillfeather", "plumes", "0018273", "1118273"]


def found_anywhere(log: Path) -> list[str]:
    """Where a canary is found: in any column of any table, plain or encoded, or in the log."""
    found = []
    for table in registry.tables().sorted_tables:
        rows = database.execute(f"select t::text from {table.schema}.{table.name} t")
        text = "\n".join(row[0] for row in rows).lower()
        for canary in CANARIES:
            shapes = [canary, canary.encode().hex()]
            for shift in range(3):
                # Base64 looks different from each of three places; its ends depend on neighbours.
                encoded = base64.b64encode(b"x" * shift + canary.encode()).decode()
                shapes.append(encoded[4 if shift else 0 : -4].lower())
            found += [f"{table}: {canary}" for shape in shapes if shape in text]
    told = log.read_text(encoding="utf-8").lower()
    return found + [f"log: {canary}" for canary in CANARIES if canary in told]


@pytest.fixture
def known(api: Api, cloud: Cloud, stripe: Stripe, ben: Person) -> Person:
    """Somebody who left something everywhere."""
    who = person(api, email=EMAIL)
    who.api.patch("/v1/me", {"name": NAME, "phone": PHONE, "time_zone": "America/Sao_Paulo"})
    api.post("/v1/auth/sessions", {"email": EMAIL, "password": PASSWORD, "device": DEVICE})
    words = {"description": DESCRIPTION, "interests": INTERESTS}
    post = post_of(who, stripe, cloud, **words, contact_info=CONTACT)
    credit(ben, 1)
    revealed = ben.api.post(f"/v1/marketplace/posts/{post}/reveal", key=str(uuid.uuid4()))
    assert revealed.json["contact_info"] == CONTACT
    other = person(api).id
    who.api.put(f"/v1/moderation/blocks/{other}")
    reported = {"product": "marketplace", "subject_kind": "accounts.user", "subject_id": str(other)}
    told = who.api.post("/v1/moderation/reports", reported | {"reason": "spam", "detail": REPORT})
    assert told.status == 201, told.text
    domain = who.api.post("/v1/marketplace/domain_verifications", {"domain": DOMAIN})
    assert domain.status == 201, domain.text
    who.api.post("/v1/me/email_changes", {"email": WANTED, "password": PASSWORD})
    cloud.deliver()
    return who


def test_nothing_of_a_person_is_left(
    api: Api, log_lines: Path, known: Person, cloud: Cloud
) -> None:
    assert found_anywhere(log_lines)
    assert known.api.post(PATH, BODY).status == 204
    cloud.deliver()
    assert found_anywhere(log_lines) == []
    assert database.execute("select status from accounts.users where id = $1", known.id) == [
        ("erased",)
    ]
    for table in ("data_keys", "sessions", "tokens", "staff_roles"):
        assert database.execute(
            f"select count(*) from accounts.{table} where user_id = $1", known.id
        ) == [(0,)], table


def test_what_was_paid_stays_and_points_at_the_empty_row(known: Person) -> None:
    paid = "select id, amount, currency, state from billing.payments where user_id = $1"
    before = database.execute(paid, known.id)
    assert len(before) == 1
    known.api.post(PATH, BODY)
    assert database.execute(paid, known.id) == before


def test_every_token_ends_at_once(api: Api, ana: Person) -> None:
    elsewhere = again(ana)
    assert ana.api.post(PATH, BODY).status == 204
    for session in (ana, elsewhere):
        assert session.api.get("/v1/me").code == "not_signed_in"
        renewed = api.post("/v1/auth/sessions/refresh", {"refresh_token": session.refresh_token})
        assert renewed.code == "accounts.refresh_refused"
    credentials = {"email": ana.email, "password": PASSWORD}
    assert api.post("/v1/auth/sessions", credentials).code == "accounts.wrong_credentials"


def test_others_hear_of_it(ana: Person) -> None:
    ana.api.post(PATH, BODY)
    assert database.execute(
        "select payload from core.outbox where topic = 'accounts.user_erased'"
    ) == [({"user_id": str(ana.id)},)]
    assert database.execute("select actor_id, action, subject from core.audit_log") == [
        (ana.id, "accounts.erase", f"accounts.users:{ana.id}")
    ]


def test_the_address_is_free_again_for_a_new_account(api: Api, ana: Person) -> None:
    ana.api.post(PATH, BODY)
    newcomer = person(api, email=ana.email)
    assert newcomer.id != ana.id
    assert newcomer.api.get("/v1/me").json["name"] is None


def test_somebody_elses_things_stay(ana: Person, ben: Person) -> None:
    ben.api.patch("/v1/me", {"name": "Ben", "phone": PHONE})
    before = ben.api.get("/v1/me").json
    ana.api.post(PATH, BODY)
    assert ben.api.get("/v1/me").json == before


def test_a_mail_that_waits_is_not_sent(api: Api, cloud: Cloud, ana: Person) -> None:
    cloud.deliver()
    sent = len(cloud.mails)
    api.post("/v1/auth/password_resets", {"email": ana.email})
    ana.api.post(PATH, BODY)
    cloud.deliver()
    assert len(cloud.mails) == sent
    assert cloud.dead == []


def test_whoever_has_gone_is_given_no_token(ana: Person) -> None:
    ana.api.post(PATH, BODY)
    with nothing_changes():
        db.write(accounts.mint_verification_token, ana.id)


def test_the_wrong_password_erases_nothing(ana: Person) -> None:
    with nothing_changes():
        answer = ana.api.post(PATH, {"password": "not the password"})
    assert (answer.status, answer.code) == (403, "accounts.wrong_password")


@pytest.mark.parametrize("body", [{}, {"password": ""}, {"password": 7}])
def test_bad_input_is_named(ana: Person, body: dict[str, object]) -> None:
    with nothing_changes():
        answer = ana.api.post(PATH, body)
    assert [one["field"] for one in answer.json["errors"]] == ["body.password"]


def test_asked_at_once_it_happens_once(ana: Person) -> None:
    answers = many(8, lambda: ana.api.post(PATH, BODY))
    assert [one.status for one in answers].count(204) == 1
    assert {one.status for one in answers} <= {204, 401, 403}
    assert database.execute(
        "select count(*) from core.outbox where topic = 'accounts.user_erased'"
    ) == [(1,)]
    with nothing_changes():
        assert ana.api.post(PATH, BODY).code == "not_signed_in"


def test_what_happens_at_the_same_moment_leaves_nothing_behind(api: Api, ana: Person) -> None:
    def sign_in() -> int:
        return api.post("/v1/auth/sessions", {"email": ana.email, "password": PASSWORD}).status

    def refresh() -> int:
        body = {"refresh_token": ana.refresh_token}
        return api.post("/v1/auth/sessions/refresh", body).status

    def rename() -> int:
        return ana.api.patch("/v1/me", {"name": NAME, "phone": PHONE}).status

    def ask() -> int:
        body = {"email": WANTED, "password": PASSWORD}
        return ana.api.post("/v1/me/email_changes", body).status

    statuses = at_once(
        [sign_in, rename, ask, lambda: ana.api.post(PATH, BODY).status, refresh, sign_in, rename]
    )
    assert statuses[3] == 204
    assert all(status < 500 for status in statuses)
    assert database.execute(
        "select email, name, phone, password_hash, status from accounts.users"
    ) == [(None, None, None, None, "erased")]
    for table in ("sessions", "tokens", "refresh_tokens"):
        assert database.execute(f"select count(*) from accounts.{table}") == [(0,)], table


def test_what_a_request_wrote_that_was_under_way_goes_with_the_next_sweep(
    cloud: Cloud, ana: Person, times: Times
) -> None:
    ana.api.post(PATH, BODY)
    database.execute(
        "insert into accounts.sessions (id, user_id, device, expires_at, created_at)"
        " values ($1, $1, $2, $3, $3)",
        ana.id,
        DEVICE,
        clock.now(),
    )
    times.run("core_relay")
    cloud.deliver()
    assert database.execute("select count(*) from accounts.sessions") == [(0,)]


def test_a_read_and_one_transaction_of_two_round_trips(ana: Person, log_lines: Path) -> None:
    ana.api.post(PATH, BODY)
    assert last_request(log_lines)["round_trips"] == 3


def test_guessing_the_password_is_limited(ana: Person) -> None:
    clock.follow(clock.frozen(clock.now()))
    statuses = [one.status for one in many(14, lambda: ana.api.post(PATH, {"password": "guess"}))]
    assert (statuses.count(403), statuses.count(429)) == (10, 4)
