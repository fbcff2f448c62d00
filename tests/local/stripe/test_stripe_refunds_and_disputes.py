"""Money that goes back: refunds up to what was paid, and disputes."""

from collections.abc import Callable

import pytest
import stripe

from local.stripe.errors import StripeError
from local.stripe.server import Running

NewSession = Callable[..., stripe.checkout.Session]
Happened = Callable[[], list[str]]


@pytest.fixture
def charge(client: stripe.StripeClient, fake: Running, new_session: NewSession) -> stripe.Charge:
    """A paid charge of 10.00 reais."""
    fake.act(new_session().id, "pay")
    return client.v1.charges.list().data[0]


def test_in_parts_up_to_the_whole(
    client: stripe.StripeClient, charge: stripe.Charge, happened: Happened
) -> None:
    refunds = client.v1.refunds
    assert isinstance(charge.payment_intent, str)
    part = refunds.create(
        {"payment_intent": charge.payment_intent, "amount": 300, "reason": "duplicate"}
    )
    assert (part.status, part.amount, part.charge) == ("succeeded", 300, charge.id)
    after = client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert (after.amount_refunded, after.refunded) == (300, False)
    assert after.refunds is not None
    assert [refund.id for refund in after.refunds.data] == [part.id]
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount") as more:
        refunds.create({"charge": charge.id, "amount": 701})
    assert more.value.param == "amount"
    rest = refunds.create({"charge": charge.id})
    assert rest.amount == 700
    assert client.v1.charges.retrieve(charge.id).refunded
    with pytest.raises(stripe.InvalidRequestError) as again:
        refunds.create({"charge": charge.id, "amount": 1})
    assert again.value.code == "charge_already_refunded"
    assert [r.id for r in refunds.list({"charge": charge.id}).data] == [rest.id, part.id]
    assert happened()[-4:] == ["refund.created", "charge.refunded"] * 2


@pytest.mark.parametrize("amount", [0, -5, 1001])
def test_never_less_than_one_or_more_than_paid(
    client: stripe.StripeClient, charge: stripe.Charge, amount: int
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": charge.id, "amount": amount})
    assert refused.value.param == "amount"
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 0


def test_what_was_not_paid_is_not_refunded(
    client: stripe.StripeClient, fake: Running, new_session: NewSession
) -> None:
    fake.act(new_session().id, "decline")
    failed = client.v1.charges.list().data[0]
    with pytest.raises(stripe.InvalidRequestError, match="not paid"):
        client.v1.refunds.create({"charge": failed.id})
    assert isinstance(failed.payment_intent, str)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create({"payment_intent": failed.payment_intent})
    with pytest.raises(stripe.InvalidRequestError, match="should be provided"):
        client.v1.refunds.create({})


def test_a_refund_the_bank_sends_back(
    client: stripe.StripeClient, fake: Running, charge: stripe.Charge, happened: Happened
) -> None:
    refund = client.v1.refunds.create({"charge": charge.id})
    fake.fail_refund(refund.id)
    after = client.v1.refunds.retrieve(refund.id)
    assert (after.status, after.failure_reason) == ("failed", "expired_or_canceled_card")
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 0
    assert happened()[-3:] == ["refund.updated", "refund.failed", "charge.updated"]
    assert client.v1.refunds.create({"charge": charge.id}).amount == 1000


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_dispute_won_or_lost(
    client: stripe.StripeClient,
    fake: Running,
    charge: stripe.Charge,
    outcome: str,
    happened: Happened,
) -> None:
    opened = fake.open_dispute(charge.id)
    dispute = client.v1.disputes.retrieve(opened["id"], {"expand": ["charge"]})
    assert (dispute.status, dispute.amount, dispute.reason) == (
        "needs_response",
        1000,
        "fraudulent",
    )
    assert isinstance(dispute.charge, stripe.Charge)
    assert dispute.charge.disputed
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_disputed"
    sent = client.v1.disputes.update(opened["id"], {"evidence": {"customer_name": "Ana"}})
    assert sent.status == "under_review"
    fake.close_dispute(opened["id"], outcome)  # type: ignore[arg-type]
    assert client.v1.disputes.list({"charge": charge.id}).data[0].status == outcome
    told = [kind for kind in happened() if kind.startswith("charge.dispute.")]
    assert told == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.closed",
        *(["charge.dispute.funds_reinstated"] if outcome == "won" else []),
    ]
    with pytest.raises(StripeError, match="already closed"):
        fake.close_dispute(opened["id"], "won")
    with pytest.raises(StripeError, match="can't be disputed"):
        fake.open_dispute(charge.id)


def test_a_dispute_is_given_up_by_the_api(
    client: stripe.StripeClient, fake: Running, charge: stripe.Charge
) -> None:
    assert isinstance(charge.payment_intent, str)
    opened = fake.open_dispute(charge.payment_intent, reason="product_not_received", amount=400)
    assert client.v1.disputes.close(opened["id"]).status == "lost"
