"""The peer of warm requests: a bare function and psycopg, one prepared statement where one does.

It verifies the same token, reads the same session state, answers the same rows and writes the
same log line as ours; JSON is by the standard library, and no framework stands between.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import psycopg

from chalicelib.core import auth, log

_STATE = """
    select u.email_verified_at is not null as is_verified, u.locale, u.time_zone,
           array(select r.product || ':' || r.role from accounts.staff_roles r
                 where r.user_id = u.id) as roles
    from accounts.users u join accounts.sessions s on s.user_id = u.id
    where u.id = %(caller)s and u.status = 'active' and s.id = %(session)s
      and s.revoked_at is null and s.expires_at > %(now)s
"""
_SHOWN = """id, user_id, user_type, platform, followers, interests, price_point, description,
    verified, status, created_at, updated_at"""
_VISIBLE = """p.status = 'active'
    and exists (select 1 from accounts.users a where a.id = p.user_id and a.status = 'active')
    and not exists (select 1 from moderation.blocks b
        where b.blocker_id = %(caller)s and b.blocked_id = p.user_id offset 0)
    and not exists (select 1 from moderation.blocks b
        where b.blocker_id = p.user_id and b.blocked_id = %(caller)s offset 0)"""
READ = f"""with me as ({_STATE}) select {_SHOWN} from marketplace.posts p, me
    where p.id = %(post)s and (p.user_id = %(caller)s or {_VISIBLE})"""
_LIST = f"""with me as ({_STATE}) select {_SHOWN} from marketplace.posts p, me
    where {_VISIBLE} and p.id < %(after)s order by id desc limit 21"""
_WRITE = """insert into moderation.blocks (blocker_id, blocked_id, created_at)
    select %(caller)s, id, %(now)s from accounts.users where id = %(other)s and status = 'active'
    on conflict (blocker_id, blocked_id) do update set created_at = moderation.blocks.created_at
    returning blocked_id"""

Handler = Callable[[str, dict[str, Any], Any], str]
"""Takes the kind of request, its event and what it is about."""


def handler(connection: psycopg.Connection[Any]) -> Handler:
    """The handler over a connection in autocommit that returns rows as dicts."""

    def handle(kind: str, event: dict[str, Any], target: Any) -> str:
        started = time.perf_counter()
        headers = {name.lower(): value for name, value in event["headers"].items()}
        caller = auth.caller_of(headers["authorization"])
        assert caller is not None
        given = {
            "caller": caller.id,
            "session": caller.session_id,
            "now": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        body: Any
        if kind == "read":
            body = connection.execute(READ, {**given, "post": target}).fetchone()
        elif kind == "list":
            found = connection.execute(_LIST, {**given, "after": target}).fetchall()
            body = {"items": found[:20], "next_cursor": str(found[-1]["id"])}
        else:
            with connection.transaction():
                assert connection.execute(_STATE, given).fetchone()
                body = connection.execute(_WRITE, {**given, "other": target}).fetchone()
        text = json.dumps(body, default=str)
        log.line(
            "request",
            operation=kind,
            status=200,
            ms=round((time.perf_counter() - started) * 1000, 2),
        )
        return json.dumps({"statusCode": 200, "body": text})

    return handle
