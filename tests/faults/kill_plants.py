"""Faults that somebody could make: naive versions of what a kill must not break.

Each is put into the processes that are forked, for good; the flow and the kind of points named
with it are where it has to show.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import ModuleType
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Text, Uuid, bindparam, update
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core import aws, clock, db, idempotency, ids, jobs, outbox, privacy, queues
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.jobs import Job
from chalicelib.core.outbox import Event, Message, Subscriber
from chalicelib.core.statements import command, statement
from chalicelib.core.tables import deliveries
from chalicelib.core.tables import outbox as events
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.gateways import service as gateways
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.kernel.billing.webhooks import queries as inbox
from chalicelib.kernel.billing.webhooks import service as webhooks
from chalicelib.kernel.notifications import gateway as letters
from chalicelib.kernel.notifications import service as notifications


@dataclass(frozen=True)
class Plant:
    """A fault: `plant` puts it into a process; it must show in `flow`, killed at such `points`."""

    name: str
    plant: Callable[[], None]
    flow: str
    points: tuple[str, ...]

    @contextmanager
    def active(self) -> Iterator[None]:
        """Every process that is forked meanwhile has it."""
        _active.append(self)
        try:
            yield
        finally:
            _active.remove(self)


_active: list[Plant] = []


def planted() -> Plant | None:
    """The fault of the moment."""
    return _active[-1] if _active else None


_HEARD = statement(
    insert(deliveries)
    .values(
        event_id=bindparam("event_id", type_=Uuid),
        subscriber=bindparam("subscriber", type_=Text),
        delivered_at=bindparam("now", type_=DateTime(timezone=True)),
    )
    .on_conflict_do_nothing()
    .returning(deliveries.c.event_id)
)


_ALL_DONE = command(update(events).values(done_at=bindparam("now", type_=DateTime(timezone=True))))


def _put(module: ModuleType, **instead: Any) -> None:
    """Have something else stand in a module, for good."""
    for name, value in instead.items():
        setattr(module, name, value)


def _no_outbox() -> None:
    """Messages are sent after the commit and written nowhere; what came before is dropped."""

    def publish(unit: Connection, event: Event) -> None:
        message = Message(ids.uuid7(), event.topic, event.payload())
        for queue in {one.queue for one in outbox.subscribers() if one.topic == event.topic}:
            unit.after_commit(partial(aws.send_message, outbox.url_of(queue), message.text()))

    def record(unit: Connection, message: Message, subscriber: Subscriber) -> bool:
        told = {"event_id": message.event_id, "subscriber": subscriber.name, "now": clock.now()}
        return unit.one(_HEARD, **told) is not None

    _put(outbox, publish=publish, record=record)


def _sent_is_done() -> None:
    """The sweep takes an event for heard once it is about to be sent."""
    relay = outbox.relay

    def naive(unit: Connection) -> int:
        due = relay(unit)
        now = clock.now()
        unit.run(_ALL_DONE, now=now)
        return due

    _put(outbox, relay=naive)


def _recorded_first() -> None:
    """A delivery is recorded, and then the effect happens."""

    def deliver(message: Message, subscriber: Subscriber) -> None:
        if db.write(outbox.record, message, subscriber):
            _effect(message, subscriber)

    _put(queues, _deliver=deliver)


def _recorded_last() -> None:
    """The effect happens, and then the delivery is recorded."""

    def deliver(message: Message, subscriber: Subscriber) -> None:
        _effect(message, subscriber)
        db.write(outbox.record, message, subscriber)

    _put(queues, _deliver=deliver)


def _effect(message: Message, subscriber: Subscriber) -> None:
    if subscriber.calls:
        subscriber.effect(Transactions(), message.event())
    else:
        db.write(subscriber.effect, message.event())


def _slot_done_first() -> None:
    """A job's slot is noted as done, and then the job works."""

    def work(told: Job, run_id: UUID, _started: float) -> int:
        given = {"run_id": run_id, "outcome": "done", "more": 0, "message": None}
        db.run("write", lambda unit: unit.run(jobs.FINISH, **given, now=clock.now()))
        handled = 0
        while more := db.write(told.function, clock.now()):
            handled += more
        return handled

    _put(jobs, _work=work)


def _webhook_applied_first() -> None:
    """A webhook is noted as applied, and then it is."""

    def process(transactions: Transactions, webhook_id: UUID) -> bool:
        told = transactions.read(webhooks._pending, webhook_id)  # noqa: SLF001  as it does
        if told is not None:
            noted = {"webhook_id": webhook_id, "outcome": "processed", "now": clock.now()}
            transactions.write(lambda unit: unit.run(inbox.SETTLE, **noted))
            key = gateways.key_of(told.gateway_id, told.secret)
            effect = webhooks._effect(key, told)  # noqa: SLF001  as it does
            if effect is not None:
                transactions.write(effect)
        return True

    _put(webhooks, process=process)


def _nameless_refund() -> None:
    """A refund is ordered at Stripe without looking for it, and without a key."""

    def create_refund(key: str, refund: UUID, payment: str, amount: int, **_: Any) -> Any:
        named = {"refund_id": str(refund)}
        asked = {"payment_intent": payment, "amount": amount, "metadata": named}
        with gateway._stripe(key) as stripe:  # noqa: SLF001  as it does
            made = stripe.refunds.create(asked)
        return gateway._refund(made)  # noqa: SLF001  as it does

    _put(gateway, create_refund=create_refund)


def _claimed_for_good() -> None:
    """A claim on an attempt is never thought abandoned."""
    _put(idempotency, ABANDONED_AFTER=timedelta(days=365))


def _lease_for_good() -> None:
    """A job's lease does not end."""
    _put(jobs, LEASE=timedelta(days=365))


def _mail_noted_first() -> None:
    """A mail is noted as sent, and then it is."""

    def send_mail(transactions: Transactions, mail_id: UUID) -> None:
        prepared = transactions.write(notifications._prepare, mail_id)  # noqa: SLF001  as it does
        if prepared is not None and prepared.letter is not None:
            transactions.write(notifications._settle, mail_id, "sent", "mail")  # noqa: SLF001
            letters.send(prepared.letter, prepared.recipient, prepared.values)

    _put(notifications, send_mail=send_mail)


def _left_in_two_steps() -> None:
    """Somebody's row is emptied, and then what else is theirs."""
    erase = privacy.erase

    def in_two_steps(unit: Connection, person: UUID) -> None:
        unit.finish()
        erase(unit, person)

    _put(privacy, erase=in_two_steps)


def _paid_before_granted() -> None:
    """A payment is committed, and then what it bought."""
    grant: Callable[..., bool] = ledger.grant

    def apart(unit: Connection, *given: Any, **named: Any) -> bool:
        unit.finish()
        return grant(unit, *given, **named)

    _put(ledger, grant=apart)


PLANTS = {
    one.name: one
    for one in (
        Plant(
            "an event is sent after the commit, and written nowhere",
            _no_outbox,
            "accounts_sign_up",
            ("before queue",),
        ),
        Plant(
            "an event that is sent counts as heard", _sent_is_done, "core_relay", ("before queue",)
        ),
        Plant(
            "a delivery is recorded before its effect",
            _recorded_first,
            "marketplace_reveal_credited",
            ("after commit",),
        ),
        Plant(
            "a delivery is recorded after its effect, apart",
            _recorded_last,
            "marketplace_reveal_credited",
            ("after commit",),
        ),
        Plant(
            "a job's slot is done before the job",
            _slot_done_first,
            "billing_webhooks_scrub",
            ("after commit",),
        ),
        Plant(
            "a job's lease does not end", _lease_for_good, "core_forget_events", ("after commit",)
        ),
        Plant(
            "a webhook counts as applied before it is",
            _webhook_applied_first,
            "marketplace_reveal_credited",
            ("after stripe",),
        ),
        Plant(
            "a refund is ordered without a key",
            _nameless_refund,
            "billing_refund",
            ("after stripe",),
        ),
        Plant(
            "a claimed attempt is never abandoned",
            _claimed_for_good,
            "billing_refund",
            ("after stripe",),
        ),
        Plant(
            "a mail counts as sent before it is",
            _mail_noted_first,
            "marketplace_post_removed_by_staff",
            ("before mail",),
        ),
        Plant(
            "leaving takes two transactions",
            _left_in_two_steps,
            "accounts_erasure",
            ("after commit",),
        ),
        Plant(
            "what was bought is granted after the payment's commit",
            _paid_before_granted,
            "billing_pack_bought",
            ("after commit",),
        ),
    )
}
