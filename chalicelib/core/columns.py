"""The kinds of column tables are made of. A column of text says what becomes of it on erasure."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, ForeignKey, LargeBinary, MetaData, Text, Uuid

metadata = MetaData()
"""Every table that was loaded, so that foreign keys by name find each other in migrations."""


class Fate(StrEnum):
    """What erasing a person does to a column: the value of its `pii` tag."""

    NOT_PERSONAL = "not_personal"
    BLANK = "blank"
    DELETE = "delete"
    ENCRYPTED = "encrypted"
    """Unreadable without the person's data key, which is destroyed."""


def identifier(*, primary_key: bool = False) -> Column[UUID]:
    """A UUIDv7, made by `ids.uuid7`."""
    return Column(Uuid, primary_key=primary_key, nullable=False)


def reference(
    target: str, *, ondelete: str = "RESTRICT", primary_key: bool = False
) -> Column[UUID]:
    """A foreign key to `schema.table.column`, by name, so that no domain imports another's tables."""
    return Column(
        Uuid, ForeignKey(target, ondelete=ondelete), nullable=False, primary_key=primary_key
    )


def reference_or_none(target: str, *, ondelete: str = "RESTRICT") -> Column[UUID | None]:
    """A foreign key that may be empty."""
    return Column(Uuid, ForeignKey(target, ondelete=ondelete), nullable=True)


def words(fate: Fate, *, kind: Any = Text, primary_key: bool = False) -> Column[str]:
    """Text; `fate` says what erasure does to it."""
    return Column(kind, nullable=False, primary_key=primary_key, info={"pii": fate})


def words_or_none(fate: Fate, *, kind: Any = Text) -> Column[str | None]:
    """Text that may be missing."""
    return Column(kind, nullable=True, info={"pii": fate})


def secret(fate: Fate, *, primary_key: bool = False) -> Column[str]:
    """The hash of a secret: nobody is shown it, its owner included."""
    return Column(Text, nullable=False, primary_key=primary_key, info={"pii": fate, "secret": True})


def secret_or_none(fate: Fate) -> Column[str | None]:
    """The hash of a secret, which may be missing."""
    return Column(Text, nullable=True, info={"pii": fate, "secret": True})


def sealed() -> Column[bytes]:
    """Bytes encrypted under a person's data key."""
    return Column(LargeBinary, nullable=False, info={"pii": Fate.ENCRYPTED})


def sealed_or_none() -> Column[bytes | None]:
    """Bytes encrypted under a person's data key, or nothing."""
    return Column(LargeBinary, nullable=True, info={"pii": Fate.ENCRYPTED})


def moment(*, primary_key: bool = False) -> Column[datetime]:
    """A point in time, UTC, from the clock."""
    return Column(DateTime(timezone=True), nullable=False, primary_key=primary_key)


def moment_or_none() -> Column[datetime | None]:
    """A point in time that may not have come."""
    return Column(DateTime(timezone=True), nullable=True)
