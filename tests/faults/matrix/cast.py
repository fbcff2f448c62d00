"""Who makes calls about what is not theirs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from chalicelib.core.operations import Access, Role
from tests.faults.described.scene import Scene, somewhere
from tests.support import database, people
from tests.support.api import Api
from tests.support.people import PASSWORD, Person

ROLES: tuple[Role, ...] = ("support", "moderator", "finance", "admin")
ELSEWHERE = "couples"
"""A product that nothing of what is called belongs to."""


@dataclass(frozen=True)
class Caller:
    """Somebody who makes a call, as a sentence names them."""

    title: str
    api: Api
    id: UUID | None = None


@dataclass
class Cast:
    """People who come to be when they are first needed, and stay."""

    scene: Scene
    ids: set[UUID] = field(default_factory=set)

    def known(self, found: Person) -> Person:
        """The same person, who is one of the cast."""
        self.ids.add(found.id)
        return found

    def _caller(self, title: str, *, verified: bool = True) -> Caller:
        found = self.known(self.scene.person(verified=verified))
        return Caller(title, found.api, found.id)

    @cached_property
    def other(self) -> Caller:
        """Somebody who has nothing to do with any of it."""
        return self._caller("another user")

    @cached_property
    def unverified(self) -> Caller:
        """Somebody whose address is not verified."""
        return self._caller("an unverified user", verified=False)

    @cached_property
    def blocked(self) -> Caller:
        """Whom each owner blocks."""
        return self._caller("a user whom the owner blocked")

    @cached_property
    def blocker(self) -> Caller:
        """Who blocks each owner."""
        return self._caller("a user who blocked the owner")

    @cached_property
    def admin(self) -> Caller:
        """Who may do anything that staff may, and nothing that owners may."""
        found = self._caller("an admin of everything")
        self._give(found, "admin", "all")
        return found

    @cached_property
    def unverified_admin(self) -> Caller:
        """Who has every role, and an address that is not shown to be theirs."""
        found = self._caller("an unverified admin", verified=False)
        self._give(found, "admin", "all")
        return found

    @cached_property
    def staff(self) -> dict[tuple[Role, str], Caller]:
        """Somebody for each role, of all products, of this one and of another."""
        found = {}
        for role in ROLES:
            for product in ("all", "marketplace", ELSEWHERE):
                found[role, product] = self._caller(f"{role} staff of {product}")
                self._give(found[role, product], role, product)
        return found

    def _give(self, whom: Caller, role: Role, product: str) -> None:
        assert whom.id is not None
        database.execute(
            "insert into accounts.staff_roles (user_id, product, role, created_at)"
            " values ($1, $2, $3, '2026-11-20T00:00:00Z')",
            whom.id,
            product,
            role,
        )

    @cached_property
    def gone(self) -> list[Caller]:
        """Sessions that ended, each in another way; all of an admin, who might do anything."""
        return [Caller(title, api) for title, api in self._ended()]

    def _ended(self) -> Iterator[tuple[str, Api]]:
        for title, end in (
            ("a session that signed out", _sign_out),
            ("a session that signed out everywhere", _sign_out_everywhere),
            ("a session that was ended from another", _end_from_another),
            ("a session from before the password was changed", _change_password),
            ("a session from before the password was reset", _reset_password),
            ("a banned user", _ban),
            ("an erased user", _erase),
        ):
            found = self.known(self.scene.staff("admin"))
            end(self.scene, found)
            yield title, found.api

    @property
    def nobody(self) -> Caller:
        """Somebody who is not signed in."""
        return Caller("somebody not signed in", somewhere(self.scene.world))


def may(access: Access, role: Role, product: str) -> bool:
    """Whether staff of a role for a product may call what is for `marketplace` or for all."""
    return role in access.roles and (
        product == "all" or (access.product is not None and product == "marketplace")
    )


def _sign_out(_scene: Scene, who: Person) -> None:
    assert who.api.delete("/v1/auth/sessions/current").status == 204


def _sign_out_everywhere(_scene: Scene, who: Person) -> None:
    assert who.api.delete("/v1/auth/sessions").status == 204


def _end_from_another(_scene: Scene, who: Person) -> None:
    found = people.again(who).api.get("/v1/me/sessions").json["items"]
    ended = next(one["id"] for one in found if not one["current"])
    assert people.again(who).api.delete(f"/v1/me/sessions/{ended}").status == 204


def _change_password(_scene: Scene, who: Person) -> None:
    body = {"current_password": PASSWORD, "password": "tame zebras at dusk"}
    assert people.again(who).api.put("/v1/me/password", body).status == 204


def _reset_password(scene: Scene, who: Person) -> None:
    client = somewhere(scene.world)
    assert client.post("/v1/auth/password_resets", {"email": who.email}).status == 202
    scene.world.cloud.deliver()
    body = {"token": scene.world.cloud.mail_to(who.email).token, "password": "tame zebras at dusk"}
    assert client.post("/v1/auth/passwords", body).status == 200


def _ban(scene: Scene, who: Person) -> None:
    people.give_role(moderator := scene.person(), "admin")
    database.execute("delete from accounts.staff_roles where user_id = $1", who.id)
    answer = moderator.api.put(f"/v1/admin/users/{who.id}/ban", {"reason": "spam"})
    assert answer.status == 204, answer.text
    people.give_role(who, "admin")


def _erase(_scene: Scene, who: Person) -> None:
    assert who.api.post("/v1/me/erasure", {"password": PASSWORD}).status == 204
