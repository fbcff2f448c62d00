"""Idempotency keys: one effect and one answer, in turn, at once, and after lost replies."""

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest
import stripe

from local.stripe.server import Running


def post(fake: Running, path: str, key: str, **fields: str) -> tuple[int, dict[str, str], Any]:
    """POST without stripe-python, whose objects hide the headers."""
    request = urllib.request.Request(
        f"{fake.url}{path}",
        urlencode(fields).encode(),
        {"Authorization": "Bearer sk_test_kith", "Idempotency-Key": key},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict(answer.headers), json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, dict(refused.headers), json.load(refused)


def test_a_key_used_again_repeats_the_first_answer(
    client: stripe.StripeClient, fake: Running
) -> None:
    first = post(fake, "/v1/customers", "key-1", email="ana@example.com")
    again = post(fake, "/v1/customers", "key-1", email="ana@example.com")
    assert first[2] == again[2]
    assert "Idempotent-Replayed" not in first[1]
    assert again[1]["Idempotent-Replayed"] == "true"
    assert len(client.v1.customers.list().data) == 1
    (event,) = client.v1.events.list().data
    assert event.request is not None
    assert event.request.idempotency_key == "key-1"


def test_a_key_belongs_to_its_parameters_and_its_endpoint(
    client: stripe.StripeClient, fake: Running
) -> None:
    client.v1.customers.create({"email": "ana@example.com"}, {"idempotency_key": "key-1"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters") as other:
        client.v1.customers.create({"email": "bia@example.com"}, {"idempotency_key": "key-1"})
    assert other.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.products.create({"name": "Fee"}, {"idempotency_key": "key-1"})
    assert len(client.v1.events.list().data) == 1


def test_an_error_made_by_the_work_is_kept(fake: Running) -> None:
    assert post(fake, "/v1/refunds", "key-1", charge="ch_none")[0] == 400
    again = post(fake, "/v1/refunds", "key-1", charge="ch_none")
    assert again[1]["Idempotent-Replayed"] == "true"


def test_a_wrong_parameter_leaves_the_key_unused(fake: Running) -> None:
    assert post(fake, "/v1/customers", "key-1", emial="ana@example.com")[0] == 400
    assert post(fake, "/v1/customers", "key-1", email="ana@example.com")[0] == 200


def test_a_key_is_forgotten_after_a_day(client: stripe.StripeClient, fake: Running) -> None:
    first = client.v1.customers.create({}, {"idempotency_key": "key-1"})
    fake.set_clock(24 * 3600 - 60)
    assert client.v1.customers.create({}, {"idempotency_key": "key-1"}).id == first.id
    fake.set_clock(24 * 3600 + 60)
    assert client.v1.customers.create({}, {"idempotency_key": "key-1"}).id != first.id


def test_a_twin_while_the_first_still_runs_is_a_conflict(
    client: stripe.StripeClient, fake: Running
) -> None:
    fake.order_outage(1, "slow", seconds=0.3)
    with ThreadPoolExecutor(2) as pool:
        twins = list(pool.map(lambda _: post(fake, "/v1/customers", "key-1"), range(2)))
    assert sorted(status for status, _, _ in twins) == [200, 409]
    (conflict,) = (body for status, _, body in twins if status == 409)
    assert conflict["error"]["code"] == "idempotency_key_in_use"
    assert len(client.v1.customers.list().data) == 1


def test_thirty_two_at_once_have_one_effect(client: stripe.StripeClient, fake: Running) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(fake, "/v1/customers", "key-1"), range(32)))
    done = {body["id"] for status, _, body in answers if status == 200}
    assert len(done) == 1
    assert {status for status, _, _ in answers} <= {200, 409}
    assert len(client.v1.customers.list().data) == 1


def test_stripe_python_survives_a_lost_reply_by_itself(fake: Running) -> None:
    http = stripe.RequestsClient()
    client = stripe.StripeClient(
        "sk_test_kith", base_addresses={"api": fake.url}, max_network_retries=1, http_client=http
    )
    fake.order_outage(1, "reset", when="after")
    made = client.v1.customers.create({"email": "ana@example.com"})
    assert [c.id for c in client.v1.customers.list().data] == [made.id]
    http.close()  # type: ignore[no-untyped-call]
