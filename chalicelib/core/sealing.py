"""Encryption of what only its owner's key may open: AES-256-GCM, bound to the row it stands in.

A person's data key is wrapped by the deployment's master key, which KMS wraps in turn: one call
to KMS a process, none a row. Destroying the wrapped data key destroys what it encrypted.
"""

import base64
import hashlib
import hmac
import os
from functools import cache

from chalicelib.core import aws
from chalicelib.core.config import config

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class CannotOpen(Exception):
    """The key, the row or the bytes are not those it was sealed with."""


@cache
def _master_key() -> bytes:
    told = config().master_key
    key = (
        aws.kms_decrypt(told.removeprefix("kms:"))
        if told.startswith("kms:")
        else base64.b64decode(told)
    )
    if len(key) != _KEY_BYTES:
        raise RuntimeError("KITH_MASTER_KEY must hold 32 bytes, base64")
    return key


def seal(key: bytes, row: str, plain: bytes) -> bytes:
    """`plain` under `key`, readable only as part of `row` (`schema.table.column:id`)."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  16 ms

    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plain, row.encode())


def unseal(key: bytes, row: str, sealed: bytes) -> bytes:
    """What was sealed; CannotOpen for another key, another row or altered bytes."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  comes with the cipher
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  16 ms

    version, nonce, body = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if version != _VERSION or len(nonce) < _NONCE_BYTES:
        raise CannotOpen
    try:
        return AESGCM(key).decrypt(nonce, body, row.encode())
    except InvalidTag as error:
        raise CannotOpen from error


def new_data_key(row: str) -> tuple[bytes, bytes]:
    """A fresh data key, plain and wrapped for `row`."""
    key = os.urandom(_KEY_BYTES)
    return key, seal(_master_key(), row, key)


def unwrap(row: str, wrapped: bytes) -> bytes:
    """The data key wrapped for `row`."""
    return unseal(_master_key(), row, wrapped)


def derived_key(purpose: str) -> bytes:
    """A key for one purpose other than sealing, which outlives the rotation of token keys."""
    return hmac.digest(_master_key(), purpose.encode(), hashlib.sha256)


def seal_own(row: str, plain: bytes) -> bytes:
    """A secret of the deployment itself, under its master key and bound to `row`."""
    return seal(_master_key(), row, plain)


def unseal_own(row: str, sealed: bytes) -> bytes:
    """What `seal_own` sealed; CannotOpen otherwise."""
    return unseal(_master_key(), row, sealed)
