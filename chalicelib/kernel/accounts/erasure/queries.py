"""The statements that empty a person's row, and that find the key of their data."""

from sqlalchemy import Text, Uuid, bindparam, null, select, update

from chalicelib.core.statements import statement
from chalicelib.kernel.accounts.queries import NOW, wrapped_key_of
from chalicelib.kernel.accounts.staff.queries import is_last_admin
from chalicelib.kernel.accounts.tables import users

_USER = bindparam("user_id", type_=Uuid)

# The row is locked before anything of the person's is deleted: whoever signs in, refreshes or
# changes something at the same moment does so before, and is deleted too, or finds nobody.
_is_last = select(is_last_admin(_USER).label("refused")).cte("is_last")
_erased = (
    update(users)
    .where(
        users.c.id == _USER,
        users.c.status == "active",
        users.c.password_hash == bindparam("checked_hash", type_=Text),
        ~select(_is_last.c.refused).scalar_subquery(),
    )
    .values(
        email=null(),
        email_verified_at=null(),
        password_hash=null(),
        name=null(),
        phone=null(),
        status="erased",
        locale="en",
        time_zone="UTC",
        next_time_zone=null(),
        next_time_zone_from=null(),
        last_active_at=null(),
        erased_at=NOW,
        updated_at=NOW,
    )
    .returning(users.c.id)
    .cte("erased")
)
ERASE = statement(select(_is_last.c.refused, select(_erased.c.id).exists()))
WRAPPED_KEY = statement(select(wrapped_key_of(_USER)))
