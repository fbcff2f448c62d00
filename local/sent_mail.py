"""Every mail that was sent from this machine, kept in files: it outlives whoever took it from us.

The AWS emulator forgets the mails it took when it ends. A copy is on disk before the app notes a
mail as sent, so a mail that was acknowledged can be read here.
"""

import os
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from chalicelib.core import aws

_MOST_KEPT = 2_000


@dataclass(frozen=True)
class Mail:
    """A mail as it was sent. `html` is empty where it has no such part."""

    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    sent_at: datetime


class _Send(Protocol):
    def __call__(self, sender: str, recipient: str, raw: bytes) -> str: ...


class SentMail:
    """The mails of a folder, newest first to the reader."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        for old in sorted(folder.iterdir())[:-_MOST_KEPT]:
            old.unlink(missing_ok=True)

    def keep_copies(self) -> None:
        """From now on keep a copy of what the app hands to SES."""
        aws.send_mail = self._keeping(aws.send_mail)

    def newest_first(self, to: str = "") -> list[Mail]:
        """The mails to a recipient, upper and lower case alike; all of them without one."""
        wanted = to.strip().lower()
        files = sorted((each for each in self._folder.iterdir() if _is_whole(each)), reverse=True)
        mails = [_read(each) for each in files]
        return [mail for mail in mails if not wanted or wanted in map(str.lower, mail.recipients)]

    def _keeping(self, send: _Send) -> _Send:
        def send_and_keep(sender: str, recipient: str, raw: bytes) -> str:
            identifier = send(sender, recipient, raw)
            # Names are in the order of real time, which nobody moves; it shows once it is whole.
            file = self._folder / f"{time.time_ns():020d}-{secrets.token_hex(2)}.eml"
            partial = file.with_suffix(".new")
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as stream:
                stream.write(raw)
            partial.replace(file)
            return identifier

        return send_and_keep


def _is_whole(file: Path) -> bool:
    return file.suffix == ".eml"


@lru_cache(maxsize=_MOST_KEPT)
def _read(file: Path) -> Mail:
    """A mail from its file, which never changes."""
    message = message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=default)
    addresses = [each for header in message.get_all("To", []) for each in header.addresses]
    return Mail(
        recipients=tuple(each.addr_spec for each in addresses),
        subject=str(message.get("Subject", "")),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        sent_at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
