"""What the environment says. Read once, frozen; every variable the program knows stands here."""

import os
from dataclasses import dataclass
from functools import cache

ALL_PRODUCTS = ("marketplace",)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of this deployment. Values that begin with `secret:` name a secret instead."""

    products: tuple[str, ...]
    """KITH_PRODUCTS: which products this deployment serves; all by default."""
    function: str | None
    """KITH_FUNCTION: the one handler this Lambda is; unset, all of them."""
    database_url: str
    """DATABASE_URL: postgresql://user:password@host:port/name?sslmode=disable|verify-full."""
    database_ca: str | None
    """KITH_DATABASE_CA: file with the certificates that sign the database's; the system's if unset."""
    pooler: bool
    """KITH_POOLER: set where a pooler that forbids prepared statements stands between."""
    statement_timeout_ms: int
    """KITH_STATEMENT_TIMEOUT_MS: the longest a statement may run; 10,000."""
    public_url: str
    """KITH_PUBLIC_URL: where people reach this deployment, without a trailing slash."""
    token_keys: str
    """KITH_TOKEN_KEYS: `kid:base64url,...`; the first signs access tokens, all of them verify."""
    master_key: str
    """KITH_MASTER_KEY: the 32-byte key that wraps data keys, base64; on AWS wrapped itself by KMS
    and written `kms:<base64>`."""
    admin_email: str | None
    """KITH_ADMIN_EMAIL: whoever verifies this address becomes the first admin."""
    mail_sender: str
    """KITH_MAIL_SENDER: the address mail comes from."""
    queue_prefix: str
    """KITH_QUEUE_PREFIX: what the names of this deployment's queues begin with."""
    queue_url: str
    """KITH_QUEUE_URL: the URL of a queue up to its name, trailing slash included."""
    stripe_key: str
    """STRIPE_API_KEY: the secret key payments are made with."""
    stripe_webhook_secret: str
    """STRIPE_WEBHOOK_SECRET: what Stripe signs its webhooks with; several, comma-separated."""
    stripe_url: str | None
    """STRIPE_API_BASE: another place than api.stripe.com: the local fake."""
    stripe_live: bool
    """KITH_STRIPE_LIVE: set in production; webhooks of the other mode are refused."""
    cors_origin: str
    """KITH_CORS_ORIGIN: the origin browsers may call from; any by default, as no cookie is used."""
    check_answers: bool
    """KITH_CHECK_ANSWERS: hold answers that PostgreSQL built against their schema (tests do)."""


def _text(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise RuntimeError(
            f"{name} is not set; `make run` sets it locally, docs/operations.md says what it holds"
        )
    if value.startswith("secret:"):
        from chalicelib.core import aws  # noqa: PLC0415  only where a secret is to be fetched

        return aws.secret(value.removeprefix("secret:"))
    return value


def _flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes"}


@cache
def config() -> Config:
    """The settings, read at first use; RuntimeError names a variable that is missing."""
    named = os.environ.get("KITH_PRODUCTS", "all")
    products = ALL_PRODUCTS if named == "all" else tuple(filter(None, named.split(",")))
    if unknown := set(products) - set(ALL_PRODUCTS):
        raise RuntimeError(f"KITH_PRODUCTS names {sorted(unknown)}; there are {ALL_PRODUCTS}")
    return Config(
        products=products,
        function=os.environ.get("KITH_FUNCTION") or None,
        database_url=_text("DATABASE_URL"),
        database_ca=os.environ.get("KITH_DATABASE_CA"),
        pooler=_flag("KITH_POOLER"),
        statement_timeout_ms=int(os.environ.get("KITH_STATEMENT_TIMEOUT_MS", "10000")),
        public_url=_text("KITH_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/"),
        token_keys=_text("KITH_TOKEN_KEYS"),
        master_key=_text("KITH_MASTER_KEY"),
        admin_email=os.environ.get("KITH_ADMIN_EMAIL"),
        mail_sender=_text("KITH_MAIL_SENDER", "Kith <hello@kith.example>"),
        queue_prefix=os.environ.get("KITH_QUEUE_PREFIX", "kith-"),
        queue_url=_text("KITH_QUEUE_URL", ""),
        stripe_key=_text("STRIPE_API_KEY", ""),
        stripe_webhook_secret=_text("STRIPE_WEBHOOK_SECRET", ""),
        stripe_url=os.environ.get("STRIPE_API_BASE"),
        stripe_live=_flag("KITH_STRIPE_LIVE"),
        cors_origin=os.environ.get("KITH_CORS_ORIGIN", "*"),
        check_answers=_flag("KITH_CHECK_ANSWERS"),
    )
