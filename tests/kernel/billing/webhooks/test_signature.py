"""Only what Stripe signed for us, now and in our mode, is taken; of anything else no row is kept."""

import base64
import json
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from local.stripe.signing import signature
from tests.support import database
from tests.support.api import Answer, Api
from tests.support.environment import WEBHOOK_SECRET
from tests.support.people import Person
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe, hand_in, signed

EVENT: dict[str, Any] = {
    "id": "evt_test",
    "object": "event",
    "type": "customer.created",
    "livemode": False,
    "data": {"object": {"id": "cus_1", "name": "Łucja Šírá 🐎 \u2028 ünï"}},
}


def rows() -> int:
    ((count,),) = database.execute("select count(*) from billing.webhook_events")
    return int(count)


def refused(answer: Answer) -> bool:
    return (answer.status, answer.code) == (400, "billing.webhook_refused")


def by_hand(body: bytes, *, at: int | None = None, secret: str = WEBHOOK_SECRET) -> str:
    """A header with nothing in it but the time and one signature."""
    whole = signature(body, [secret], at if at is not None else int(time.time()))
    return ",".join(part for part in whole.split(",") if not part.startswith("v0="))


def test_what_stripe_signed_is_taken_and_answered_at_once(api: Api) -> None:
    answer = hand_in(api, *signed(EVENT))
    assert (answer.status, answer.json) == (200, {"status": "received"})
    assert database.execute(
        "select event_id, type, state, payload->'data'->'object'->>'name'"
        " from billing.webhook_events"
    ) == [("evt_test", "customer.created", "pending", EVENT["data"]["object"]["name"])]


def test_no_header_with_one_byte_changed_is_taken(api: Api) -> None:
    body = json.dumps(EVENT).encode()
    header = by_hand(body)
    with nothing_changes():
        for at in range(len(header)):
            for flip in (1, 0x20):
                changed = chr(ord(header[at]) ^ flip)
                altered = header[:at] + changed + header[at + 1 :]
                if not altered.isprintable():
                    continue
                assert refused(hand_in(api, body, altered)), altered
    assert hand_in(api, body, header).status == 200


def test_no_body_with_one_byte_changed_is_taken(api: Api) -> None:
    body, header = signed(EVENT)
    places = random.Random(7).sample(range(len(body)), 60)
    with nothing_changes():
        for at in places:
            altered = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
            assert refused(hand_in(api, altered, header)), at
        for altered in (b"", body + b" ", b" " + body, body[:-1], b"\xef\xbb\xbf" + body):
            assert refused(hand_in(api, altered, header))
        rewritten = json.dumps(json.loads(body)).encode()
        assert rewritten != body
        assert refused(hand_in(api, rewritten, header))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "x",
        "t=,v1=",
        "t=1",
        "v1=" + "0" * 64,
        "t=now,v1=" + "0" * 64,
        "t=1e9,v1=" + "0" * 64,
        "t=-1,v1=" + "0" * 64,
        "t=99999999999999999999,v1=" + "0" * 64,
        ",,,=,=,",
    ],
)
def test_what_is_no_signature_is_refused(api: Api, header: str | None) -> None:
    body = json.dumps(EVENT).encode()
    with nothing_changes():
        assert refused(hand_in(api, body, header))


def test_only_the_scheme_v1_counts(api: Api) -> None:
    body = json.dumps(EVENT).encode()
    good = by_hand(body)
    with nothing_changes():
        for scheme in ("v0", "v2", "V1", "v1 "):
            assert refused(hand_in(api, body, good.replace("v1=", f"{scheme}=")))


@pytest.mark.parametrize("seconds", [298, 0, -298])
def test_five_minutes_either_way_are_tolerated(api: Api, seconds: int) -> None:
    assert hand_in(api, *signed(EVENT, at=int(time.time()) + seconds)).status == 200


@pytest.mark.parametrize("seconds", [-301, -86_400, 302, 86_400])
def test_what_is_older_or_of_the_future_is_refused(api: Api, seconds: int) -> None:
    with nothing_changes():
        assert refused(hand_in(api, *signed(EVENT, at=int(time.time()) + seconds)))


def test_a_header_that_names_two_times_is_refused(api: Api) -> None:
    for seconds in (-301, 0, 301):
        now = int(time.time())
        body, header = signed(EVENT, at=now + seconds)
        with nothing_changes():
            for altered in (f"{header},t={now}", f"t={now},{header}"):
                assert refused(hand_in(api, body, altered)), altered


def test_the_age_is_by_the_wall_whatever_our_clock_says(api: Api) -> None:
    clock.follow(clock.shifted(timedelta(days=400)))
    assert hand_in(api, *signed(EVENT)).status == 200
    stale = signed(EVENT | {"id": "evt_2"}, at=int(clock.now().timestamp()))
    assert refused(hand_in(api, *stale))


@pytest.mark.parametrize("secret", ["whsec_other", "", " ", WEBHOOK_SECRET + "x"])
def test_another_secret_is_refused(api: Api, secret: str) -> None:
    with nothing_changes():
        assert refused(hand_in(api, *signed(EVENT, secret=secret)))


@pytest.mark.parametrize("ours", ["", ",", ",,"])
def test_without_a_secret_of_our_own_nothing_is_taken(
    api: Api, configured: Callable[[str, str], None], ours: str
) -> None:
    configured("STRIPE_WEBHOOK_SECRET", ours)
    with nothing_changes():
        for secret in ("", WEBHOOK_SECRET):
            assert refused(hand_in(api, *signed(EVENT, secret=secret)))


def test_while_a_secret_is_replaced_both_are_taken(
    api: Api, configured: Callable[[str, str], None]
) -> None:
    configured("STRIPE_WEBHOOK_SECRET", "whsec_new,whsec_old")
    for number, secret in enumerate(["whsec_new", "whsec_old"]):
        assert hand_in(api, *signed(EVENT | {"id": f"evt_{number}"}, secret=secret)).status == 200
    assert refused(hand_in(api, *signed(EVENT | {"id": "evt_2"})))


def test_the_other_mode_is_refused(api: Api, configured: Callable[[str, str], None]) -> None:
    live = EVENT | {"livemode": True}
    assert refused(hand_in(api, *signed(live)))
    configured("KITH_STRIPE_LIVE", "1")
    assert refused(hand_in(api, *signed(EVENT)))
    assert rows() == 0
    assert hand_in(api, *signed(live)).status == 200


@pytest.mark.parametrize(
    "event",
    [
        [],
        "x",
        None,
        {},
        {name: value for name, value in EVENT.items() if name != "livemode"},
        EVENT | {"id": 7},
        EVENT | {"type": None},
        EVENT | {"livemode": "false"},
        EVENT | {"livemode": 0},
    ],
)
def test_what_is_signed_but_no_event_is_refused(api: Api, event: Any) -> None:
    with nothing_changes():
        assert refused(hand_in(api, *signed(event)))


def test_bytes_that_are_no_json_are_refused_though_signed(api: Api) -> None:
    with nothing_changes():
        for body in (b"\xff\xfe", b"{", b"", b"[" * 100_000):
            assert hand_in(api, body, by_hand(body)).status == 400


def test_200_bodies_in_every_script_verify_as_text_and_as_base64(api: Api) -> None:
    letters = 'aß ñ\u00a0é\u0301漢字\u043a\u044b\u05e2\u05d1🐎🇧🇷\u200d\u2029\ufeff"\\/\b\f\n'
    chance = random.Random(11)
    for number in range(200):
        name = "".join(chance.choices(letters, k=40))
        event = EVENT | {"id": f"evt_{number}", "data": {"object": {"id": "x", "name": name}}}
        body, header = signed(event)
        answer = hand_in(api, body, header, plain=bool(number % 2))
        assert answer.status == 200, base64.b64encode(body)
    assert rows() == 200


def test_what_postgres_has_no_form_for_is_refused_and_poisons_nothing(
    api: Api, ana: Person
) -> None:
    for number, name in enumerate(["\x00", "\ud800", "a\udfffb"]):
        event = EVENT | {"id": f"evt_{number}", "data": {"object": {"id": "x", "name": name}}}
        body = json.dumps(event).encode()
        assert hand_in(api, body, by_hand(body)).status == 400
        assert ana.api.get("/v1/me").json["id"] == str(ana.id)
    assert rows() == 0


def test_a_body_past_the_limit_is_refused_before_it_is_read(api: Api, stripe: Stripe) -> None:
    event = EVENT | {"data": {"object": {"id": "x", "name": "x" * 600_000}}}
    with nothing_changes():
        answer = hand_in(api, *signed(event))
    assert (answer.status, answer.code) == (413, "body_too_large")
