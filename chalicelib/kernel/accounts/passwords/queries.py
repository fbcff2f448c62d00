"""Every statement on passwords."""

from sqlalchemy import Text, Uuid, bindparam, select, update

from chalicelib.core.statements import statement
from chalicelib.kernel.accounts.queries import NOW, take_token
from chalicelib.kernel.accounts.tables import users

_USER = bindparam("user_id", type_=Uuid)
_NEW_HASH = bindparam("new_hash", type_=Text)

STORED = statement(
    select(users.c.password_hash).where(users.c.id == _USER, users.c.status == "active")
)
_used = take_token("reset_password")
RESET = statement(
    update(users)
    .where(users.c.id == _used.c.user_id, users.c.status == "active")
    .values(password_hash=_NEW_HASH, updated_at=NOW)
    .returning(users.c.id)
)
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
