"""What people are told, how they want to be told, and mail on its way.

A mail's text is never stored: it may hold a token. What fills its template is, until it is sent.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
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
    words,
    words_or_none,
)

SCHEMA = "notifications"


class NotificationColumns(TypedColumns):
    """Something a person was told in the app, in their language."""

    id = identifier(primary_key=True)
    user_id = reference("accounts.users.id")
    product = words(Fate.NOT_PERSONAL)
    kind = words(Fate.NOT_PERSONAL)
    priority = words(Fate.NOT_PERSONAL)
    subject_kind = words_or_none(Fate.NOT_PERSONAL)
    subject_id = Column(Uuid, nullable=True)
    title = words(Fate.DELETE)
    body = words(Fate.DELETE)
    read_at = moment_or_none()
    created_at = moment()


notifications = Table(
    "notifications",
    metadata,
    NotificationColumns,
    CheckConstraint("priority in ('low', 'normal', 'high')", name="notifications_priority"),
    CheckConstraint("(subject_kind is null) = (subject_id is null)", name="notifications_subject"),
    Index("notifications_user_id", "user_id", "id"),
    Index("notifications_unread", "user_id", "id", postgresql_where=text("read_at is null")),
    schema=SCHEMA,
    info={"owner": "user_id"},
)


class PreferenceColumns(TypedColumns):
    """That a person wants, or does not want, to be told of a kind of thing by a channel."""

    user_id = reference("accounts.users.id", primary_key=True)
    kind = words(Fate.NOT_PERSONAL, primary_key=True)
    channel = words(Fate.NOT_PERSONAL, primary_key=True)
    enabled = Column(Boolean, nullable=False)
    updated_at = moment()


preferences = Table(
    "preferences",
    metadata,
    PreferenceColumns,
    CheckConstraint("channel in ('in_app', 'mail')", name="preferences_channel"),
    schema=SCHEMA,
    info={"owner": "user_id"},
)


class MailColumns(TypedColumns):
    """A mail to a user, named by its template; what fills it goes when it is sent."""

    id = identifier(primary_key=True)
    user_id = reference("accounts.users.id")
    template = words(Fate.NOT_PERSONAL)
    subject_id = Column(Uuid, nullable=True)
    filling = Column(JSONB(none_as_null=True), nullable=True, info={"pii": Fate.BLANK})
    state = words(Fate.NOT_PERSONAL)
    provider_id = words_or_none(Fate.NOT_PERSONAL)
    created_at = moment()
    sent_at = moment_or_none()


mails = Table(
    "mails",
    metadata,
    MailColumns,
    CheckConstraint("state in ('queued', 'sent', 'dropped')", name="mails_state"),
    CheckConstraint("state = 'queued' or filling is null", name="mails_filling"),
    Index("mails_user_id", "user_id"),
    schema=SCHEMA,
    info={"owner": "user_id"},
)


class SuppressionColumns(TypedColumns):
    """An address that bounced or complained, as a keyed hash; it is never written to again."""

    address_hash = words(Fate.NOT_PERSONAL, primary_key=True)
    reason = words(Fate.NOT_PERSONAL)
    created_at = moment()


suppressions = Table(
    "suppressions",
    metadata,
    SuppressionColumns,
    CheckConstraint("reason in ('bounce', 'complaint')", name="suppressions_reason"),
    schema=SCHEMA,
)
