"""What a test or a script does to the fake from behind: as Python methods, and under /_control."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from pydantic import ConfigDict, ValidationError, validate_call
from pydantic_core import to_jsonable_python

from local.stripe import paying
from local.stripe.deliveries import Attempt, Delivery, Mode, Rest
from local.stripe.errors import Json, StripeError, invalid
from local.stripe.fake import Fake
from local.stripe.messages import Request, Response, error_body, json_response
from local.stripe.objects.disputes import close_dispute, open_dispute
from local.stripe.objects.refunds import fail_refund
from local.stripe.outages import Kind, Outage, When
from local.stripe.work import Work, find

_OFFSET_LIMIT = 100 * 366 * 24 * 60 * 60


@dataclass(frozen=True)
class ClockReading:
    """The moved time in epoch seconds, and how far it is ahead of real time."""

    now: int
    offset_seconds: int


class Control:
    """Everything that isn't Stripe's API. Objects are answered as the API shows them.

    Every method raises StripeError when what it is about isn't there or can't be done to it.
    """

    def __init__(self, fake: Fake) -> None:
        self._fake = fake

    def sessions(self, limit: int = 100) -> list[Json]:
        """The newest Checkout Sessions."""
        with self._fake.work() as work:
            return work.rows.select("kind = 'checkout.session'", limit=limit)

    def act(self, session: str, action: paying.Action, email: str | None = None) -> Json:
        """Do what a payer does: pay, decline, cancel, wait, pix, pix_pay, pix_expire,
        pix_pay_late (paid after all, although it had expired).
        """
        with self._fake.work() as work:
            return paying.act(work, session, action, email=email)

    def open_dispute(
        self, payment: str, reason: str = "fraudulent", amount: int | None = None
    ) -> Json:
        """Dispute a payment, named by its session, payment intent or charge; `amount` in minor
        units (None: all that wasn't refunded).
        """
        with self._fake.work() as work:
            return open_dispute(work, _charge(work, payment), reason=reason, amount=amount)

    def close_dispute(self, dispute: str, outcome: Literal["won", "lost"]) -> Json:
        """Let the bank decide a dispute, as the seller sees it."""
        with self._fake.work() as work:
            return close_dispute(work, find(work, "dispute", dispute), outcome)

    def fail_refund(self, refund: str) -> Json:
        """Let the bank send a refund back."""
        with self._fake.work() as work:
            return fail_refund(work, find(work, "refund", refund))

    def deliveries(self, limit: int = 100) -> list[Delivery]:
        """The newest events, where each stands and every attempt at it."""
        return self._fake.deliveries.newest(limit)

    def held(self) -> list[str]:
        """The ids of the events that are held back, oldest first."""
        return self._fake.deliveries.identifiers("held")

    def set_delivery_mode(self, mode: Mode) -> None:
        """Deliver events as they come, hold them, or drop them as if nobody listened."""
        self._fake.deliveries.set_mode(mode)

    def release(self, order: list[str] | None = None, rest: Rest = "keep") -> list[Attempt]:
        """Deliver held events in this order (None: all as they came; twice listed, twice sent);
        the held ones not listed are kept, delivered as usual, or dropped. The mode stays.
        """
        return self._fake.deliveries.release(order, rest)

    def deliver(self, event: str) -> Attempt:
        """Deliver one event now, again if need be."""
        return self._fake.deliveries.deliver(event)

    def wait_until_settled(self, timeout: float = 10.0) -> bool:
        """Wait until no event is pending; False after `timeout` seconds."""
        return self._fake.deliveries.wait_until_settled(timeout)

    def set_webhook(self, url: str | None, secrets: list[str]) -> None:
        """Set who is told of events, and the secrets they are signed with."""
        self._fake.deliveries.send_to(url, secrets)

    def order_outage(
        self,
        calls: int,
        kind: Kind = "error",
        *,
        when: When = "before",
        seconds: float = 30.0,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Let the next API calls go wrong: see `outages.Outage`. No calls at all: end every outage."""
        if calls < 1:
            self._fake.outages.clear()
        else:
            self._fake.outages.order(Outage(calls, kind, when, seconds, method, path))

    def clock(self) -> ClockReading:
        """The fake's clock."""
        return ClockReading(self._fake.clock.now(), self._fake.clock.offset_seconds)

    def set_clock(self, offset_seconds: int) -> ClockReading:
        """Move the clock to this far ahead of real time; what is due then has happened after."""
        if abs(offset_seconds) > _OFFSET_LIMIT:
            raise invalid("The clock moves a hundred years at most.", param="offset_seconds")
        with self._fake.store.transaction() as rows:
            self._fake.clock.move_to(rows, offset_seconds)
        self._fake.let_time_pass()
        return self.clock()

    def reset(self) -> None:
        """Forget everything but who is told of events."""
        address = self._fake.deliveries.address()
        self._fake.outages.clear()
        self._fake.store.clear()
        self._fake.clock.offset_seconds = 0
        self._fake.deliveries.send_to(*address)


def _charge(work: Work, payment: str) -> Json:
    """The charge behind a session, a payment intent or a charge's own id."""
    if payment.startswith("cs_"):
        payment = find(work, "checkout.session", payment)["payment_intent"] or ""
    if payment.startswith("pi_"):
        payment = find(work, "payment_intent", payment)["latest_charge"] or ""
    return find(work, "charge", payment)


# address below /_control -> the method, and the name of the argument that stands in the address
_ROUTES: dict[tuple[str, str], tuple[str, str]] = {
    ("GET", "sessions"): ("sessions", ""),
    ("POST", "sessions/{}/act"): ("act", "session"),
    ("POST", "payments/{}/dispute"): ("open_dispute", "payment"),
    ("POST", "disputes/{}/close"): ("close_dispute", "dispute"),
    ("POST", "refunds/{}/fail"): ("fail_refund", "refund"),
    ("GET", "deliveries"): ("deliveries", ""),
    ("GET", "deliveries/held"): ("held", ""),
    ("POST", "deliveries/mode"): ("set_delivery_mode", ""),
    ("POST", "deliveries/release"): ("release", ""),
    ("POST", "deliveries/settle"): ("wait_until_settled", ""),
    ("POST", "events/{}/deliver"): ("deliver", "event"),
    ("POST", "webhook"): ("set_webhook", ""),
    ("POST", "outage"): ("order_outage", ""),
    ("GET", "clock"): ("clock", ""),
    ("POST", "clock"): ("set_clock", ""),
    ("POST", "reset"): ("reset", ""),
}


def answer(control: Control, request: Request) -> Response:
    """Answer a call under /_control: arguments and result in JSON, errors in Stripe's shape."""
    steps = request.path.removeprefix("/_control/").split("/")
    for (method, pattern), (name, argument) in _ROUTES.items():
        shape = pattern.split("/")
        if method != request.method or len(shape) != len(steps):
            continue
        if all(want in {"{}", step} for want, step in zip(shape, steps, strict=True)):
            named = {argument: steps[shape.index("{}")]} if argument else {}
            return _call(control, name, request.body, named)
    listed = ", ".join(f"{method} /_control/{path}" for method, path in _ROUTES)
    body = error_body("invalid_request_error", f"There are: {listed}")
    return json_response(HTTPStatus.NOT_FOUND, body)


def _call(control: Control, name: str, body: bytes, named: dict[str, str]) -> Response:
    """Call a method with the arguments of the body, checked against its annotations."""
    try:
        arguments = {**json.loads(body or b"{}"), **named}
        call = validate_call(config=ConfigDict(strict=True))(getattr(control, name))
        return json_response(HTTPStatus.OK, to_jsonable_python(call(**arguments)))
    except (ValidationError, ValueError, TypeError) as error:
        body_of_error = error_body("invalid_request_error", str(error))
        return json_response(HTTPStatus.BAD_REQUEST, body_of_error)
    except StripeError as error:
        return json_response(error.status, error.body())
