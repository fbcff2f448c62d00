"""Every statement on notifications."""

from sqlalchemy import DateTime, Text, Uuid, bindparam, insert, select, update

from chalicelib.core.statements import command, statement
from chalicelib.kernel.notifications.tables import mails

_MAIL = bindparam("mail_id", type_=Uuid)

QUEUE = command(insert(mails))
QUEUED = statement(
    select(mails.c.user_id, mails.c.template).where(mails.c.id == _MAIL, mails.c.state == "queued")
)
SENT = command(
    update(mails)
    .where(mails.c.id == _MAIL, mails.c.state == "queued")
    .values(
        state=bindparam("new_state", type_=Text),
        provider_id=bindparam("told_id", type_=Text),
        sent_at=bindparam("now", type_=DateTime(timezone=True)),
    )
)
