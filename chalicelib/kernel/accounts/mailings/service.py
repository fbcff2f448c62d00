"""Mails about the account itself: where each goes, and the token it holds, minted as it is sent."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from chalicelib.core import clock, ids
from chalicelib.core.db import Connection
from chalicelib.kernel.accounts.email_changes import queries as email_changes
from chalicelib.kernel.accounts.email_changes.service import LIFE as EMAIL_CHANGE_LIFE
from chalicelib.kernel.accounts.service import (
    VERIFICATION_LIFE,
    MailAddress,
    mail_address,
    mint_token,
)

_MINTED = {
    "verify_email": ("verify_email", VERIFICATION_LIFE),
    "reset_password": ("reset_password", timedelta(hours=1)),
}
"""The templates that hold a token of the user's own, with its kind and life."""


class Mailing(NamedTuple):
    """A mail to be sent: `token` is None where the template holds none."""

    template: str
    address: MailAddress
    token: str | None


def mailing(db: Connection, user_id: UUID, template: str) -> Mailing | None:
    """What a mail about a user's account is made of; None where nobody is to get it any more."""
    if template == "change_email":
        return _to_the_new_address(db, user_id)
    address = (
        _address_left(db, user_id)
        if template == "email_change_requested"
        else mail_address(db, user_id)
    )
    if address is None:
        return None
    if template not in _MINTED:
        return Mailing(template, address, None)
    kind, life = _MINTED[template]
    return Mailing(template, address, mint_token(db, user_id, kind, life))


def _to_the_new_address(db: Connection, user_id: UUID) -> Mailing | None:
    """The token, to the address that is to be shown; its owner is told if it has one already."""
    wanted = db.one(email_changes.WANTED, user_id=user_id)
    if wanted is None:
        return None
    email, name, locale, is_taken, owner_name, owner_locale, owner_status = wanted
    if is_taken:
        owner = MailAddress(email, owner_name, owner_locale)
        return Mailing("address_taken", owner, None) if owner_status == "active" else None
    token = ids.secret_token()
    minted = db.run(
        email_changes.MINT,
        user_id=user_id,
        email=email,
        new_hash=ids.token_hash(token),
        expires_at=clock.now() + EMAIL_CHANGE_LIFE,
    )
    return Mailing("change_email", MailAddress(email, name, locale), token) if minted else None


def _address_left(db: Connection, user_id: UUID) -> MailAddress | None:
    row = db.one(email_changes.LEFT, user_id=user_id)
    return MailAddress(*row) if row else None
