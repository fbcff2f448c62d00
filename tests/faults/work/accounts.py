"""What the jobs of accounts find: tokens and sessions that nobody can use any more."""

from chalicelib.core import clock
from tests.faults.work.core import count
from tests.faults.work.due import Day, Due, Effects, work
from tests.support import database

_MORE_THAN_A_BATCH = 1_100
_OLD = "$2::timestamptz - interval '40 d', $2::timestamptz - interval '10 d'"


@work("accounts_forget_expired")
def expired(day: Day) -> Due:
    """Sessions with their tokens and mailed tokens of long ago, and somebody who is signed in."""
    who, now = day.person(verified=False), clock.now()
    database.execute(
        "insert into accounts.tokens"
        " (id, user_id, kind, token_hash, used_at, created_at, expires_at)"
        " select gen_random_uuid(), $1, 'reset_password', n::text, $2::timestamptz,"
        f" {_OLD} from generate_series(1, $3::int) n",
        who.id,
        now,
        _MORE_THAN_A_BATCH,
    )
    database.execute(
        "insert into accounts.sessions (id, user_id, created_at, expires_at)"
        f" select gen_random_uuid(), $1, {_OLD} from generate_series(1, $3::int)",
        who.id,
        now,
        _MORE_THAN_A_BATCH,
    )

    def effects() -> Effects:
        return {
            "tokens left": count("select count(*) from accounts.tokens"),
            "sessions left": count("select count(*) from accounts.sessions"),
        }

    left = {"tokens left": 0, "sessions left": 1}
    return Due(left, effects, rows=2 * _MORE_THAN_A_BATCH)
