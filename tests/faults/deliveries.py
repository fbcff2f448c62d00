"""Messages that come several times, in any order, in batches and with what nobody can read."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, cast

from sqlalchemy import Text, Uuid, bindparam, select

from chalicelib.core import outbox
from chalicelib.core.db import Connection
from chalicelib.core.outbox import Message, Subscriber
from chalicelib.core.statements import statement
from chalicelib.core.tables import deliveries as recorded
from tests.faults import backlog, likeness
from tests.faults.backlog import BacklogWorld
from tests.faults.proof import Findings, Planted, Proof
from tests.faults.world import World, replaced

WORLD = backlog.backlog_world

_AT_ONCE = 4


def in_any_order(world: World, tries: int, findings: Findings) -> None:
    """Deliver all that waits in so many orders; in every other one each batch to two at once."""
    here = cast("BacklogWorld", world)
    for seed in range(tries):
        workers = _AT_ONCE if seed % 2 else 1
        found = backlog.shuffled(here, here.backlog, seed, workers=workers)
        for wrong in [*found.wrong, *likeness.difference(here.model.state, found.state)]:
            findings.hold(False, f"order {seed}: {wrong}")
        # A provider of mail knows no attempts: of two who ask it at the same moment both send.
        same = found.mails.keys() == here.model.mails.keys()
        findings.hold(
            found.mails == here.model.mails or (same and workers > 1),
            f"order {seed}: {(found.mails - here.model.mails).total()} mails too many,"
            f" {(here.model.mails - found.mails).total()} missing",
        )
        findings.count("orders")
        findings.count("deliveries", found.delivered)
        findings.count("batches", found.batches)
        findings.count("unreadable messages", found.poison)
        findings.progress(seed + 1, tries, "orders")
    findings.measure("different messages", f"{here.model.delivered}")


@contextmanager
def nothing_recorded() -> Iterator[None]:
    """What a message says is done whenever it comes."""
    with replaced(outbox, "record", lambda *_: True):
        yield


_KNOWN = statement(
    select(recorded.c.event_id).where(
        recorded.c.event_id == bindparam("event_id", type_=Uuid),
        recorded.c.subscriber == bindparam("subscriber", type_=Text),
    )
)


@contextmanager
def looked_for_first() -> Iterator[None]:
    """A delivery is looked for, and recorded once the effect has happened."""
    record = outbox.record

    def deliver(unit: Connection, message: Message, subscriber: Subscriber) -> None:
        if not unit.all(_KNOWN, event_id=message.event_id, subscriber=subscriber.name):
            subscriber.effect(unit, message.event())
            record(unit, message, subscriber)

    with replaced(outbox, "deliver", deliver):
        yield


@contextmanager
def _answering(how: Callable[[list[str], list[str]], list[str]]) -> Iterator[None]:
    """Workers answer otherwise: `how` makes it of the messages' ids and of those that failed."""
    import app as program  # noqa: PLC0415  there since the world was made

    before = dict(program.app.handler_map)

    def otherwise(consume: Callable[..., Any], event: Any, context: Any) -> Any:
        failed = [one["itemIdentifier"] for one in consume(event, context)["batchItemFailures"]]
        every = [one["messageId"] for one in event["Records"]]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in how(every, failed)]}

    for source in program.app.event_sources:
        if hasattr(source, "queue"):
            program.app.handler_map[source.name] = partial(otherwise, before[source.name])
    try:
        yield
    finally:
        program.app.handler_map.update(before)


def whole_batches_returned() -> AbstractContextManager[None]:
    """One message fails, and all of its batch come again."""
    return _answering(lambda every, failed: every if failed else [])


def failures_kept() -> AbstractContextManager[None]:
    """What fails is not returned."""
    return _answering(lambda _every, _failed: [])


PROOFS = (
    Proof(
        name="deliveries.in_any_order",
        promise=(
            "Whatever follows from what people do follows once, if its messages come several times,"
            " in any order, two at the same moment, or beside one that nobody can read."
        ),
        run=in_any_order,
        full=30,
        short=2,
        planted=(
            Planted("deliveries are not recorded", nothing_recorded, tries=1),
            Planted("a delivery is looked for, then recorded", looked_for_first),
            Planted("a whole batch is returned", whole_batches_returned, tries=1),
            Planted("failed messages are not returned", failures_kept, tries=1),
        ),
    ),
)
