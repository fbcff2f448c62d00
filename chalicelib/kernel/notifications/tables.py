"""Mail on its way. The body is never stored: it may hold a token."""

from sqlalchemy import CheckConstraint, Index, Table, TypedColumns

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


class MailColumns(TypedColumns):
    """A mail to a user, named by its template."""

    id = identifier(primary_key=True)
    user_id = reference("accounts.users.id")
    template = words(Fate.NOT_PERSONAL)
    state = words(Fate.NOT_PERSONAL)
    provider_id = words_or_none(Fate.NOT_PERSONAL)
    created_at = moment()
    sent_at = moment_or_none()


mails = Table(
    "mails",
    metadata,
    MailColumns,
    CheckConstraint("state in ('queued', 'sent', 'dropped')", name="mails_state"),
    Index("mails_user_id", "user_id"),
    schema=SCHEMA,
)
