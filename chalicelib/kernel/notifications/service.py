"""Mail: queued with the change it tells of, rendered and sent afterwards."""

from uuid import UUID

from chalicelib.core import clock, ids, outbox
from chalicelib.core.db import Connection, Transactions
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.notifications import gateway, queries
from chalicelib.kernel.notifications.events import MailQueued


def queue_mail(db: Connection, user_id: UUID, template: str) -> None:
    """Have a mail sent to a user once this transaction stands."""
    mail_id = ids.uuid7()
    db.later(
        queries.QUEUE,
        id=mail_id,
        user_id=user_id,
        template=template,
        state="queued",
        provider_id=None,
        created_at=clock.now(),
        sent_at=None,
    )
    outbox.publish(db, MailQueued(mail_id))


def send_mail(transactions: Transactions, mail_id: UUID) -> None:
    """Send a queued mail. One cut off between the provider and our note of it is sent again."""
    prepared = transactions.write(_prepare, mail_id)
    if prepared is None:
        return
    template, address, values = prepared
    if address is None:
        transactions.write(_settle, mail_id, "dropped", None)
        return
    provider_id = gateway.send(template, address.locale, address.email, values)
    transactions.write(_settle, mail_id, "sent", provider_id)


def _prepare(
    db: Connection, mail_id: UUID
) -> tuple[str, accounts.MailAddress | None, dict[str, str]] | None:
    row = db.one(queries.QUEUED, mail_id=mail_id)
    if row is None:
        return None
    user_id, template = row
    address = accounts.mail_address(db, user_id)
    values = {"name": f" {address.name}" if address and address.name else ""}
    if address and template == "verify_email":
        values["token"] = accounts.mint_verification_token(db, user_id)
    return template, address, values


def _settle(db: Connection, mail_id: UUID, state: str, provider_id: str | None) -> None:
    db.run(queries.SENT, mail_id=mail_id, new_state=state, told_id=provider_id, now=clock.now())
