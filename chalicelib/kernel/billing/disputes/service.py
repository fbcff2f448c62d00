"""Disputes: a payer's bank takes the money back, for now or for good.

While it has the money, what the payment granted is taken back as by a refund; a dispute that is
won restores it.
"""

from chalicelib.core import clock, ids, outbox
from chalicelib.core.db import Connection
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.disputes import queries
from chalicelib.kernel.billing.events import PaymentDisputed, PaymentRestored
from chalicelib.kernel.billing.reversals import service as reversals

_ORDER = {"inquiry": 0, "open": 1, "won": 2, "lost": 2}
"""A dispute's states: it only goes on, whatever is told late."""
_IN_FORCE = ("open", "lost")


def apply_dispute(unit: Connection, told: gateway.Dispute) -> bool:
    """Bring our dispute to where the provider's is, and what was paid for with it.

    PaymentUnknown where the payment has no row of ours.
    """
    payment = reversals.hold(unit, told.payment_id)
    now = clock.now()
    known = unit.one(queries.KNOWN, payment_id=payment.id, told_id=told.id)
    dispute_id, state = known or (ids.uuid7(), None)
    if state is not None and _ORDER[told.state] <= _ORDER[state]:
        return True
    if known is None:
        unit.run(
            queries.ADD,
            id=dispute_id,
            payment_id=payment.id,
            amount=told.amount,
            reason=told.reason,
            state=told.state,
            external_id=told.id,
            created_at=now,
            updated_at=now,
        )
    else:
        unit.run(queries.ADVANCE, dispute_id=dispute_id, new_state=told.state, now=now)
    if (state in _IN_FORCE) != (told.state in _IN_FORCE):
        reversals.settle(unit, payment, dispute_id)
        event = PaymentDisputed if told.state in _IN_FORCE else PaymentRestored
        outbox.publish(unit, event(payment.id, payment.checkout_id))
    return True
