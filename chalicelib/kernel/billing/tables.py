"""What is for sale, who bought it, and what was paid."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
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
    takes_subject = Column(Boolean, nullable=False)
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
        "case kind when 'pack' then credit_unit is not null and credit_amount is not null"
        " else credit_unit is null and credit_amount is null end",
        name="prices_credits",
    ),
    CheckConstraint("credit_amount > 0", name="prices_credit_amount"),
    CheckConstraint("credit_unit in ('contact')", name="prices_credit_unit"),
    CheckConstraint("kind = 'fee' or not takes_subject", name="prices_subject"),
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
    subject_id = Column(Uuid, nullable=True)
    currency = words(Fate.NOT_PERSONAL)
    amount = Column(BigInteger, nullable=False)
    gateway = words(Fate.NOT_PERSONAL)
    # None: the account that the environment names.
    gateway_id = reference_or_none("billing.payment_gateways.id")
    external_id = words_or_none(Fate.NOT_PERSONAL)
    url = words_or_none(Fate.NOT_PERSONAL)
    state = words(Fate.NOT_PERSONAL)
    expires_at = moment()
    paid_at = moment_or_none()
    # When the provider's page was seen to be closed too.
    closed_at = moment_or_none()
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
    Index(
        "checkouts_to_close",
        "expires_at",
        postgresql_where=text("state = 'expired' and closed_at is null"),
    ),
    Index("checkouts_product", "product", "created_at", "id"),
    Index("checkouts_product_state", "product", "state", "created_at", "id"),
    Index("checkouts_product_purpose", "product", "purpose", "created_at", "id"),
    Index("checkouts_gateway_id", "gateway_id"),
    info={"owner": "user_id"},
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
    CheckConstraint(
        "state in ('succeeded', 'partially_refunded', 'refunded', 'disputed')",
        name="payments_state",
    ),
    CheckConstraint("method in ('card', 'pix')", name="payments_method"),
    CheckConstraint("amount > 0", name="payments_amount"),
    Index("payments_external_id", "gateway", "external_id", unique=True),
    Index("payments_checkout_id", "checkout_id", unique=True),
    Index("payments_user_id_paid_at", "user_id", "paid_at"),
    Index("payments_product", "product", "paid_at", "id"),
    Index("payments_product_state", "product", "state", "paid_at", "id"),
    Index("payments_product_kind", "product", "kind", "paid_at", "id"),
    info={"owner": "user_id"},
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
    Index("failed_transactions_failed_at", "failed_at", "id"),
    schema=SCHEMA,
)
