"""What can become of something that was bought, and what is left of it in the end."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.kernel.billing import gateway
from tests.kernel.billing.lives import another_page, refund_at_provider
from tests.support import database
from tests.support.environment import STRIPE_KEY
from tests.support.stripe import Stripe

# Pix is paid in reais, which no price of a product is in.
BRAZILIAN = {
    "id": "019a9e00-0000-7000-8000-00000000b002",
    "product": "tests",
    "code": "pacote",
    "name": "Pacote",
    "currency": "BRL",
    "amount": 4900,
    "credit_amount": 25,
    "sort_order": 1,
    "created_at": "2026-11-20T01:00:00Z",
}


PRICE = 900


class Outcome(NamedTuple):
    """What is left: of the checkout, its payment, what went back and was declined, and the credits.

    `moved` is what was bought less what was taken back, `left` what the buyer has now;
    `handed_over` is how often whoever sold it was told that it is paid.
    """

    checkout: str
    payment: str | None = None
    refunds: tuple[str, ...] = ()
    disputes: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()
    moved: int = 0
    left: int = 0
    handed_over: int = 0


def _paid(state: str = "succeeded", credits_left: int = 10, **more: Any) -> Outcome:
    return Outcome(
        "paid",
        f"{state} 900 USD card",
        moved=credits_left,
        left=credits_left,
        handed_over=1,
        **more,
    )


_PIX = Outcome("paid", "succeeded 4900 BRL pix", moved=25, left=25, handed_over=1)


@dataclass(frozen=True)
class Life:
    """What happens at Stripe, before the page's time is over and after, and what comes of it."""

    name: str
    early: tuple[str, ...]
    late: tuple[str, ...]
    outcome: Outcome
    pix: bool = False


PURCHASES = (
    Life("paid", ("pay",), (), _paid()),
    Life(
        "declined, then paid",
        ("decline", "decline", "pay"),
        (),
        _paid(declined=("generic_decline",) * 2),
    ),
    Life("expired", (), (), Outcome("expired")),
    Life(
        "declined, then expired",
        ("decline",),
        (),
        Outcome("expired", declined=("generic_decline",)),
    ),
    Life("paid by Pix", ("pix", "pix_pay"), (), _PIX, pix=True),
    Life("paid late", ("pix", "pix_expire"), ("pix_pay_late",), _PIX, pix=True),
)
REVERSALS = (
    Life(
        "refunded in part",
        ("pay",),
        ("refund 300", "refund 200"),
        _paid("partially_refunded", 5, refunds=("200 succeeded", "300 succeeded")),
    ),
    Life(
        "refunded wholly",
        ("pay", "refund 400"),
        ("refund 500",),
        _paid("refunded", 0, refunds=("400 succeeded", "500 succeeded")),
    ),
    Life(
        "refunded in vain",
        ("pay",),
        ("refund 400", "fail", "refund 100"),
        _paid("partially_refunded", 9, refunds=("100 succeeded", "400 failed")),
    ),
    Life("paid on two pages", ("pay", "pay again"), (), _paid()),
    Life("disputed and won", ("pay",), ("dispute", "won"), _paid(disputes=("900 won",))),
    Life(
        "disputed and lost",
        ("pay",),
        ("dispute", "lost"),
        _paid("disputed", 0, disputes=("900 lost",)),
    ),
    Life(
        "refunded in part, the rest disputed and lost",
        ("pay", "refund 300"),
        ("dispute", "lost"),
        _paid("disputed", 0, refunds=("300 succeeded",), disputes=("600 lost",)),
    ),
)


@dataclass
class Purchase:
    """One life being lived: by its session at Stripe, and what was made of it there.

    `other` is a second page for it, as a lost reply might leave one behind.
    """

    life: Life
    checkout_id: UUID
    session: str
    dispute: str = ""
    refund: str = ""
    other: str = ""

    def happen(self, stripe: Stripe, deed: str) -> None:
        """Let a deed of its life happen at Stripe."""
        if deed.startswith("refund "):
            amount = int(deed.removeprefix("refund "))
            made = refund_at_provider(stripe, payment_on(stripe, self.session), amount)
            self.refund = self.refund or made
        elif deed == "pay again":
            self.other = another_page(stripe, self.checkout_id)
            stripe.fake.act(self.other, "pay")
        elif deed == "fail":
            stripe.fake.fail_refund(self.refund)
        elif deed == "dispute":
            self.dispute = stripe.fake.open_dispute(self.session)["id"]
        elif deed in {"won", "lost"}:
            stripe.fake.close_dispute(self.dispute, deed)
        else:
            stripe.fake.act(self.session, deed)


def payment_on(stripe: Stripe, session: str) -> str:
    """What Stripe calls the payment that was made on a page."""
    return str(stripe.fake.act(session, "wait")["payment_intent"])


def wrongly_returned(stripe: Stripe, purchase: Purchase) -> str:
    """What is wrong with how a purchase that was paid on two pages was given back once."""
    if not purchase.other:
        return ""
    ((kept,),) = database.execute(
        "select external_id from billing.payments where checkout_id = $1", purchase.checkout_id
    )
    paid = {payment_on(stripe, one) for one in (purchase.session, purchase.other)}
    back = {
        payment: [one.amount for one in gateway.refunds_of(STRIPE_KEY, payment_intent=payment)]
        for payment in paid
    }
    right = {payment: [] if payment == kept else [PRICE] for payment in paid}
    return "" if back == right else f"{back} went back, {kept} was kept"


def offer_pix() -> None:
    """Have a price in reais."""
    database.execute(
        "insert into billing.prices select (jsonb_populate_record(p, $1)).* from billing.prices p"
        " where p.code = 'contacts_10' on conflict do nothing",
        json.dumps(BRAZILIAN),
    )


# A code of Pix that ran out is noted only if it was told of before it was paid after all.
_OUTCOMES = """
    select c.id, c.state,
        (select concat_ws(' ', p.state, p.amount, p.currency, p.method)
            from billing.payments p where p.checkout_id = c.id),
        array(select r.amount || ' ' || r.state from billing.refunds r
            join billing.payments p on p.id = r.payment_id where p.checkout_id = c.id order by 1),
        array(select d.amount || ' ' || d.state from billing.disputes d
            join billing.payments p on p.id = d.payment_id where p.checkout_id = c.id order by 1),
        array(select f.code from billing.failed_transactions f
            where f.checkout_id = c.id and f.external_id like 'ch%' order by 1),
        (select coalesce(sum(case t.reason when 'purchase' then t.amount when 'restore' then t.amount
                when 'take_back' then -t.amount else 0 end), 0)::bigint
            from billing.credit_transfers t
            join billing.payments p on p.id = t.payment_id where p.checkout_id = c.id),
        (select coalesce(sum(case kind when 'debt' then -balance else balance end), 0)::bigint
            from billing.credit_accounts a where a.holder_id = c.user_id),
        (select count(*) from core.outbox o
            where o.topic = 'billing.checkout_paid' and o.payload ->> 'checkout_id' = c.id::text)
    from billing.checkouts c"""


def outcomes() -> dict[UUID, Outcome]:
    """What is left of every checkout."""
    return {
        row[0]: Outcome._make(tuple(one) if isinstance(one, list) else one for one in row[1:])
        for row in database.execute(_OUTCOMES)
    }
