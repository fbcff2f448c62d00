"""What the jobs of billing find: what was paid and not heard of, what expired, what is owed back."""

import json
import uuid
from datetime import timedelta

from chalicelib.core import clock
from chalicelib.kernel.billing.checkouts.service import CHECKOUT_LIFE
from chalicelib.kernel.billing.webhooks.service import KEEP_PAYLOADS
from tests.faults.described.billing import checkout, payment
from tests.faults.work.core import count
from tests.faults.work.due import Day, Due, Effects, work
from tests.support import database, people
from tests.support.people import Person

_PEOPLE = 2
_PACK_CREDITS = 10
_MORE_THAN_A_BATCH = 600


def paid_and_unheard(day: Day) -> list[Person]:
    """People who paid for ten credits each; nobody has told us so."""
    buyers = [day.person() for _ in range(_PEOPLE)]
    for buyer in buyers:
        checkout(day, buyer, "pay")
    return buyers


def handed_over(day: Day) -> Effects:
    """What paid checkouts led to, when all that was queued has been done."""
    day.world.cloud.deliver()
    return {
        "payments": count("select count(*) from billing.payments"),
        "credits": count(
            "select coalesce(sum(balance), 0) from billing.credit_accounts where kind = 'wallet'"
        ),
        "sales told": count(
            "select count(*) from core.outbox where topic = 'billing.checkout_paid'"
        ),
    }


HANDED_OVER = {"payments": _PEOPLE, "credits": _PEOPLE * _PACK_CREDITS, "sales told": _PEOPLE}


@work("billing_webhooks_process_due")
def webhooks_lost_by_the_queue(day: Day) -> Due:
    """Webhooks that were stored, and whose messages were lost."""
    paid_and_unheard(day)
    day.world.stripe.send_webhooks(day.world.api)
    day.world.cloud.queues.clear()
    day.times.pass_by(timedelta(minutes=2))
    return Due(HANDED_OVER, lambda: handed_over(day))


@work("billing_reconciliation_reconcile")
def webhooks_that_never_came(day: Day) -> Due:
    """Payments that no webhook told of."""
    paid_and_unheard(day)
    return Due(HANDED_OVER, lambda: handed_over(day))


@work("billing_checkouts_expire")
def checkouts_that_ran_out(day: Day) -> Due:
    """Checkouts that nobody paid, and one that may be paid for two days yet."""
    buyer = day.person()
    checkout(day, buyer)
    database.execute(
        "insert into billing.checkouts select (jsonb_populate_record(c, jsonb_build_object("
        "'id', gen_random_uuid(), 'attempt', n::text, 'external_id', 'cs_' || n))).*"
        " from billing.checkouts c, generate_series(1, $1::int) n",
        _MORE_THAN_A_BATCH,
    )
    day.times.pass_by(CHECKOUT_LIFE)
    fresh = checkout(day, people.again(buyer))
    database.execute(
        "update billing.checkouts set expires_at = $1 where id = $2",
        clock.now() + timedelta(days=2),
        fresh,
    )

    def effects() -> Effects:
        expired = "select count(*) from billing.checkouts where state = 'expired'"
        return {"checkouts expired": count(expired)}

    expired = _MORE_THAN_A_BATCH + 1
    return Due({"checkouts expired": expired}, effects, rows=expired)


@work("billing_checkouts_close_pages")
def pages_left_open(day: Day) -> Due:
    """Pages that can still be paid on though their checkouts expired, and one that was paid on."""
    payer, *others = (day.person() for _ in range(3))
    checkout(day, payer, "pay")
    for other in others:
        checkout(day, other)
    database.execute("update billing.checkouts set state = 'expired'")

    def effects() -> Effects:
        pages = [one["status"] for one in day.world.stripe.fake.sessions()]
        closed = count("select count(*) from billing.checkouts where closed_at is not null")
        ended = sum(
            event["type"] == "checkout.session.expired" for event in day.world.stripe.events()
        )
        return {
            **handed_over(day),
            "pages closed": pages.count("expired"),
            "closings told": ended,
            "checkouts closed": closed,
        }

    number = len(others)
    wanted = {"payments": 1, "credits": _PACK_CREDITS, "sales told": 1}
    closed = {"pages closed": number, "closings told": number, "checkouts closed": number}
    return Due({**wanted, **closed}, effects)


@work("billing_refunds_finish")
def refunds_cut_off(day: Day) -> Due:
    """Refunds that were ordered, and never arrived at the provider."""
    for _ in range(_PEOPLE):
        database.execute(
            "insert into billing.refunds"
            " (id, payment_id, amount, reason, state, created_at, updated_at)"
            " select $1, id, amount, 'requested_by_customer', 'ordered', paid_at, paid_at"
            " from billing.payments where id = $2",
            uuid.uuid4(),
            payment(day, day.person()).id,
        )
    day.times.pass_by(timedelta(minutes=3))

    def effects() -> Effects:
        with day.world.stripe.fake._fake.work() as rows:  # noqa: SLF001  it lists no refunds
            made = rows.rows.select("kind = 'refund'", limit=100)
        return {
            "refunds at Stripe": len(made),
            "refunds": count("select count(*) from billing.refunds where state = 'succeeded'"),
            "credits left": count(
                "select coalesce(sum(balance), 0) from billing.credit_accounts"
                " where kind = 'wallet'"
            ),
            "refunds told": count(
                "select count(*) from core.outbox where topic = 'billing.payment_refunded'"
            ),
        }

    each = {"refunds at Stripe", "refunds", "refunds told"}
    return Due({**dict.fromkeys(each, _PEOPLE), "credits left": 0}, effects)


@work("billing_webhooks_scrub")
def old_webhooks(_day: Day) -> Due:
    """Payloads that were kept for their time, and one of today."""
    now = clock.now()
    told = {"id": "evt", "type": "tests", "data": {"object": {"id": "obj", "email": "a@b.example"}}}
    database.execute(
        "insert into billing.webhook_events (id, gateway, event_id, type, payload, state, attempts,"
        " created_at) select gen_random_uuid(), 'stripe', n::text, 'tests', $1::jsonb, 'ignored',"
        " 0, case n when 0 then $2::timestamptz else $3::timestamptz end"
        " from generate_series(0, $4::int) n",
        json.dumps(told),
        now,
        now - KEEP_PAYLOADS - timedelta(days=1),
        _MORE_THAN_A_BATCH,
    )

    def effects() -> Effects:
        kept = "from billing.webhook_events where payload::text like '%@%'"
        scrubbed = "select count(*) from billing.webhook_events where scrubbed_at is not null"
        return {"payloads kept": count(f"select count(*) {kept}"), "scrubbed": count(scrubbed)}

    wanted = {"payloads kept": 1, "scrubbed": _MORE_THAN_A_BATCH}
    return Due(wanted, effects, rows=_MORE_THAN_A_BATCH)


@work("billing_invariants_invariants")
def wrong_books(day: Day) -> Due:
    """A wallet that somebody reached into past the ledger."""
    holder = day.person()
    people.credit(holder, 3)
    database.without_triggers(
        f"update billing.credit_accounts set balance = 4 where holder_id = '{holder.id}'"
    )
    log = day.world.log_path
    before = log.stat().st_size

    def effects() -> Effects:
        with log.open(encoding="utf-8") as lines:
            lines.seek(before)
            rules = [json.loads(line).get("rule") for line in lines]
        return {"alarms": rules.count("a balance is the sum of its transfers")}

    return Due({"alarms": 1}, effects, rings=True)
