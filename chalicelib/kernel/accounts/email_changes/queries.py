"""Every statement on changes of address."""

from sqlalchemy import (
    DateTime,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.dialects.postgresql import insert as upsert

from chalicelib.core.statements import command, statement
from chalicelib.kernel.accounts.queries import NOW
from chalicelib.kernel.accounts.tables import tokens, users

_USER = bindparam("user_id", type_=Uuid)
_EMAIL = bindparam("email", type_=CITEXT)
_EXPIRES_AT = bindparam("expires_at", type_=DateTime(timezone=True))

# The new address stands with the hash of a token that nobody knows yet; the mail's is minted as it
# is sent. A newer request takes the place of the one before, token and all. The user's row is
# locked: of an erasure at the same moment this knows, or the erasure knows of this.
_wanted = upsert(tokens).from_select(
    ["id", "user_id", "kind", "token_hash", "email", "previous_email", "expires_at", "created_at"],
    select(
        bindparam("token_id", type_=Uuid),
        users.c.id,
        literal("change_email"),
        bindparam("token_hash", type_=Text),
        _EMAIL,
        users.c.email,
        _EXPIRES_AT,
        NOW,
    )
    .where(
        users.c.id == _USER,
        users.c.status == "active",
        users.c.password_hash == bindparam("checked_hash", type_=Text),
    )
    .with_for_update(read=True),
)
REQUEST = statement(
    _wanted.on_conflict_do_update(
        index_elements=[tokens.c.user_id, tokens.c.kind],
        index_where=tokens.c.used_at.is_(None),
        set_={
            name: _wanted.excluded[name]
            for name in ("token_hash", "email", "previous_email", "expires_at", "created_at")
        },
    ).returning(tokens.c.id)
)

_is_wanted = and_(
    tokens.c.user_id == _USER, tokens.c.kind == "change_email", tokens.c.used_at.is_(None)
)
_owner = users.alias("owner")
WANTED = statement(
    select(
        cast(tokens.c.email, Text), users.c.name, users.c.locale, _owner.c.id.is_not(None), _owner.c.name,
        _owner.c.locale, _owner.c.status,
    )
    .join(users, users.c.id == tokens.c.user_id)
    .outerjoin(_owner, and_(_owner.c.email == tokens.c.email, _owner.c.id != users.c.id))
    .where(_is_wanted, users.c.status == "active")
)  # fmt: skip
MINT = command(
    update(tokens)
    .where(_is_wanted, tokens.c.email == _EMAIL)
    .values(token_hash=bindparam("new_hash", type_=Text), expires_at=_EXPIRES_AT)
)
LEFT = statement(
    select(cast(tokens.c.previous_email, Text), users.c.name, users.c.locale)
    .join(users, users.c.id == tokens.c.user_id)
    .where(
        tokens.c.user_id == _USER,
        tokens.c.kind == "change_email",
        tokens.c.previous_email.is_not(None),
        users.c.status == "active",
    )
    .order_by(tokens.c.created_at.desc())
    .limit(1)
)
