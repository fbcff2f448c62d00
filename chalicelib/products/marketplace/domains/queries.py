"""Every statement on domains. A change of status is followed by one of the owner's posts."""

from datetime import timedelta
from typing import Any

from sqlalchemy import (
    DateTime,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import command, json_object, statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.products.marketplace.tables import domain_verifications, posts

PROOF = "kith-verification="
MOST_FAILURES = 3
A_DAY = timedelta(hours=20)
"""As good as a day: a check may come earlier than the one before did."""
_BATCH = 100

NOW = bindparam("now", type_=DateTime(timezone=True))
_CALLER = bindparam("caller", type_=Uuid)
_ID = bindparam("verification_id", type_=Uuid)
_NEXT = bindparam("next_check_at", type_=DateTime(timezone=True))
_known = domain_verifications.c

_shown: tuple[Any, ...] = (
    _known.id,
    _known.domain,
    _known.status,
    _known.method,
    (literal("_kith.") + _known.domain).label("record_name"),
    (literal("https://") + _known.domain + "/.well-known/kith.txt").label("file_url"),
    (literal(PROOF) + _known.verification_code).label("proof"),
    _known.verified_at,
    _known.checked_at,
    _known.created_at,
)
_own = and_(_known.id == _ID, _known.user_id == _CALLER)

# The same domain again is the same row, with the same code.
BEGIN = json_object(
    select(
        insert(domain_verifications)
        .values(
            id=_ID,
            user_id=_CALLER,
            domain=bindparam("domain", type_=Text),
            verification_code=bindparam("code", type_=Text),
            status="pending",
            failures=0,
            created_at=NOW,
            updated_at=NOW,
        )
        .on_conflict_do_update(
            index_elements=[_known.user_id, _known.domain], set_={"domain": _known.domain}
        )
        .returning(*_shown)
        .cte("begun")
    )
)
ONE = json_object(select(*_shown).where(_own))
OWN = PagedStatement(select(*_shown).where(_known.user_id == _CALLER), _known.id)
DELETE = command(delete(domain_verifications).where(_own))

TO_CHECK = statement(
    select(_known.domain, _known.verification_code).where(
        _known.id == _ID, accounts.stands(_known.user_id)
    )
)
# One failure a day counts, however often it is looked at; what was verified lapses at the third.
_is_another_day = or_(_known.checked_at.is_(None), _known.checked_at <= NOW - A_DAY)
_failures = _known.failures + case((_is_another_day, 1), else_=0)
_lapses = and_(_known.status == "verified", _failures >= MOST_FAILURES)
SEEN = statement(
    update(domain_verifications)
    .where(_known.id == _ID)
    .values(
        status="verified",
        method=bindparam("seen_by", type_=Text),
        failures=0,
        verified_at=case((_known.status == "verified", _known.verified_at), else_=NOW),
        checked_at=NOW,
        next_check_at=case(
            (_known.status == "verified", _NEXT),
            else_=bindparam("first_check_at", type_=DateTime(timezone=True)),
        ),
        updated_at=NOW,
    )
    .returning(_known.user_id, _known.verified_at == NOW)
)
NOT_SEEN = statement(
    update(domain_verifications)
    .where(_known.id == _ID)
    .values(
        status=case(
            (_lapses, "lapsed"),
            (or_(_known.status == "verified", _known.status == "lapsed"), _known.status),
            else_="failed",
        ),
        failures=_failures,
        checked_at=NOW,
        next_check_at=case((_lapses, null()), (_known.status == "verified", _NEXT), else_=null()),
        updated_at=case((_lapses, NOW), else_=_known.updated_at),
    )
    .returning(_known.user_id, and_(_known.status == "lapsed", _known.updated_at == NOW))
)
_has_domain = (
    select(literal(1))
    .where(_known.user_id == posts.c.user_id, _known.status == "verified")
    .exists()
)
# A statement of its own, after the change: it sees posts that were written meanwhile.
MARK_POSTS = command(
    update(posts)
    .where(
        posts.c.user_id == bindparam("user_id", type_=Uuid),
        posts.c.verified != and_(posts.c.user_type == "brand", _has_domain),
    )
    .values(verified=and_(posts.c.user_type == "brand", _has_domain))
)
_due = (
    select(_known.id)
    # Written out, as the index says it: a plan for all values finds it by that.
    .where(_known.status == literal_column("'verified'"), _known.next_check_at <= NOW)
    .order_by(_known.next_check_at.asc())
    .limit(_BATCH)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
TAKE_DUE = statement(
    update(domain_verifications)
    .where(_known.id == func.any(func.array(_due)))
    .values(next_check_at=_NEXT)
    .returning(_known.id)
)
