"""Paying, giving back, disputes, and what billing does by the clock."""

from datetime import timedelta

from tests.faults.kill_flows import Act, flow
from tests.faults.kill_stage import Stage
from tests.kernel.billing.lives import ADMIN, Paid, payment_of, refund_at_provider

CHECKOUTS = "/v1/billing/checkouts"
PACK = {"product": "marketplace", "code": "contacts_10"}
COMPLETED = "checkout.session.completed"
DISPUTES = (
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.closed",
    "charge.dispute.funds_reinstated",
)


def _bought(stage: Stage) -> Paid:
    """A pack that somebody bought, and spent some credits of."""
    return payment_of(stage.paid_for(stage.person(), "contacts_10")["id"])


@flow("billing_pack_bought")
def buy(stage: Stage) -> Act:
    """A pack is bought: the first card is declined, the second one is not."""
    ana = stage.person()

    def act() -> None:
        opened = stage.ask(ana, "POST", CHECKOUTS, PACK, key="one").json
        stage.world.stripe.pay(opened["url"], "decline")
        stage.world.stripe.pay(opened["url"])
        stage.send_webhooks(COMPLETED, "payment_intent.payment_failed")
        stage.deliver()

    return act


@flow("billing_refund")
def refund(stage: Stage) -> Act:
    """Staff give a part of a payment back, and Stripe tells of it."""
    paid, staff = _bought(stage), stage.person(role="finance")

    def act() -> None:
        path = f"{ADMIN}/payments/{paid.id}/refunds"
        stage.ask(staff, "POST", path, {"amount": 300}, key="one")
        stage.send_webhooks("charge.refunded")
        stage.deliver()

    return act


@flow("billing_refund_at_provider")
def refund_there(stage: Stage) -> Act:
    """Somebody gives money back at Stripe, whose bank sends it back."""
    paid = _bought(stage)

    def act() -> None:
        given = refund_at_provider(stage.world.stripe, paid.external_id, 900)
        stage.send_webhooks("refund.created")
        stage.deliver()
        stage.later()
        stage.world.stripe.fake.fail_refund(given)
        stage.send_webhooks("refund.failed")
        stage.deliver()

    return act


@flow("billing_dispute_lost")
def lose_dispute(stage: Stage) -> Act:
    """A bank takes the money back for good."""
    paid = _bought(stage)

    def act() -> None:
        disputed = stage.world.stripe.fake.open_dispute(paid.external_id)
        stage.send_webhooks("charge.dispute.created")
        stage.deliver()
        stage.later()
        stage.world.stripe.fake.close_dispute(disputed["id"], "lost")
        stage.send_webhooks("charge.dispute.closed")
        stage.deliver()

    return act


@flow("billing_dispute_won")
def win_dispute(stage: Stage) -> Act:
    """A bank takes the money back and gives it again; nothing was applied meanwhile."""
    paid = _bought(stage)

    def act() -> None:
        disputed = stage.world.stripe.fake.open_dispute(paid.external_id)
        stage.send_webhooks("charge.dispute.created")
        stage.deliver()
        stage.later()
        stage.world.stripe.fake.close_dispute(disputed["id"], "won")
        stage.send_webhooks("charge.dispute.closed", "charge.dispute.funds_reinstated")
        stage.deliver()

    return act


@flow("billing_dispute_before_payment")
def dispute_first(stage: Stage) -> Act:
    """A dispute is told of before the payment that it is about."""
    opened = stage.prepared(stage.person(), "POST", CHECKOUTS, PACK)

    def act() -> None:
        stage.world.stripe.pay(opened["url"])
        stage.world.stripe.fake.open_dispute(opened["url"].rpartition("/")[2])
        stage.send_webhooks("charge.dispute.created")
        stage.deliver()
        stage.send_webhooks(COMPLETED)
        stage.deliver()

    return act


@flow(job="billing_refunds_finish")
def finish_refunds(stage: Stage) -> Act:
    """A refund was ordered while Stripe could not be reached."""
    paid, staff = _bought(stage), stage.person(role="finance")
    stage.cut_off(staff, "POST", f"{ADMIN}/payments/{paid.id}/refunds", {})
    stage.pass_by(timedelta(minutes=3))
    return stage.firing("billing_refunds_finish")


@flow(job="billing_checkouts_expire")
def expire(stage: Stage) -> Act:
    """Checkouts that nobody paid."""
    ana = stage.person()
    for _ in range(2):
        stage.prepared(ana, "POST", CHECKOUTS, PACK)
    stage.pass_by(timedelta(minutes=32))
    return stage.firing("billing_checkouts_expire")


@flow(job="billing_checkouts_close_pages")
def close_pages(stage: Stage) -> Act:
    """Checkouts that expired here; one page was paid, of which nobody told."""
    ana = stage.person()
    kept, paid = (stage.prepared(ana, "POST", CHECKOUTS, PACK) for _ in range(2))
    stage.world.stripe.pay(paid["url"])
    stage.expire(kept["id"], paid["id"])
    return stage.firing("billing_checkouts_close_pages")


@flow(job="billing_webhooks_process_due")
def process_due(stage: Stage) -> Act:
    """Webhooks that were stored, and whose messages were lost."""
    ana = stage.person()
    opened = stage.prepared(ana, "POST", CHECKOUTS, PACK)
    stage.world.stripe.pay(opened["url"])
    stage.have_stripe_forget(COMPLETED, "charge.succeeded")
    stage.take_webhooks()
    stage.forget_events()
    stage.pass_by(timedelta(minutes=2))
    return stage.firing("billing_webhooks_process_due")


@flow(job="billing_webhooks_scrub")
def scrub(stage: Stage) -> Act:
    """Payloads that are a month old."""
    _bought(stage)
    stage.pass_by(timedelta(days=31))
    return stage.firing("billing_webhooks_scrub")


@flow(job="billing_reconciliation_reconcile")
def reconcile(stage: Stage) -> Act:
    """A payment, a refund and a dispute of which no webhook came."""
    ana = stage.person()
    paid = [stage.prepared(ana, "POST", CHECKOUTS, PACK) for _ in range(2)]
    for one in paid:
        stage.world.stripe.pay(one["url"])
    returned, disputed = map(stage.intent_of, paid)
    refund_at_provider(stage.world.stripe, returned, 900)
    stage.world.stripe.fake.open_dispute(disputed)
    stage.have_stripe_forget("charge.refunded")
    stage.forget_events()
    return stage.firing("billing_reconciliation_reconcile")


@flow(job="billing_invariants_invariants")
def look_through_the_books(stage: Stage) -> Act:
    """The books are right; looking through them changes nothing."""
    _bought(stage)
    return stage.firing("billing_invariants_invariants")
