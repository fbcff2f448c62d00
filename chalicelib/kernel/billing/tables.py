"""What is for sale, who bought it, what was paid, and the ledger of credits."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    TypedColumns,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from chalicelib.core.columns import (
    Fate,
    identifier,
    metadata,
    moment,
    moment_or_none,
    reference,
    reference_or_none,
    words,
    words_or_none,
)

SCHEMA = "billing"


class PriceColumns(TypedColumns):
    """Something for sale in a product: a fee, or a pack of credits."""

    id = identifier(primary_key=True)
    product = words(Fate.NOT_PERSONAL)
    code = words(Fate.NOT_PERSONAL)
    kind = words(Fate.NOT_PERSONAL)
    name = words(Fate.NOT_PERSONAL)
    amount = Column(BigInteger, nullable=False)
    currency = words(Fate.NOT_PERSONAL)
    credit_unit = words_or_none(Fate.NOT_PERSONAL)
    credit_amount = Column(BigInteger, nullable=True)
    sort_order = Column(Integer, nullable=False)
    is_active = Column(Boolean, nullable=False)
    created_at = moment()
    updated_at = moment()


prices = Table(
    "prices",
    metadata,
    PriceColumns,
    CheckConstraint("kind in ('fee', 'pack')", name="prices_kind"),
    CheckConstraint("amount > 0", name="prices_amount"),
    CheckConstraint("currency ~ '^[A-Z]{3}$'", name="prices_currency"),
    CheckConstraint(
        "(kind = 'pack') = (credit_unit is not null and credit_amount > 0)", name="prices_credits"
    ),
    Index("prices_product_code", "product", "code", unique=True),
    schema=SCHEMA,
)


class CheckoutColumns(TypedColumns):
    """Something on its way to being bought."""

    id = identifier(primary_key=True)
    product = words(Fate.NOT_PERSONAL)
    user_id = reference("accounts.users.id")
    attempt = words(Fate.NOT_PERSONAL)
    purpose = words(Fate.NOT_PERSONAL)
    currency = words(Fate.NOT_PERSONAL)
    amount = Column(BigInteger, nullable=False)
    gateway = words(Fate.NOT_PERSONAL)
    external_id = words_or_none(Fate.NOT_PERSONAL)
    url = words_or_none(Fate.NOT_PERSONAL)
    state = words(Fate.NOT_PERSONAL)
    expires_at = moment()
    paid_at = moment_or_none()
    created_at = moment()
    updated_at = moment()


checkouts = Table(
    "checkouts",
    metadata,
    CheckoutColumns,
    CheckConstraint("state in ('open', 'paid', 'expired')", name="checkouts_state"),
    CheckConstraint("gateway in ('stripe')", name="checkouts_gateway"),
    CheckConstraint("amount > 0", name="checkouts_amount"),
    CheckConstraint("(state = 'paid') = (paid_at is not null)", name="checkouts_paid"),
    Index("checkouts_attempt", "user_id", "attempt", unique=True),
    Index("checkouts_external_id", "gateway", "external_id", unique=True),
    Index("checkouts_open", "expires_at", postgresql_where=text("state = 'open'")),
    schema=SCHEMA,
)


class CheckoutLineColumns(TypedColumns):
    """A line of a checkout; what was promised is copied here."""

    id = identifier(primary_key=True)
    checkout_id = reference("billing.checkouts.id", ondelete="CASCADE")
    price_id = reference("billing.prices.id")
    description = words(Fate.NOT_PERSONAL)
    quantity = Column(Integer, nullable=False)
    unit_amount = Column(BigInteger, nullable=False)
    credit_unit = words_or_none(Fate.NOT_PERSONAL)
    credit_amount = Column(BigInteger, nullable=True)


checkout_lines = Table(
    "checkout_lines",
    metadata,
    CheckoutLineColumns,
    CheckConstraint("quantity > 0 and unit_amount > 0", name="checkout_lines_amount"),
    CheckConstraint(
        "(credit_unit is null) = (credit_amount is null)", name="checkout_lines_credits"
    ),
    Index("checkout_lines_checkout_id", "checkout_id"),
    Index("checkout_lines_price_id", "price_id"),
    schema=SCHEMA,
)


class PaymentColumns(TypedColumns):
    """Money that came in. The row outlives the account it came from."""

    id = identifier(primary_key=True)
    checkout_id = reference("billing.checkouts.id")
    user_id = reference("accounts.users.id")
    product = words(Fate.NOT_PERSONAL)
    kind = words(Fate.NOT_PERSONAL)
    amount = Column(BigInteger, nullable=False)
    currency = words(Fate.NOT_PERSONAL)
    gateway = words(Fate.NOT_PERSONAL)
    method = words(Fate.NOT_PERSONAL)
    state = words(Fate.NOT_PERSONAL)
    external_id = words(Fate.NOT_PERSONAL)
    paid_at = moment()
    created_at = moment()


payments = Table(
    "payments",
    metadata,
    PaymentColumns,
    CheckConstraint("state in ('succeeded', 'refunded', 'disputed')", name="payments_state"),
    CheckConstraint("method in ('card', 'pix')", name="payments_method"),
    CheckConstraint("amount > 0", name="payments_amount"),
    Index("payments_external_id", "gateway", "external_id", unique=True),
    Index("payments_checkout_id", "checkout_id", unique=True),
    Index("payments_user_id_paid_at", "user_id", "paid_at"),
    Index("payments_state", "state"),
    schema=SCHEMA,
)


class FailedTransactionColumns(TypedColumns):
    """A payment that was tried and declined; many for one checkout."""

    id = identifier(primary_key=True)
    checkout_id = reference_or_none("billing.checkouts.id")
    gateway = words(Fate.NOT_PERSONAL)
    external_id = words(Fate.NOT_PERSONAL)
    code = words(Fate.NOT_PERSONAL)
    failed_at = moment()


failed_transactions = Table(
    "failed_transactions",
    metadata,
    FailedTransactionColumns,
    Index("failed_transactions_external_id", "gateway", "external_id", unique=True),
    Index("failed_transactions_checkout_id", "checkout_id"),
    schema=SCHEMA,
)


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
        "holder_kind",
        "holder_id",
        "unit",
        "kind",
        unique=True,
        postgresql_nulls_not_distinct=True,
    ),
    schema=SCHEMA,
)


class CreditTransferColumns(TypedColumns):
    """Credits that moved from one account to another, once for each key. Append only."""

    id = identifier(primary_key=True)
    unit = words(Fate.NOT_PERSONAL)
    debit_account_id = reference("billing.credit_accounts.id")
    credit_account_id = reference("billing.credit_accounts.id")
    amount = Column(BigInteger, nullable=False)
    reason = words(Fate.NOT_PERSONAL)
    key = words(Fate.NOT_PERSONAL)
    payment_id = reference_or_none("billing.payments.id")
    created_at = moment()


credit_transfers = Table(
    "credit_transfers",
    metadata,
    CreditTransferColumns,
    CheckConstraint("amount > 0", name="credit_transfers_amount"),
    CheckConstraint("debit_account_id <> credit_account_id", name="credit_transfers_two_sides"),
    CheckConstraint(
        "reason in ('purchase', 'spend', 'refund', 'grant')", name="credit_transfers_reason"
    ),
    Index("credit_transfers_key", "key", unique=True),
    Index("credit_transfers_debit", "debit_account_id", "id"),
    Index("credit_transfers_credit", "credit_account_id", "id"),
    Index("credit_transfers_payment_id", "payment_id"),
    schema=SCHEMA,
)


class WebhookEventColumns(TypedColumns):
    """What a provider told us, as it was told, and what became of it."""

    id = identifier(primary_key=True)
    gateway = words(Fate.NOT_PERSONAL)
    event_id = words(Fate.NOT_PERSONAL)
    type = words(Fate.NOT_PERSONAL)
    payload = Column(JSONB, nullable=False)
    state = words(Fate.NOT_PERSONAL)
    attempts = Column(Integer, nullable=False)
    next_attempt_at = Column(DateTime(timezone=True), nullable=True)
    error = words_or_none(Fate.NOT_PERSONAL)
    processed_at = moment_or_none()
    created_at = moment()


webhook_events = Table(
    "webhook_events",
    metadata,
    WebhookEventColumns,
    CheckConstraint(
        "state in ('pending', 'processed', 'ignored', 'failed')", name="webhook_events_state"
    ),
    Index("webhook_events_event_id", "gateway", "event_id", unique=True),
    Index("webhook_events_due", "next_attempt_at", postgresql_where=text("state = 'pending'")),
    schema=SCHEMA,
)
