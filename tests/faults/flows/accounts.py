"""Signing up, a forgotten password, another address, being shut out, leaving."""

from datetime import timedelta

from tests.faults.kill_flows import Act, flow
from tests.faults.kill_stage import Stage
from tests.support.people import PASSWORD

EMAIL = "new@kith.example"
OTHER = "other@kith.example"


def _asked_twice(topic: str, subscriber: str, template: str, subject: str) -> tuple[str, ...]:
    """What is left by somebody who asks again for a mail, and gets two."""
    return (
        rf"core\.outbox .*(accounts\.{topic}|notifications\.mail_queued)",
        rf"core\.deliveries .*notifications\.({subscriber}|send_mail)",
        rf"notifications\.mails .*{template}",
        rf"mail to \S+: {subject}",
    )


@flow(
    "accounts_sign_up",
    extra=_asked_twice(
        "known_address_signed_up",
        "mail_known_address",
        "known_address",
        "You already have an account",
    ),
)
def sign_up(stage: Stage) -> Act:
    """Somebody signs up, gets a mail and shows that the address is theirs."""

    def act() -> None:
        stage.ask(None, "POST", "/v1/auth/sign_ups", {"email": EMAIL, "password": PASSWORD})
        stage.deliver()
        token = {"token": stage.mailed(EMAIL, "Confirm").token, "password": PASSWORD}
        stage.ask(None, "POST", "/v1/auth/verifications", token, done=("accounts.token_not_valid",))
        stage.fire("core_relay")
        stage.deliver()

    return act


@flow(
    "accounts_password_reset",
    extra=(
        *_asked_twice(
            "password_reset_requested",
            "mail_password_reset",
            "reset_password",
            "Choose a new password",
        ),
        r"accounts\.tokens .*reset_password",
    ),
)
def reset(stage: Stage) -> Act:
    """Somebody has forgotten their password."""
    ana = stage.person()

    def act() -> None:
        stage.ask(None, "POST", "/v1/auth/password_resets", {"email": ana.email})
        stage.deliver()
        token = stage.mailed(ana.email, "password").token
        told = {"token": token, "password": "another wild horse"}
        stage.ask(None, "POST", "/v1/auth/passwords", told, done=("accounts.token_not_valid",))
        stage.deliver()

    return act


@flow(
    "accounts_email_change",
    extra=_asked_twice(
        "email_change_requested",
        "mail_email_change",
        "(email_change_requested|change_email)",
        "(Your account is to have|Confirm your new)",
    ),
)
def change_email(stage: Stage) -> Act:
    """Somebody has another address."""
    ana = stage.person()

    def act() -> None:
        told = {"email": OTHER, "password": PASSWORD}
        stage.ask(ana, "POST", "/v1/me/email_changes", told)
        stage.deliver()
        token = {"token": stage.mailed(OTHER).token, "password": PASSWORD}
        stage.ask(None, "POST", "/v1/auth/verifications", token, done=("accounts.token_not_valid",))

    return act


@flow("accounts_ban")
def ban(stage: Stage) -> Act:
    """Staff shut somebody out, and let them in again."""
    ana, staff = stage.person(), stage.person(role="moderator")

    def act() -> None:
        path = f"/v1/admin/users/{ana.id}/ban"
        stage.ask(staff, "PUT", path, {"reason": "spam"})
        stage.ask(staff, "DELETE", path, done=("not_found",))
        stage.fire("core_relay")
        stage.deliver()

    return act


@flow("accounts_erasure")
def erase(stage: Stage) -> Act:
    """Somebody leaves who has a post that was revealed, and a contact of somebody else's."""
    ana, ben = stage.person(), stage.person()
    revealed = stage.post_of(ana)
    stage.credit(ben, 2)
    stage.prepared(ben, "POST", f"/v1/marketplace/posts/{revealed}/reveal")
    stage.forget_events()

    def act() -> None:
        # Whose first request was heard is not signed in any more.
        stage.ask(ana, "POST", "/v1/me/erasure", {"password": PASSWORD}, done=("not_signed_in",))
        stage.fire("core_relay")
        stage.deliver()

    return act


@flow(job="accounts_forget_expired")
def forget_expired(stage: Stage) -> Act:
    """Sessions and tokens are over."""
    stage.person()
    stage.person(verified=False)
    stage.pass_by(timedelta(days=40))
    return stage.firing("accounts_forget_expired")
