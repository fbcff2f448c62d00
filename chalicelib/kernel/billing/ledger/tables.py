"""The ledger of credits: who holds how many, and every one that moved."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Table,
    TypedColumns,
    Uuid,
    text,
)

from chalicelib.core.columns import (
    Fate,
    identifier,
    metadata,
    moment,
    reference,
    reference_or_none,
    words,
)

SCHEMA = "billing"


class CreditAccountColumns(TypedColumns):
    """Who holds how much of a kind of credit. An issuer keeps no balance, so it is never hot."""

    id = identifier(primary_key=True)
    holder_kind = words(Fate.NOT_PERSONAL)
    holder_id = Column(Uuid, nullable=True)
    unit = words(Fate.NOT_PERSONAL)
    kind = words(Fate.NOT_PERSONAL)
    balance = Column(BigInteger, nullable=False)
    created_at = moment()


credit_accounts = Table(
    "credit_accounts",
    metadata,
    CreditAccountColumns,
    CheckConstraint("kind in ('wallet', 'debt', 'issuer')", name="credit_accounts_kind"),
    CheckConstraint("unit in ('contact')", name="credit_accounts_unit"),
    CheckConstraint("balance >= 0", name="credit_accounts_balance"),
    CheckConstraint("kind <> 'issuer' or balance = 0", name="credit_accounts_issuer"),
    CheckConstraint("(kind = 'issuer') = (holder_id is null)", name="credit_accounts_holder"),
    Index(
        "credit_accounts_holder",
        "holder_id",
        "holder_kind",
        "unit",
        "kind",
        unique=True,
        postgresql_nulls_not_distinct=True,
    ),
    info={"owner": "holder_id"},
    schema=SCHEMA,
)


class CreditTransferColumns(TypedColumns):
    """Credits that moved from one account to another, once for each key. Append only.

    A wallet holds what was credited to it less what was debited, a debt the other way round: it is
    debited when credits that are owed are lent to the wallet, and credited when they are repaid.
    """

    id = identifier(primary_key=True)
    unit = words(Fate.NOT_PERSONAL)
    debit_account_id = reference("billing.credit_accounts.id")
    credit_account_id = reference("billing.credit_accounts.id")
    amount = Column(BigInteger, nullable=False)
    reason = words(Fate.NOT_PERSONAL)
    key = words(Fate.NOT_PERSONAL)
    payment_id = reference_or_none("billing.payments.id")
    reverses = reference_or_none("billing.credit_transfers.id")
    actor_id = reference_or_none("accounts.users.id")
    created_at = moment()


credit_transfers = Table(
    "credit_transfers",
    metadata,
    CreditTransferColumns,
    CheckConstraint("amount > 0", name="credit_transfers_amount"),
    CheckConstraint("debit_account_id <> credit_account_id", name="credit_transfers_two_sides"),
    CheckConstraint(
        "reason in ('purchase', 'grant', 'spend', 'give_back', 'take_back', 'restore', 'debt',"
        " 'repayment')",
        name="credit_transfers_reason",
    ),
    CheckConstraint(
        "(reason in ('give_back', 'take_back', 'restore')) = (reverses is not null)",
        name="credit_transfers_reverses",
    ),
    Index("credit_transfers_key", "key", unique=True),
    Index("credit_transfers_debit", "debit_account_id", "id"),
    Index("credit_transfers_credit", "credit_account_id", "id"),
    # Most transfers have none of these, and what is empty is looked up by nobody.
    Index(
        "credit_transfers_of_payment",
        "payment_id",
        postgresql_where=text("payment_id is not null"),
    ),
    Index("credit_transfers_reversing", "reverses", postgresql_where=text("reverses is not null")),
    Index("credit_transfers_by_actor", "actor_id", postgresql_where=text("actor_id is not null")),
    Index(
        "credit_transfers_given_back_once",
        "reverses",
        unique=True,
        postgresql_where=text("reason = 'give_back'"),
    ),
    schema=SCHEMA,
)
