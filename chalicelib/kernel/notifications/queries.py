"""Every statement on telling people, and on mail on its way."""

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from chalicelib.core.statements import command, statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.notifications.preferences.queries import wanted
from chalicelib.kernel.notifications.tables import mails, notifications

NOW = bindparam("now", type_=DateTime(timezone=True))
_USER = bindparam("user_id", type_=Uuid)
_MAIL = bindparam("mail_id", type_=Uuid)
_KIND = bindparam("kind", type_=Text)
_SUBJECT = bindparam("subject_id", type_=Uuid)
_locale = accounts.locale_of(_USER)


def _in_their_language(name: str) -> ColumnElement[str]:
    """Of a text in several languages, by locale, the one the person reads, or English."""
    told = cast(bindparam(name, type_=JSONB), JSONB)
    return func.coalesce(told[_locale].astext, told["en"].astext)


_told = (
    insert(notifications)
    .from_select(
        [
            "id", "user_id", "product", "kind", "priority", "subject_kind", "subject_id",
            "title", "body", "created_at",
        ],
        select(
            bindparam("notification_id", type_=Uuid), _USER, bindparam("product", type_=Text),
            _KIND, bindparam("priority", type_=Text), bindparam("subject_kind", type_=Text),
            _SUBJECT, _in_their_language("titles"), _in_their_language("bodies"), NOW,
        ).where(
            bindparam("in_app", type_=Boolean),
            or_(accounts.stands(_USER), bindparam("to_banned", type_=Boolean)),
            wanted(_USER, _KIND, "in_app"),
        ),
    )
    .returning(notifications.c.id)
    .cte("told")
)  # fmt: skip
# In the app and by mail at once, each where the person wants it; nobody waits for it.
NOTIFY = command(
    insert(mails)
    .from_select(
        ["id", "user_id", "template", "subject_id", "filling", "state", "created_at"],
        select(
            _MAIL, _USER, _KIND, _SUBJECT, cast(bindparam("filling", type_=JSONB), JSONB),
            literal("queued"), NOW,
        ).where(bindparam("mailed", type_=Boolean), wanted(_USER, _KIND, "mail")),
    )
    .add_cte(_told)
)  # fmt: skip
QUEUE = command(insert(mails))
QUEUED = statement(
    select(mails.c.user_id, mails.c.template, mails.c.subject_id, mails.c.filling).where(
        mails.c.id == _MAIL, mails.c.state == "queued"
    )
)
SETTLE = command(
    update(mails)
    .where(mails.c.id == _MAIL, mails.c.state == "queued")
    .values(
        state=bindparam("new_state", type_=Text),
        provider_id=bindparam("told_id", type_=Text),
        filling=null(),
        sent_at=NOW,
    )
)
