"""People, their sessions and roles, and the keys of what only they may read."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    Table,
    TypedColumns,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import CITEXT

from chalicelib.core.columns import (
    Fate,
    identifier,
    metadata,
    moment,
    moment_or_none,
    reference,
    sealed_or_none,
    secret,
    secret_or_none,
    words,
    words_or_none,
)

SCHEMA = "accounts"


class UserColumns(TypedColumns):
    """A person. An erased one keeps the row's id and nothing else."""

    id = identifier(primary_key=True)
    email = words_or_none(Fate.BLANK, kind=CITEXT)
    email_verified_at = moment_or_none()
    password_hash = secret_or_none(Fate.BLANK)
    name = words_or_none(Fate.BLANK)
    phone = sealed_or_none()
    status = words(Fate.NOT_PERSONAL)
    locale = words(Fate.NOT_PERSONAL)
    time_zone = words(Fate.NOT_PERSONAL)
    next_time_zone = words_or_none(Fate.NOT_PERSONAL)
    next_time_zone_from = moment_or_none()
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
    CheckConstraint(
        "erased_at is null or num_nonnulls(email, email_verified_at, password_hash, name, phone,"
        " next_time_zone, last_active_at) = 0",
        name="users_erased_is_empty",
    ),
    CheckConstraint("locale in ('en', 'he', 'pt-BR')", name="users_locale"),
    CheckConstraint(
        "(next_time_zone is null) = (next_time_zone_from is null)", name="users_next_time_zone"
    ),
    Index("users_email", "email", unique=True),
    Index(
        "users_old_hash",
        text('"left"(password_hash, 7)'),
        postgresql_where=text("\"left\"(password_hash, 2) = '$2'"),
    ),
    schema=SCHEMA,
    info={"owner": "id"},
)


class StaffRoleColumns(TypedColumns):
    """What a member of staff may do, for one product or for all."""

    user_id = reference("accounts.users.id", primary_key=True)
    product = words(Fate.DELETE, primary_key=True)
    role = words(Fate.DELETE, primary_key=True)
    created_at = moment()


staff_roles = Table(
    "staff_roles",
    metadata,
    StaffRoleColumns,
    CheckConstraint(
        "role in ('support', 'moderator', 'finance', 'admin')", name="staff_roles_role"
    ),
    schema=SCHEMA,
    info={"owner": "user_id"},
)


class BanColumns(TypedColumns):
    """That staff shut somebody out, why, and until when."""

    id = identifier(primary_key=True)
    user_id = reference("accounts.users.id")
    reason = words(Fate.NOT_PERSONAL)
    banned_by = Column(Uuid, nullable=False)
    lifted_by = Column(Uuid, nullable=True)
    lifted_at = moment_or_none()
    created_at = moment()


bans = Table(
    "bans",
    metadata,
    BanColumns,
    CheckConstraint(
        "reason in ('spam', 'fraud', 'harassment', 'impersonation', 'illegal_content', 'underage',"
        " 'other')",
        name="bans_reason",
    ),
    CheckConstraint("(lifted_at is null) = (lifted_by is null)", name="bans_lifted"),
    Index("bans_one_standing", "user_id", unique=True, postgresql_where=text("lifted_at is null")),
    Index("bans_user_id", "user_id"),
    schema=SCHEMA,
)


class DataKeyColumns(TypedColumns):
    """The key of what only its owner may read; destroyed when the owner is erased."""

    user_id = reference("accounts.users.id", primary_key=True)
    wrapped_key = Column(LargeBinary, nullable=False, info={"pii": Fate.DELETE, "secret": True})
    created_at = moment()


data_keys = Table("data_keys", metadata, DataKeyColumns, schema=SCHEMA, info={"owner": "user_id"})


class TokenColumns(TypedColumns):
    """A secret that was mailed, as its hash: at most one unused for each user and kind.

    One that changes the address holds the new one, which it was mailed to, and the one before,
    which is told.
    """

    id = identifier(primary_key=True)
    user_id = reference("accounts.users.id")
    kind = words(Fate.NOT_PERSONAL)
    token_hash = secret(Fate.DELETE)
    email = words_or_none(Fate.DELETE, kind=CITEXT)
    previous_email = words_or_none(Fate.DELETE, kind=CITEXT)
    expires_at = moment()
    used_at = moment_or_none()
    created_at = moment()


tokens = Table(
    "tokens",
    metadata,
    TokenColumns,
    CheckConstraint(
        "kind in ('verify_email', 'reset_password', 'change_email')", name="tokens_kind"
    ),
    CheckConstraint("(kind = 'change_email') = (email is not null)", name="tokens_email"),
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
    info={"owner": "user_id"},
)


class SessionColumns(TypedColumns):
    """A sign-in: the family of the refresh tokens that follow one another."""

    id = identifier(primary_key=True)
    user_id = reference("accounts.users.id")
    device = words_or_none(Fate.DELETE)
    revoked_at = moment_or_none()
    expires_at = moment()
    created_at = moment()


sessions = Table(
    "sessions",
    metadata,
    SessionColumns,
    Index("sessions_user_id", "user_id"),
    Index("sessions_expires_at", "expires_at"),
    schema=SCHEMA,
    info={"owner": "user_id"},
)


class RefreshTokenColumns(TypedColumns):
    """A refresh token, as its hash; one that was replaced is never taken again."""

    token_hash = secret(Fate.DELETE, primary_key=True)
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
