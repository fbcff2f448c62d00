"""Whole bodies that are not what they should be, made from one that is; and how they travel."""

import base64
import gzip
import json
from collections.abc import Callable

Spoil = Callable[[str], bytes]

_DEEP = 100_000
_LIMIT = 64 * 1024
_LARGEST = 10 * 1024 * 1024
_SPACES = b" " * _LARGEST
_LETTERS = b'"' + b"a" * _LARGEST + b'"'


def _always(raw: bytes) -> Spoil:
    return lambda _valid: raw


def _with(**more: str) -> Spoil:
    """The same object with other keys before its own; names and values are JSON source."""
    first = ",".join(f'"{name}":{value}' for name, value in more.items())
    return lambda valid: (f"{{{first},{valid[1:]}" if valid != "{}" else f"{{{first}}}").encode(
        errors="surrogatepass"
    )


def _every_key_twice(valid: str) -> bytes:
    inner = valid[1:-1]
    return f"{{{inner},{inner}}}".encode()


def _escaped_twice(valid: str) -> bytes:
    """The first key again, spelled with an escape."""
    told = json.loads(valid)
    if not isinstance(told, dict) or not told:
        return b'{"a":1,"\\u0061":2}'
    name, value = next(iter(told.items()))
    spelled = f"\\u{ord(name[0]):04x}{name[1:]}"
    return f'{{"{spelled}":{json.dumps(value)},{valid[1:]}'.encode()


BODIES: dict[str, Spoil] = {
    "nothing": _always(b""),
    "a space": _always(b" "),
    "null": _always(b"null"),
    "true": _always(b"true"),
    "a number": _always(b"7"),
    "a text": _always(b'"x"'),
    "a list": _always(b"[]"),
    "an empty object": _always(b"{}"),
    "NaN": _always(b"NaN"),
    "in a list": lambda valid: f"[{valid}]".encode(),
    "twice": lambda valid: (valid * 2).encode(),
    "lines": lambda valid: f"{valid}\n{valid}".encode(),
    "something after": lambda valid: f"{valid}x".encode(),
    "NUL after": lambda valid: f"{valid}\0".encode(),
    "NUL before": lambda valid: f"\0{valid}".encode(),
    "cut off": lambda valid: valid[:-1].encode(),
    "half": lambda valid: valid[: len(valid) // 2].encode(),
    "trailing comma": lambda valid: f"{valid[:-1]},}}".encode(),
    "comment": lambda valid: f"/**/{valid}".encode(),
    "single quotes": lambda valid: valid.replace('"', "'").encode(),
    "guarded": lambda valid: f")]}}'\n{valid}".encode(),
    "callback": lambda valid: f"call({valid})".encode(),
    "as a text": lambda valid: json.dumps(valid).encode(),
    "byte order mark": lambda valid: b"\xef\xbb\xbf" + valid.encode(),
    "UTF-16": lambda valid: valid.encode("utf-16"),
    "UTF-16LE": lambda valid: valid.encode("utf-16-le"),
    "UTF-16BE": lambda valid: valid.encode("utf-16-be"),
    "UTF-32": lambda valid: valid.encode("utf-32"),
    "UTF-7": lambda valid: valid.encode("utf-7"),
    "EBCDIC": lambda valid: valid.encode("cp037"),
    "Latin-1": lambda valid: b'{"a":"\xe9",' + valid[1:].encode(),
    "bytes": _always(bytes(range(256))),
    "overlong": lambda valid: b'{"a":"\xc0\x80",' + valid[1:].encode(),
    "surrogate as bytes": lambda valid: b'{"a":"\xed\xa0\x80",' + valid[1:].encode(),
    "past Unicode": lambda valid: b'{"a":"\xf4\x90\x80\x80",' + valid[1:].encode(),
    "cut off character": lambda valid: valid.encode() + b"\xe2\x82",
    "other spaces": lambda valid: f"\u00a0\u2003{valid}\u2028".encode(),
    "vertical tab": lambda valid: f"\x0b{valid}\x0c".encode(),
    "every key twice": _every_key_twice,
    "a key twice, escaped": _escaped_twice,
    "repeated key": _with(zz='1,"zz":2'),
    "unknown key": _with(is_admin="true"),
    "prototype": _with(__proto__='{"is_admin":true}', constructor="{}"),
    "empty key": _with(**{"": "1"}),
    "surrogate as a key": _with(**{"\\ud800": "1"}),
    "NUL as a key": _with(**{"\\u0000": "1"}),
    "long key": _with(**{"k" * 60_000: "1"}),
    "NaN within": _with(zz="NaN"),
    "infinity within": _with(zz="-Infinity"),
    "1e400 within": _with(zz="1e400"),
    "2**70 within": _with(zz=str(2**70)),
    "surrogate within": _with(zz='"\\ud800"'),
    "NUL within": _with(zz='"\\u0000"'),
    "raw NUL within": _with(zz='"\0"'),
    "raw newline within": _with(zz='"\n"'),
    "bad escape within": _with(zz='"\\q"'),
    "34 levels within": _with(zz="[" * 34 + "]" * 34),
    "5,000 unknown keys": _with(**{f"key{number}": "1" for number in range(5_000)}),
    "100,000 brackets": _always(b"[" * _DEEP),
    "100,000 levels": _always(b"[" * _DEEP + b"]" * _DEEP),
    "100,000 open objects": _always(b'{"a":' * _DEEP),
    "100,000 levels of objects": _always(b'{"a":' * _DEEP + b"1" + b"}" * _DEEP),
    "30,000 brackets": _always(b"[" * 30_000),
    "10,000 open objects": _always(b'{"a":' * 10_000),
    "brackets and an open text": _always(b"[" * 40 + b'"' + b'\\"' * 31_000),
    "quotes": _always(b'"' * 60_000),
    "backslashes": _always(b'"' + b"\\" * 60_000),
    "commas": _always(b"[" + b"," * 60_000 + b"]"),
    "digits": _always(b"9" * 60_000),
    "a fraction": _always(b"[0." + b"9" * 60_000 + b"]"),
    "minus": _always(b"-" * 60_000),
    "65,536 zeros": _always(b"[" + b"0," * 65_535 + b"0]"),
    "32,000 zeros": _always(b"[" + b"0," * 31_999 + b"0]"),
    "as large as may be": lambda valid: valid.encode() + b" " * (_LIMIT - len(valid.encode())),
    "a byte too large": lambda valid: valid.encode() + b" " * (_LIMIT + 1 - len(valid.encode())),
    "10 MB of spaces": lambda valid: _SPACES + valid.encode(),
    "10 MB of text": _always(_LETTERS),
    "a form": _always(b"email=ana%40example.com&password=x"),
    "XML": _always(b"<?xml version='1.0'?><a/>"),
    "multipart": _always(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--'),
    "gzip": lambda valid: gzip.compress(valid.encode(), mtime=0),
    "MessagePack": _always(b"\x81\xa1a\x01"),
    "GraphQL": _always(b'{"query":"{__schema{types{name}}}"}'),
    "a pickle": _always(b"\x80\x04]\x94."),
}

CONTENT_TYPES: tuple[str, ...] = (
    "",
    "text/plain",
    "application/JSON",
    "APPLICATION/JSON; CHARSET=UTF-16",
    "application/json;charset=latin-1",
    "application/json, text/html",
    "application/json;" + "x" * 5_000,
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/problem+json",
    "application/*",
    "*/*",
    "json",
    "application/json\r\nX-Injected: 1",
    "application/json\x00",
    "application/octet-stream",
    "application /json",
    "\u0430pplication/json",
    "\ud800",
)


def as_base64(raw: bytes) -> str:
    """Bytes as API Gateway hands them over."""
    return base64.b64encode(raw).decode()


_VALID = b'{"a":1}'
TRAVELLING: dict[str, tuple[str | None, bool]] = {
    "no base64": ("!!!!", True),
    "bad padding": ("AAA", True),
    "padding alone": ("====", True),
    "URL-safe": ("-_-_", True),
    "lines of base64": ("eyJh\nIjox\r\nfQ==", True),
    "padding within": ("eyJh==IjoxfQ==", True),
    "not ASCII": ("\u00e9\u00e9", True),
    "a surrogate as base64": ("\ud800", True),
    "base64 twice": (as_base64(as_base64(_VALID).encode()), True),
    "base64 not told": (as_base64(_VALID), False),
    "text told as base64": (_VALID.decode(), True),
    "nothing as base64": ("", True),
    "no body as base64": (None, True),
    "no body": (None, False),
    "a surrogate as text": ("\ud800", False),
    "a surrogate in JSON text": ('{"a":"\udc80"}', False),
    "NUL as text": ("\x00", False),
    "BOM as text": ("\ufeff{}", False),
}
