"""What is refused, and in which words a program can read: the same on the fake and in Stripe's
test mode.
"""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from chalicelib.core.errors import Unavailable
from chalicelib.kernel.billing import gateway
from tests.local.stripe.same_as_stripe.conftest import Backend, stripes_own_key

LINE: dict[str, Any] = {
    "quantity": 1,
    "price_data": {"currency": "usd", "unit_amount": 2900, "product_data": {"name": "Fee"}},
}
SESSION: dict[str, Any] = {
    "mode": "payment",
    "line_items": [LINE],
    "success_url": "http://127.0.0.1:8000/paid",
}
INTENT: dict[str, Any] = {"amount": 2900, "currency": "usd"}


def refused(ask: Callable[[Any], object], parameters: dict[str, Any]) -> tuple[Any, ...]:
    """The status, type, code and parameter of the error that an answer is."""
    with pytest.raises(stripe.InvalidRequestError) as caught:
        ask(parameters)
    told: Any = caught.value.error
    assert told.message
    kind, code, param = (getattr(told, name, None) for name in ("type", "code", "param"))
    return caught.value.http_status, kind, code, param


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"nonsense": "1"}, "parameter_unknown", "nonsense"),
        ({"line_items": [LINE | {"sort": "1"}]}, "parameter_unknown", "line_items[0][sort]"),
        ({"mode": "gift"}, None, "mode"),
        ({"success_url": "nowhere"}, "url_invalid", "success_url"),
        (
            {"line_items": [{"quantity": 1, "price_data": {"product_data": {"name": "Fee"}}}]},
            "parameter_missing",
            "line_items[0][price_data][currency]",
        ),
    ],
)
def test_a_session_is_refused(
    backend: Backend, changes: dict[str, Any], code: str | None, param: str
) -> None:
    told = refused(backend.client.v1.checkout.sessions.create, SESSION | changes)
    assert told == (400, "invalid_request_error", code, param)


@pytest.mark.parametrize(
    ("parameters", "code", "param"),
    [
        (INTENT | {"nonsense": "1"}, "parameter_unknown", "nonsense"),
        ({"currency": "usd"}, "parameter_missing", "amount"),
        (INTENT | {"amount": "some"}, "parameter_invalid_integer", "amount"),
        (INTENT | {"amount": 1}, "amount_too_small", "amount"),
    ],
)
def test_a_payment_is_refused(
    backend: Backend, parameters: dict[str, Any], code: str | None, param: str
) -> None:
    told = refused(backend.client.v1.payment_intents.create, parameters)
    assert told == (400, "invalid_request_error", code, param)


@pytest.mark.parametrize("ask", [gateway.session, gateway.close_session, gateway.refund])
def test_what_is_not_there_is_missing(backend: Backend, ask: Callable[[str, str], object]) -> None:
    with pytest.raises(gateway.Refused, match="resource_missing") as caught:
        ask(backend.key, "cs_test_of_nobody" if ask is not gateway.refund else "re_of_nobody")
    cause = caught.value.__cause__
    assert isinstance(cause, stripe.InvalidRequestError)
    assert cause.http_status == 404


def test_a_wrong_key_opens_nothing(backend: Backend) -> None:
    with pytest.raises(Unavailable) as caught:
        gateway.session("sk_test_of_nobody", "cs_test_of_nobody")
    cause = caught.value.__cause__
    assert isinstance(cause, stripe.AuthenticationError)
    assert cause.http_status == 401


@pytest.mark.stripe_test_mode
def test_stripe_itself_is_asked() -> None:
    stripes_own_key()


@pytest.mark.parametrize("key", ["sk_live_0", "rk_live_0", "pk_test_0", "whsec_0"])
def test_only_a_test_key_is_taken(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("STRIPE_TEST_KEY", key)
    with pytest.raises(pytest.fail.Exception, match="is no test key"):
        stripes_own_key()
    monkeypatch.setenv("STRIPE_TEST_KEY", "sk_test_0")
    assert stripes_own_key() == "sk_test_0"
    assert "sk_test_0" not in repr(stripes_own_key())


def test_an_answer_is_repeated_for_its_key(backend: Backend) -> None:
    create = backend.client.v1.payment_intents.create
    key = f"same-{backend.pay().id}"
    first = create({"amount": 2900, "currency": "usd"}, {"idempotency_key": key})
    again = create({"amount": 2900, "currency": "usd"}, {"idempotency_key": key})
    assert again.id == first.id
    response: Any = again.last_response
    assert response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        create({"amount": 3000, "currency": "usd"}, {"idempotency_key": key})
