"""Webhooks: each event is sent until somebody answers 2xx, in an order tests may shuffle.

One thread delivers, oldest first, so that a log reads as it happened; Stripe itself promises no
order. What waits, and every attempt, is in the store: a killed process goes on where it was, and
may then send an event twice, as Stripe does.
"""

import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from local.stripe.errors import Json, resource_missing
from local.stripe.signing import signature
from local.stripe.store import Store, Transaction
from local.stripe.work import DELIVERY_MODE, WEBHOOK_URL

Mode = Literal["deliver", "hold", "drop"]
Rest = Literal["keep", "deliver", "drop"]

LONGEST_PAUSE = 60.0
ANSWER_WITHIN = 10.0
TICK = 0.5
_SECRETS = "webhook_secrets"
_TRIES_BEFORE_CAP = 16


@dataclass(frozen=True)
class Attempt:
    """One try to deliver: the HTTP status, or why there was none; `at` in real epoch seconds."""

    event: str
    at: float
    status: int | None
    error: str | None
    milliseconds: float

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took the event."""
        return self.status is not None and http.client.OK <= self.status < 300  # noqa: PLR2004


@dataclass(frozen=True)
class Delivery:
    """Where one event stands: pending, held, delivered, dropped or failed."""

    event: str
    type: str
    state: str
    attempts: list[Attempt]


class Deliveries:
    """Sends events from the store to the webhook's address.

    `first_pause` seconds lie between the first and the second attempt, and each pause doubles up to
    a minute; after `most_attempts` it gives up, by default never. `tick` is called twice a second
    and lets time do its work.
    """

    def __init__(
        self,
        store: Store,
        *,
        first_pause: float,
        most_attempts: int | None,
        tick: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self._store = store
        self._first_pause = first_pause
        self._most_attempts = most_attempts
        self._tick = tick
        self._log = log
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._sending = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="stripe-deliveries", daemon=True)
        store.when_events_wait = self._awake.set

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the attempt that is under way."""
        self._stopping.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join()

    def send_to(self, url: str | None, secrets: Sequence[str]) -> None:
        """Set the webhook's address and its signing secrets; None: nobody listens.

        Raises:
            ValueError: for an address that isn't plain HTTP, as everything on one machine is.
        """
        if url and urlsplit(url).scheme != "http":
            raise ValueError(f"Webhooks go to an http:// address, not to {url}")
        with self._store.transaction() as rows:
            rows.set(WEBHOOK_URL, url or "")
            rows.set(_SECRETS, json.dumps(list(secrets)))

    def address(self) -> tuple[str, list[str]]:
        """The webhook's address, or "", and its signing secrets."""
        with self._store.transaction() as rows:
            return rows.setting(WEBHOOK_URL) or "", json.loads(rows.setting(_SECRETS) or "[]")

    def set_mode(self, mode: Mode) -> None:
        """Deliver as events come, hold them back, or drop them as if nobody ever listened.

        What was held stays held until it is released. After this returns no attempt is under way.
        """
        with self._sending, self._store.transaction() as rows:
            rows.set(DELIVERY_MODE, mode)
            if mode == "hold":
                rows.execute("update deliveries set state = 'held' where state = 'pending'")
            elif mode == "drop":
                rows.execute("update deliveries set state = 'dropped' where state = 'pending'")

    def release(self, order: Sequence[str] | None, rest: Rest) -> list[Attempt]:
        """Deliver held events now, in this order (None: all, as they came); an id that is listed
        twice is delivered twice. `rest` says what becomes of the held ones not listed.
        """
        listed = self.identifiers("held") if order is None else list(order)
        attempts = [self.deliver(event) for event in listed]
        if rest != "keep":
            with self._store.transaction() as rows:
                state = "pending" if rest == "deliver" else "dropped"
                rows.execute("update deliveries set state = ? where state = 'held'", (state,))
                rows.has_deliveries = True
        return attempts

    def deliver(self, event: str) -> Attempt:
        """Deliver one event now, whatever became of it before.

        Raises:
            StripeError: resource_missing, when there is no such event.
        """
        with self._sending:
            return self._attempt(event)

    def identifiers(self, state: str) -> list[str]:
        """The events in this state, oldest first."""
        with self._store.transaction() as rows:
            sql = "select event from deliveries where state = ? order by sequence"
            return [row[0] for row in rows.execute(sql, (state,))]

    def newest(self, limit: int) -> list[Delivery]:
        """The newest events with all their attempts, newest first."""
        with self._store.transaction() as rows:
            found = rows.execute(
                "select event, json_extract(body, '$.type'), state from deliveries"
                " join objects on objects.id = event order by deliveries.sequence desc limit ?",
                (limit,),
            ).fetchall()
            return [Delivery(e, kind, state, _attempts(rows, e)) for e, kind, state in found]

    def wait_until_settled(self, timeout: float) -> bool:
        """Wait until no event is pending; False when `timeout` seconds weren't enough."""
        end = time.monotonic() + timeout
        while self.identifiers("pending"):
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._tick()
            while not self._stopping.is_set() and self._deliver_next():
                pass
            self._awake.wait(self._pause())
            self._awake.clear()

    def _deliver_next(self) -> bool:
        """Deliver the event that has been due longest; False when none is due."""
        with self._sending:
            with self._store.transaction() as rows:
                due = rows.execute(
                    "select event from deliveries where state = 'pending' and next_attempt <= ?"
                    " order by next_attempt, sequence limit 1",
                    (time.time(),),
                ).fetchone()
            if due is not None:
                self._attempt(due[0])
        return due is not None

    def _pause(self) -> float:
        """Seconds until the next attempt is due, at most a tick."""
        with self._store.transaction() as rows:
            sql = "select min(next_attempt) from deliveries where state = 'pending'"
            due = rows.execute(sql).fetchone()[0]
        return TICK if due is None else min(TICK, max(0.0, due - time.time()))

    def _attempt(self, event: str) -> Attempt:
        """Send an event once and write down how it went."""
        with self._store.transaction() as rows:
            body = rows.find("event", event)
        if body is None:
            raise resource_missing("event", event)
        attempt = _send(event, body, *self.address())
        with self._store.transaction() as rows:
            self._record(rows, attempt)
        answer = attempt.error if attempt.status is None else attempt.status
        self._log(f"stripe event {body['type']} {event} -> {answer}")
        return attempt

    def _record(self, rows: Transaction, attempt: Attempt) -> None:
        rows.execute(
            "insert into attempts (event, at, status, error, milliseconds) values (?, ?, ?, ?, ?)",
            tuple(asdict(attempt).values()),
        )
        tries = len(_attempts(rows, attempt.event))
        pause = min(self._first_pause * 2 ** min(tries - 1, _TRIES_BEFORE_CAP), LONGEST_PAUSE)
        if attempt.succeeded:
            state = "delivered"
            rows.execute(
                "update objects set body = json_set(body, '$.pending_webhooks', 0) where id = ?",
                (attempt.event,),
            )
        elif rows.setting(DELIVERY_MODE) == "hold":
            state = "held"
        else:
            given_up = self._most_attempts is not None and tries >= self._most_attempts
            state = "failed" if given_up else "pending"
        rows.execute(
            "update deliveries set state = ?, next_attempt = ?"
            " where event = ? and state <> 'delivered'",
            (state, attempt.at + pause, attempt.event),
        )


def _attempts(rows: Transaction, event: str) -> list[Attempt]:
    found = rows.execute(
        "select event, at, status, error, milliseconds from attempts where event = ?"
        " order by sequence",
        (event,),
    )
    return [Attempt(*row) for row in found]


def _send(event: str, body: Json, url: str, signing_secrets: Sequence[str]) -> Attempt:
    """POST an event, signed at real time. A redirect is no success: Stripe follows none either."""
    at = time.time()
    if not url:
        return Attempt(event, at, None, "No webhook address is set.", 0.0)
    payload = json.dumps(body, indent=2, ensure_ascii=False).encode()
    address = urlsplit(url)
    status: int | None = None
    error: str | None = None
    connection: Any = None
    try:
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=ANSWER_WITHIN
        )
        target = f"{address.path or '/'}{'?' + address.query if address.query else ''}"
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(payload, signing_secrets, int(at)),
            "User-Agent": "Stripe/1.0 (+https://docs.stripe.com/webhooks)",
        }
        connection.request("POST", target, payload, headers)
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    except (OSError, http.client.HTTPException) as failure:
        error = str(failure) or type(failure).__name__
    finally:
        if connection is not None:
            connection.close()
    return Attempt(event, at, status, error, round((time.time() - at) * 1000, 1))
