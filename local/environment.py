"""What the app's environment says on this machine, and the files it comes from.

Whatever the caller's environment names counts; the rest is made up here. Secrets are made once and
kept, so that what they sealed stays readable.
"""

import base64
import contextlib
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from local.aws_emulator import Aws
from local.postgres import Server

DEFAULT_PORT = 8000
QUEUE_PREFIX = "kith-"
STRIPE_KEY = "sk_test_kith"
"""What the Stripe fake takes for a key."""
ADMIN = "admin@kith.example"

_KEY_BYTES = 32
_TEST_KEYS = ("sk_test_", "rk_test_")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_STATE = "environment.json"


class EnvironmentProblem(Exception):
    """The caller's environment can't be worked with; the message says what to change."""


def port() -> int:
    """PORT: where the app listens on 127.0.0.1; 8000 by default."""
    text = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise EnvironmentProblem(f"PORT is {text!r}: it must be a number from 1 to 65535")
    return int(text)


def stripe_is_real() -> bool:
    """Whether STRIPE_API_KEY names an account of Stripe's, in test mode, instead of the fake."""
    key = os.environ.get("STRIPE_API_KEY", STRIPE_KEY)
    if key == STRIPE_KEY:
        return False
    if not key.startswith(_TEST_KEYS):
        raise EnvironmentProblem(
            "STRIPE_API_KEY is no test key: only sk_test_… and rk_test_… are taken here"
        )
    if not os.environ.get("STRIPE_WEBHOOK_SECRET"):
        raise EnvironmentProblem(
            "STRIPE_API_KEY is a key of Stripe's, so STRIPE_WEBHOOK_SECRET is needed too: "
            "`stripe listen --forward-to 127.0.0.1:8000/v1/webhooks/stripe` prints it"
        )
    return True


def webhook_secret(home: Path) -> str:
    """What the Stripe fake signs its webhooks with."""
    return _kept(home, "stripe_webhook_secret", lambda: f"whsec_{secrets.token_hex(_KEY_BYTES)}")


def control_token(home: Path) -> str:
    """What proves to the app's control addresses that somebody may read this machine's files."""
    return _kept(home, "control_token", lambda: secrets.token_urlsafe(_KEY_BYTES))


def build(
    home: Path, *, server: Server, aws: Aws, stripe_url: str | None, port: int
) -> dict[str, str]:
    """The environment of the app, given where PostgreSQL, AWS and the Stripe fake are.

    Args:
        home: the folder of the secrets.
        server: the PostgreSQL.
        aws: the AWS.
        stripe_url: the address of the fake; None when Stripe itself is used.
        port: where the app will listen.
    """
    made = {
        **os.environ,
        **aws.environment,
        "DATABASE_URL": _database_url(server.url),
        # An urgent event is sent by a queue's address, which begins alike for all queues.
        "KITH_QUEUE_URL": os.environ.get("KITH_QUEUE_URL", f"{aws.endpoint_url}/000000000000/"),
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        **_without_proxy(os.environ),
    }
    defaults = {
        "KITH_QUEUE_PREFIX": QUEUE_PREFIX,
        "KITH_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "KITH_ADMIN_EMAIL": ADMIN,
        "KITH_TOKEN_KEYS": f"local:{_kept(home, 'token_key', _token_key)}",
        "KITH_MASTER_KEY": _kept(home, "master_key", _master_key),
        "STRIPE_API_KEY": STRIPE_KEY,
        "STRIPE_WEBHOOK_SECRET": webhook_secret(home),
    }
    if stripe_url is not None:
        made["STRIPE_API_BASE"] = stripe_url
    return {**defaults, **made}


def placeholders() -> dict[str, str]:
    """What the app needs to be imported where nothing runs: to write down what it offers."""
    key = base64.b64encode(bytes(_KEY_BYTES)).decode()
    return {
        "DATABASE_URL": "postgresql://127.0.0.1/nowhere?sslmode=disable",
        "KITH_TOKEN_KEYS": f"none:{key}",
        "KITH_MASTER_KEY": key,
    }


def remember(home: Path, environment: Mapping[str, str]) -> None:
    """Keep the environment of this run, readable for its owner, for the commands beside it."""
    names = ("KITH_", "STRIPE_", "AWS_", "DATABASE_URL", "PORT")
    told = {name: value for name, value in environment.items() if name.startswith(names)}
    _written(home / _STATE, json.dumps(told, indent=1)).replace(home / _STATE)


def remembered(home: Path) -> dict[str, str]:
    """The environment of the last run in a home; empty when there was none."""
    file = home / _STATE
    if not file.exists():
        return {}
    told: dict[str, str] = json.loads(file.read_text())
    return told


def _database_url(url: str) -> str:
    """The address with `sslmode`: a server on this machine is spoken to without TLS."""
    parts = urlsplit(url)
    if parts.hostname not in _LOOPBACK or "sslmode" in parse_qs(parts.query):
        return url
    return parts._replace(query="&".join(filter(None, [parts.query, "sslmode=disable"]))).geturl()


def _without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """A proxy for the internet has no business between us and this machine."""
    told = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    names = ",".join(filter(None, [told, "127.0.0.1", "localhost"]))
    return {"NO_PROXY": names, "no_proxy": names}


def _token_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _master_key() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _kept(home: Path, name: str, make: Callable[[], str]) -> str:
    """The secret of that name, made at first use; two processes at once get the same."""
    file = home / "secrets" / name
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = _written(file, make())
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(partial)
        partial.unlink()
    return file.read_text().strip()


def _written(file: Path, text: str) -> Path:
    """A file beside `file` with the text, on disk and for its owner alone, to take its place."""
    descriptor, partial = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(f"{text}\n")
        stream.flush()
        os.fsync(stream.fileno())
    return Path(partial)
