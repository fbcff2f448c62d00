"""Money that went back: given by us, or taken by a payer's bank."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Table,
    TypedColumns,
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
    words_or_none,
)

SCHEMA = "billing"


class RefundColumns(TypedColumns):
    """Money given back: ordered here, or at the provider. `attempt` names an operator's order."""

    id = identifier(primary_key=True)
    payment_id = reference("billing.payments.id")
    amount = Column(BigInteger, nullable=False)
    reason = words(Fate.NOT_PERSONAL)
    state = words(Fate.NOT_PERSONAL)
    actor_id = reference_or_none("accounts.users.id")
    attempt = words_or_none(Fate.NOT_PERSONAL)
    external_id = words_or_none(Fate.NOT_PERSONAL)
    created_at = moment()
    updated_at = moment()


refunds = Table(
    "refunds",
    metadata,
    RefundColumns,
    CheckConstraint("state in ('ordered', 'pending', 'succeeded', 'failed')", name="refunds_state"),
    CheckConstraint("amount > 0", name="refunds_amount"),
    CheckConstraint(
        "state not in ('pending', 'succeeded') or external_id is not null",
        name="refunds_at_provider",
    ),
    Index("refunds_external_id", "external_id", unique=True),
    Index("refunds_attempt", "actor_id", "attempt", unique=True),
    Index("refunds_payment_id", "payment_id"),
    Index("refunds_ordered", "created_at", postgresql_where=text("state = 'ordered'")),
    schema=SCHEMA,
)


class DisputeColumns(TypedColumns):
    """A payer's bank asked for the money back. `inquiry`: it asks, and has not taken it."""

    id = identifier(primary_key=True)
    payment_id = reference("billing.payments.id")
    amount = Column(BigInteger, nullable=False)
    reason = words(Fate.NOT_PERSONAL)
    state = words(Fate.NOT_PERSONAL)
    external_id = words(Fate.NOT_PERSONAL)
    created_at = moment()
    updated_at = moment()


disputes = Table(
    "disputes",
    metadata,
    DisputeColumns,
    CheckConstraint("state in ('inquiry', 'open', 'won', 'lost')", name="disputes_state"),
    CheckConstraint("amount > 0", name="disputes_amount"),
    Index("disputes_external_id", "external_id", unique=True),
    Index("disputes_payment_id", "payment_id"),
    Index("disputes_created_at", "created_at", "id"),
    Index("disputes_state_created_at", "state", "created_at", "id"),
    schema=SCHEMA,
)
