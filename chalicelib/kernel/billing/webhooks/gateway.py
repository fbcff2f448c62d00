"""Stripe's signature on what it tells us."""

from chalicelib.core import clock

# Stripe tolerates 300 s of age by its own recommendation; its SDK forgets the other direction.
TOLERANCE_SECONDS = 300


class Forged(Exception):
    """A webhook that Stripe did not sign for us, or not now."""


def verify(body: bytes, signature: str | None, secrets: list[str]) -> None:
    """Hold a webhook's signature against the raw body; Forged if it is not Stripe's, for us, now.

    Several secrets are taken while one is being replaced.
    """
    import stripe  # noqa: PLC0415  100 ms that only those pay who talk to Stripe

    try:
        # Of two times the SDK would hold the first against the signature; then ours must be that.
        (told,) = [part[2:] for part in (signature or "").split(",") if part.startswith("t=")]
        if int(told) > clock.real_time().timestamp() + TOLERANCE_SECONDS:
            raise Forged
        text = body.decode()
    except ValueError as error:
        raise Forged from error
    for secret in filter(None, secrets):
        try:
            stripe.WebhookSignature.verify_header(text, signature or "", secret, TOLERANCE_SECONDS)
        except stripe.SignatureVerificationError:
            continue
        return
    raise Forged
