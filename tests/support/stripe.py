"""The Stripe fake, and its webhooks handed to the program as Stripe sends them."""

import json
import random
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from local.stripe.signing import signature
from tests.support import database
from tests.support.api import Answer, Api
from tests.support.environment import STRIPE_KEY, WEBHOOK_SECRET


@dataclass
class Stripe:
    """The fake, with its deliveries held: tests send them when and as often as they like."""

    fake: Any
    sent: set[str] = field(default_factory=set)

    def pay(self, url: str, action: str = "pay") -> None:
        """What a person does on the page at `url`."""
        self.fake.act(url.rpartition("/")[2], action)

    def events(self) -> list[dict[str, Any]]:
        """Every event so far, oldest first."""
        request = urllib.request.Request(
            f"{self.fake.url}/v1/events?limit=100",
            headers={"Authorization": f"Bearer {STRIPE_KEY}"},
        )
        with urllib.request.urlopen(request) as response:
            found: list[dict[str, Any]] = json.load(response)["data"]
        return found[::-1]

    def send_webhooks(
        self, api: Api, *, times: int = 1, shuffle: int | None = None
    ) -> list[Answer]:
        """Send what was not sent yet, each so often, in the order that `shuffle` seeds."""
        waiting = [event for event in self.events() if event["id"] not in self.sent] * times
        if shuffle is not None:
            random.Random(shuffle).shuffle(waiting)
        self.sent |= {event["id"] for event in waiting}
        return [self.send(api, event) for event in waiting]

    def send(self, api: Api, event: dict[str, Any], **changed: Any) -> Answer:
        """Send one event, signed now by our secret unless `changed` says otherwise."""
        return hand_in(api, *signed(event, **changed))

    def sessions_for(self, user_id: UUID) -> list[dict[str, Any]]:
        """The sessions that the program opened for somebody's checkouts."""
        rows = database.execute("select id from billing.checkouts where user_id = $1", user_id)
        ids = {str(row[0]) for row in rows}
        return [
            one
            for one in self.fake.sessions(limit=1000)
            if one["metadata"].get("checkout_id") in ids
        ]


def signed(event: Any, *, at: int | None = None, secret: str = WEBHOOK_SECRET) -> tuple[bytes, str]:
    """An event's body and the header that signs it."""
    body = json.dumps(event, ensure_ascii=False).encode()
    return body, signature(body, [secret], at if at is not None else int(time.time()))


def hand_in(api: Api, body: bytes, header: str | None, *, plain: bool = False) -> Answer:
    """A webhook as API Gateway hands it to the program; `plain` is a body that is not base64."""
    headers = {"Stripe-Signature": header} if header is not None else {}
    headers["content-type"] = "application/json; charset=utf-8"
    return api.call("POST", "/v1/webhooks/stripe", raw=body, headers=headers, plain=plain)
