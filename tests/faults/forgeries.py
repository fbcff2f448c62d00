"""Webhooks that Stripe did not send, or not to us, or not now: each made at the moment it is sent."""

import hashlib
import hmac
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from local.stripe.signing import signature
from tests.support.environment import WEBHOOK_SECRET

Event = dict[str, Any]
Sent = tuple[bytes, str | None]

TOLERATED_SECONDS = 300
GATEWAY_SECRET = "whsec_of_a_gateway"


@dataclass(frozen=True)
class Webhook:
    """What is sent, made when it is; `settings` are the program's meanwhile."""

    what: str
    make: Callable[[], Sent]
    settings: Mapping[str, str] = field(default_factory=dict)


def signed(
    event: Any, *, ahead: int = 0, secret: str = WEBHOOK_SECRET, scheme: str = "v1"
) -> tuple[bytes, str]:
    """An event and a header that signs it, with nothing else in it."""
    body = json.dumps(event, ensure_ascii=False).encode()
    at = int(time.time()) + ahead
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return body, f"t={at},{scheme}={mac}"


def genuine(event: Event) -> Iterator[Webhook]:
    """What has to be taken: the same event under other ids, as Stripe may send it."""

    def make(number: int, **told: Any) -> Sent:
        return signed(event | {"id": f"evt_genuine_{number}"}, **told)

    for number, ahead in enumerate((0, -1, 1, -TOLERATED_SECONDS + 1, TOLERATED_SECONDS)):
        yield Webhook(f"{ahead} s ahead", partial(make, number, ahead=ahead))
    yield Webhook("of a gateway", partial(make, 10, secret=GATEWAY_SECRET))
    rotated = {"STRIPE_WEBHOOK_SECRET": f"whsec_new,{WEBHOOK_SECRET}"}
    yield Webhook("while the secret is replaced", partial(make, 11), rotated)
    live = event | {"livemode": True, "id": "evt_genuine_12"}
    yield Webhook("of the mode we are in", partial(signed, live), {"KITH_STRIPE_LIVE": "1"})

    def as_stripe_does() -> Sent:
        body, _ = signed(event | {"id": "evt_genuine_13"})
        return body, signature(body, ["whsec_old", WEBHOOK_SECRET], int(time.time()))

    yield Webhook("with two signatures and one of v0", as_stripe_does)


def forged(event: Event, count: int) -> Iterator[Webhook]:
    """So many that have to be refused: all kinds, then a bit of every byte, then another one."""
    kinds = [*_of_another_time(event), *_of_others(event), *_without_signature(event)]
    kinds += _reshaped(event)
    yield from kinds[:count]
    body, header = signed(event)
    every = [(True, at) for at in range(len(header))] + [(False, at) for at in range(len(body))]
    chance = random.Random("places")
    orders = [chance.sample(range(8), 8) for _ in every]
    flips = [
        (place, order[turn])
        for turn in range(8)
        for place, order in zip(every, orders, strict=True)
    ]
    for (in_header, at), bit in flips[: max(0, count - len(kinds))]:
        where = "header" if in_header else "body"
        yield Webhook(
            f"bit {bit} of byte {at} of the {where}", partial(_flipped, event, in_header, at, bit)
        )


def _flipped(event: Event, in_header: bool, at: int, bit: int) -> Sent:
    body, header = signed(event)
    if in_header:
        return body, header[:at] + chr(ord(header[at]) ^ 1 << bit) + header[at + 1 :]
    return body[:at] + bytes([body[at] ^ 1 << bit]) + body[at + 1 :], header


def _of_another_time(event: Event) -> Iterator[Webhook]:
    for seconds in (1, 2, 60, 3_600, 86_400, 31_536_000):
        for ahead in (-TOLERATED_SECONDS - seconds, TOLERATED_SECONDS + seconds):
            yield Webhook(f"{ahead} s ahead", partial(signed, event, ahead=ahead))

    def retold(ahead: int, *, first: bool) -> Sent:
        body, header = signed(event, ahead=ahead)
        other = f"t={int(time.time())}"
        return body, f"{other},{header}" if first else f"{header},{other}"

    for ahead in (-TOLERATED_SECONDS - 1, TOLERATED_SECONDS + 1):
        for first in (True, False):
            yield Webhook(f"{ahead} s ahead, and told twice", partial(retold, ahead, first=first))


def _of_others(event: Event) -> Iterator[Webhook]:
    empty = {"STRIPE_WEBHOOK_SECRET": ""}
    for secret in ("whsec_other", "", " ", WEBHOOK_SECRET[:-1], WEBHOOK_SECRET + "x", "None"):
        made = partial(signed, event, secret=secret)
        yield Webhook(f"signed with {secret!r}", made)
        yield Webhook(f"signed with {secret!r}, ours is empty", made, empty)
        yield Webhook(
            f"signed with {secret!r}, ours are empty", made, {"STRIPE_WEBHOOK_SECRET": ",,"}
        )
    yield Webhook("signed with what was ours, ours is empty", partial(signed, event), empty)
    live = event | {"livemode": True}
    yield Webhook("of the live mode, in test mode", partial(signed, live))
    yield Webhook(
        "of the test mode, in live mode", partial(signed, event), {"KITH_STRIPE_LIVE": "1"}
    )
    for mode in (None, "false", 0, 1):
        yield Webhook(f"of mode {mode}", partial(signed, event | {"livemode": mode}))
    for gone in ("livemode", "id", "type"):
        left = {name: value for name, value in event.items() if name != gone}
        yield Webhook(f"without {gone}", partial(signed, left))


def _without_signature(event: Event) -> Iterator[Webhook]:
    _, header = signed(event)
    mac = header.rpartition("=")[2]
    headers = (
        None, "", "x", ",", "t=", "v1=", "t=,v1=", header.partition(",")[0], f"v1={mac}",
        f"t=now,v1={mac}", f"t=-1,v1={mac}", f"t=1e9,v1={mac}", f"t={'9' * 20},v1={mac}",
        f"t=0,v1={mac}", f"t=0,v1={'0' * 64}", f"t=0,v1={mac},v1={mac}",
    )  # fmt: skip
    for told in headers:
        yield Webhook(f"with the header {told!r}", partial(_with_header, event, told))
    for scheme in ("v0", "v2", "V1", "v1 ", "", "v"):
        yield Webhook(f"by the scheme {scheme!r}", partial(signed, event, scheme=scheme))


def _with_header(event: Event, header: str | None) -> Sent:
    return signed(event)[0], header


def _reshaped(event: Event) -> Iterator[Webhook]:
    """The same event in other bytes, or another event under the same signature."""

    def reshape(change: Callable[[bytes], bytes]) -> Sent:
        body, header = signed(event)
        return change(body), header

    changes: dict[str, Callable[[bytes], bytes]] = {
        "a space at its end": lambda body: body + b" ",
        "a line before it": lambda body: b"\n" + body,
        "its last byte gone": lambda body: body[:-1],
        "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
        "nothing": lambda _: b"",
        "itself twice": lambda body: body * 2,
        "its spaces gone": lambda body: json.dumps(
            json.loads(body), separators=(",", ":"), ensure_ascii=False
        ).encode(),
        "its letters escaped": lambda body: body.replace(b'"id"', b'"\\u0069d"', 1),
        "its keys in order": lambda body: json.dumps(json.loads(body), sort_keys=True).encode(),
        "another id": lambda body: json.dumps(json.loads(body) | {"id": "evt_forged"}).encode(),
        "UTF-16": lambda body: body.decode().encode("utf-16"),
    }
    for what, change in changes.items():
        yield Webhook(f"with {what}", partial(reshape, change))
