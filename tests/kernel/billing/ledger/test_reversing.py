"""What is taken back and restored, part by part; and under which names, which never change."""

import pytest

from chalicelib.core import clock, db
from chalicelib.kernel.billing.ledger import service as ledger
from tests.kernel.billing.lives import Paid, bought, credits_of, refund, spend, staff, told
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person
from tests.support.stripe import Stripe


def transfers(*reasons: str) -> list[tuple[object, ...]]:
    """Reason, amount, key and payment of each transfer of these reasons, oldest first."""
    return database.execute(
        "select reason, amount, key, payment_id from billing.credit_transfers"
        " where reason = any($1) order by id",
        list(reasons),
    )


def balances() -> dict[str, int]:
    rows = database.execute(
        "select kind, balance from billing.credit_accounts where kind <> 'issuer'"
    )
    return {str(kind): int(balance) for kind, balance in rows}


@pytest.fixture
def halves(api: Api, ana: Person, stripe: Stripe, cloud: Cloud) -> tuple[Paid, list[str]]:
    """A pack of ten of which eight are spent; a refund takes three back, another one more."""
    paid = bought(ana, stripe, cloud)
    assert spend(ana, 8)
    finance = staff(api)
    refunds = [refund(finance, paid, amount).json["external_id"] for amount in (300, 100)]
    assert credits_of(ana) == -2
    return paid, refunds


def test_the_last_that_was_taken_is_restored_first_and_repays_no_more_than_is_owed(
    api: Api, stripe: Stripe, cloud: Cloud, halves: tuple[Paid, list[str]]
) -> None:
    _, (first, second) = halves
    assert balances() == {"wallet": 0, "debt": 2}
    stripe.fake.fail_refund(first)
    told(api, stripe, cloud)
    assert balances() == {"wallet": 1, "debt": 0}
    stripe.fake.fail_refund(second)
    told(api, stripe, cloud)
    assert balances() == {"wallet": 2, "debt": 0}
    restored = database.execute(
        "select s.amount, t.amount from billing.credit_transfers s"
        " join billing.credit_transfers t on t.id = s.reverses"
        " where s.reason = 'restore' order by s.id"
    )
    assert restored == [(1, 1), (2, 3), (1, 3)]


def test_a_debt_may_be_a_single_credit(api: Api, ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    paid = bought(ana, stripe, cloud)
    assert spend(ana, 8)
    refund(staff(api), paid, 300)
    assert balances() == {"wallet": 0, "debt": 1}


def test_a_purchase_is_told_with_what_is_taken_back_of_it_at_present(
    api: Api, ana: Person, stripe: Stripe, cloud: Cloud, halves: tuple[Paid, list[str]]
) -> None:
    paid, (first, _) = halves

    def found() -> list[tuple[object, ...]]:
        every = db.read(lambda unit: ledger.purchases(unit, paid.id))
        return [(one.holder, one.unit, one.amount, one.taken_back) for one in every]

    assert found() == [(ana.id, "contact", 10, 4)]
    stripe.fake.fail_refund(first)
    told(api, stripe, cloud)
    assert found() == [(ana.id, "contact", 10, 1)]


def test_a_transfer_keeps_the_name_by_which_it_is_known_once(
    api: Api, stripe: Stripe, cloud: Cloud, halves: tuple[Paid, list[str]]
) -> None:
    """A name that is spelled another way from some day on is given, or taken back, again."""
    paid, (first, _) = halves
    stripe.fake.fail_refund(first)
    told(api, stripe, cloud)
    (line,) = database.execute("select id::text from billing.checkout_lines")[0]
    (one,), (two,) = database.execute("select id::text from billing.refunds order by id")
    ids = database.execute("select id::text, reason from billing.credit_transfers order by id")
    (bought_by,) = [name for name, reason in ids if reason == "purchase"]
    taken = [name for name, reason in ids if reason == "take_back"]
    again = f"restore:{one}:{bought_by}"
    assert transfers("purchase", "take_back", "debt", "restore", "repayment") == [
        ("purchase", 10, f"checkout_line:{line}", paid.id),
        ("debt", 1, f"take_back:{one}:{bought_by}:debt", paid.id),
        ("take_back", 3, f"take_back:{one}:{bought_by}", paid.id),
        ("debt", 1, f"take_back:{two}:{bought_by}:debt", paid.id),
        ("take_back", 1, f"take_back:{two}:{bought_by}", paid.id),
        ("restore", 1, f"{again}:{taken[1]}", paid.id),
        ("repayment", 1, f"{again}:{taken[1]}:repayment", paid.id),
        ("restore", 2, f"{again}:{taken[0]}", paid.id),
        ("repayment", 1, f"{again}:{taken[0]}:repayment", paid.id),
    ]


def test_accounts_that_come_to_be_at_the_same_moment_are_found_at_the_second_try(
    ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin's insert is still under way: it is refused by the index that does not arbitrate."""
    database.execute(
        "insert into billing.credit_accounts"
        " (id, holder_kind, holder_id, unit, kind, balance, created_at)"
        " values (gen_random_uuid(), 'user', $1, 'contact', 'wallet', 0, $2)",
        ana.id,
        clock.now(),
    )

    def twin_rolls_back(_seconds: float) -> None:
        database.execute("delete from billing.credit_accounts where holder_id = $1", ana.id)

    monkeypatch.setattr("chalicelib.core.db.time.sleep", twin_rolls_back)
    given = db.write(lambda unit: ledger.grant(unit, ana.id, "contact", 7, key="gift"))
    assert given
    assert credits_of(ana) == 7
