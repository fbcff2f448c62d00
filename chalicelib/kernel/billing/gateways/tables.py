"""Who takes the payments."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    Table,
    TypedColumns,
    text,
)

from chalicelib.core.columns import (
    Fate,
    identifier,
    metadata,
    moment,
    words,
    words_or_none,
)

SCHEMA = "billing"


class PaymentGatewayColumns(TypedColumns):
    """An account with a provider that takes payments; its secrets are sealed and never shown."""

    id = identifier(primary_key=True)
    name = words(Fate.NOT_PERSONAL)
    kind = words(Fate.NOT_PERSONAL)
    public_key = words_or_none(Fate.NOT_PERSONAL)
    # Under the deployment's key, not a person's: no erasure reaches them.
    secret = Column(LargeBinary, nullable=False, info={"pii": Fate.NOT_PERSONAL})
    webhook_secret = Column(LargeBinary, nullable=False, info={"pii": Fate.NOT_PERSONAL})
    is_active = Column(Boolean, nullable=False)
    created_at = moment()
    updated_at = moment()


payment_gateways = Table(
    "payment_gateways",
    metadata,
    PaymentGatewayColumns,
    CheckConstraint("kind in ('stripe')", name="payment_gateways_kind"),
    Index("payment_gateways_name", "name", unique=True),
    Index("payment_gateways_one_active", "kind", unique=True, postgresql_where=text("is_active")),
    schema=SCHEMA,
)
