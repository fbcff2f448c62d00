"""Headers nobody sends: by name, to stand beside or in place of a request's own."""

import base64
import json

from tests.faults.attacks.texts import TEXTS


def _part(told: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


_CLAIMS = _part({"sub": "019a9e00-0000-7000-8000-000000000001", "sid": "x", "exp": 9e18})
_TOKENS = (
    "",
    "x",
    ".",
    "..",
    "...",
    "a.b.c",
    "a.b.c.d",
    "\ud800.\ud800.\ud800",
    "\x00.\x00.\x00",
    "\u00e9.\u00e9.\u00e9",
    f"{_part({'alg': 'none'})}.{_CLAIMS}.",
    f"{_part({'alg': 'HS256', 'kid': '../../etc/passwd'})}.{_CLAIMS}.AAAA",
    f"{_part({'alg': 'HS256', 'kid': 'test', 'typ': 'JWT'})}.{_CLAIMS}.AAAA",
    f"{_part([])}.{_part([])}.{_part([])}",
    f"{_part({'alg': 'RS256', 'jku': 'http://169.254.169.254/'})}.{_CLAIMS}.AAAA",
    "x" * 5_000,
    "." * 5_000,
    f"{_part({'alg': 'HS256', 'kid': 'test', 'typ': 'JWT'})}.{'[' * 900}.AAAA",
)
_SCHEMES = ("", "Basic", "bearer", "BEARER", "Bearer\t", "Digest", "\ud800")
_KEYS = (
    "",
    " ",
    "\t",
    "k\n",
    "k\r\nX: y",
    "\x00",
    "k" * 255,
    "k" * 256,
    "k" * 60_000,
    "\u00e9",
    "\ud800",
    "\u200b",
    "'; --",
)
_ADDRESSES = (
    "127.0.0.1",
    "10.0.0.1, 203.0.113.7",
    "::1",
    "unknown",
    "1" * 9_000,
    "\ud800",
    "\r\nX: y",
    "203.0.113.7:80",
    "",
)
_OTHERS: dict[str, tuple[str, ...]] = {
    "x-http-method-override": ("DELETE", "\ud800"),
    "x-original-url": ("/v1/admin/users",),
    "x-rewrite-url": ("/v1/me",),
    "content-length": ("-1", "0", "99999999999999999999", "1e3", "\x00"),
    "transfer-encoding": ("chunked", "chunked, identity"),
    "content-encoding": ("gzip", "br", "identity, gzip"),
    "expect": ("100-continue", "200-ok"),
    "range": ("bytes=0-0", "bytes=-1"),
    "host": ("evil.example", "127.0.0.1", "\ud800", "a\r\nX: y"),
    "origin": ("null", "https://evil.example", "\ud800"),
    "accept": ("text/html", "application/xml;q=1e400", "*/*;q=NaN", "\ud800", "x" * 9_000),
    "cookie": ("a=b; " * 2_000, "\x00=\ud800"),
    "accept-language": ("en;q=2", "../../etc", "\ud800", "x" * 9_000),
    "accept-encoding": ("gzip;q=nan",),
    "te": ("trailers",),
    "accept-charset": ("utf-16",),
    "if-none-match": ("*", '"x"'),
    "if-modified-since": ("Thu, 99 Foo 0000",),
    "prefer": ("return=minimal",),
    "stripe-signature": (
        "",
        "t=,v1=",
        "t=NaN,v1=\ud800",
        "t=1e400,v1=x",
        "v0=x",
        "t=9" + "9" * 4_400 + ",v1=x",
        "t=\uff11,v1=x",
        "=",
        ",,,",
    ),
    "x-amz-sns-message-type": ("SubscriptionConfirmation",),
    "x-request-id": ("a\r\nb", "\ud800"),
    "traceparent": ("00-\ud800",),
    "": ("x",),
    "\u00e9": ("x",),
    "\ud800": ("x",),
    "a b": ("x",),
    "a\r\nb": ("x",),
    "x" * 9_000: ("x",),
    "__proto__": ("x",),
}

# A header is text like any other; those that are no plain English are enough of them.
_ODD = {name: text for name, text in TEXTS.items() if not text.isprintable() or not text}

HEADERS: dict[str, tuple[str, str]] = (
    {f"token {token[:30]!r}": ("authorization", f"Bearer {token}") for token in _TOKENS}
    | {f"scheme {scheme!r}": ("authorization", f"{scheme} x.y.z") for scheme in _SCHEMES}
    | {f"authorization: {name}": ("authorization", text) for name, text in _ODD.items()}
    | {f"key {key[:30]!r}": ("idempotency-key", key) for key in _KEYS}
    | {
        f"{name}: {address[:30]!r}": (name, address)
        for name in (
            "x-forwarded-for",
            "forwarded",
            "x-real-ip",
            "true-client-ip",
            "cf-connecting-ip",
        )
        for address in _ADDRESSES
    }
    | {
        f"{name[:30]!r}: {value[:30]!r}": (name, value)
        for name, values in _OTHERS.items()
        for value in values
    }
    | {f"user-agent: {name}": ("user-agent", text) for name, text in _ODD.items()}
)
