"""What a request may say: stripe-python's own types, and errors that name the parameter."""

import contextlib
import time
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from local.stripe.errors import StripeError
from local.stripe.forms import decode
from local.stripe.parameters import check

SESSIONS = "/v1/checkout/sessions"
LINE = {
    "price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Fee"}},
    "quantity": 1,
}
SESSION: dict[str, Any] = {
    "mode": "payment",
    "line_items": [LINE],
    "success_url": "http://shop.test",
}


def line(**changes: object) -> dict[str, Any]:
    return {**SESSION, "line_items": [{**LINE, **changes}]}


@pytest.mark.parametrize(
    ("path", "parameters", "param", "code"),
    [
        ("/v1/customers", {"emial": "a@b.co"}, "emial", "parameter_unknown"),
        ("/v1/customers", {"email": ""}, "email", "parameter_invalid_empty"),
        ("/v1/customers", {"email": "nobody"}, "email", "email_invalid"),
        ("/v1/customers", {"email": {"a": "b"}}, "email", None),
        ("/v1/customers", {"metadata": "x"}, "metadata", None),
        ("/v1/customers", {"metadata": {"k" * 41: "x"}}, f"metadata[{'k' * 41}]", None),
        ("/v1/customers", {"metadata": {"k": "x" * 501}}, "metadata[k]", None),
        ("/v1/customers", {"metadata": {f"k{n}": "x" for n in range(51)}}, "metadata", None),
        ("/v1/customers", {"source": "tok_visa"}, "source", None),
        ("/v1/products", {}, "name", "parameter_missing"),
        ("/v1/prices", {"currency": "usd", "product": "none"}, "product", "resource_missing"),
        ("/v1/payment_intents", {"amount": "1.5", "currency": "usd"}, "amount", "parameter_invalid_integer"),
        ("/v1/payment_intents", {"amount": 49, "currency": "usd"}, "amount", "amount_too_small"),
        ("/v1/payment_intents", {"amount": 100, "currency": "dollars"}, "currency", None),
        (SESSIONS, {**SESSION, "mode": "paymnt"}, "mode", None),
        (SESSIONS, {**SESSION, "mode": "subscription"}, "mode", None),
        (SESSIONS, {"mode": "payment", "success_url": "http://x.test"}, "line_items", "parameter_missing"),
        (SESSIONS, {"mode": "payment", "line_items": [LINE]}, "success_url", "parameter_missing"),
        (SESSIONS, {**SESSION, "success_url": "javascript:alert(1)"}, "success_url", "url_invalid"),
        (SESSIONS, {**SESSION, "payment_method_types": ["card"]}, "payment_method_types", "parameter_unknown"),
        (SESSIONS, {**SESSION, "allowed_payment_method_types": ["piks"]}, "allowed_payment_method_types[0]", None),
        (SESSIONS, {**SESSION, "allowed_payment_method_types": ["pix"]}, "allowed_payment_method_types", None),
        (SESSIONS, {**SESSION, "adaptive_pricing": {"enabled": "yes"}}, "adaptive_pricing[enabled]", None),
        (SESSIONS, {**SESSION, "customer": "cus_none"}, "customer", "resource_missing"),
        (SESSIONS, {**SESSION, "discounts": [{"coupon": "x"}]}, "discounts", None),
        (SESSIONS, {**SESSION, "expires_at": 1}, "expires_at", None),
        (SESSIONS, {**SESSION, "expires_at": 4_000_000_000}, "expires_at", None),
        (
            SESSIONS,
            {**SESSION, "payment_method_options": {"pix": {"expires_after_seconds": 59}}},
            "payment_method_options[pix][expires_after_seconds]",
            "parameter_invalid_integer",
        ),
        (
            SESSIONS,
            {**SESSION, "payment_intent_data": {"capture_method": "manual"}},
            "payment_intent_data[capture_method]",
            None,
        ),
        (SESSIONS, line(quantity=0), "line_items[0][quantity]", "parameter_invalid_integer"),
        (SESSIONS, line(price="price_1"), "line_items[0]", None),
        (
            SESSIONS,
            line(price_data={"unit_amount": 500, "product_data": {"name": "Fee"}}),
            "line_items[0][price_data][currency]",
            "parameter_missing",
        ),
        (
            SESSIONS,
            line(price_data={"currency": "usd", "unit_amount": -1, "product_data": {"name": "Fee"}}),
            "line_items[0][price_data][unit_amount]",
            "parameter_invalid_integer",
        ),
        (
            SESSIONS,
            line(price_data={"currency": "usd", "unit_amount": 10, "product_data": {"name": "Fee"}}),
            None,
            "amount_too_small",
        ),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(
    client: stripe.StripeClient,
    path: str,
    parameters: dict[str, Any],
    param: str | None,
    code: str | None,
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.raw_request("post", path, **parameters)
    assert (refused.value.http_status, refused.value.param, refused.value.code) == (
        400,
        param,
        code,
    )
    assert client.v1.events.list().data == []  # nothing half done


def test_all_line_items_have_one_currency(client: stripe.StripeClient) -> None:
    price = {"currency": "brl", "unit_amount": 500, "product_data": {"name": "Taxa"}}
    both = {**SESSION, "line_items": [LINE, {**LINE, "price_data": price}]}
    with pytest.raises(stripe.InvalidRequestError, match="cannot combine currencies"):
        client.raw_request("post", SESSIONS, **both)


@pytest.mark.parametrize(("seconds", "fits"), [(1795, False), (1830, True), (86400, True)])
def test_a_session_lasts_half_an_hour_to_a_day(
    client: stripe.StripeClient, seconds: int, fits: bool
) -> None:
    expires_at = int(time.time()) + seconds
    asked = {**SESSION, "expires_at": expires_at}
    if fits:
        made = client.v1.checkout.sessions.create(asked)  # type: ignore[arg-type]
        assert made.expires_at == expires_at
    else:
        with pytest.raises(stripe.InvalidRequestError, match="at least 30 minutes"):
            client.v1.checkout.sessions.create(asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("/v1/customers/cus_none", "id"),
        ("/v1/payment_intents/pi_none", "intent"),
        ("/v1/checkout/sessions/cs_none", "session"),
        ("/v1/customers/re_none%2F..%2Fx", "id"),
    ],
)
def test_what_is_not_there_is_a_404(client: stripe.StripeClient, path: str, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.raw_request("get", path)
    assert missing.value.http_status == 404
    assert (missing.value.code, missing.value.param) == ("resource_missing", param)


def test_an_address_the_fake_lacks_is_a_404(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL") as missing:
        client.raw_request("get", "/v1/coupons")
    assert missing.value.http_status == 404


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_has_1_to_100_objects(client: stripe.StripeClient, limit: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.events.list({"limit": limit})
    assert refused.value.param == "limit"


@pytest.mark.parametrize("field", ["email", "nothing", "customer.name.first.last.more"])
def test_only_references_are_expanded(client: stripe.StripeClient, field: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.create({"email": "ana@example.com", "expand": [field]})
    assert refused.value.param == "expand"
    assert client.v1.customers.list().data == []


@pytest.mark.parametrize("key", ["sk_test_other", "sk_live_kith"])
def test_another_key_is_refused(client: stripe.StripeClient, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError) as refused:
        client.v1.customers.create({}, {"api_key": key})
    assert refused.value.http_status == 401
    assert key not in str(refused.value)


def test_another_api_version_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="API version"):
        client.v1.customers.create({}, {"stripe_version": "2019-01-01"})


@pytest.mark.parametrize("form", ["a[b=1", "a=1&a[b]=2", "a[b]=1&a=2", "%ff=1", "[a]=1", "a" + "[b]" * 20 + "=1"])  # fmt: skip
def test_a_form_that_cannot_be_read_is_a_400(form: str) -> None:
    with pytest.raises(StripeError) as refused:
        decode(form)
    assert refused.value.status == 400


@given(st.text(max_size=60))
def test_any_form_is_read_or_refused(form: str) -> None:
    with contextlib.suppress(StripeError):  # anything else is a bug
        check(decode(form), "checkout.SessionCreateParams", empty_unsets=False)


def test_lists_may_come_without_indices() -> None:
    listed = check(decode("types[]=a.b&types[]=c.d"), "EventListParams", empty_unsets=False)
    assert listed == {"types": ["a.b", "c.d"]}
