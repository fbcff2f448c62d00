"""What people say of themselves: name, phone, language, and where their days begin and end."""

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from chalicelib.core import clock, sealing
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotSignedIn
from chalicelib.kernel.accounts.profile import queries
from chalicelib.kernel.accounts.schemas import Changes, Locale, Me
from chalicelib.kernel.accounts.service import data_key


class Profile(NamedTuple):
    """A user's row as it is stored."""

    id: UUID
    email: str | None
    email_verified: bool
    name: str | None
    sealed_phone: bytes | None
    wrapped_key: bytes
    locale: Locale
    time_zone: str
    next_time_zone: str | None
    next_time_zone_from: datetime | None
    created_at: datetime
    roles: list[str]

    def at(self, now: datetime) -> "Profile":
        """With the time zone that holds at a moment."""
        if self.next_time_zone and self.next_time_zone_from and self.next_time_zone_from <= now:
            return self._replace(
                time_zone=self.next_time_zone, next_time_zone=None, next_time_zone_from=None
            )
        return self


def me(db: Connection, caller: Caller) -> Me:
    """The caller's own account."""
    row = db.one(queries.ME, caller=caller.id)
    if row is None:
        raise NotSignedIn
    return _shown(Profile._make(row).at(clock.now()))


def change(db: Connection, caller: Caller, changes: Changes) -> Me:
    """Take over what was given, under a lock of the row; the rest stays."""
    row = db.one(queries.ME_LOCKED, caller=caller.id)
    if row is None:
        raise NotSignedIn
    now = clock.now()
    changed = _changed(Profile._make(row).at(now), changes, now)
    db.later(
        queries.SET,
        caller=caller.id,
        new_name=changed.name,
        new_phone=changed.sealed_phone,
        new_locale=changed.locale,
        new_time_zone=changed.time_zone,
        then_time_zone=changed.next_time_zone,
        then_from=changed.next_time_zone_from,
        now=now,
    )
    return _shown(changed)


def _changed(profile: Profile, changes: Changes, now: datetime) -> Profile:
    given = changes.model_fields_set
    if "name" in given:
        profile = profile._replace(name=changes.name)
    if "phone" in given:
        profile = profile._replace(sealed_phone=_sealed(profile, changes.phone))
    if changes.locale is not None:
        profile = profile._replace(locale=changes.locale)
    if changes.time_zone == profile.time_zone:
        profile = profile._replace(next_time_zone=None, next_time_zone_from=None)
    elif changes.time_zone is not None and changes.time_zone != profile.next_time_zone:
        profile = profile._replace(
            next_time_zone=changes.time_zone,
            next_time_zone_from=_next_day(now, profile.time_zone),
        )
    return profile


def _next_day(now: datetime, zone: str) -> datetime:
    """When the day after today begins in a time zone."""
    local = ZoneInfo(zone)
    tomorrow = now.astimezone(local).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), local).astimezone(UTC)


def _shown(profile: Profile) -> Me:
    shown = profile._asdict()
    sealed, wrapped = shown.pop("sealed_phone"), shown.pop("wrapped_key")
    return Me(phone=_opened(profile.id, wrapped, sealed), **shown)


def _sealed(profile: Profile, phone: str | None) -> bytes | None:
    if phone is None:
        return None
    key = data_key(profile.id, profile.wrapped_key)
    return sealing.seal(key, _phone_row(profile.id), phone.encode())


def _opened(user_id: UUID, wrapped: bytes, sealed: bytes | None) -> str | None:
    if sealed is None:
        return None
    return sealing.unseal(data_key(user_id, wrapped), _phone_row(user_id), sealed).decode()


def _phone_row(user_id: UUID) -> str:
    return f"accounts.users.phone:{user_id}"
