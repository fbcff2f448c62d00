"""Signed texts: what a link in a mail says, for somebody who need not sign in.

A token holds its text and 128 bits of HMAC-SHA256 under a key of its purpose; nothing is stored,
and it is good for as long as what it names exists.
"""

import base64
import binascii
import hashlib
import hmac

from chalicelib.core import sealing

_TAG_BYTES = 16


def sign(purpose: str, text: str) -> str:
    """A token, URL-safe, that says `text` for `purpose` and nothing else."""
    told = text.encode()
    return _spelled(_tag(purpose, told) + told)


def signed_text(purpose: str, token: str) -> str | None:
    """What a token says, or None if it was not made by `sign` for this purpose."""
    try:
        padded = token + "=" * (-len(token) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    # Base64 has several spellings of the same bytes; a token is good in ours alone.
    if _spelled(raw) != token:
        return None
    tag, told = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
    return told.decode() if hmac.compare_digest(tag, _tag(purpose, told)) else None


def keyed_hash(purpose: str, text: str) -> str:
    """A hash that nobody without our key can search for guesses."""
    return hmac.digest(sealing.derived_key(purpose), text.encode(), hashlib.sha256).hex()


def _spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _tag(purpose: str, told: bytes) -> bytes:
    return hmac.digest(sealing.derived_key(purpose), told, hashlib.sha256)[:_TAG_BYTES]
