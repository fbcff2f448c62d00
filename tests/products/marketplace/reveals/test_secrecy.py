"""Whom to write to shows in one place alone: the answer to whoever paid for it."""

import json
from pathlib import Path

import pytest

from chalicelib import registry
from tests.support import database
from tests.support.cloud import Cloud
from tests.support.people import POST, Person, credit, pay_for, post_of
from tests.support.stripe import Stripe

PATH = "/v1/marketplace/posts"
CANARIES = {
    "email": "canary-7f3a@contact.example",
    "phone": "+5511900007331",
    "handle": "@canary-7f3a-handle",
}


def holds(text: str) -> bool:
    return any(canary in text or canary.encode().hex() in text for canary in CANARIES.values())


def dump() -> str:
    """All rows of all tables, bytes in hexadecimal."""
    names = [f"{one.schema}.{one.name}" for one in registry.tables().sorted_tables]
    rows = [database.execute(f"select string_agg(t::text, ' ') from {name} t") for name in names]
    return json.dumps(rows)


def test_a_canary_shows_nowhere_else(
    ana: Person, ben: Person, stripe: Stripe, cloud: Cloud, log_lines: Path
) -> None:
    pay_for(ana, "posting_fee", stripe, cloud)
    created = ana.api.post(PATH, POST | {"contact_info": CANARIES})
    post = created.json["id"]
    refused = [
        ana.api.post(PATH, POST | {"contact_info": CANARIES}),
        ana.api.post(PATH, POST | {"contact_info": CANARIES, "followers": -1}),
        ana.api.post(PATH, POST | {"contact_info": CANARIES | {"email": CANARIES["handle"]}}),
        ben.api.post(f"{PATH}/{post}/reveal", key="poor"),
    ]
    assert {answer.status for answer in refused} == {409, 400}
    credit(ben, 1)
    revealed = [ben.api.post(f"{PATH}/{post}/reveal", key=key) for key in ("one", "one", "two")]
    assert [answer.json["contact_info"] for answer in revealed] == [CANARIES] * 3
    cloud.deliver()
    seen = [
        created,
        *refused,
        ana.api.get(f"{PATH}/{post}"),
        ben.api.get(f"{PATH}/{post}"),
        ben.api.get(PATH),
        ben.api.get("/v1/marketplace/reveals"),
        ana.api.post(f"{PATH}/{post}/archive"),
    ]
    assert not [answer.text for answer in seen if holds(answer.text)]
    assert not holds(dump())
    assert not holds(log_lines.read_text())
    assert not holds(json.dumps(cloud.queues))
    assert database.execute(
        "select distinct body from core.idempotency_keys where operation like 'marketplace%'"
    ) in ([("",)], [(None,)])


@pytest.fixture
def two_posts(ana: Person, ben: Person, stripe: Stripe, cloud: Cloud) -> tuple[str, str]:
    """A post of Ana's and one of Ben's."""
    return post_of(ana, stripe, cloud), post_of(ben, stripe, cloud)


def test_a_sealed_contact_is_readable_in_its_own_row_alone(
    ana: Person, ben: Person, newcomer: Person, two_posts: tuple[str, str]
) -> None:
    """Bytes moved from one post to another are no contact: 404, and nothing is charged."""
    credit(ana, 1)
    credit(ben, 1)
    database.execute(
        "update marketplace.posts a set contact_info = b.contact_info"
        " from marketplace.posts b where a.id <> b.id"
    )
    for who, post in ((ana, two_posts[1]), (ben, two_posts[0])):
        answer = who.api.post(f"{PATH}/{post}/reveal", key="one")
        assert (answer.status, answer.code) == (404, "not_found")
        assert who.api.get("/v1/billing/credits").json["remaining"] == 1


def test_one_authors_bytes_do_not_open_in_another_post_of_theirs(
    ana: Person, ben: Person, stripe: Stripe, cloud: Cloud
) -> None:
    first = post_of(ana, stripe, cloud)
    ana.api.post(f"{PATH}/{first}/archive")
    second = ana.api.post(PATH, POST).json["id"]
    database.execute(
        "update marketplace.posts set contact_info ="
        " (select contact_info from marketplace.posts where id = $1) where id = $2",
        first,
        second,
    )
    credit(ben, 1)
    assert ben.api.post(f"{PATH}/{second}/reveal", key="one").status == 404


@pytest.mark.parametrize(
    "damage",
    ["'\\x'", "'\\x00'", "'\\x01ff'", "set_byte(contact_info, 20, 0)"],
)
def test_damaged_bytes_are_no_contact_and_no_failure_of_ours(
    ben: Person, two_posts: tuple[str, str], damage: str
) -> None:
    credit(ben, 1)
    damaged = f"{damage}::bytea" if damage.startswith("'") else damage
    database.execute(
        f"update marketplace.posts set contact_info = {damaged} where id = $1", two_posts[0]
    )
    assert ben.api.post(f"{PATH}/{two_posts[0]}/reveal", key="one").status == 404
    assert ben.api.get("/v1/billing/credits").json["remaining"] == 1


def test_with_the_authors_key_what_was_bought_is_gone_too(
    ana: Person, ben: Person, two_posts: tuple[str, str]
) -> None:
    credit(ben, 1)
    assert ben.api.post(f"{PATH}/{two_posts[0]}/reveal", key="one").status == 200
    database.execute("delete from accounts.data_keys where user_id = $1", ana.id)
    assert ben.api.post(f"{PATH}/{two_posts[0]}/reveal", key="two").status == 404
