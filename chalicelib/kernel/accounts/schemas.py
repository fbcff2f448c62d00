"""What comes in and goes out of the accounts operations."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from chalicelib.core.passwords import MAX_LENGTH, MIN_LENGTH
from chalicelib.core.schemas import Schema

MAX_EMAIL_LENGTH = 254

# What the HTML standard takes for a valid address; whether it exists the mail shows.
_EMAIL = (
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$"
)


def _plain(email: str) -> str:
    # A mail header would decode it (RFC 2047), to another address or to a line of its own.
    if "=?" in email:
        raise ValueError("an address without encoded words")
    return email


Email = Annotated[
    str,
    Field(pattern=_EMAIL, max_length=MAX_EMAIL_LENGTH, examples=["ana@example.com"]),
    AfterValidator(_plain),
]
Password = Annotated[
    str,
    Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH, examples=["wild horses at dawn"]),
]
Token = Annotated[str, Field(min_length=20, max_length=200)]
Locale = Literal["en", "he", "pt-BR"]
Name = Annotated[str, Field(min_length=1, max_length=80, examples=["Ana"])]
Phone = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$", examples=["+5511987654321"])]
AnyPassword = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
"""A password as it is asked for, which may be older than today's rules."""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("a time zone of the IANA database, such as America/Sao_Paulo")
    return name


TimeZone = Annotated[
    str,
    Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$", examples=["America/Sao_Paulo"]),
    AfterValidator(_known_zone),
]


def given(value: str | None) -> str:
    """Refuse null for what can't be taken away."""
    if value is None:
        raise ValueError("leave it out, or say which")
    return value


def _never_null(schema: dict[str, Any]) -> None:
    """Have the document say what `given` does."""
    (only,) = (option for option in schema.pop("anyOf") if option.get("type") != "null")
    del schema["default"]
    schema |= only


class SignUp(Schema):
    """A new account."""

    email: Email
    password: Password
    name: Name | None = None
    locale: Locale = "en"
    time_zone: TimeZone = "UTC"


class Accepted(Schema):
    """The same for every address: what happened is told by mail."""

    status: Literal["accepted"] = "accepted"


class VerificationRequest(Schema):
    """An address whose mail did not arrive."""

    email: Email


class Verification(Schema):
    """The token that was mailed, and the account's password.

    Whoever gets a mail for an account that somebody else opened with their address does not know
    it, and so does not make the address that account's.
    """

    token: Token
    password: AnyPassword


class Verified(Schema):
    """The address belongs to its account from now on."""

    status: Literal["verified"] = "verified"


class Credentials(Schema):
    """What one signs in with."""

    email: Email
    password: AnyPassword
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
    phone: str | None
    locale: Locale
    time_zone: str = Field(description="The zone one's days are counted in now.")
    next_time_zone: str | None = Field(description="The zone they are counted in from then on.")
    next_time_zone_from: datetime | None = Field(description="When the next local day begins.")
    created_at: datetime
    roles: list[str] = Field(description="`product:role` for each staff role.")


class Changes(Schema):
    """What is to be another about one's account; what is left out stays as it is."""

    name: Name | None = Field(None, description="null takes it away.")
    phone: Phone | None = Field(None, description="null takes it away.")
    locale: Annotated[Locale | None, AfterValidator(given)] = Field(
        None, json_schema_extra=_never_null
    )
    time_zone: Annotated[TimeZone | None, AfterValidator(given)] = Field(
        None,
        description="Counts from the next local day.",
        json_schema_extra=_never_null,
    )


class PasswordReset(Schema):
    """The address of an account whose password is forgotten."""

    email: Email


class NewPassword(Schema):
    """The token that was mailed, and the password to be."""

    token: Token
    password: Password


class PasswordChange(Schema):
    """The password there is, and the one to be."""

    current_password: AnyPassword
    password: Password


class PasswordSet(Schema):
    """The password is the new one from now on; sign in with it."""

    status: Literal["password_set"] = "password_set"


class EmailChange(Schema):
    """The address to be, and the password as proof of who asks."""

    email: Email
    password: AnyPassword


class Session(Schema):
    """Where one is signed in."""

    id: UUID
    device: str | None
    current: bool = Field(description="Whether this is the session that asks.")
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime


class Erasure(Schema):
    """The password as proof of who wants to be gone."""

    password: AnyPassword


class ExportedTable(Schema):
    """What one table holds of a person."""

    table: str = Field(examples=["accounts.users"])
    columns: list[str]
    rows: list[list[str | int | bool | list[str] | None]] = Field(
        description="The values of each row, in the order of `columns`."
    )


class Export(Schema):
    """Everything that is stored of a person, but for secrets, which are kept as hashes alone."""

    user_id: UUID
    exported_at: datetime
    tables: list[ExportedTable]
