"""The statements that take over accounts from somewhere else."""

from sqlalchemy import DateTime, LargeBinary, Text, Uuid, bindparam, cast, func, literal, select
from sqlalchemy.dialects.postgresql import CITEXT, insert

from chalicelib.core.statements import statement
from chalicelib.kernel.accounts.tables import data_keys, tokens, users

_USER = bindparam("user_id", type_=Uuid)
_CREATED = bindparam("created_at", type_=DateTime(timezone=True))

_added = (
    insert(users)
    .values(
        id=_USER,
        email=bindparam("email", type_=CITEXT),
        email_verified_at=bindparam("verified_at", type_=DateTime(timezone=True)),
        password_hash=bindparam("password_hash", type_=Text),
        name=bindparam("name", type_=Text),
        status="active",
        locale="en",
        time_zone="UTC",
        created_at=_CREATED,
        updated_at=_CREATED,
    )
    .on_conflict_do_nothing()
    .returning(users.c.id)
    .cte("added")
)
_keyed = (
    insert(data_keys)
    .from_select(
        ["user_id", "wrapped_key", "created_at"],
        select(
            _added.c.id,
            cast(bindparam("wrapped_key", type_=LargeBinary), LargeBinary),
            _CREATED,
        ),
    )
    .returning(data_keys.c.user_id)
    .cte("keyed")
)
ADD_USER = statement(
    select(
        select(func.count()).select_from(_added).scalar_subquery() > 0,
        select(literal(1)).where(users.c.id == _USER).exists(),
    ).add_cte(_keyed)
)

_token = bindparam("token_id", type_=Uuid)
_minted = (
    insert(tokens)
    .values(
        id=_token,
        user_id=_USER,
        kind="verify_email",
        token_hash=bindparam("token_hash", type_=Text),
        expires_at=bindparam("expires_at", type_=DateTime(timezone=True)),
        created_at=_CREATED,
    )
    .on_conflict_do_nothing()
    .returning(tokens.c.id)
    .cte("minted")
)
ADD_TOKEN = statement(
    select(
        select(func.count()).select_from(_minted).scalar_subquery() > 0,
        select(literal(1)).where(tokens.c.id == _token).exists(),
    )
)
KEY = statement(select(data_keys.c.wrapped_key).where(data_keys.c.user_id == _USER))
