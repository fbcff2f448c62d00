"""What each operation costs on the wire: an authenticated read one round trip, a write two."""

import uuid
from pathlib import Path

import pytest

from chalicelib.core import db
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.logs import last_request
from tests.support.people import PASSWORD, POST, Person, again, credit, pay_for, post_of
from tests.support.stripe import Stripe

READS = [
    "/v1/me",
    "/v1/billing/payments",
    "/v1/billing/credits",
    "/v1/moderation/blocks",
    "/v1/marketplace/posts",
    "/v1/marketplace/reveals",
    "/v1/marketplace/posts/019a9e00-0000-7000-8000-000000000001",
    "/v1/billing/checkouts/019a9e00-0000-7000-8000-000000000001",
]


def cost(log_lines: Path) -> int:
    trips: int = last_request(log_lines)["round_trips"]
    return trips


@pytest.mark.parametrize("path", READS)
def test_an_authenticated_read_is_one_round_trip(ana: Person, log_lines: Path, path: str) -> None:
    assert ana.api.get(path).status in {200, 404}
    assert cost(log_lines) == 1


def test_an_anonymous_read_is_one_and_the_count_of_its_rate(api: Api, log_lines: Path) -> None:
    assert api.get("/v1/billing/prices?product=marketplace").status == 200
    assert cost(log_lines) == 2


def test_a_write_of_one_statement_is_two(
    ana: Person, ben: Person, stripe: Stripe, cloud: Cloud, log_lines: Path
) -> None:
    post = post_of(ana, stripe, cloud)
    credit(ben, 1)
    doings = [
        (ben, "PUT", f"/v1/moderation/blocks/{uuid.uuid4()}", None),
        (ben, "POST", f"/v1/marketplace/posts/{post}/reveal", None),
        (ben, "PUT", f"/v1/moderation/blocks/{ana.id}", None),
        (ben, "DELETE", f"/v1/moderation/blocks/{ana.id}", None),
        (ana, "POST", f"/v1/marketplace/posts/{post}/archive", None),
        (ana, "DELETE", "/v1/auth/sessions/current", None),
    ]
    for who, method, path, body in doings:
        who.api.call(method, path, body=body, key=str(uuid.uuid4()))
        assert cost(log_lines) == 2, path


def test_publishing_reads_the_authors_key_first(
    ana: Person, stripe: Stripe, cloud: Cloud, log_lines: Path
) -> None:
    pay_for(ana, "posting_fee", stripe, cloud)
    assert ana.api.post("/v1/marketplace/posts", POST).status == 201
    assert cost(log_lines) == 3


def test_signing_in_is_a_read_a_write_and_two_rates(api: Api, ana: Person, log_lines: Path) -> None:
    assert api.post("/v1/auth/sessions", {"email": ana.email, "password": PASSWORD}).status == 201
    assert cost(log_lines) <= 4


def test_buying_commits_before_and_after_the_provider(ana: Person, log_lines: Path) -> None:
    body = {"product": "marketplace", "code": "posting_fee"}
    assert ana.api.post("/v1/billing/checkouts", body, key="one").status == 201
    assert cost(log_lines) <= 7


def test_buying_again_by_the_same_key_is_one_look_and_its_undoing(
    ana: Person, log_lines: Path
) -> None:
    body = {"product": "marketplace", "code": "posting_fee"}
    first = ana.api.post("/v1/billing/checkouts", body, key="one")
    assert ana.api.post("/v1/billing/checkouts", body, key="one").text == first.text
    assert cost(log_lines) == 2


def test_a_new_connection_is_not_counted(ana: Person, log_lines: Path) -> None:
    known = again(ana)
    db.close()
    assert known.api.get("/v1/me").status == 200
    assert cost(log_lines) == 1
