"""What moderation decides that others act on, and what people are told of it."""

from dataclasses import dataclass
from uuid import UUID

from chalicelib.core.outbox import Event
from chalicelib.kernel.notifications.events import notice


@dataclass(frozen=True)
class CaseDecided(Event):
    """A case was closed; whoever reported it is told that it was looked at."""

    topic = "moderation.case_decided"
    case_id: UUID


@dataclass(frozen=True)
class ContentRemoved(Event):
    """Content has to go: the domain whose subject it is hides it from everybody."""

    topic = "moderation.content_removed"
    urgent = True
    product: str
    subject_kind: str
    subject_id: UUID


@dataclass(frozen=True)
class ContentRestored(Event):
    """Content was removed wrongly: the domain whose subject it is shows it again."""

    topic = "moderation.content_restored"
    urgent = True
    product: str
    subject_kind: str
    subject_id: UUID


APPEAL = "moderation.appeal"
"""The purpose of the token in a mail by which somebody appeals who can't sign in."""

REPORT_DECIDED = notice(
    "moderation.report_decided",
    "What you reported was looked at",
    __file__,
    channels=("in_app",),
    priority="low",
)
WARNED = notice(
    "moderation.warned",
    "A moderator warns you",
    __file__,
    optional=False,
    priority="high",
    signs=APPEAL,
)
CONTENT_REMOVED = notice(
    "moderation.content_removed",
    "A moderator removed something of yours",
    __file__,
    optional=False,
    priority="high",
    signs=APPEAL,
)
BANNED = notice(
    "moderation.banned",
    "Your account was closed by a moderator",
    __file__,
    optional=False,
    priority="high",
    signs=APPEAL,
    to_banned=True,
)
APPEAL_UPHELD = notice(
    "moderation.appeal_upheld",
    "The decision you appealed stands",
    __file__,
    optional=False,
    to_banned=True,
)
APPEAL_OVERTURNED = notice(
    "moderation.appeal_overturned",
    "The decision you appealed was taken back",
    __file__,
    optional=False,
    to_banned=True,
)
