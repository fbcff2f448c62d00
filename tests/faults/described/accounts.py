"""Accounts: coming in, being somebody, going away, and what staff do about people."""

import uuid
from datetime import timedelta

from chalicelib.core import db
from chalicelib.kernel.accounts import service as accounts
from tests.faults.described.scene import Call, Scene, described
from tests.support import people
from tests.support.people import PASSWORD, Person

NEW_PASSWORD = "tame zebras at dusk"
BAN = {"reason": "spam"}
ROLE = {"product": "marketplace", "role": "support"}


def new_address() -> str:
    """An address that nobody has."""
    return f"new-{uuid.uuid4().hex}@kith.example"


def token(scene: Scene, who: Person, kind: str) -> str:
    """What the mail of a kind would hold; no mail that still waits takes its place."""
    scene.world.cloud.deliver()
    return db.write(accounts.mint_token, who.id, kind, timedelta(hours=1))


@described("accounts_sign_up", reach="nobody")
def sign_up(_scene: Scene) -> Call:
    """Open an account."""
    return Call(body={"email": new_address(), "password": PASSWORD, "name": "Ana"})


@described("accounts_request_verification", reach="nobody")
def request_verification(scene: Scene) -> Call:
    """Have the mail that verifies an address sent again."""
    return Call(body={"email": scene.person(verified=False).email})


@described("accounts_verify_email", reach="token")
def verify_email(scene: Scene) -> Call:
    """Verify an address by the mailed token."""
    who = scene.person(verified=False)
    return Call(body={"token": token(scene, who, "verify_email"), "password": PASSWORD}, owner=who)


@described("accounts_sign_in", reach="token")
def sign_in(scene: Scene) -> Call:
    """Sign in."""
    who = scene.person()
    return Call(body={"email": who.email, "password": PASSWORD, "device": "a phone"}, owner=who)


@described("accounts_refresh", reach="token")
def refresh(scene: Scene) -> Call:
    """Exchange a refresh token."""
    who = scene.person()
    return Call(body={"refresh_token": who.refresh_token}, owner=who)


@described("accounts_sign_out", reach="nobody")
def sign_out(scene: Scene) -> Call:
    """End this session."""
    return Call(by=scene.person())


@described("accounts_sign_out_everywhere", reach="nobody")
def sign_out_everywhere(scene: Scene) -> Call:
    """End every session of one's own."""
    return Call(by=scene.person())


@described("accounts_passwords_request_reset", reach="nobody")
def request_reset(scene: Scene) -> Call:
    """Have the mail that sets a password anew sent."""
    return Call(body={"email": scene.person().email})


@described("accounts_passwords_reset", reach="token")
def reset(scene: Scene) -> Call:
    """Set a password anew by the mailed token."""
    who = scene.person()
    body = {"token": token(scene, who, "reset_password"), "password": NEW_PASSWORD}
    return Call(body=body, owner=who)


@described("accounts_passwords_change", reach="nobody")
def change_password(scene: Scene) -> Call:
    """Set another password."""
    body = {"current_password": PASSWORD, "password": NEW_PASSWORD}
    return Call(by=scene.person(), body=body)


@described("accounts_email_changes_request", reach="nobody")
def change_email(scene: Scene) -> Call:
    """Ask for another address."""
    return Call(by=scene.person(), body={"email": new_address(), "password": PASSWORD})


@described("accounts_erasure_erase", reach="nobody")
def erase(scene: Scene) -> Call:
    """Go for good."""
    return Call(by=scene.person(), body={"password": PASSWORD})


@described("accounts_erasure_export", reach="nobody")
def export(scene: Scene) -> Call:
    """Take along what is stored of one."""
    return Call(by=scene.person())


@described("accounts_profile_me", reach="nobody")
def me(scene: Scene) -> Call:
    """One's own account."""
    return Call(by=scene.person())


@described("accounts_profile_change", reach="nobody")
def change_profile(scene: Scene) -> Call:
    """Say something else of oneself."""
    body = {"name": "Ana", "phone": "+5511987654321", "locale": "he", "time_zone": "Asia/Jerusalem"}
    return Call(by=scene.person(), body=body)


@described("accounts_sessions_mine", reach="nobody")
def sessions(scene: Scene) -> Call:
    """Where one is signed in."""
    who = scene.person()
    people.again(who)
    return Call(by=who)


@described("accounts_sessions_end", reach="owner")
def end_session(scene: Scene) -> Call:
    """End another session of one's own."""
    who = scene.person()
    people.again(who)
    found = who.api.get("/v1/me/sessions").json["items"]
    other = next(one["id"] for one in found if not one["current"])
    return Call(by=who, path={"session_id": other})


@described("accounts_staff_members", reach="staff")
def staff_members(scene: Scene) -> Call:
    """Admins look at who is staff."""
    other = scene.staff("support", "marketplace")
    return Call(by=scene.staff_for("accounts_staff_members"), owner=other)


@described("accounts_staff_give", reach="staff")
def give_role(scene: Scene) -> Call:
    """Admins make somebody staff."""
    other = scene.person()
    admin = scene.staff_for("accounts_staff_give")
    return Call(by=admin, path={"user_id": other.id}, body=ROLE, owner=other)


@described("accounts_staff_take", reach="staff")
def take_role(scene: Scene) -> Call:
    """Admins take a role from somebody."""
    other = scene.staff(ROLE["role"], ROLE["product"])
    admin = scene.staff_for("accounts_staff_take")
    return Call(by=admin, path={"user_id": other.id}, query=ROLE, owner=other)


@described("accounts_users_search", reach="staff")
def search_users(scene: Scene) -> Call:
    """Staff look for somebody by address."""
    other = scene.person()
    staff = scene.staff_for("accounts_users_search")
    return Call(by=staff, query={"email": other.email}, owner=other)


@described("accounts_users_get", reach="staff")
def get_user(scene: Scene) -> Call:
    """Staff look at an account."""
    other = scene.person()
    staff = scene.staff_for("accounts_users_get")
    return Call(by=staff, path={"user_id": other.id}, owner=other)


@described("accounts_users_ban", reach="staff")
def ban(scene: Scene) -> Call:
    """Staff shut somebody out."""
    other = scene.person()
    staff = scene.staff_for("accounts_users_ban")
    return Call(by=staff, path={"user_id": other.id}, body=BAN, owner=other)


@described("accounts_users_unban", reach="staff")
def unban(scene: Scene) -> Call:
    """Staff let somebody in again."""
    other = scene.person()
    staff = scene.staff_for("accounts_users_unban")
    answer = staff.api.put(f"/v1/admin/users/{other.id}/ban", BAN)
    assert answer.status == 204, answer.text
    return Call(by=staff, path={"user_id": other.id}, owner=other)
