"""What was done, and what has still to be heard of."""

import uuid

import pytest

from chalicelib.core import audit, db, outbox
from chalicelib.core.driver import DatabaseError
from chalicelib.kernel.accounts.events import EmailVerified, VerificationRequested
from tests.support import database
from tests.support.api import Api
from tests.support.people import Person, give_role, person
from tests.support.state import nothing_changes

LOG, BACKLOG = "/v1/admin/audit_log", "/v1/admin/outbox"


@pytest.fixture
def admin(api: Api) -> Person:
    """An admin of all products."""
    made = person(api)
    give_role(made, "admin")
    return made


def note(actor: uuid.UUID | None, subject: str, **detail: str | int | bool | None) -> None:
    db.write(lambda unit: audit.record(unit, actor, "test.did", subject, detail))


def test_the_log_is_read_by_subject_and_by_actor(admin: Person, ana: Person) -> None:
    note(ana.id, "a.b:1", count=3, ok=True, code="x", nothing=None)
    note(None, "a.b:1")
    note(ana.id, "a.b:2")
    note(admin.id, "a.b:2")
    for query, count in (
        ("", 4),
        ("?subject=a.b:1", 2),
        (f"?actor_id={ana.id}", 2),
        (f"?actor_id={ana.id}&subject=a.b:1", 1),
        ("?subject=nothing", 0),
    ):
        assert len(admin.api.get(f"{LOG}{query}").json["items"]) == count, query
    line = admin.api.get(f"{LOG}?actor_id={ana.id}&subject=a.b:1").json["items"][0]
    assert (line["action"], line["actor_id"]) == ("test.did", str(ana.id))
    assert {one["name"]: one["value"] for one in line["detail"]} == {
        "count": "3",
        "ok": "true",
        "code": "x",
        "nothing": None,
    }


def test_the_log_is_paged(admin: Person) -> None:
    for number in range(5):
        note(None, f"a.b:{number}")
    seen, cursor = [], ""
    while True:
        page = admin.api.get(f"{LOG}?limit=2{cursor}").json
        seen += [one["subject"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [f"a.b:{number}" for number in (4, 3, 2, 1, 0)]
    first = admin.api.get(f"{LOG}?limit=2").json["next_cursor"]
    other = admin.api.get(f"{LOG}?limit=2&subject=a.b:1&cursor={first}")
    assert other.json["errors"][0]["field"] == "query.cursor"


def test_nobody_changes_the_log(admin: Person) -> None:
    note(admin.id, "a.b:1")
    for sql in ("update core.audit_log set action = 'x'", "delete from core.audit_log"):
        with pytest.raises(DatabaseError):
            database.execute(sql)


def test_events_that_wait_are_counted(admin: Person, ana: Person) -> None:
    before = {one["topic"]: one["waiting"] for one in admin.api.get(BACKLOG).json["items"]}
    db.write(outbox.publish, VerificationRequested(ana.id))
    db.write(outbox.publish, EmailVerified(ana.id))
    after = {one["topic"]: one for one in admin.api.get(BACKLOG).json["items"]}
    told = after[VerificationRequested.topic]
    assert told["waiting"] == before.get(VerificationRequested.topic, 0) + 1
    assert told["most_attempts"] >= 1
    heard = database.execute(
        "select count(*) from core.subscriptions where topic = $1", EmailVerified.topic
    )
    assert (EmailVerified.topic in after) == (heard != [(0,)])


def test_nobody_else_may(ana: Person, api: Api) -> None:
    of_a_product, support = person(api), person(api)
    give_role(of_a_product, "admin", "marketplace")
    give_role(support, "support")
    with nothing_changes():
        for path in (LOG, BACKLOG):
            assert api.get(path).status == 401
            for who in (ana, of_a_product, support):
                assert who.api.get(path).code == "not_allowed"
