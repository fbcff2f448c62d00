"""What can be told apart among all that is stored: each id, address, name, handle and secret.

Whatever of it turns up where it should not be is a leak, whichever way it took.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from chalicelib import registry
from tests.support import database
from tests.support.people import POST

# A name, a device and a description that are like no other's; the search still finds the last.
_NAMES = """
    update accounts.users set name = 'canary' || replace(id::text, '-', '')
    where name is null and status <> 'erased' and id <> all($1)"""
_DEVICES = """
    update accounts.sessions set device = 'canary' || replace(id::text, '-', '')
    where device is null and user_id <> all($1)"""
_DESCRIPTIONS = """
    update marketplace.posts
    set description = 'Street fashion, canary' || replace(id::text, '-', '')
    where description not like '%canary%' and user_id <> all($1)"""
# What may be known of a thing by everybody who is signed in: its columns, and while it is so.
_PUBLIC = """
    select user_id, id::text || ' ' || user_id || ' ' || description
    from marketplace.posts where status = 'active'"""
# What is on sale is for everybody, and whether something is counted says nothing of anybody.
_NOBODYS = {"billing.prices", "core.rate_limits", "core.subscriptions"}

_TELLING = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|canary\w+"
    r"|[\w.+-]*@[\w.-]{3,}"
    r"|\+[1-9][0-9]{9,14}\b"
    r"|\b(?:cs|pi|evt|ch|re|dp|du|po|cus|sk|pk|pm|whsec)_\w{6,}"
    r"|[0-9a-f]{32,}",
    re.IGNORECASE,
)


def telling(*texts: str) -> frozenset[str]:
    """What in these texts can be told apart."""
    return frozenset(found.lower() for text in texts for found in _TELLING.findall(text))


SEALED = telling(*(str(value) for value in dict(POST["contact_info"]).values()))  # type: ignore[call-overload]
"""What described posts hold sealed, so that no row shows it."""


def adorn(but: Iterable[UUID]) -> None:
    """Give everybody but these what they may not have: a name, a device, words of their own."""
    kept = list(but)
    for sql in (_NAMES, _DEVICES, _DESCRIPTIONS):
        database.execute(sql, kept)


def rows() -> dict[str, list[str]]:
    """Every row of every table, as text."""
    names = [f"{table.schema}.{table.name}" for table in registry.tables().sorted_tables]
    sql = " union all ".join(
        f"select '{name}', row_to_json(t)::text from {name} t"
        for name in names
        if name not in _NOBODYS
    )
    found: dict[str, list[str]] = {}
    for name, text in database.execute(sql):
        found.setdefault(name, []).append(text)
    return found


def stored(those: Mapping[str, list[str]]) -> frozenset[str]:
    """What in rows can be told apart."""
    return telling(*(text for texts in those.values() for text in texts))


def public(but_of: Collection[UUID] = ()) -> frozenset[str]:
    """What everybody signed in may know, but for what is of some people."""
    shown = database.execute(_PUBLIC)
    return telling(*(text for owner, text in shown if owner not in but_of))
