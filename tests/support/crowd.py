"""Many people and posts at once, where how they came to be is not what is tested."""

import json
from uuid import UUID

from chalicelib.core import db, ids
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.accounts.schemas import SignUp
from chalicelib.products.marketplace.posts import service as posts
from chalicelib.products.marketplace.schemas import Contact
from tests.support import database
from tests.support.people import PASSWORD

# A copy of a row with some columns changed, whatever columns there are.
_COPY = (
    "insert into {table} ({columns}) select {columns}"
    " from (select (jsonb_populate_record(t, $1)).* from {table} t where t.id = $2) copied"
)
_COLUMNS = (
    "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute"
    " where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''"
)


def copy(table: str, row: UUID | str, **changes: object) -> UUID:
    """A copy of a row under a new id; the id."""
    new = ids.uuid7()
    told = json.dumps({"id": str(new)} | changes, default=str)
    ((columns,),) = database.execute(_COLUMNS, table)
    database.execute(_COPY.format(table=table, columns=columns), told, row)
    return new


def strangers(count: int) -> list[UUID]:
    """So many new people."""
    names = [f"stranger{ids.uuid7().hex}@kith.example" for _ in range(count)]
    for name in names:
        db.write(accounts.sign_up, SignUp(email=name, password=PASSWORD))
    database.execute("update core.outbox set done_at = created_at where done_at is null")
    return [
        row[0]
        for row in database.execute(
            "select id from accounts.users where email::text = any($1) order by id", names
        )
    ]


def posts_like(post_id: UUID | str, count: int) -> list[UUID]:
    """Copies of a post, each by a new person and with a contact of its own, sealed as ever."""
    made = []
    for user_id in strangers(count):
        ((wrapped,),) = database.execute(
            "select wrapped_key from accounts.data_keys where user_id = $1", user_id
        )
        new = copy("marketplace.posts", post_id, user_id=user_id, status="archived")
        contact = Contact(handle=f"@{user_id}")
        sealed = posts.seal_contact(accounts.data_key(user_id, wrapped), new, contact)
        database.execute(
            "update marketplace.posts set contact_info = $1, status = 'active' where id = $2",
            sealed,
            new,
        )
        made.append(new)
    return made
