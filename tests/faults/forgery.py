"""Access tokens that are none: what somebody without our key makes of what they can get hold of."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib.core import auth, db
from chalicelib.core.auth import Caller
from chalicelib.core.config import config
from chalicelib.kernel.accounts import service as accounts
from tests.faults.world import replaced
from tests.support.people import Person

_LIFE = int(auth.ACCESS_TOKEN_LIFE.total_seconds())
_Forge = Callable[[dict[str, Any], dict[str, Any]], str]


def encode(data: bytes) -> str:
    """base64url as tokens have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """What stands in a part of a token."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _compact(told: Any) -> str:
    return encode(json.dumps(told, separators=(",", ":")).encode())


@dataclass(frozen=True)
class Genuine:
    """A token of ours in its parts, and the key of ours that signs: for what even that may not do."""

    token: str
    key: bytes
    kid: str

    @staticmethod
    def of(who: Person) -> "Genuine":
        """The token that somebody holds."""
        assert who.api.token
        kid, _, key = config().token_keys.split(",")[0].partition(":")
        return Genuine(who.api.token, base64.urlsafe_b64decode(key), kid)

    @property
    def parts(self) -> tuple[str, str, str]:
        """Header, claims and signature."""
        header, claims, signature = self.token.split(".")
        return header, claims, signature

    @property
    def header(self) -> dict[str, Any]:
        """What the header says."""
        told: dict[str, Any] = json.loads(decode(self.parts[0]))
        return told

    @property
    def claims(self) -> dict[str, Any]:
        """What is claimed."""
        told: dict[str, Any] = json.loads(decode(self.parts[1]))
        return told

    def signed(
        self, header: str | None, claims: str, key: bytes, digest: Any = hashlib.sha256
    ) -> str:
        """A token of these parts, signed by a key."""
        message = f"{header or self.parts[0]}.{claims}"
        return f"{message}.{encode(hmac.digest(key, message.encode(), digest))}"

    def claiming(self, **claims: Any) -> str:
        """A token that our own key signs, with other claims; None takes one away."""
        told = {name: value for name, value in (self.claims | claims).items() if value is not None}
        return self.signed(None, _compact(told), self.key)


def forged(mine: Genuine, other: Genuine) -> Iterator[tuple[str, str]]:
    """What each is, and what stands after `Bearer `."""
    yield from _unsigned(mine)
    yield from _signed_by_others(mine)
    yield from _other_keys_named(mine)
    yield from _mixed(mine, other)
    yield from _claims_of_ours(mine, other)
    yield from _spellings(mine)


def _unsigned(mine: Genuine) -> Iterator[tuple[str, str]]:
    _, claims, signature = mine.parts
    for name in ("none", "None", "NONE", "nOnE", ""):
        header = _compact(mine.header | {"alg": name})
        yield f"alg {name!r} without a signature", f"{header}.{claims}."
        yield f"alg {name!r} with the old signature", f"{header}.{claims}.{signature}"
        yield f"alg {name!r} in two parts", f"{header}.{claims}"
    yield "no alg", f"{_compact({'typ': 'JWT', 'kid': mine.kid})}.{claims}.{signature}"
    yield "an empty signature", f"{mine.parts[0]}.{claims}."
    yield "a signature of zeros", f"{mine.parts[0]}.{claims}.{encode(bytes(32))}"


def _signed_by_others(mine: Genuine) -> Iterator[tuple[str, str]]:
    header, claims, _ = mine.parts
    guesses = {
        "nothing": b"",
        "a zero byte": b"\x00",
        "zeros": bytes(32),
        "secret": b"secret",
        "the kid": mine.kid.encode(),
        "the key as text": encode(mine.key).encode(),
        "the header": header.encode(),
        "our key reversed": mine.key[:-1] + b"x",
    }
    for name, key in guesses.items():
        yield f"signed by {name}", mine.signed(None, claims, key)
    for name, digest in (("HS384", hashlib.sha384), ("HS512", hashlib.sha512)):
        other = _compact(mine.header | {"alg": name})
        yield f"{name} by our key", mine.signed(other, claims, mine.key, digest)
        yield f"HS256 named, {name} used", mine.signed(None, claims, mine.key, digest)
    for name in ("RS256", "ES256", "PS256", "EdDSA", "HS256 ", "hs256"):
        yield f"{name} named", mine.signed(_compact(mine.header | {"alg": name}), claims, mine.key)


def _other_keys_named(mine: Genuine) -> Iterator[tuple[str, str]]:
    claims = mine.parts[1]
    own = b"a key of the forger's own"
    kids: list[Any] = [
        "", "other", "../../../../dev/null", "/dev/null", "' or 1=1 --", "test\x00", " test", "TEST",
        None, 0, ["test"], {"test": 1}, "test,test",
    ]  # fmt: skip
    for kid in kids:
        header = _compact(mine.header | {"kid": kid})
        yield f"kid {kid!r}, by a key of one's own", mine.signed(header, claims, own)
        yield f"kid {kid!r}, by nothing", mine.signed(header, claims, b"")
    key = {"kty": "oct", "k": encode(own), "alg": "HS256", "kid": mine.kid}
    address = "https://forger.example/keys.json"
    named = {"jwk": key, "jku": address, "x5u": address, "x5c": ["MIIB"], "crit": ["exp"]}
    for name, value in named.items():
        header = _compact(mine.header | {name: value})
        yield f"{name} in the header", mine.signed(header, claims, own)
        yield f"{name} in the header, by our key", mine.signed(header, claims, mine.key)


def _mixed(mine: Genuine, other: Genuine) -> Iterator[tuple[str, str]]:
    header, claims, signature = mine.parts
    _, their_claims, their_signature = other.parts
    yield "another's claims", f"{header}.{their_claims}.{signature}"
    yield "another's signature", f"{header}.{claims}.{their_signature}"
    later = _compact(mine.claims | {"exp": mine.claims["exp"] + 10**6})
    yield "a later end", f"{header}.{later}.{signature}"
    someone = _compact(mine.claims | {"sub": other.claims["sub"]})
    yield "another person", f"{header}.{someone}.{signature}"
    yield "two tokens", f"{mine.token}, {other.token}"
    yield "five parts", f"{mine.token}.{claims}.{signature}"
    yield "parts turned round", f"{signature}.{claims}.{header}"


def _claims_of_ours(mine: Genuine, other: Genuine) -> Iterator[tuple[str, str]]:
    """Even under our own key: a token of a person's session, now, is the only one there is."""
    now = int(time.time())
    yield "another's session", mine.claiming(sid=other.claims["sid"])
    yield "another person's id", mine.claiming(sub=other.claims["sub"])
    yield "nobody", mine.claiming(sub=str(uuid.UUID(int=7)))
    yield "no session", mine.claiming(sid=str(uuid.UUID(int=7)))
    yield "expired", mine.claiming(iat=now - _LIFE - 5, exp=now - 5)
    yield "expired this second", mine.claiming(exp=now)
    yield "of tomorrow", mine.claiming(iat=now + 86_400, exp=now + 86_400 + _LIFE)
    values: tuple[Any, ...] = ("", "x", [], {}, True, -1, str(2**70))
    for name in ("sub", "sid", "iat", "exp"):
        yield f"no {name}", mine.claiming(**{name: None})
        for value in values:
            yield f"{name} {value!r}", mine.claiming(**{name: value})
    for text in ("NaN", "Infinity", "-Infinity", "1e400", "null"):
        claims = json.dumps(mine.claims).replace(str(mine.claims["exp"]), text)
        yield f"exp {text}", mine.signed(None, encode(claims.encode()), mine.key)
    for told in (None, [], "x", 7, [mine.claims]):
        yield f"claims {told!r:.20}", mine.signed(None, _compact(told), mine.key)
    for name, junk in (("no JSON", b"{"), ("no UTF-8", b"\xff\xfe"), ("nothing", b"")):
        yield f"claims of {name}", mine.signed(None, encode(junk), mine.key)


def _spellings(mine: Genuine) -> Iterator[tuple[str, str]]:
    token = mine.token
    header, claims, signature = mine.parts
    for length in (0, 1, 10, len(header), len(header) + 1, len(token) - 44, len(token) - 1):
        yield f"cut off at {length}", token[:length]
    yield "one more character", token + "A"
    yield "padded", f"{header}.{claims}.{signature}="
    yield "the plain alphabet", f"{header}.{claims}.{base64.b64encode(decode(signature)).decode()}"
    yield "hexadecimal", f"{header}.{claims}.{decode(signature).hex()}"
    last = encode(decode(signature))[:-1]
    for letter in "ABCD":
        if letter != signature[-1]:
            yield f"another last letter {letter}", f"{header}.{claims}.{last}{letter}"
    for name, text in (("space", " "), ("tab", "\t"), ("line", "\n"), ("dot", "."), ("é", "é")):
        yield f"{name} before", f"{text}{token}"
        yield f"{name} after", f"{token}{text}"
        yield f"{name} within", f"{header}.{claims[:9]}{text}{claims[9:]}.{signature}"
    spaced = encode(json.dumps(mine.header, indent=1).encode())
    yield "the header spelled otherwise", mine.signed(spaced, claims, mine.key)
    yield "quoted", f'"{token}"'
    yield "capitals", token.upper()
    yield "encoded once more", encode(token.encode())
    yield "per cent", "".join(f"%{ord(letter):02x}" for letter in token[:200])
    yield "very long", token + "A" * 100_000


def other_secrets(who: Person) -> Iterator[tuple[str, str]]:
    """Secrets of the same person that are no access tokens."""
    yield "the refresh token", who.refresh_token
    yield "the id", str(who.id)
    for kind in ("verify_email", "reset_password"):
        yield kind, db.write(accounts.mint_token, who.id, kind, timedelta(hours=1))


@contextmanager
def algorithm_read_from_the_token() -> Iterator[None]:
    """The header says how a token is signed, as in many a library."""
    genuine = auth.caller_of

    def caller_of(authorization: str | None) -> Caller | None:
        header, _, rest = (authorization or "").removeprefix("Bearer ").partition(".")
        try:
            if json.loads(decode(header))["alg"].lower() == "none":
                told = json.loads(decode(rest.partition(".")[0]))
                return Caller(uuid.UUID(told["sub"]), uuid.UUID(told["sid"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        return genuine(authorization)

    with replaced(auth, "caller_of", caller_of):
        yield


@contextmanager
def claims_not_looked_at() -> Iterator[None]:
    """Whatever our key signed is good, whenever."""

    def signed_by(key: bytes, signed: str, signature: str, claims: str) -> Caller:
        told = json.loads(decode(claims))
        if encode(hmac.digest(key, signed.encode(), hashlib.sha256)) != signature:
            raise ValueError("somebody else's signature")
        return Caller(uuid.UUID(told["sub"]), uuid.UUID(told["sid"]))

    with replaced(auth, "_signed_by", signed_by):
        yield
