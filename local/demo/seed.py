"""The demo data, brought in as people would: signed up, verified by mail, paid on the fake's page.

So every balance, payment and mail is true. Loading it twice changes nothing: what is there stays.
"""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from local.client import ClientError, call, submit, text_of
from local.demo.people import PASSWORD, PEOPLE, Person
from local.progress import Step

_PRODUCT = "marketplace"
_POSTING_FEE = "posting_fee"
_PAID_SECONDS = 90.0
_POLL_SECONDS = 0.05
_UNAUTHORIZED, _CONFLICT = 401, 409


class DemoProblem(Exception):
    """The demo data can't be loaded; the message says why."""


def is_loaded(url: str, *, pays: bool) -> bool:
    """Whether the last of the demo's people is there with all that is theirs."""
    person = PEOPLE[-1]
    try:
        headers = _sign_in(url, person)
        return not pays or _has_post(url, headers)
    except ClientError as error:
        if error.status == _UNAUTHORIZED:
            return False
        raise


def load(url: str, step: Step, *, pays: bool) -> None:
    """Load what is missing, by the API of the app at `url`.

    Args:
        url: the app's address.
        step: shows how far it is.
        pays: whether the Stripe fake is there to pay at; without it nothing is bought, and so
            nothing published.

    Raises:
        ClientError: the app refuses something.
        DemoProblem: somebody has another password, or a payment is not confirmed.
    """
    for person in PEOPLE:
        step.detail = person.name
        headers = _known(url, person)
        if pays:
            _equip(url, headers, person)
    step.outcome = f"{len(PEOPLE)} people{'' if pays else ', without posts and credits'}"


def _known(url: str, person: Person) -> dict[str, str]:
    """Somebody signed up, verified and signed in."""
    try:
        headers = _sign_in(url, person)
    except ClientError as error:
        if error.status != _UNAUTHORIZED:
            raise
        _sign_up(url, person)
        headers = _sign_in(url, person)
    if not call("GET", f"{url}/v1/me", headers=headers)["email_verified"]:
        _verify(url, person)
    return headers


def _equip(url: str, headers: Mapping[str, str], person: Person) -> None:
    """Buy and publish what is somebody's."""
    bought = _bought(url, headers)
    for code in person.packs:
        if code not in bought:
            _buy(url, headers, person, code)
    if person.post is not None and not _has_post(url, headers):
        if _POSTING_FEE not in bought:
            _buy(url, headers, person, _POSTING_FEE)
        call("POST", f"{url}/v1/marketplace/posts", person.post, headers=headers)


def _sign_up(url: str, person: Person) -> None:
    body = {
        "email": person.email,
        "password": PASSWORD,
        "name": person.name,
        "locale": person.locale,
        "time_zone": person.time_zone,
    }
    call("POST", f"{url}/v1/auth/sign_ups", body)


def _sign_in(url: str, person: Person) -> dict[str, str]:
    body = {"email": person.email, "password": PASSWORD, "device": "demo data"}
    tokens = call("POST", f"{url}/v1/auth/sessions", body)
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def _verify(url: str, person: Person) -> None:
    address = f"{url}/mailbox/token?to={quote(person.email)}"
    try:
        token = text_of(address).strip()
    except ClientError:
        # The mail was lost with the emulator, in a run before this one: have it sent again.
        call("POST", f"{url}/v1/auth/verification_requests", {"email": person.email})
        token = text_of(address).strip()
    call("POST", f"{url}/v1/auth/verifications", {"token": token, "password": PASSWORD})


def _bought(url: str, headers: Mapping[str, str]) -> set[str]:
    answer = call("GET", f"{url}/v1/billing/payments?limit=50", headers=headers)
    return {payment["kind"] for payment in answer["items"]}


def _buy(url: str, headers: Mapping[str, str], person: Person, code: str) -> None:
    """Buy something and pay for it on the fake's page, once however often this is begun."""
    checkout = _checkout(url, headers, person, code)
    if checkout["state"] == "open":
        submit(checkout["url"], {"action": "pay"})
    deadline = time.monotonic() + _PAID_SECONDS
    while checkout["state"] != "paid":
        if time.monotonic() > deadline:
            raise DemoProblem(f"{person.email}: the payment of {code} is not confirmed")
        time.sleep(_POLL_SECONDS)
        address = f"{url}/v1/billing/checkouts/{checkout['id']}"
        checkout = call("GET", address, headers=headers)


def _checkout(url: str, headers: Mapping[str, str], person: Person, code: str) -> dict[str, Any]:
    body = {"product": _PRODUCT, "code": code}
    for attempt in range(1, 100):
        named = {**headers, "Idempotency-Key": f"demo-{person.email}-{code}-{attempt}"}
        try:
            found = call("POST", f"{url}/v1/billing/checkouts", body, headers=named)
        except ClientError as error:
            # An attempt that was cut off holds its key for a while.
            if error.status == _CONFLICT:
                continue
            raise
        told = call("GET", f"{url}/v1/billing/checkouts/{found['id']}", headers=headers)
        if told["state"] != "expired":
            return dict(told)
    raise DemoProblem(f"{person.email}: every checkout of {code} has expired")


def _has_post(url: str, headers: Mapping[str, str]) -> bool:
    me = call("GET", f"{url}/v1/me", headers=headers)["id"]
    path, cursor = f"{url}/v1/marketplace/posts?limit=50", ""
    while True:
        answer = call("GET", f"{path}{cursor}", headers=headers)
        if any(post["user_id"] == me for post in answer["items"]):
            return True
        if not answer["next_cursor"]:
            return False
        cursor = f"&cursor={quote(answer['next_cursor'])}"
