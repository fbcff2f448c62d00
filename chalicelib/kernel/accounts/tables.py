"""People, their sessions and roles, and the keys of what only they may read."""

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Table, TypedColumns, text
from sqlalchemy.dialects.postgresql import CITEXT

from chalicelib.core.columns import (
    Fate,
    identifier,
    metadata,
    moment,
    moment_or_none,
    reference,
    sealed,
    words,
    words_or_none,
)

SCHEMA = "accounts"


class UserColumns(TypedColumns):
    """A person. An erased one keeps the row's id and nothing else."""

    id = identifier(primary_key=True)
    email = words_or_none(Fate.BLANK, kind=CITEXT)
    email_verified_at = moment_or_none()
    password_hash = words_or_none(Fate.BLANK)
    name = words_or_none(Fate.BLANK)
    status = words(Fate.NOT_PERSONAL)
    locale = words(Fate.NOT_PERSONAL)
    time_zone = words(Fate.NOT_PERSONAL)
    last_active_at = moment_or_none()
    erased_at = moment_or_none()
    created_at = moment()
    updated_at = moment()


users = Table(
    "users",
    metadata,
    UserColumns,
    CheckConstraint("status in ('active', 'banned', 'erased')", name="users_status"),
    CheckConstraint("(status = 'erased') = (erased_at is not null)", name="users_erased"),
    CheckConstraint("erased_at is null or email is null", name="users_erased_is_empty"),
    CheckConstraint("locale in ('en', 'he', 'pt-BR')", name="users_locale"),
    Index("users_email", "email", unique=True),
    schema=SCHEMA,
)


class StaffRoleColumns(TypedColumns):
    """What a member of staff may do, for one product or for all."""

    user_id = reference("accounts.users.id", primary_key=True)
    product = words(Fate.NOT_PERSONAL, primary_key=True)
    role = words(Fate.NOT_PERSONAL, primary_key=True)
    created_at = moment()


staff_roles = Table(
    "staff_roles",
    metadata,
    StaffRoleColumns,
    CheckConstraint(
        "role in ('support', 'moderator', 'finance', 'admin')", name="staff_roles_role"
    ),
    schema=SCHEMA,
)


class DataKeyColumns(TypedColumns):
    """The key of what only its owner may read; destroyed when the owner is erased."""

    user_id = reference("accounts.users.id", primary_key=True)
    wrapped_key = sealed()
    created_at = moment()


data_keys = Table("data_keys", metadata, DataKeyColumns, schema=SCHEMA)


class TokenColumns(TypedColumns):
    """A secret that was mailed, as its hash: at most one unused for each user and kind."""

    id = identifier(primary_key=True)
    user_id = reference("accounts.users.id")
    kind = words(Fate.NOT_PERSONAL)
    token_hash = words(Fate.DELETE)
    expires_at = moment()
    used_at = moment_or_none()
    created_at = moment()


tokens = Table(
    "tokens",
    metadata,
    TokenColumns,
    CheckConstraint("kind in ('verify_email')", name="tokens_kind"),
    Index("tokens_token_hash", "token_hash", unique=True),
    Index(
        "tokens_one_unused",
        "user_id",
        "kind",
        unique=True,
        postgresql_where=text("used_at is null"),
    ),
    Index("tokens_user_id", "user_id"),
    Index("tokens_expires_at", "expires_at"),
    schema=SCHEMA,
)


class SessionColumns(TypedColumns):
    """A sign-in: the family of the refresh tokens that follow one another."""

    id = identifier(primary_key=True)
    user_id = reference("accounts.users.id")
    device = words_or_none(Fate.DELETE)
    revoked_at = Column(DateTime(timezone=True), nullable=True)
    expires_at = moment()
    created_at = moment()


sessions = Table(
    "sessions",
    metadata,
    SessionColumns,
    Index("sessions_user_id", "user_id"),
    Index("sessions_expires_at", "expires_at"),
    schema=SCHEMA,
)


class RefreshTokenColumns(TypedColumns):
    """A refresh token, as its hash; one that was replaced is never taken again."""

    token_hash = words(Fate.DELETE, primary_key=True)
    session_id = reference("accounts.sessions.id", ondelete="CASCADE")
    replaced_at = moment_or_none()
    created_at = moment()


refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    RefreshTokenColumns,
    Index(
        "refresh_tokens_one_live",
        "session_id",
        unique=True,
        postgresql_where=text("replaced_at is null"),
    ),
    Index("refresh_tokens_session_id", "session_id"),
    schema=SCHEMA,
)
