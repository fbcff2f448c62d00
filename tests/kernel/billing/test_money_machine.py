"""Any sequence of buying, spending, refunding, disputing and giving back keeps the books right."""

import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from chalicelib.core import clock, db, ids
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts import service as checkouts
from chalicelib.kernel.billing.disputes import service as disputes
from chalicelib.kernel.billing.invariants.service import violations
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.kernel.billing.refunds import service as refunds
from tests.kernel.billing.lives import SPEND
from tests.support import database
from tests.support.api import Api
from tests.support.people import Person, person

PRICE, CREDITS = 900, 10


class Money(RuleBasedStateMachine):
    """A model of one buyer's money beside the program's books."""

    buyer: Person
    payments = Bundle("payments")
    spends = Bundle("spends")
    made = Bundle("made")
    disputed = Bundle("disputed")

    def __init__(self) -> None:
        super().__init__()
        self.back: dict[str, int] = {}
        self.spent = self.returned = 0

    @rule(target=payments)
    def buy(self) -> str:
        """A pack is paid for."""
        name, checkout_id, now = f"pi_{uuid.uuid4().hex}", ids.uuid7(), clock.now()
        database.execute(
            "insert into billing.checkouts (id, product, user_id, attempt, purpose, currency,"
            " amount, gateway, state, expires_at, created_at, updated_at) values ($1,"
            " 'marketplace', $2, $3, 'contacts_10', 'USD', 900, 'stripe', 'open', $4, $4, $4)",
            checkout_id,
            self.buyer.id,
            name,
            now,
        )
        database.execute(
            "insert into billing.checkout_lines (id, checkout_id, price_id, description, quantity,"
            " unit_amount, credit_unit, credit_amount) select $1, $2, id, name, 1, amount,"
            " credit_unit, credit_amount from billing.prices where code = 'contacts_10'",
            ids.uuid7(),
            checkout_id,
        )
        session = gateway.Session(
            f"cs_{name}", checkout_id, True, False, name, "card", PRICE, "USD"
        )
        assert db.write(checkouts.apply_session, session)
        self.back[name] = 0
        return name

    @rule(target=spends, amount=st.integers(1, 12))
    def spend(self, amount: int) -> tuple[Any, int]:
        """Credits are spent, if they are there."""
        given = ledger.spend_parameters(
            self.buyer.id, "contact", amount, key=f"spend:{uuid.uuid4()}", now=clock.now()
        )
        rows = db.write(lambda unit: unit.all(SPEND, **given))
        assert bool(rows) == (self._balance() >= amount)
        self.spent += amount if rows else 0
        return (rows[0][0] if rows else None, amount)

    @rule(spend=spends)
    def give_back(self, spend: tuple[Any, int]) -> None:
        """A spend is given back, as often as one likes."""
        transfer_id, amount = spend
        if transfer_id is None:
            return
        key = f"give_back:{uuid.uuid4()}"
        if db.write(lambda unit: ledger.give_back(unit, transfer_id, key=key)):
            self.spent -= amount

    @rule(target=made, payment=payments, amount=st.integers(1, PRICE))
    def refund(self, payment: str, amount: int) -> gateway.Refund | None:
        """A part is given back, if so much is left; told twice."""
        amount = min(amount, PRICE - self.back[payment])
        if amount == 0:
            return None
        told = gateway.Refund(
            f"re_{uuid.uuid4().hex}", None, payment, amount, "duplicate", "succeeded"
        )
        for _ in range(2):
            db.write(refunds.apply_refund, told)
        self.back[payment] += amount
        return told

    @rule(told=consumes(made))
    def refund_fails(self, told: gateway.Refund | None) -> None:
        """The bank sends a refund back; the success is told again, late."""
        if told is None:
            return
        db.write(refunds.apply_refund, told._replace(state="failed"))
        db.write(refunds.apply_refund, told)
        self.back[told.payment_id] -= told.amount

    @rule(target=disputed, payment=payments)
    def dispute(self, payment: str) -> gateway.Dispute | None:
        """The bank takes back what is left."""
        amount = PRICE - self.back[payment]
        if amount == 0:
            return None
        told = gateway.Dispute(f"du_{uuid.uuid4().hex}", payment, amount, "fraudulent", "open")
        for _ in range(2):
            db.write(disputes.apply_dispute, told)
        self.back[payment] = PRICE
        return told

    @rule(told=consumes(disputed), won=st.booleans())
    def dispute_ends(self, told: gateway.Dispute | None, won: bool) -> None:
        """The bank decides; that it was opened is told again, late."""
        if told is None:
            return
        db.write(disputes.apply_dispute, told._replace(state="won" if won else "lost"))
        db.write(disputes.apply_dispute, told)
        self.back[told.payment_id] -= told.amount if won else 0

    def _balance(self) -> int:
        kept = sum(CREDITS - CREDITS * back // PRICE for back in self.back.values())
        return kept - self.spent

    @invariant()
    def the_books_are_right(self) -> None:
        """What is left is what the model says, and no rule is broken."""
        rows = database.execute(
            "select coalesce(sum(case kind when 'debt' then -balance else balance end), 0)"
            " from billing.credit_accounts where holder_id = $1",
            self.buyer.id,
        )
        assert rows == [(self._balance(),)]
        assert db.read(violations) == {}


def test_whatever_happens_the_books_are_right(api: Api) -> None:
    class Ours(Money):
        def __init__(self) -> None:
            self.buyer = person(api)
            super().__init__()

    Ours.TestCase.settings = settings(
        max_examples=20,
        stateful_step_count=20,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    Ours.TestCase("runTest").debug()


pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
