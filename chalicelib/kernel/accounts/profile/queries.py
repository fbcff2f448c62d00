"""Every statement on what people say of themselves."""

from sqlalchemy import DateTime, LargeBinary, Text, Uuid, bindparam, cast, select, update

from chalicelib.core.statements import command, statement
from chalicelib.kernel.accounts.queries import NOW, roles_of, wrapped_key_of
from chalicelib.kernel.accounts.tables import users

_CALLER = bindparam("caller", type_=Uuid)

_me = select(
    users.c.id,
    cast(users.c.email, Text),
    users.c.email_verified_at.is_not(None),
    users.c.name,
    users.c.phone,
    wrapped_key_of(users.c.id),
    users.c.locale,
    users.c.time_zone,
    users.c.next_time_zone,
    users.c.next_time_zone_from,
    users.c.created_at,
    roles_of(users.c.id),
).where(users.c.id == _CALLER, users.c.status == "active")
ME = statement(_me)
ME_LOCKED = statement(_me.with_for_update(of=users))
SET = command(
    update(users)
    .where(users.c.id == _CALLER)
    .values(
        name=bindparam("new_name", type_=Text),
        phone=bindparam("new_phone", type_=LargeBinary),
        locale=bindparam("new_locale", type_=Text),
        time_zone=bindparam("new_time_zone", type_=Text),
        next_time_zone=bindparam("then_time_zone", type_=Text),
        next_time_zone_from=bindparam("then_from", type_=DateTime(timezone=True)),
        updated_at=NOW,
    )
)
