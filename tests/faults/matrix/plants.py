"""Faults that somebody could make in who may do what."""

import copy
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from chalicelib.core import auth, binding, clock, paging, signatures
from chalicelib.core.auth import Caller, CallerState
from chalicelib.core.errors import NotAllowed, NotFound, NotSignedIn
from chalicelib.core.operations import Access
from chalicelib.core.paging import PageQuery
from chalicelib.core.statements import Json, Statement
from chalicelib.kernel.accounts.passwords import queries as passwords
from chalicelib.kernel.accounts.sessions import queries as sessions_queries
from chalicelib.kernel.accounts.sessions import service as sessions
from chalicelib.kernel.billing.payments import queries as payments
from chalicelib.kernel.notifications.inbox import queries as inbox
from chalicelib.products.marketplace.discovery import service as discovery
from chalicelib.products.marketplace.posts import queries as posts
from chalicelib.products.marketplace.reveals import queries as reveals
from tests.faults.world import replaced


def changed(before: Statement[Any], pattern: str, new: str) -> Statement[Any]:
    """A statement that reads otherwise in one place, and takes the same parameters."""
    sql, times = re.subn(pattern, new, before.sql)
    assert times, f"{pattern} is not in {before.sql}"
    after = copy.copy(before)
    after._sql, after._beneath = sql.encode(), {}  # noqa: SLF001  its text is what is at fault
    return after


def blind(before: Statement[Any], pattern: str) -> Statement[Any]:
    """A statement that no longer looks whether a condition holds."""
    return changed(before, f"({pattern})", r"((\1) IS NOT NULL)")


@contextmanager
def banned_users_stay() -> Iterator[None]:
    """A session is all that is looked at, not whether its user was banned."""
    assert auth._states is not None  # noqa: SLF001
    condition = r"accounts\.users\.status = 'active'::VARCHAR"
    states = tuple(blind(one, condition) for one in auth._states)  # noqa: SLF001
    with replaced(auth, "_states", states):
        yield


@contextmanager
def ended_sessions_stay() -> Iterator[None]:
    """Only the token says whether a session stands."""
    assert auth._states is not None  # noqa: SLF001
    states = tuple(blind(one, r"accounts\.sessions\.revoked_at IS NULL") for one in auth._states)  # noqa: SLF001
    with replaced(auth, "_states", states):
        yield


@contextmanager
def verified_is_not_asked() -> Iterator[None]:
    """Whoever is signed in does as well as whoever showed their address."""

    def check(caller: Caller, access: Access, row: tuple[Any, ...] | None) -> None:
        if row is None:
            raise NotSignedIn("this session has ended; sign in again")
        caller._state = CallerState(*row)  # noqa: SLF001
        if access.roles and not caller.has_role(access):
            raise NotAllowed

    with replaced(Caller, "check", check):
        yield


@contextmanager
def owner_is_not_asked() -> Iterator[None]:
    """One statement goes by the id alone."""
    naive = blind(inbox.READ, r"notifications\.notifications\.user_id = \$\d+::UUID")
    with replaced(inbox, "READ", naive):
        yield


@contextmanager
def what_is_foreign_is_forbidden() -> Iterator[None]:
    """What exists, and is somebody else's, is 403; what does not exist is 404."""
    exists = blind(sessions_queries.END, r"accounts\.sessions\.user_id = \$\d+::UUID")
    really = sessions.end

    def end(db: Any, caller: Caller, session_id: Any) -> None:
        try:
            really(db, caller, session_id)
        except NotFound:
            given = {"caller": caller.id, "session_id": session_id, "now": clock.now()}
            if db.run(exists, **given):
                raise NotAllowed from None
            raise

    with replaced(sessions, "end", end):
        yield


@contextmanager
def everything_is_read() -> Iterator[None]:
    """Marking all as read marks everybody's."""
    naive = blind(inbox.READ_ALL, r"notifications\.notifications\.user_id = \$\d+::UUID")
    with replaced(inbox, "READ_ALL", naive):
        yield


@contextmanager
def a_list_is_everybodys() -> Iterator[None]:
    """A list goes by its filters alone."""
    really = paging.page
    owner = r"notifications\.notifications\.user_id = \$\d+::UUID"

    def page(db: Any, paged: Any, query: PageQuery, **given: Any) -> Any:
        if re.search(owner, paged.statement.sql):
            paged = copy.copy(paged)
            paged.statement = blind(paged.statement, owner)
        return really(db, paged, query, **given)

    with replaced(paging, "page", page):
        yield


@contextmanager
def a_token_is_for_anything() -> Iterator[None]:
    """Signed texts are signed under one key, whatever they are for."""
    really = signatures._tag  # noqa: SLF001

    def tag(_purpose: str, told: bytes) -> bytes:
        return really("anything", told)

    with replaced(signatures, "_tag", tag):
        yield


@contextmanager
def any_token_resets() -> Iterator[None]:
    """A password is set anew by whatever was mailed."""
    naive = blind(passwords.RESET, r"accounts\.tokens\.kind = (?:\$\d+|'\w+')::VARCHAR")
    with replaced(passwords, "RESET", naive):
        yield


def _unblocked(before: Statement[Any]) -> Statement[Any]:
    """A statement that looks for blocks where there are none."""
    nowhere = "FROM (SELECT * FROM moderation.blocks WHERE false) AS none_of_them"
    after = changed(before, r"FROM moderation\.blocks\b", nowhere)
    return changed(after, r"moderation\.blocks\.", "none_of_them.")


@contextmanager
def posts_forget_blocks() -> Iterator[None]:
    """`visible_to` without blocks, where a post is looked at."""
    with replaced(posts, "POST", _unblocked(posts.POST)):
        yield


@contextmanager
def a_search_forgets_blocks() -> Iterator[None]:
    """`visible_to` without blocks, in every search."""
    really = discovery.chosen

    def chosen(query: Any) -> Any:
        paged, given = really(query)
        naive = copy.copy(paged)
        naive.statement = _unblocked(paged.statement)
        return naive, given

    with replaced(discovery, "chosen", chosen):
        yield


@contextmanager
def a_list_of_people_forgets_blocks() -> Iterator[None]:
    """Who revealed one's post is told whatever stands between the two."""
    naive = copy.copy(reveals.REVEALS_OF_POST)
    naive.statement = _unblocked(reveals.REVEALS_OF_POST.statement)
    with replaced(reveals, "REVEALS_OF_POST", naive):
        yield


@contextmanager
def a_post_tells_an_address() -> Iterator[None]:
    """Whoever looks at a post gets its author's e-mail address with it."""
    address = (
        r"(SELECT u.email::text FROM accounts.users u WHERE u.id = marketplace.posts.user_id)"
        r" AS description"
    )
    pattern = r"marketplace\.posts\.description AS description"
    with replaced(posts, "POST", changed(posts.POST, pattern, address)):
        yield


@contextmanager
def roles_are_not_asked() -> Iterator[None]:
    """Whoever is signed in is staff."""
    with replaced(Caller, "has_role", lambda _caller, _access: True):
        yield


@contextmanager
def products_are_not_asked() -> Iterator[None]:
    """A role for one product is a role for all."""

    def has_role(caller: Caller, access: Access) -> bool:
        return any(held.partition(":")[2] in access.roles for held in caller.state.roles)

    with replaced(Caller, "has_role", has_role):
        yield


@contextmanager
def payments_are_of_any_product() -> Iterator[None]:
    """Staff of a product read a payment of another by its id."""
    naive = blind(payments.STAFF_PAYMENT, r"billing\.payments\.product = \$\d+::VARCHAR")
    with replaced(payments, "STAFF_PAYMENT", naive):
        yield


@contextmanager
def cursors_are_trusted() -> Iterator[None]:
    """A cursor carries whose list it leads on, and that is believed."""
    really = paging.page

    def page(db: Any, paged: Any, query: PageQuery, **given: Any) -> Any:
        whose = next(name for name in ("caller", "user_id", "reporter", *given) if name in given)
        cursor, _, told = (query.cursor or "").partition("~")
        if told:
            given[whose] = UUID(told)
        answer = really(db, paged, query.model_copy(update={"cursor": cursor or None}), **given)
        page = json.loads(answer.text)
        if page["next_cursor"]:
            page["next_cursor"] += f"~{given[whose]}"
        return Json(json.dumps(page))

    with replaced(paging, "page", page):
        yield


@contextmanager
def undeclared_fields_are_passed_over() -> Iterator[None]:
    """A body may hold what it likes; what is not declared is dropped."""
    really = binding.body_of

    def body_of(model: Any, raw: bytes, content_type: str, limit: int) -> Any:
        told = json.loads(raw)
        known = {name: value for name, value in told.items() if name in model.model_fields}
        return really(model, json.dumps(known).encode(), content_type, limit)

    with replaced(binding, "body_of", body_of):
        yield
