"""Access tokens, and who is calling.

A token is `header.claims.signature`, HMAC-SHA256 (RFC 7515 and 7519), 15 minutes long. It says
only which user and session; whether the session still stands, the address is verified and which
roles are held is read in the flush of the request's own statement.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.config import config
from chalicelib.core.db import Prelude
from chalicelib.core.errors import NotAllowed, NotSignedIn, NotVerified
from chalicelib.core.operations import Access
from chalicelib.core.statements import Statement

ACCESS_TOKEN_LIFE = timedelta(minutes=15)
_MAX_TOKEN_LENGTH = 1024
# How far the clocks of two machines may be apart.
_CLOCKS_APART_SECONDS = 60


class CallerState(NamedTuple):
    """What the database says of a caller whose session stands."""

    verified: bool
    locale: str
    time_zone: str
    roles: list[str]
    """`product:role`, with `all` for every product."""


class Caller:
    """Who is calling. `id` and `session_id` are signed; the rest is known after one statement."""

    __slots__ = ("_state", "id", "session_id")

    def __init__(self, user_id: UUID, session_id: UUID) -> None:
        self.id, self.session_id = user_id, session_id
        self._state: CallerState | None = None

    @property
    def state(self) -> CallerState:
        """What the database says of the caller."""
        if self._state is None:
            raise RuntimeError("the caller's state is known once the first statement has run")
        return self._state

    def has_role(self, access: Access) -> bool:
        """Whether one of the roles is held, for the product or for all."""
        return any(
            f"{product}:{role}" in self.state.roles
            for role in access.roles
            for product in ("all", access.product)
        )

    def check(self, access: Access, row: tuple[Any, ...] | None) -> None:
        """Take in the state and raise what stands against the caller."""
        if row is None:
            raise NotSignedIn("this session has ended; sign in again")
        self._state = CallerState(*row)
        if access.verified and not self._state.verified:
            raise NotVerified
        if access.roles and not self.has_role(access):
            raise NotAllowed


_states: tuple[Statement[Any], Statement[Any]] | None = None


def use_caller_state(plain: Statement[Any], with_roles: Statement[Any]) -> None:
    """Tell how a caller's state is read, and how where roles decide.

    Parameters caller, session and now; a row (`CallerState`) if the session stands.
    """
    global _states  # noqa: PLW0603  set once, by the registry
    _states = plain, with_roles


def prelude(caller: Caller, access: Access) -> Callable[[], Prelude[Any]]:
    """The check of a caller's state, to ride with the first statement."""
    if _states is None:
        raise RuntimeError("the registry has not said how a caller's state is read")
    statement = _states[bool(access.roles)]

    def build() -> Prelude[Any]:
        given = {"caller": caller.id, "session": caller.session_id, "now": clock.now()}
        return Prelude(statement, given, lambda row: caller.check(access, row))

    return build


@cache
def _keys() -> dict[str, bytes]:
    """Key id to key, the signing one first."""
    pairs = (part.split(":") for part in config().token_keys.split(","))
    return {kid: base64.urlsafe_b64decode(key) for kid, key in pairs}


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    # As much padding as any length needs; more does no harm.
    return base64.urlsafe_b64decode(text + "==")


@cache
def _header(kid: str) -> str:
    return _encode(json.dumps({"alg": "HS256", "kid": kid, "typ": "JWT"}).encode())


def _signature(key: bytes, signed: str) -> bytes:
    return hmac.digest(key, signed.encode(), hashlib.sha256)


def access_token(user_id: UUID, session_id: UUID, now: datetime) -> str:
    """A token that names a user's session until `ACCESS_TOKEN_LIFE` after `now`."""
    kid, key = next(iter(_keys().items()))
    issued = int(now.timestamp())
    claims = {
        "sub": str(user_id),
        "sid": str(session_id),
        "iat": issued,
        "exp": issued + int(ACCESS_TOKEN_LIFE.total_seconds()),
    }
    signed = f"{_header(kid)}.{_encode(json.dumps(claims, separators=(',', ':')).encode())}"
    return f"{signed}.{_encode(_signature(key, signed))}"


def caller_of(authorization: str | None) -> Caller | None:
    """Who an Authorization header names; None without one, NotSignedIn for anything not ours."""
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or len(token) > _MAX_TOKEN_LENGTH:
        raise NotSignedIn
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        header, claims, signature = token.split(".")
        for kid, key in _keys().items():
            # Our own header, byte for byte: no algorithm is ever read from a token.
            if hmac.compare_digest(header.encode(), _header(kid).encode()):
                return _signed_by(key, f"{header}.{claims}", signature, claims)
    raise NotSignedIn


def _signed_by(key: bytes, signed: str, signature: str, claims: str) -> Caller:
    # The text, not what it decodes to: base64 has several spellings of the same bytes.
    if not hmac.compare_digest(_encode(_signature(key, signed)).encode(), signature.encode()):
        raise NotSignedIn
    told = json.loads(_decode(claims))
    now, issued, expires = clock.now().timestamp(), told["iat"], told["exp"]
    if not now < expires:
        raise NotSignedIn("the access token has expired; refresh it")
    if not expires - ACCESS_TOKEN_LIFE.total_seconds() <= issued <= now + _CLOCKS_APART_SECONDS:
        raise NotSignedIn
    return Caller(UUID(told["sub"]), UUID(told["sid"]))
