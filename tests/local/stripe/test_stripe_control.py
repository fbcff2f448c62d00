"""The control addresses, for scripts in other processes: JSON in, JSON out."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from local.stripe.receiver import Receiver
from local.stripe.server import Running

NewSession = Callable[..., stripe.checkout.Session]


def control(fake: Running, path: str, method: str = "POST", /, **arguments: object) -> Any:
    body = json.dumps(arguments).encode() if method == "POST" else None
    request = urllib.request.Request(f"{fake.url}/_control/{path}", body, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def test_a_purchase_from_behind(
    fake: Running, receiver: Receiver, new_session: NewSession, client: stripe.StripeClient
) -> None:
    session = new_session()
    assert control(fake, "sessions", "GET")[0]["id"] == session.id
    control(fake, "deliveries/mode", mode="hold")
    assert control(fake, f"sessions/{session.id}/act", action="pay")["payment_status"] == "paid"
    held = control(fake, "deliveries/held", "GET")
    attempts = control(fake, "deliveries/release", order=held[::-1], rest="drop")
    assert [attempt["status"] for attempt in attempts] == [200] * len(held)
    assert control(fake, f"events/{held[0]}/deliver")["status"] == 200
    assert control(fake, "deliveries/settle", timeout=5.0) is True
    assert control(fake, "deliveries", "GET")[0]["type"] == "checkout.session.completed"
    refund = client.v1.refunds.create({"charge": client.v1.charges.list().data[0].id, "amount": 1})
    assert control(fake, f"refunds/{refund.id}/fail")["status"] == "failed"
    dispute = control(fake, f"payments/{session.id}/dispute", reason="duplicate", amount=500)
    assert control(fake, f"disputes/{dispute['id']}/close", outcome="lost")["status"] == "lost"


def test_clock_outage_webhook_and_reset(
    fake: Running, receiver: Receiver, client: stripe.StripeClient
) -> None:
    assert control(fake, "clock", offset_seconds=3600)["offset_seconds"] == 3600
    assert control(fake, "clock", "GET")["now"] == pytest.approx(fake.clock().now, abs=1)
    assert control(fake, "outage", calls=1, kind="error") is None
    with pytest.raises(stripe.APIError):
        client.v1.customers.list()
    assert control(fake, "webhook", url=receiver.url, secrets=["whsec_other"]) is None
    client.v1.customers.create()
    receiver.wait_for(1)[0].event("whsec_other")
    assert control(fake, "reset") is None
    assert client.v1.events.list().data == []
    assert fake.clock().offset_seconds == 0
    client.v1.customers.create()
    receiver.wait_for(2)


@pytest.mark.parametrize(
    ("path", "arguments", "status"),
    [
        ("nothing", {}, 404),
        ("sessions/cs_none/act", {"action": "pay"}, 404),
        ("sessions/cs_none/act", {"action": "steal"}, 400),
        ("sessions/cs_none/act", {"action": "pay", "more": 1}, 400),
        ("deliveries/mode", {}, 400),
        ("webhook", {"url": "https://shop.test/", "secrets": []}, 400),
        ("clock", {"offset_seconds": "3600"}, 400),
        ("clock", {"offset_seconds": 10**12}, 400),
        ("events/evt_none/deliver", {}, 404),
        ("payments/cs_none/dispute", {}, 404),
    ],
)
def test_a_wrong_call_is_refused(
    fake: Running, path: str, arguments: dict[str, object], status: int
) -> None:
    assert control(fake, path, **arguments) == status
