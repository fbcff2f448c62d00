"""Posts of influencers and brands, and who looked behind them."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    Table,
    Text,
    TypedColumns,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from chalicelib.core.columns import (
    Fate,
    identifier,
    metadata,
    moment,
    reference,
    reference_or_none,
    sealed,
    sealed_or_none,
    words,
)

SCHEMA = "marketplace"


class PostColumns(TypedColumns):
    """An offer or a search; whom to write to is sealed under its author's key."""

    id = identifier(primary_key=True)
    user_id = reference("accounts.users.id")
    status = words(Fate.NOT_PERSONAL)
    user_type = words(Fate.NOT_PERSONAL)
    platform = words(Fate.NOT_PERSONAL)
    followers = Column(Integer, nullable=False)
    interests: Column[list[str]] = Column(
        ARRAY(Text), nullable=False, info={"pii": Fate.NOT_PERSONAL}
    )
    price_point = words(Fate.NOT_PERSONAL)
    description = words(Fate.BLANK)
    contact_info = sealed_or_none()
    created_at = moment()
    updated_at = moment()


posts = Table(
    "posts",
    metadata,
    PostColumns,
    CheckConstraint("status in ('active', 'archived', 'removed')", name="posts_status"),
    CheckConstraint("user_type in ('influencer', 'brand')", name="posts_user_type"),
    CheckConstraint(
        "platform in ('instagram', 'tiktok', 'youtube', 'x', 'twitch', 'blog', 'other')",
        name="posts_platform",
    ),
    CheckConstraint("price_point in ('low', 'medium', 'high', 'luxury')", name="posts_price_point"),
    CheckConstraint("followers >= 0", name="posts_followers"),
    CheckConstraint("status <> 'active' or contact_info is not null", name="posts_contact_info"),
    Index("posts_one_active", "user_id", unique=True, postgresql_where=text("status = 'active'")),
    Index("posts_user_id", "user_id"),
    Index("posts_active", "id", postgresql_where=text("status = 'active'")),
    schema=SCHEMA,
)


class ContactRevealColumns(TypedColumns):
    """What a buyer saw behind a post, kept even if the post goes."""

    requester_id = reference("accounts.users.id", primary_key=True)
    target_post_id = reference("marketplace.posts.id", primary_key=True)
    owner_id = reference("accounts.users.id")
    revealed_via = words(Fate.NOT_PERSONAL)
    transfer_id = reference_or_none("billing.credit_transfers.id")
    contact_info = sealed()
    revealed_at = moment()


contact_reveals = Table(
    "contact_reveals",
    metadata,
    ContactRevealColumns,
    CheckConstraint(
        "revealed_via in ('credit', 'payment', 'subscription')", name="contact_reveals_revealed_via"
    ),
    CheckConstraint("requester_id <> owner_id", name="contact_reveals_not_ones_own"),
    CheckConstraint(
        "(revealed_via = 'credit') = (transfer_id is not null)", name="contact_reveals_transfer"
    ),
    Index("contact_reveals_target_post_id", "target_post_id"),
    Index("contact_reveals_owner_id", "owner_id"),
    Index("contact_reveals_transfer_id", "transfer_id"),
    Index(
        "contact_reveals_requester_id_revealed_at", "requester_id", "revealed_at", "target_post_id"
    ),
    schema=SCHEMA,
)
