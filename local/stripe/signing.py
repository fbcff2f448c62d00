"""The Stripe-Signature header, as Stripe makes it for events in test mode."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence


def signature(payload: bytes, signing_secrets: Sequence[str], timestamp: int) -> str:
    """Sign a body: `t=`, one `v1=` for each secret that is valid (two while one is rotated), and
    the meaningless `v0=` that Stripe adds in test mode, which nobody may trust.
    """
    signed = str(timestamp).encode() + b"." + payload
    v1 = [hmac.new(s.encode(), signed, hashlib.sha256).hexdigest() for s in signing_secrets]
    return ",".join([f"t={timestamp}", *(f"v1={mac}" for mac in v1), f"v0={secrets.token_hex(32)}"])
