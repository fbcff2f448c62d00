"""Every way in which a session ends, and every operation that needs one: none is answered after."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from chalicelib.core import auth, clock, db, limits
from chalicelib.core.auth import Caller
from chalicelib.core.operations import Access
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.accounts.sessions import service as sessions
from tests.faults.described import scene as scenes
from tests.faults.described.scene import Call, Description, Scene
from tests.faults.proof import Findings, walk
from tests.faults.world import World, replaced
from tests.support import database, people
from tests.support.api import Answer
from tests.support.people import PASSWORD, Person

_OTHER = "tame zebras at dusk"

Ending = Callable[[World, Person], None]


def _done(answer: Answer) -> None:
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise AssertionError(f"the session was not ended: {answer.status} {answer.text}")


def sign_out(_world: World, who: Person) -> None:
    """Signing out."""
    _done(who.api.delete("/v1/auth/sessions/current"))


def sign_out_everywhere(_world: World, who: Person) -> None:
    """Signing out everywhere, from another session."""
    _done(people.again(who).api.delete("/v1/auth/sessions"))


def ended_from_elsewhere(_world: World, who: Person) -> None:
    """Ending that session from the list of another."""
    elsewhere = people.again(who).api
    for one in elsewhere.get("/v1/me/sessions").json["items"]:
        if not one["current"]:
            _done(elsewhere.delete(f"/v1/me/sessions/{one['id']}"))


def used_refresh_token(world: World, who: Person) -> None:
    """A refresh token that comes twice."""
    for _ in range(2):
        limits.forget()
        world.api.post("/v1/auth/sessions/refresh", {"refresh_token": who.refresh_token})


def changed_password(_world: World, who: Person) -> None:
    """Another password, set in another session."""
    elsewhere = people.again(who).api
    for old, new in ((PASSWORD, _OTHER), (_OTHER, PASSWORD)):
        body = {"current_password": old, "password": new}
        _done(elsewhere.put("/v1/me/password", body))


def reset_password(world: World, who: Person) -> None:
    """Another password, set by a mailed token."""
    token = db.write(accounts.mint_token, who.id, "reset_password", timedelta(hours=1))
    limits.forget()
    _done(world.api.post("/v1/auth/passwords", {"token": token, "password": PASSWORD}))


def expiry(_world: World, _who: Person) -> None:
    """The quarter of an hour that an access token is good for."""
    clock.follow(clock.shifted(auth.ACCESS_TOKEN_LIFE + timedelta(seconds=1)))


def ban(world: World, who: Person) -> None:
    """A ban."""
    admin = Scene(world).staff("admin")
    # Nobody bans an admin.
    database.execute(
        "delete from accounts.staff_roles where user_id = $1 and role = 'admin'", who.id
    )
    _done(admin.api.put(f"/v1/admin/users/{who.id}/ban", {"reason": "spam"}))


def erasure(world: World, who: Person) -> None:
    """Leaving for good."""
    Scene(world).staff("admin")
    _done(people.again(who).api.post("/v1/me/erasure", {"password": PASSWORD}))


MENDABLE: tuple[Ending, ...] = (
    sign_out,
    sign_out_everywhere,
    ended_from_elsewhere,
    used_refresh_token,
    changed_password,
    reset_password,
    expiry,
)
"""After these one may sign in again."""
FINAL: tuple[Ending, ...] = (ban, erasure)


def end_every_token(world: World, tries: int, findings: Findings) -> None:
    """So many operations, each after every way of ending, and then once while a session stands."""
    needing = [one for one in scenes.every().values() if one.registered.access.signed_in]
    findings.measure("ways to end", str(len(MENDABLE) + len(FINAL)))
    for description in walk(needing[:tries], findings, min(tries, len(needing)), "operations"):
        world.empty()
        _try(world, description, findings)
        for ending in FINAL:
            call = description.prepare(Scene(world))
            _is_refused(world, description, call, ending, findings)
        findings.count("operations")


def _try(world: World, description: Description, findings: Findings) -> None:
    call = description.prepare(Scene(world))
    for ending in MENDABLE:
        if not _is_refused(world, description, call, ending, findings):
            return
        clock.follow(clock.real_time)
    database.execute("delete from core.rate_limits")
    limits.forget()
    answer = scenes.make(description, call, world, by=people.again(_caller(call)).api)
    # What a call was about may have ended as well: another session.
    findings.hold(
        answer.status in {description.registered.status, HTTPStatus.NOT_FOUND},
        f"{description.operation} with a session that stands: {answer.status} {answer.text[:200]}",
    )
    findings.count("calls that succeed while it stands")


def _is_refused(
    world: World, description: Description, call: Call, ending: Ending, findings: Findings
) -> bool:
    session = people.again(_caller(call))
    ending(world, session)
    database.execute("delete from core.rate_limits")
    limits.forget()
    answer = scenes.make(description, call, world, by=session.api)
    findings.count("calls after the end")
    return findings.hold(
        answer.status == HTTPStatus.UNAUTHORIZED,
        f"{description.operation} after {ending.__name__.replace('_', ' ')}: {answer.status}",
    )


def _caller(call: Call) -> Person:
    assert call.by
    return call.by


@contextmanager
def trusted_claims() -> Iterator[None]:
    """Whoever holds a signed token is let in; what the database says of the session is not asked."""
    check = Caller.check

    def believe(caller: Caller, access: Access, row: tuple[Any, ...] | None) -> None:
        check(caller, access, row or (True, "en", "UTC", ["all:admin"]))

    with replaced(Caller, "check", believe):
        yield


@contextmanager
def other_sessions_live_on() -> Iterator[None]:
    """A new password, or a ban, leaves the sessions there are."""
    with replaced(sessions, "end_all", lambda *_told, **_but: None):
        yield
