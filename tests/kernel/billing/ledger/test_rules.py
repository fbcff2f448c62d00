"""What the database itself refuses, whoever asks."""

import uuid
from typing import Any

import pytest

from chalicelib.core.driver import DatabaseError
from chalicelib.kernel.billing.ledger import service as ledger
from tests.support import database
from tests.support.cloud import Cloud
from tests.support.people import Person, credit, pay_for
from tests.support.stripe import Stripe

RESTRICT_VIOLATION, CHECK_VIOLATION, UNIQUE_VIOLATION = "23001", "23514", "23505"


def refused(sql: str, *values: Any) -> str:
    """The SQLSTATE by which the database refuses."""
    with pytest.raises(DatabaseError) as error:
        database.execute(sql, *values)
    return error.value.sqlstate


@pytest.fixture
def ledger_rows(ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    """A payment, and the transfer it made."""
    pay_for(ana, "contacts_10", stripe, cloud)


@pytest.mark.parametrize(
    "sql",
    [
        "update billing.credit_transfers set amount = amount + 1",
        "update billing.credit_transfers set key = key where false",
        "delete from billing.credit_transfers",
        "truncate billing.credit_transfers cascade",
        "delete from billing.payments",
        "truncate billing.payments cascade",
    ],
)
def test_history_is_never_changed(ledger_rows: None, sql: str) -> None:
    assert refused(sql) == RESTRICT_VIOLATION


def transfer(debit: uuid.UUID, credit_to: uuid.UUID, amount: int, key: str = "test") -> str:
    return refused(
        "insert into billing.credit_transfers"
        " (id, unit, debit_account_id, credit_account_id, amount, reason, key, created_at)"
        " values ($1, 'contact', $2, $3, $4, 'spend', $5, '2026-11-20T00:00:00Z')",
        uuid.uuid4(),
        debit,
        credit_to,
        amount,
        key,
    )


def test_no_transfer_moves_nothing_less_than_nothing_or_in_a_circle(ana: Person) -> None:
    credit(ana, 1)
    wallet, issuer = (
        ledger.account_id("wallet", "contact", ana.id),
        ledger.account_id("issuer", "contact"),
    )
    assert transfer(wallet, issuer, 0) == CHECK_VIOLATION
    assert transfer(wallet, issuer, -1) == CHECK_VIOLATION
    assert transfer(wallet, wallet, 1) == CHECK_VIOLATION


def test_a_key_is_used_once(ana: Person) -> None:
    credit(ana, 1)
    ((key,),) = database.execute("select key from billing.credit_transfers")
    wallet, issuer = (
        ledger.account_id("wallet", "contact", ana.id),
        ledger.account_id("issuer", "contact"),
    )
    assert transfer(wallet, issuer, 1, key) == UNIQUE_VIOLATION


def test_no_balance_is_negative_and_no_issuer_keeps_one(ana: Person) -> None:
    credit(ana, 1)
    change = "update billing.credit_accounts set balance = $1 where kind = $2"
    assert refused(change, -1, "wallet") == CHECK_VIOLATION
    assert refused(change, 1, "issuer") == CHECK_VIOLATION


def test_nobody_has_two_wallets_of_a_kind_and_no_unit_two_issuers(ana: Person) -> None:
    credit(ana, 1)
    copy = (
        "insert into billing.credit_accounts"
        " (id, holder_kind, holder_id, unit, kind, balance, created_at)"
        " select $1, holder_kind, holder_id, unit, kind, 0, created_at"
        " from billing.credit_accounts where kind = $2"
    )
    assert refused(copy, uuid.uuid4(), "wallet") == UNIQUE_VIOLATION
    assert refused(copy, uuid.uuid4(), "issuer") == UNIQUE_VIOLATION


def test_a_checkout_is_paid_by_one_payment_and_a_payment_counts_once(
    ana: Person, ledger_rows: None
) -> None:
    another = {"product": "marketplace", "code": "contacts_50"}
    unpaid = ana.api.post("/v1/billing/checkouts", another, key="other").json["id"]
    again = (
        "insert into billing.payments select (jsonb_populate_record(p, jsonb_build_object("
        "'id', $1::text, $2::text, $3::text))).* from billing.payments p"
    )
    assert refused(again, uuid.uuid4(), "external_id", "pi_other") == UNIQUE_VIOLATION
    assert refused(again, uuid.uuid4(), "checkout_id", unpaid) == UNIQUE_VIOLATION
