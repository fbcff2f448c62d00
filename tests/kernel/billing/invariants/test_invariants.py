"""Each rule of the books turns red for what it is there to find."""

from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import db
from chalicelib.core.driver import Call
from chalicelib.kernel.billing.invariants import service
from chalicelib.kernel.billing.invariants.queries import FINDING, RULES
from tests.kernel.billing.lives import bought, refund, spend, staff
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.logs import lines
from tests.support.people import Person
from tests.support.stripe import Stripe
from tests.support.times import Times

_COPY = (
    "insert into billing.credit_transfers select (jsonb_populate_record(t, {changes})).*"
    " from billing.credit_transfers t where reason = '{reason}' limit 1"
)


def copied(reason: str, **changes: Any) -> str:
    """A second transfer like one of this reason."""
    told = ", ".join(f"'{name}', {value}" for name, value in changes.items())
    made = f"jsonb_build_object('id', gen_random_uuid(), 'key', gen_random_uuid(), {told})"
    return _COPY.format(changes=made, reason=reason)


_WALLET = "(select debit_account_id from billing.credit_transfers where reason = 'spend' limit 1)"

BREAKS = {
    "what all accounts hold is what issuers gave out": (
        "update billing.credit_accounts set balance = balance + 1 where kind = 'wallet'"
    ),
    "a balance is the sum of its transfers": copied("purchase", amount=7),
    "no balance is below zero": "update billing.credit_accounts set balance = -1",
    "nobody has credits and a debt": (
        "update billing.credit_accounts set balance = 5 where kind <> 'issuer'"
    ),
    "a transfer stays within its unit and its holder": (
        "update billing.credit_transfers set unit = 'gold' where reason = 'spend'"
    ),
    "a transfer goes the way its reason says": (
        "update billing.credit_transfers set reason = 'grant' where reason = 'spend'"
    ),
    "what is reversed is of the right kind, and no more than there was": (
        "update billing.credit_transfers set amount = 99 where reason = 'take_back'"
    ),
    "a debt comes with what was taken back": (
        "update billing.credit_transfers set key = 'debt' where reason = 'debt'"
    ),
    "a repayment comes with what was received": (
        "update billing.credit_transfers set key = 'repaid' where reason = 'repayment'"
    ),
    "a paid checkout has one payment, of its amount, and no other has one": (
        "update billing.payments set amount = 1"
    ),
    "a checkout costs what its lines cost": "delete from billing.checkout_lines",
    "a line with credits gave them once if it was paid, and never else": (
        "update billing.credit_transfers set key = 'x' where reason = 'purchase' and id ="
        " (select max(id::text)::uuid from billing.credit_transfers where reason = 'purchase')"
    ),
    "a purchase is of a payment": (
        "update billing.credit_transfers set payment_id = null where reason = 'purchase'"
    ),
    "no more is given back than was paid": "update billing.refunds set amount = 901",
    "a payment's state says what went back": "update billing.payments set state = 'succeeded'",
    "credits are taken back in the proportion in which the money went back": (
        "update billing.refunds set amount = 450"
    ),
}


@pytest.fixture
def a_life(api: Api, ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    """Bought, spent, refunded into debt, and bought again."""
    paid = bought(ana, stripe, cloud)
    spend(ana, 4)
    refund(staff(api), paid)
    bought(ana, stripe, cloud)


class _Undone(Exception):
    pass


def found_after(sql: str) -> set[str]:
    """The rules that are found broken after a statement, which is then undone."""
    found: set[str] = set()

    def work(unit: db.Connection) -> None:
        unit.one(FINDING["no balance is below zero"])
        driver = db.session.ready()
        driver.exchange([[Call(b"set local session_replication_role = replica")]])
        for dropped in ("credit_accounts_balance", "credit_accounts_issuer"):
            driver.exchange(
                [[Call(f"alter table billing.credit_accounts drop constraint {dropped}".encode())]]
            )
        driver.exchange([[Call(sql.encode())]])
        found.update(service.violations(unit))
        raise _Undone

    with pytest.raises(_Undone):
        db.write(work)
    return found


@pytest.mark.usefixtures("a_life")
@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_what_breaks_it(rule: str) -> None:
    assert rule in found_after(BREAKS[rule])


@pytest.mark.usefixtures("a_life")
def test_the_job_tells_of_what_is_broken(times: Times, log_lines: Path) -> None:
    assert times.run("billing_invariants_invariants")["rows"] == 0
    assert lines(log_lines, "invariant_violated") == []
    database.without_triggers("update billing.payments set state = 'disputed'")
    try:
        found = service.check(db.Transactions())
        (told,) = lines(log_lines, "invariant_violated")
        assert (told["rule"], told["rows"], found) == (
            "a payment's state says what went back", 2, 2,
        )  # fmt: skip
    finally:
        database.without_triggers(
            "update billing.payments p set state = case when exists"
            " (select from billing.refunds r where r.payment_id = p.id) then 'refunded'"
            " else 'succeeded' end"
        )
