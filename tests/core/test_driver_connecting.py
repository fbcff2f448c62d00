"""Connecting: whatever stands in the way is CannotConnect, soon, with the server's word for it."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from chalicelib.core import driver as driver_module
from chalicelib.core.config import Config
from chalicelib.core.driver import CannotConnect, Driver
from tests.support import database

Open = Callable[[Config], Driver]

STARTING_UP = b"E\x00\x00\x00\x1bSFATAL\x00C57P03\x00Mnot yet\x00"


@pytest.fixture
def stranger() -> Iterator[Callable[[bytes | None], int]]:
    """Servers that say one thing to whoever connects, or (None) nothing at all; their ports."""
    with contextlib.ExitStack() as stack:

        def build(says: bytes | None) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve() -> None:
                with contextlib.suppress(OSError):
                    client, _ = listener.accept()
                    stack.enter_context(client)
                    client.recv(1024)
                    if says is not None:
                        client.sendall(says)
                        client.close()

            thread = threading.Thread(target=serve, daemon=True)
            stack.callback(thread.join, 1)
            thread.start()
            port: int = listener.getsockname()[1]
            return port

        yield build


def at(port: int, settings: Config) -> Config:
    """The settings, with another port."""
    parts = urlsplit(settings.database_url)
    login = parts.netloc.rpartition("@")[0]
    url = parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()
    return replace(settings, database_url=url)


@pytest.mark.parametrize(
    "says",
    [
        pytest.param(b"", id="hangs up"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="a web server"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2p1\r\n" * 9, id="a shell"),
        pytest.param(b"\xff" * 100, id="noise"),
        pytest.param(b"R\x00\x00\x00\x08\x00\x00\x00\x63", id="an unknown way to sign in"),
        pytest.param(b"R\x00\x00\x00\x0c\x00\x00\x00\x0br=xx", id="half of a handshake"),
    ],
)
def test_what_is_no_postgresql_is_no_connection(
    stranger: Callable[[bytes | None], int], settings: Config, opened: Open, says: bytes
) -> None:
    with pytest.raises(CannotConnect) as refused:
        opened(at(stranger(says), settings))
    assert refused.value.sqlstate is None


def test_noise_in_place_of_tls_is_no_connection(
    stranger: Callable[[bytes | None], int], settings: Config, opened: Open
) -> None:
    for says in (b"\xff", b"S\x00\x00", b"S"):
        told = at(stranger(says), settings)
        verified = replace(told, database_url=told.database_url.partition("?")[0])
        with pytest.raises(CannotConnect):
            opened(verified)


def test_a_server_that_is_starting_says_so(
    stranger: Callable[[bytes | None], int], settings: Config, opened: Open
) -> None:
    with pytest.raises(CannotConnect) as refused:
        opened(at(stranger(STARTING_UP), settings))
    assert refused.value.sqlstate == "57P03"


def test_a_server_that_says_nothing_is_given_up_in_time(
    stranger: Callable[[bytes | None], int],
    settings: Config,
    opened: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(driver_module, "CONNECT_TIMEOUT_SECONDS", 0.2)
    started = time.perf_counter()
    with pytest.raises(CannotConnect):
        opened(at(stranger(None), settings))
    assert 0.1 < time.perf_counter() - started < 2


def test_nobody_listens(settings: Config, opened: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(CannotConnect):
        opened(at(port, settings))


@pytest.fixture
def guest(database_url: str) -> Iterator[str]:
    """Somebody with a password and no room for a connection; `user:password`."""
    database.execute("create role guest login password 'secret' connection limit 0")
    yield "guest:secret"
    database.execute("drop role guest")


@pytest.mark.parametrize(
    ("login", "name", "sqlstate"),
    [
        ("guest:wrong", None, "28P01"),
        ("nobody:secret", None, "28P01"),
        ("guest:secret", None, "53300"),
        (None, "nowhere", "3D000"),
    ],
)
def test_the_servers_word_is_kept(
    *,
    settings: Config,
    opened: Open,
    guest: str,
    login: str | None,
    name: str | None,
    sqlstate: str,
) -> None:
    parts = urlsplit(settings.database_url)
    known, _, place = parts.netloc.rpartition("@")
    url = parts._replace(netloc=f"{login or known}@{place}", path=f"/{name or parts.path[1:]}")
    with pytest.raises(CannotConnect) as refused:
        opened(replace(settings, database_url=url.geturl()))
    assert refused.value.sqlstate == sqlstate


def test_a_password_that_is_missing_is_no_connection(settings: Config, opened: Open) -> None:
    parts = urlsplit(settings.database_url)
    place = parts.netloc.rpartition("@")[2]
    url = parts._replace(netloc=f"kith@{place}").geturl()
    with pytest.raises(CannotConnect):
        opened(replace(settings, database_url=url))


def test_names_and_passwords_may_hold_anything(
    settings: Config, opened: Open, database_url: str
) -> None:
    database.execute("""create role "o'n/e@x" login password 'p:a/s@s%?#é'""")
    try:
        parts = urlsplit(settings.database_url)
        place = parts.netloc.rpartition("@")[2]
        login = "o'n%2Fe%40x:p%3Aa%2Fs%40s%25%3F%23%C3%A9"
        url = parts._replace(netloc=f"{login}@{place}").geturl()
        opened(replace(settings, database_url=url)).abandon()
    finally:
        database.execute("""drop role "o'n/e@x" """)


def test_the_name_of_a_database_may_be_escaped(settings: Config, opened: Open) -> None:
    parts = urlsplit(settings.database_url)
    escaped = "/" + "".join(f"%{ord(letter):02X}" for letter in parts.path[1:])
    url = parts._replace(path=escaped).geturl()
    assert opened(replace(settings, database_url=url)).alive()
