"""Everything that is stored of one, to take along: opened, and without anybody else's."""

from pathlib import Path
from typing import Any

from chalicelib.core import clock
from tests.support import database
from tests.support.cloud import Cloud
from tests.support.logs import last_request
from tests.support.people import POST, Person, again, post_of
from tests.support.races import many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe

PATH = "/v1/me/export"
PHONE = "+5511987654321"


def rows_of(export: dict[str, Any], table: str) -> list[dict[str, Any]]:
    """The rows of a table by column."""
    (found,) = [one for one in export["tables"] if one["table"] == table] or [None]
    if found is None:
        return []
    return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]


def test_what_was_told_to_every_domain_comes_back(
    ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    ana.api.patch("/v1/me", {"name": "Ana", "phone": PHONE})
    post = post_of(ana, stripe, cloud)
    answer = ana.api.get(PATH)
    assert answer.status == 200
    export = answer.json
    assert export["user_id"] == str(ana.id)
    (user,) = rows_of(export, "accounts.users")
    assert (user["email"], user["name"], user["phone"]) == (ana.email, "Ana", PHONE)
    (published,) = rows_of(export, "marketplace.posts")
    assert (published["id"], published["description"]) == (post, POST["description"])
    assert (published["followers"], published["interests"]) == (12_000, ["fashion", "travel"])
    assert "ana@contact.example" in published["contact_info"]
    (payment,) = rows_of(export, "billing.payments")
    assert (payment["amount"], payment["currency"]) == (2900, "USD")
    assert len(rows_of(export, "accounts.sessions")) == 1


def test_neither_secrets_nor_anybody_elses(
    ana: Person, ben: Person, stripe: Stripe, cloud: Cloud
) -> None:
    ben.api.patch("/v1/me", {"name": "Benjamin", "phone": PHONE})
    post_of(ben, stripe, cloud, description="Ben's own words")
    again(ana)
    text = ana.api.get(PATH).text
    for foreign in (str(ben.id), ben.email, "Benjamin", PHONE, "Ben's own words"):
        assert foreign not in text
    ((hashes,),) = database.execute(
        "select string_agg(token_hash, ',') from accounts.refresh_tokens"
    )
    secrets = ["argon2", "password_hash", "token_hash", "wrapped_key", *hashes.split(",")]
    assert [one for one in secrets if one in text] == []


def test_it_is_read_in_one_statement_and_changes_nothing(ana: Person, log_lines: Path) -> None:
    with nothing_changes():
        assert ana.api.get(PATH).status == 200
    assert last_request(log_lines)["round_trips"] == 2


def test_what_cannot_be_opened_is_left_out(ana: Person, ben: Person) -> None:
    ben.api.patch("/v1/me", {"phone": PHONE})
    database.execute(
        "update accounts.users set phone = (select phone from accounts.users where id = $1)",
        ben.id,
    )
    (user,) = rows_of(ana.api.get(PATH).json, "accounts.users")
    assert user["phone"] is None


def test_ten_an_hour(ana: Person) -> None:
    clock.follow(clock.frozen(clock.now()))
    statuses = [one.status for one in many(12, lambda: ana.api.get(PATH))]
    assert (statuses.count(200), statuses.count(429)) == (10, 2)
