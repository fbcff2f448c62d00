"""What happens to notifications, and the kinds of things people are told.

A domain declares the kinds it tells people of in its `events.py`, each with a template of the
kind's name, after the dot, in the domain's `templates/<locale>/`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

from chalicelib.core import rooms
from chalicelib.core.outbox import Event

Channel = Literal["in_app", "mail"]
Priority = Literal["low", "normal", "high"]


@dataclass(frozen=True)
class MailQueued(Event):
    """A mail is to be sent."""

    topic = "notifications.mail_queued"
    urgent = True
    mail_id: UUID


@dataclass(frozen=True)
class Notice:
    """A kind of thing people are told: by which channels, and whether they may switch it off.

    `signs`: the purpose of a signed token that the mail's link holds as `$token`; it says the
    notice's subject, so that the link works for somebody who can't sign in. `to_banned`: it is
    mailed to people who are banned, too.
    """

    kind: str
    description: str
    templates: Path
    channels: tuple[Channel, ...]
    optional: bool
    priority: Priority
    signs: str | None
    to_banned: bool


_declared: dict[str, Notice] = {}


def notice(
    kind: str,
    description: str,
    declared_in: str,
    *,
    channels: tuple[Channel, ...] = ("in_app", "mail"),
    optional: bool = True,
    priority: Priority = "normal",
    signs: str | None = None,
    to_banned: bool = False,
) -> Notice:
    """Declare a kind: `domain.what_happened`, in the file `declared_in` (its `__file__`)."""
    templates = Path(declared_in).parent / "templates"
    told = Notice(kind, description, templates, channels, optional, priority, signs, to_banned)
    if _declared.setdefault(kind, told) != told:
        raise ValueError(f"two kinds of notices are called {kind}")
    return told


def notice_of(kind: str) -> Notice | None:
    """The notice of a kind, whichever domain declared it."""
    if kind not in _declared:
        rooms.load("events")
    return _declared.get(kind)


def notices() -> list[Notice]:
    """Every kind that this deployment tells people of, by name."""
    rooms.load("events")
    return [_declared[kind] for kind in sorted(_declared)]
