"""Posts of influencers and brands, who looked behind them, and which domains are whose."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    Index,
    Integer,
    Table,
    Text,
    TypedColumns,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from chalicelib.core import settings
from chalicelib.core.columns import (
    Fate,
    identifier,
    metadata,
    moment,
    moment_or_none,
    reference,
    reference_or_none,
    sealed,
    sealed_or_none,
    words,
    words_or_none,
)

SCHEMA = "marketplace"

REVEALS_PER_DAY = settings.declare(
    SCHEMA,
    "reveals_per_day",
    default=50,
    description="How many contacts one person may reveal in a day of their own.",
    least=1,
    most=10_000,
)
STALE_CLAIM_DAYS = settings.declare(
    SCHEMA,
    "stale_claim_days",
    default=14,
    description="For how many days a contact that leads nowhere may be claimed back.",
    most=365,
)
STALE_CLAIMS_PER_MONTH = settings.declare(
    SCHEMA,
    "stale_claims_per_month",
    default=5,
    description="How many contacts one person may claim back in a calendar month.",
    most=1_000,
)

_CELL = (
    "user_type || '/' || platform || '/' || price_point"
    " || case when verified then '/verified' else '' end"
)
# A thirty-second of an octave: how many bits the number has, and the five after the first.
_REACH = (
    "'#' || length(ltrim((followers)::bit(32)::text, '0'))"
    " || '.' || substr(ltrim((followers)::bit(32)::text, '0'), 2, 5)"
)


class PostColumns(TypedColumns):
    """An offer or a search; whom to write to is sealed under its author's key."""

    id = identifier(primary_key=True)
    user_id = reference("accounts.users.id")
    status = words(Fate.NOT_PERSONAL)
    removed_by = words_or_none(Fate.NOT_PERSONAL)
    user_type = words(Fate.NOT_PERSONAL)
    platform = words(Fate.NOT_PERSONAL)
    followers = Column(Integer, nullable=False)
    # Words of the author's own, and so as good as a text.
    interests: Column[list[str]] = Column(ARRAY(Text), nullable=False, info={"pii": Fate.BLANK})
    price_point = words(Fate.NOT_PERSONAL)
    description = words(Fate.BLANK)
    contact_info = sealed_or_none()
    # Kept by the statements that change a domain or a post, so that a search can go by it.
    verified = Column(Boolean, nullable=False)
    created_at = moment()
    updated_at = moment()
    # What a search goes by, made from the columns above by the database itself.
    cell: Column[str] = Column(
        Text, Computed(_CELL, persisted=True), nullable=False, info={"pii": Fate.NOT_PERSONAL}
    )
    terms: Column[list[str]] = Column(
        ARRAY(Text),
        Computed(f"interests || array[{_CELL}, {_REACH}]", persisted=True),
        nullable=False,
        info={"pii": Fate.NOT_PERSONAL},
    )
    document: Column[str] = Column(
        TSVECTOR,
        Computed(
            "to_tsvector('simple'::regconfig, description) || array_to_tsvector(interests)",
            persisted=True,
        ),
        nullable=False,
        info={"pii": Fate.NOT_PERSONAL},
    )


_ACTIVE = text("status = 'active'")


posts = Table(
    "posts",
    metadata,
    PostColumns,
    CheckConstraint("status in ('active', 'archived', 'removed')", name="posts_status"),
    CheckConstraint(
        "case when status = 'removed' then removed_by in ('author', 'staff', 'moderation')"
        " else removed_by is null end",
        name="posts_removed_by",
    ),
    CheckConstraint("user_type in ('influencer', 'brand')", name="posts_user_type"),
    CheckConstraint(
        "platform in ('instagram', 'tiktok', 'youtube', 'x', 'twitch', 'blog', 'other')",
        name="posts_platform",
    ),
    CheckConstraint("price_point in ('low', 'medium', 'high', 'luxury')", name="posts_price_point"),
    CheckConstraint("followers >= 0", name="posts_followers"),
    CheckConstraint("status <> 'active' or contact_info is not null", name="posts_contact_info"),
    CheckConstraint("not verified or user_type = 'brand'", name="posts_verified"),
    Index("posts_one_active", "user_id", unique=True, postgresql_where=_ACTIVE),
    Index("posts_user_id", "user_id", "id"),
    Index("posts_status_id", "status", "id"),
    Index("posts_active", "id", postgresql_where=_ACTIVE),
    Index("posts_most_followed", "followers", "id", postgresql_where=_ACTIVE),
    Index("posts_cell", "cell", "id", postgresql_where=_ACTIVE),
    Index("posts_cell_most_followed", "cell", "followers", "id", postgresql_where=_ACTIVE),
    # Without a pending list, which every search would have to read through.
    Index(
        "posts_matching",
        "terms",
        "document",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
        postgresql_where=_ACTIVE,
    ),
    schema=SCHEMA,
    info={"owner": "user_id", "erased": {"status": "removed", "removed_by": "author"}},
)


class ContactRevealColumns(TypedColumns):
    """What a buyer saw behind a post, kept even if the post goes."""

    requester_id = reference("accounts.users.id", primary_key=True)
    target_post_id = reference("marketplace.posts.id", primary_key=True)
    # What lists go by, so that a cursor never holds whom its reader may not know.
    id = identifier()
    owner_id = reference("accounts.users.id")
    revealed_via = words(Fate.NOT_PERSONAL)
    transfer_id = reference_or_none("billing.credit_transfers.id")
    payment_id = reference_or_none("billing.payments.id")
    contact_info = sealed()
    revealed_at = moment()
    claimed_back_at = moment_or_none()
    withdrawn_at = moment_or_none()


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
    CheckConstraint(
        "(revealed_via = 'payment') = (payment_id is not null)", name="contact_reveals_payment"
    ),
    Index("contact_reveals_target_post_id", "target_post_id", "id", unique=True),
    Index("contact_reveals_owner_id", "owner_id", "revealed_at"),
    Index("contact_reveals_transfer_id", "transfer_id", unique=True),
    Index("contact_reveals_payment_id", "payment_id", unique=True),
    Index(
        "contact_reveals_requester_id_revealed_at", "requester_id", "revealed_at", "target_post_id"
    ),
    schema=SCHEMA,
    info={"owner": "requester_id"},
)


class AllowanceColumns(TypedColumns):
    """How often somebody did in a period what has a limit; one upsert decides."""

    user_id = reference("accounts.users.id", primary_key=True)
    kind = words(Fate.NOT_PERSONAL, primary_key=True)
    period = Column(Date, nullable=False, primary_key=True)
    used = Column(Integer, nullable=False)


allowances = Table(
    "allowances",
    metadata,
    AllowanceColumns,
    CheckConstraint("kind in ('reveal', 'stale_claim')", name="allowances_kind"),
    CheckConstraint("used > 0", name="allowances_used"),
    Index("allowances_period", "period"),
    schema=SCHEMA,
    info={"owner": "user_id"},
)


class DomainVerificationColumns(TypedColumns):
    """That somebody says a domain is theirs, the code that shows it, and whether it does."""

    id = identifier(primary_key=True)
    user_id = reference("accounts.users.id")
    domain = words(Fate.DELETE)
    # Public as soon as it is put up, so it is no secret to be hashed.
    verification_code = words(Fate.DELETE)
    status = words(Fate.NOT_PERSONAL)
    method = words_or_none(Fate.NOT_PERSONAL)
    failures = Column(Integer, nullable=False)
    verified_at = moment_or_none()
    checked_at = moment_or_none()
    next_check_at = moment_or_none()
    created_at = moment()
    updated_at = moment()


domain_verifications = Table(
    "domain_verifications",
    metadata,
    DomainVerificationColumns,
    CheckConstraint(
        "status in ('pending', 'verified', 'failed', 'lapsed')", name="domain_verifications_status"
    ),
    CheckConstraint("method in ('dns', 'well_known')", name="domain_verifications_method"),
    CheckConstraint("failures >= 0", name="domain_verifications_failures"),
    CheckConstraint(
        "status not in ('verified', 'lapsed') or (verified_at is not null and method is not null)",
        name="domain_verifications_verified",
    ),
    CheckConstraint(
        "(status = 'verified') = (next_check_at is not null)",
        name="domain_verifications_next_check",
    ),
    Index("domain_verifications_user_id_domain", "user_id", "domain", unique=True),
    Index("domain_verifications_user_id", "user_id", "id"),
    Index(
        "domain_verifications_due",
        "next_check_at",
        postgresql_where=text("status = 'verified'"),
    ),
    schema=SCHEMA,
    info={"owner": "user_id"},
)
