"""Telling people: in the app at once, by mail once the change it tells of stands.

`notify` is how other domains tell somebody something; what can be told they declare in their
`events.py`. Mails about the account itself are queued by `queue_mail` and can't be switched off.
"""

from typing import NamedTuple
from uuid import UUID

from chalicelib.core import clock, ids, outbox, signatures
from chalicelib.core.db import Connection, Transactions
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.accounts.mailings import service as mailings
from chalicelib.kernel.notifications import gateway, queries
from chalicelib.kernel.notifications.events import MailQueued, Notice, notice_of
from chalicelib.kernel.notifications.gateway import Letter
from chalicelib.kernel.notifications.preferences import service as preferences
from chalicelib.kernel.notifications.suppressions import service as suppressions


class Prepared(NamedTuple):
    """A mail, ready to be sent; `letter` is None for one that nobody should get."""

    letter: Letter | None
    recipient: str
    values: dict[str, str]
    unsubscribe: str | None


_DROPPED = Prepared(None, "", {}, None)


def notify(
    db: Connection,
    user_id: UUID,
    *,
    product: str,
    kind: str,
    subject_kind: str | None = None,
    subject_id: UUID | None = None,
    values: dict[str, str] | None = None,
) -> None:
    """Tell a person something, with this transaction, by the channels they want for its kind.

    `values` fill the kind's template; they are kept until the mail is sent. KeyError for a kind
    that nobody declared, and for a template that wants a value it was not given.
    """
    told = notice_of(kind)
    if told is None:
        raise KeyError(f"nobody has declared {kind}")
    filling = values or {}
    words = gateway.words(_template_of(told), told.templates, filling)
    mail_id = ids.uuid7()
    db.later(
        queries.NOTIFY,
        notification_id=ids.uuid7(),
        mail_id=mail_id,
        user_id=user_id,
        product=product,
        kind=kind,
        priority=told.priority,
        subject_kind=subject_kind,
        subject_id=subject_id,
        titles={locale: one.title for locale, one in words.items()},
        bodies={locale: one.body for locale, one in words.items()},
        filling=filling,
        in_app="in_app" in told.channels,
        to_banned=told.to_banned,
        mailed="mail" in told.channels,
        now=clock.now(),
    )
    if "mail" in told.channels:
        outbox.publish(db, MailQueued(mail_id))


def queue_mail(db: Connection, user_id: UUID, template: str) -> None:
    """Have a mail about their account sent to a user once this transaction stands."""
    mail_id = ids.uuid7()
    db.later(
        queries.QUEUE,
        id=mail_id,
        user_id=user_id,
        template=template,
        subject_id=None,
        filling=None,
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
    if prepared.letter is None:
        transactions.write(_settle, mail_id, "dropped", None)
        return
    provider_id = gateway.send(
        prepared.letter, prepared.recipient, prepared.values, unsubscribe=prepared.unsubscribe
    )
    transactions.write(_settle, mail_id, "sent", provider_id)


def _prepare(db: Connection, mail_id: UUID) -> Prepared | None:
    """What is to be sent to whom; None where it was before."""
    row = db.one(queries.QUEUED, mail_id=mail_id)
    if row is None:
        return None
    user_id, template, subject_id, filling = row
    told = notice_of(template) if "." in template else None
    if told is None:
        return _about_the_account(db, user_id, template)
    address = accounts.mail_address(db, user_id, even_banned=told.to_banned)
    if address is None or suppressions.is_suppressed(db, address.email):
        return _DROPPED
    values = dict(filling or {})
    if told.signs:
        values["token"] = signatures.sign(told.signs, str(subject_id))
    return Prepared(
        gateway.letter(_template_of(told), address.locale, told.templates),
        address.email,
        values,
        preferences.unsubscribe_token(user_id, told.kind) if told.optional else None,
    )


def _about_the_account(db: Connection, user_id: UUID, template: str) -> Prepared:
    """A mail of accounts', whose token is minted as it is sent and never stored."""
    mailing = mailings.mailing(db, user_id, template)
    if mailing is None or suppressions.is_suppressed(db, mailing.address.email):
        return _DROPPED
    address, values = mailing.address, {}
    values["name"] = f" {address.name}" if address.name else ""
    if mailing.token:
        values["token"] = mailing.token
    letter = gateway.letter(mailing.template, address.locale)
    return Prepared(letter, address.email, values, None)


def _settle(db: Connection, mail_id: UUID, state: str, provider_id: str | None) -> None:
    db.run(queries.SETTLE, mail_id=mail_id, new_state=state, told_id=provider_id, now=clock.now())


def _template_of(told: Notice) -> str:
    return told.kind.partition(".")[2]
