"""Every statement on passwords."""

from sqlalchemy import Text, Uuid, bindparam, func, select, update

from chalicelib.core.statements import statement
from chalicelib.kernel.accounts.queries import NOW, take_token
from chalicelib.kernel.accounts.tables import users
from chalicelib.kernel.accounts.verifications.queries import verifying

_USER = bindparam("user_id", type_=Uuid)
_NEW_HASH = bindparam("new_hash", type_=Text)

STORED = statement(
    select(users.c.password_hash).where(users.c.id == _USER, users.c.status == "active")
)
# Who reads the mail of an address has it: one that nobody had shown to be theirs is verified.
_used = take_token("reset_password")
_before = (
    select(users.c.id, users.c.email_verified_at)
    .where(users.c.id == _used.c.user_id, users.c.status == "active")
    .with_for_update()
    .cte("before")
)
_set = (
    update(users)
    .where(users.c.id == _before.c.id)
    .values(
        password_hash=_NEW_HASH,
        email_verified_at=func.coalesce(_before.c.email_verified_at, NOW),
        updated_at=NOW,
    )
    .returning(users.c.id, users.c.email, _before.c.email_verified_at.is_(None).label("is_first"))
    .cte("set_anew")
)
RESET = statement(select(_set.c.id, _set.c.is_first).add_cte(verifying(_set)))
# Only while the password is the one that was checked: of two changes at once, one is made.
CHANGE = statement(
    update(users)
    .where(
        users.c.id == _USER,
        users.c.status == "active",
        users.c.password_hash == bindparam("checked_hash", type_=Text),
    )
    .values(password_hash=_NEW_HASH, updated_at=NOW)
    .returning(users.c.id)
)
