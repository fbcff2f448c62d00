"""Access tokens: ours, to the byte, or none; and sessions that end at the next request."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import auth, clock
from chalicelib.core.auth import ACCESS_TOKEN_LIFE, Caller, access_token, caller_of
from chalicelib.core.config import Config
from chalicelib.core.errors import NotSignedIn
from tests.support import database
from tests.support.api import Api
from tests.support.people import Person

USER, SESSION = UUID(int=1), UUID(int=2)
OURS, OTHER = b"k" * 32, b"x" * 32
HEADER = {"alg": "HS256", "kid": "test", "typ": "JWT"}

pytestmark = pytest.mark.usefixtures("settings")


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def dumped(value: Any) -> str:
    return value if isinstance(value, str) else encode(json.dumps(value).encode())


def claims(**changed: Any) -> dict[str, Any]:
    issued = int(clock.now().timestamp())
    return {
        "sub": str(USER),
        "sid": str(SESSION),
        "iat": issued,
        "exp": issued + 900,
    } | changed


def forged(
    header: Any = HEADER,
    told: Any = None,
    key: bytes = OURS,
    digest: Callable[[], Any] = hashlib.sha256,
) -> str:
    """A token that somebody made up; with every default it is as good as ours."""
    signed = f"{dumped(header)}.{dumped(claims() if told is None else told)}"
    return f"{signed}.{encode(hmac.new(key, signed.encode(), digest).digest())}"


def headers_of_others() -> Iterator[tuple[str, dict[str, Any]]]:
    changes: dict[str, dict[str, Any]] = {
        "alg none": {"alg": "none"},
        "alg None": {"alg": "None"},
        "alg nOnE": {"alg": "nOnE"},
        "alg empty": {"alg": ""},
        "alg null": {"alg": None},
        "alg HS512": {"alg": "HS512"},
        "alg HS384": {"alg": "HS384"},
        "alg hs256": {"alg": "hs256"},
        "alg RS256": {"alg": "RS256"},
        "alg ES256": {"alg": "ES256"},
        "alg EdDSA": {"alg": "EdDSA"},
        "kid unknown": {"kid": "other"},
        "kid empty": {"kid": ""},
        "kid null": {"kid": None},
        "kid a path": {"kid": "../../dev/null"},
        "kid SQL": {"kid": "test' or '1'='1"},
        "kid a list": {"kid": ["test"]},
        "kid in capitals": {"kid": "TEST"},
        "typ": {"typ": "at+jwt"},
        "jku": {"jku": "https://evil.example/keys.json"},
        "jwk": {"jwk": {"kty": "oct", "k": encode(OTHER)}},
        "x5u": {"x5u": "https://evil.example/cert.pem"},
        "x5c": {"x5c": ["AAAA"]},
        "crit": {"crit": ["exp"]},
        "zip": {"zip": "DEF"},
        "b64": {"b64": False, "crit": ["b64"]},
        "cty": {"cty": "JWT"},
    }
    for name, change in changes.items():
        yield name, {**HEADER, **change}


def by(header: dict[str, Any], key: bytes) -> Callable[[], str]:
    return lambda: forged(header, key=key)


FOREIGN: dict[str, Callable[[], str]] = {
    **{
        f"{name}, {kind} key": by(header, key)
        for name, header in headers_of_others()
        for kind, key in (("our", OURS), ("another", OTHER))
    },
    "another key": lambda: forged(key=OTHER),
    "no key": lambda: forged(key=b""),
    "the key's text": lambda: forged(key=base64.urlsafe_b64encode(OURS)),
    "HS512 by our key": lambda: forged(digest=hashlib.sha512),
    "header without kid": lambda: forged({"alg": "HS256", "typ": "JWT"}),
    "header in another order": lambda: forged({"typ": "JWT", "alg": "HS256", "kid": "test"}),
    "header with blanks": lambda: forged(encode(b' {"alg": "HS256", "kid": "test", "typ": "JWT"}')),
    "header with a key twice": lambda: forged(encode(b'{"alg":"none","alg":"HS256","kid":"test"}')),
    "header no object": lambda: forged(encode(b'"HS256"')),
    "header empty": lambda: forged(""),
    "header in standard base64": lambda: f"{base64.b64encode(b'{}').decode()}.e30.",
    "expired": lambda: forged(told=claims(exp=int(clock.now().timestamp()))),
    "expired long ago": lambda: forged(told=claims(exp=1)),
    "valid for ever by another key": lambda: forged(told=claims(exp=2**40), key=OTHER),
    "exp missing": lambda: forged(told={"sub": str(USER), "sid": str(SESSION)}),
    "exp null": lambda: forged(told=claims(exp=None)),
    "exp text": lambda: forged(told=claims(exp="9999999999")),
    "exp NaN": lambda: forged(told=encode(json.dumps(claims(exp=float("nan"))).encode())),
    "exp endless": lambda: forged(told=encode(json.dumps(claims(exp=float("inf"))).encode())),
    "exp later than any of ours": lambda: forged(told=claims(exp=claims()["exp"] + 1)),
    "iat missing": lambda: forged(told={n: v for n, v in claims().items() if n != "iat"}),
    "iat of tomorrow": lambda: forged(
        told={n: v + 86_400 if isinstance(v, int) else v for n, v in claims().items()}
    ),
    "iat a word": lambda: forged(told=claims(iat="now")),
    "iat true": lambda: forged(told=claims(iat=True)),
    "sub missing": lambda: forged(told={"sid": str(SESSION), "exp": 2**33}),
    "sid missing": lambda: forged(told={"sub": str(USER), "exp": 2**33}),
    "sub no id": lambda: forged(told=claims(sub="admin")),
    "sub a number": lambda: forged(told=claims(sub=1)),
    "claims a list": lambda: forged(told=encode(b"[]")),
    "claims null": lambda: forged(told=encode(b"null")),
    "claims no JSON": lambda: forged(told=encode(b"{")),
    "claims no base64": lambda: forged(told="!!!"),
    "claims no text": lambda: forged(told=encode(b"\xff\xfe")),
    "claims empty": lambda: forged(told=""),
    "claims deep": lambda: forged(told=encode(b"[" * 300)),
    "signature missing": lambda: forged().rpartition(".")[0] + ".",
    "signature and dot missing": lambda: forged().rpartition(".")[0],
    "signature cut": lambda: forged()[:-4],
    "signature longer": lambda: forged() + "AAAA",
    "signature padded": lambda: forged() + "=",
    "signature doubly padded": lambda: forged() + "==",
    "signature with blanks": lambda: forged() + "\n",
    "signature of another": lambda: (
        forged().rpartition(".")[0] + "." + forged(told={}).split(".")[2]
    ),
    "signature not ASCII": lambda: forged() + "é",
    "signature half a character": lambda: forged() + "\ud800",
    "one dot more": lambda: forged() + ".",
    "a part more": lambda: forged() + ".e30",
    "a dot before": lambda: "." + forged(),
    "encrypted": lambda: "a.b.c.d.e",
    "dots": lambda: "..",
    "a dot": lambda: ".",
    "nothing": lambda: "",
    "blanks": lambda: "   ",
    "null": lambda: "null",
    "noise": lambda: "\x00\xff",
    "huge": lambda: forged(told=claims(padding="x" * 2000)),
    "huger": lambda: "x" * 1_000_000,
    "a blank before": lambda: " " + forged(),
    "two tokens": lambda: f"{forged()} {forged()}",
    "two tokens with a comma": lambda: f"{forged()},{forged()}",
}


def test_a_token_of_ours_names_its_user_and_session() -> None:
    caller = caller_of(f"Bearer {access_token(USER, SESSION, clock.now())}")
    assert isinstance(caller, Caller)
    assert (caller.id, caller.session_id) == (USER, SESSION)
    assert caller_of(f"bearer {forged()}") is not None
    assert caller_of(None) is None


def test_there_are_many_forgeries() -> None:
    assert len(FOREIGN) >= 100


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_token_is_refused(name: str) -> None:
    with pytest.raises(NotSignedIn):
        caller_of(f"Bearer {FOREIGN[name]()}")


@pytest.mark.parametrize(
    "scheme", ["", "Basic ", "Token ", "Bearer", "Bearer:", "JWT ", "Bearer\t"]
)
def test_another_scheme_is_refused(scheme: str) -> None:
    with pytest.raises(NotSignedIn):
        caller_of(scheme + forged())


def test_a_token_with_any_character_changed_is_refused() -> None:
    token = forged()
    accepted = [
        at
        for at, character in enumerate(token)
        for other in ("A", "B", "-", ".", "=", "+")
        if other != character and _accepted(token[:at] + other + token[at + 1 :])
    ]
    assert accepted == []


def test_a_signature_has_one_spelling() -> None:
    signed, _, signature = forged().rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings = [signature[:-1] + last for last in alphabet]
    assert [one for one in spellings if _accepted(f"{signed}.{one}")] == [signature]
    standard = signature.replace("-", "+").replace("_", "/")
    assert standard == signature or not _accepted(f"{signed}.{standard}")


def _accepted(token: str) -> bool:
    try:
        return caller_of(f"Bearer {token}") is not None
    except NotSignedIn:
        return False


def test_a_token_lives_a_quarter_of_an_hour_by_the_clock() -> None:
    now = clock.real_time()
    token = access_token(USER, SESSION, now)
    issued = now.replace(microsecond=0)
    try:
        for age, good in (
            (timedelta(), True),
            (ACCESS_TOKEN_LIFE - timedelta(milliseconds=1), True),
            (ACCESS_TOKEN_LIFE, False),
            (timedelta(days=365), False),
        ):
            clock.follow(clock.frozen(issued + age))
            assert _accepted(token) is good
    finally:
        clock.follow(clock.real_time)


def test_a_clock_that_issues_tokens_may_be_a_minute_ahead() -> None:
    now = clock.real_time().replace(microsecond=0)
    clock.follow(clock.frozen(now))
    try:
        for ahead, good in ((60, True), (61, False)):
            token = access_token(USER, SESSION, now + timedelta(seconds=ahead))
            assert _accepted(token) is good
    finally:
        clock.follow(clock.real_time)


@pytest.fixture
def keys(settings: Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A way to have other token keys."""

    def put(told: str) -> None:
        monkeypatch.setattr(auth, "config", lambda: replace(settings, token_keys=told))
        auth._keys.cache_clear()  # noqa: SLF001  read once a process

    yield put
    monkeypatch.undo()
    auth._keys.cache_clear()  # noqa: SLF001


def test_two_keys_live_while_one_replaces_the_other(keys: Callable[[str], None]) -> None:
    old = f"old:{base64.urlsafe_b64encode(OURS).decode()}"
    new = f"new:{base64.urlsafe_b64encode(OTHER).decode()}"
    keys(old)
    by_old = access_token(USER, SESSION, clock.now())
    keys(f"{old},{new}")
    assert _accepted(by_old)
    keys(f"{new},{old}")
    by_new = access_token(USER, SESSION, clock.now())
    assert _accepted(by_old)
    assert _accepted(by_new)
    assert '"kid": "new"' in base64.urlsafe_b64decode(by_new.split(".")[0] + "==").decode()
    swapped = by_new.split(".")[0] + "." + by_old.partition(".")[2]
    assert not _accepted(swapped)
    keys(new)
    assert not _accepted(by_old)
    assert _accepted(by_new)


# Base64 has not every length: the other comes of another name of the key.
@pytest.mark.parametrize(("kid", "padding", "length"), [("a", 545, 1024), ("test", 543, 1025)])
def test_a_token_has_1024_characters_at_most(
    keys: Callable[[str], None], kid: str, padding: int, length: int
) -> None:
    keys(f"{kid}:{base64.urlsafe_b64encode(OURS).decode()}")
    token = forged(HEADER | {"kid": kid}, claims(padding="x" * padding))
    assert len(token) == length
    assert _accepted(token) is (length == 1024)


def test_a_good_token_is_good_for_its_own_session_only(api: Api, ana: Person, ben: Person) -> None:
    ((hers,),) = database.execute("select id from accounts.sessions where user_id = $1", ana.id)
    for user, session in ((ana.id, UUID(int=7)), (ben.id, hers), (UUID(int=7), hers)):
        token = access_token(user, session, clock.now())
        assert Api(api.app, token=token).get("/v1/me").status == 401
    assert Api(api.app, token=access_token(ana.id, hers, clock.now())).get("/v1/me").status == 200


@pytest.mark.parametrize(
    "ending",
    [
        "update accounts.sessions set revoked_at = created_at where user_id = $1",
        "update accounts.sessions set expires_at = created_at where user_id = $1",
        "update accounts.users set status = 'banned' where id = $1",
        (
            "update accounts.users set status = 'erased', erased_at = created_at, email = null,"
            " name = null, email_verified_at = null, password_hash = null, last_active_at = null"
            " where id = $1"
        ),
    ],
)
def test_an_ended_session_ends_at_the_next_request(ana: Person, ben: Person, ending: str) -> None:
    assert ana.api.get("/v1/me").status == 200
    database.execute(ending, ana.id)
    answer = ana.api.get("/v1/me")
    assert (answer.status, answer.code) == (401, "not_signed_in")
    assert ben.api.get("/v1/me").status == 200
