"""What comes in and goes out of the accounts operations."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from chalicelib.core.passwords import MAX_LENGTH, MIN_LENGTH
from chalicelib.core.schemas import Schema

MAX_EMAIL_LENGTH = 254

# What the HTML standard takes for a valid address; whether it exists the mail shows.
_EMAIL = (
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$"
)

Email = Annotated[
    str, Field(pattern=_EMAIL, max_length=MAX_EMAIL_LENGTH, examples=["ana@example.com"])
]
Password = Annotated[
    str,
    Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH, examples=["wild horses at dawn"]),
]
Token = Annotated[str, Field(min_length=20, max_length=200)]
Locale = Literal["en", "he", "pt-BR"]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError("a time zone of the IANA database, such as America/Sao_Paulo") from error
    return name


TimeZone = Annotated[
    str,
    Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$", examples=["America/Sao_Paulo"]),
    AfterValidator(_known_zone),
]


class SignUp(Schema):
    """A new account."""

    email: Email
    password: Password
    name: str | None = Field(None, min_length=1, max_length=80, examples=["Ana"])
    locale: Locale = "en"
    time_zone: TimeZone = "UTC"


class Accepted(Schema):
    """The same for every address: what happened is told by mail."""

    status: Literal["accepted"] = "accepted"


class VerificationRequest(Schema):
    """An address whose mail did not arrive."""

    email: Email


class Verification(Schema):
    """The token that was mailed."""

    token: Token


class Verified(Schema):
    """The address belongs to its account from now on."""

    status: Literal["verified"] = "verified"


class Credentials(Schema):
    """What one signs in with."""

    email: Email
    password: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
    device: str | None = Field(None, min_length=1, max_length=120, examples=["Ana's phone"])


class Refresh(Schema):
    """The newest refresh token of a session."""

    refresh_token: Token


class Tokens(Schema):
    """A session's tokens. The refresh token is good for one use."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  the scheme, no secret
    expires_in: int = Field(description="Seconds the access token lives.", examples=[900])


class Me(Schema):
    """The caller's own account."""

    id: UUID
    email: str | None
    email_verified: bool
    name: str | None
    locale: Locale
    time_zone: str
    created_at: datetime
    roles: list[str] = Field(description="`product:role` for each staff role.")
