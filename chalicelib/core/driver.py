"""A PostgreSQL connection of pg8000 that sends whatever it has to say in one flush.

pg8000 connects, authenticates and converts values; sending and receiving are ours, because it
waits three times for one statement and leaves replies unread when something fails in between.
The rules that keep one caller from reading another's rows:

- everything is encoded before the first byte is sent;
- statements that belong together, BEGIN included, share a Sync group, so that one which fails
  takes the rest of its group with it and the replies still end at ReadyForQuery;
- values are decoded after the last reply was read, so what can't be decoded leaves nothing behind;
- any other exception between the first byte sent and the last ReadyForQuery closes the socket.
"""

import select
import socket
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from struct import Struct
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from pg8000.converters import make_param
from pg8000.core import (
    BIND,
    DESCRIBE,
    EXECUTE_MSG,
    PARSE,
    SYNC_MSG,
    Context,
    CoreConnection,
    H_pack,
    i_pack,
)

from chalicelib.core.config import Config

Row = tuple[Any, ...]

MAX_PARAMETERS = 65535
CONNECT_TIMEOUT_SECONDS = 5
LOCK_TIMEOUT_MS = 3_000
IDLE_IN_TRANSACTION_MS = 15_000
SOCKET_MARGIN_SECONDS = 5

# Message types of the protocol, as bytes of the reply's first letter.
_DATA_ROW, _COMPLETE, _READY, _ERROR = (ord(c) for c in "DCZE")
_ROW_DESCRIPTION, _NO_DATA = (ord(c) for c in "Tn")
_EMPTY = ord("I")
# Parsed, bound, described, closed; notice, parameter status, notification: nobody asks for these.
_SILENT = frozenset(ord(c) for c in "12t3NSA")
_LENGTH = Struct("!i")
_HEADER_BYTES = 5
_PIECE_BYTES = 64 * 1024
_NULL = b"\xff\xff\xff\xff"
_IDLE = b"I"
_TIMESTAMPTZ_OID = 1184


class DatabaseError(Exception):
    """The server refused a statement; it was rolled back with its Sync group.

    Only `sqlstate` says what happened; the message may quote values and is never logged. `replies`
    are those of the calls that were answered, group by group, up to the one that failed in each.
    """

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(fields.get("M", ""))
        self.sqlstate = fields.get("C", "")
        self.constraint = fields.get("n")
        self.replies: list[list[Reply]] = []


class ConnectionLost(Exception):
    """The connection ended while in use. What was sent last may or may not have happened.

    `silent`: we ended it, because the server did not answer for as long as we wait.
    """

    def __init__(self, sqlstate: str | None = None, *, silent: bool = False) -> None:
        super().__init__(f"connection lost ({sqlstate or 'no word from the server'})")
        self.sqlstate = sqlstate
        self.silent = silent


class CannotConnect(Exception):
    """No connection could be had; nothing was sent."""

    def __init__(self, sqlstate: str | None = None) -> None:
        super().__init__(f"can't connect to the database ({sqlstate or 'no answer'})")
        self.sqlstate = sqlstate


class UnencodableValue(Exception):
    """A parameter PostgreSQL has no form for: a lone surrogate, or too many of them."""


class Call(NamedTuple):
    """A statement with numbered parameters, and their values."""

    sql: bytes
    values: Sequence[Any] = ()


class Reply(NamedTuple):
    """What a statement returned: its rows, and the last word of its command tag."""

    rows: list[Row]
    tag: str

    @property
    def affected(self) -> int:
        """How many rows were selected or changed."""
        last = self.tag.rpartition(" ")[2]
        return int(last) if last.isdecimal() else 0


Group = Sequence[Call]
Decoder = Callable[[str], Any]

BEGIN = Call(b"begin")
COMMIT = Call(b"commit")
ROLLBACK = Call(b"rollback")


class _Pending:
    """A call on its way: what was received of it so far."""

    __slots__ = ("call", "decoders", "name", "raw", "tag")

    def __init__(self, call: Call, name: bytes, decoders: list[Decoder] | None) -> None:
        self.call, self.name, self.decoders = call, name, decoders
        self.raw: list[bytes] = []
        self.tag: str | None = None


class _Replies:
    """The messages of a connection, read in large pieces: one system call serves most of them."""

    __slots__ = ("_at", "_buffer", "_receive")

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._buffer = b""
        self._at = 0

    def following(self) -> tuple[int, bytes]:
        """The type and body of the next message; EOFError when the server has hung up."""
        start = self._at
        if len(self._buffer) < start + _HEADER_BYTES:
            start = self._fill(_HEADER_BYTES)
        size = 1 + int(_LENGTH.unpack_from(self._buffer, start + 1)[0])
        if len(self._buffer) < start + size:
            start = self._fill(size)
        self._at = end = start + size
        return self._buffer[start], self._buffer[start + _HEADER_BYTES : end]

    @property
    def more(self) -> bool:
        """Whether something was read that nobody has taken: it came after the last reply."""
        return self._at < len(self._buffer)

    def _fill(self, size: int) -> int:
        """Have so many bytes of what nobody has taken; where they begin."""
        pieces = [self._buffer[self._at :]]
        missing = size - len(pieces[0])
        while missing > 0:
            piece = self._receive(_PIECE_BYTES)
            if not piece:
                raise EOFError
            pieces.append(piece)
            missing -= len(piece)
        self._buffer, self._at = b"".join(pieces), 0
        return 0


class Driver(CoreConnection):  # type: ignore[misc]  # pg8000 is untyped
    """One connection; `trips` counts the round trips made on it since it was opened."""

    _usock: Any
    _sock: Any
    _transaction_status: bytes | None

    def __init__(self, *, prepare: bool, **arguments: Any) -> None:
        self.trips = 0
        self._prepare = prepare
        self._prepared: dict[bytes, tuple[bytes, list[Decoder]]] = {}
        self._names = 0
        super().__init__(**arguments)
        self.register_in_adapter(_TIMESTAMPTZ_OID, datetime.fromisoformat)
        # One for the whole connection: half a message may come with the last reply's piece.
        self._replies = _Replies(self._usock.recv)
        self._poller = select.poll()
        self._poller.register(self._usock, select.POLLIN | select.POLLHUP | select.POLLERR)

    def alive(self) -> bool:
        """Whether nothing came in uncalled: an end of file or a farewell waits to be read else."""
        if self._usock is None or self._replies.more:
            return False
        if isinstance(self._usock, ssl.SSLSocket) and self._usock.pending():
            return False
        return not self._poller.poll(0)

    def abandon(self) -> None:
        """Close the socket without a word; what the server was doing it rolls back."""
        stream, line = self._sock, self._usock
        self._sock = self._usock = None
        for end in (stream, line):
            if end is not None:
                try:
                    end.close()
                except (OSError, ValueError):
                    continue

    def forget_prepared(self) -> None:
        """Prepare every statement again under a new name: a type changed, or a pooler dropped it."""
        self._prepared.clear()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, sound or failed."""
        return bool(self._transaction_status and self._transaction_status != _IDLE)

    def exchange(self, groups: Sequence[Group]) -> list[list[Reply]]:
        """Send groups of calls in one flush and return their replies; one round trip.

        A group is one implicit transaction unless a call in it begins or ends one; a call that
        fails skips the rest of its own group only. Raises UnencodableValue before anything is
        sent, DatabaseError for the first call that failed, ConnectionLost when the connection
        ended; whatever else is raised, the connection is closed unless all replies were read.
        """
        if self._usock is None:
            raise ConnectionLost
        pending, message = self._encode(groups)
        error: DatabaseError | None = None
        ended = False
        try:
            self._usock.sendall(message)
            self.trips += 1
            for group in pending:
                failed = self._receive(group)
                error = error or failed
            ended = True
        except OSError as lost:
            silent = isinstance(lost, TimeoutError)
            raise ConnectionLost(error.sqlstate if error else None, silent=silent) from lost
        finally:
            if not ended:
                self.abandon()
        if error is not None:
            error.replies = [
                [self._reply(call) for call in group if call.tag is not None] for group in pending
            ]
            raise error
        return [[self._reply(call) for call in group] for group in pending]

    def _encode(self, groups: Sequence[Group]) -> tuple[list[list[_Pending]], bytes]:
        pending: list[list[_Pending]] = []
        parts: list[bytes] = []
        fresh: dict[bytes, bytes] = {}
        for group in groups:
            calls = []
            for call in group:
                known = self._prepared.get(call.sql)
                if known is not None:
                    name, decoders = known
                elif call.sql in fresh:
                    name, decoders = fresh[call.sql], None
                    parts.append(_describe(name))
                else:
                    name, decoders = self._new_name(), None
                    if name:
                        fresh[call.sql] = name
                    parts += (_parse(name, call.sql), _describe(name))
                parts += (self._bind(name, call.values), EXECUTE_MSG)
                calls.append(_Pending(call, name, decoders))
            parts.append(SYNC_MSG)
            pending.append(calls)
        return pending, b"".join(parts)

    def _new_name(self) -> bytes:
        if not self._prepare:
            return b""
        self._names += 1
        return b"s%d" % self._names

    def _bind(self, name: bytes, values: Sequence[Any]) -> bytes:
        if len(values) > MAX_PARAMETERS:
            raise UnencodableValue("more than 65,535 parameters")
        out = [b"\x00", name, b"\x00\x00\x00", H_pack(len(values))]
        types = self.py_types
        try:
            for value in values:
                convert = types.get(type(value))
                text = convert(value) if convert else make_param(types, value)
                if text is None:
                    out.append(_NULL)
                else:
                    data = text.encode()
                    out += (i_pack(len(data)), data)
        except UnicodeEncodeError as error:
            raise UnencodableValue("text that is not Unicode") from error
        out.append(b"\x00\x00")
        return _message(BIND, b"".join(out))

    def _receive(self, calls: list[_Pending]) -> DatabaseError | None:
        """Read the replies of one Sync group, up to its ReadyForQuery; return its first error."""
        queue = iter(calls)
        call = next(queue, None)
        error: DatabaseError | None = None
        while True:
            try:
                kind, data = self._replies.following()
            except EOFError as end:
                raise ConnectionLost(error.sqlstate if error else None) from end
            if kind == _DATA_ROW and call is not None:
                call.raw.append(data)
            elif kind == _COMPLETE and call is not None:
                call.tag = data[:-1].decode()
                call = next(queue, None)
            elif kind == _EMPTY:
                call = next(queue, None)
            elif kind == _READY:
                self._transaction_status = data
                return error
            elif kind == _ERROR:
                error = error or DatabaseError(_fields(data))
            elif kind in (_ROW_DESCRIPTION, _NO_DATA) and call is not None:
                self._described(call, data if kind == _ROW_DESCRIPTION else None)
            elif kind not in _SILENT:
                # COPY, or a reply nobody asked for: nothing here would read on from it.
                raise ConnectionLost

    def _described(self, call: _Pending, data: bytes | None) -> None:
        if data is None:
            call.decoders = []
        else:
            context = Context(None)
            self.handle_ROW_DESCRIPTION(data, context)
            call.decoders = context.input_funcs
        if call.name:
            self._prepared[call.call.sql] = (call.name, call.decoders or [])

    def _reply(self, call: _Pending) -> Reply:
        decoders = call.decoders or []
        return Reply([_row(raw, decoders) for raw in call.raw], call.tag or "")


def _message(code: bytes, data: bytes) -> bytes:
    return bytes(code + i_pack(len(data) + 4) + data)


def _parse(name: bytes, sql: bytes) -> bytes:
    return _message(PARSE, name + b"\x00" + sql + b"\x00\x00\x00")


def _describe(name: bytes) -> bytes:
    return _message(DESCRIBE, b"S" + name + b"\x00")


def _fields(data: bytes) -> dict[str, str]:
    parts = data.split(b"\x00")
    return {chr(part[0]): part[1:].decode(errors="replace") for part in parts if part}


def _row(data: bytes, decoders: list[Decoder]) -> Row:
    at = 2
    values: list[Any] = []
    unpack = _LENGTH.unpack_from
    for decode in decoders:
        size = unpack(data, at)[0]
        at += 4
        if size < 0:
            values.append(None)
        else:
            values.append(decode(data[at : at + size].decode()))
            at += size
    return tuple(values)


@cache
def tls_context(authorities: str | None) -> ssl.SSLContext:
    """One verified context a process: loading the certificates takes longer than connecting."""
    return ssl.create_default_context(cafile=authorities)


def connect(config: Config) -> Driver:
    """Open a connection as `config` says, or raise CannotConnect.

    Timeouts travel with the start packet and cost no round trip. The socket waits longer than
    a statement may run, so that an answer is never given up while the server still works on it.
    """
    url = urlsplit(config.database_url)
    mode = parse_qs(url.query).get("sslmode", ["verify-full"])[0]
    timeout_seconds = config.statement_timeout_ms / 1000 + SOCKET_MARGIN_SECONDS
    host, port = url.hostname or "127.0.0.1", url.port or 5432
    try:
        line = socket.create_connection((host, port), CONNECT_TIMEOUT_SECONDS)
    except OSError as error:
        raise CannotConnect from error
    try:
        # What is sent in one flush must not wait for the acknowledgement of its own beginning.
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        driver = Driver(
            prepare=not config.pooler,
            sock=line,
            user=unquote(url.username or ""),
            password=unquote(url.password) if url.password else None,
            host=host,
            database=unquote(url.path.lstrip("/")),
            ssl_context=False if mode == "disable" else tls_context(config.database_ca),
            application_name="kith",
            startup_params={
                "client_encoding": "UTF8",
                "TimeZone": "UTC",
                "DateStyle": "ISO",
                "statement_timeout": str(config.statement_timeout_ms),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
            },
        )
    except Exception as error:
        # Also what pg8000 makes of a stranger's words: whoever speaks there, it is no connection.
        line.close()
        told = error.args[0] if error.args else None
        raise CannotConnect(told.get("C") if isinstance(told, dict) else None) from error
    driver._usock.settimeout(timeout_seconds)  # noqa: SLF001  pg8000 has no setter
    return driver
