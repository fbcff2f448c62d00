"""TLS to the database: verified unless it is switched off by name, and never given up silently."""

import os
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chalicelib.core import db
from chalicelib.core.config import Config
from chalicelib.core.driver import CannotConnect, DatabaseError, Driver, tls_context
from local.postgres import LocalServer, Server
from tests.support import database
from tests.support.certificates import Authority, server_context
from tests.support.proxy import Proxy
from tests.support.wire import answers_its_own, ask, line_of

Open = Callable[[Config], Driver]


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Whoever signs certificates here."""
    return Authority("Kith tests")


@pytest.fixture(scope="module")
def trusted(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file that KITH_DATABASE_CA names."""
    path = tmp_path_factory.mktemp("tls") / "authority.pem"
    path.write_bytes(authority.certificate)
    return str(path)


@pytest.fixture
def encrypted(
    authority: Authority, settings: Config, trusted: str, tmp_path: Path
) -> Iterator[Callable[..., Config]]:
    """Settings of a database behind TLS, with a certificate for the names told."""
    proxies: list[Proxy] = []
    parts = urlsplit(settings.database_url)

    def build(*names: str, by: Authority = authority, days: int = 1, query: str = "") -> Config:
        context = server_context(by.sign(names, days=days), tmp_path)
        proxy = Proxy((parts.hostname or "", parts.port or 5432), context).__enter__()
        proxies.append(proxy)
        url = urlsplit(proxy.url(settings.database_url))._replace(query=query).geturl()
        return replace(settings, database_url=url, database_ca=trusted)

    yield build
    for proxy in proxies:
        proxy.__exit__()


def test_a_verified_server_is_spoken_to(encrypted: Callable[..., Config], opened: Open) -> None:
    driver = opened(encrypted("127.0.0.1"))
    assert isinstance(line_of(driver), ssl.SSLSocket)
    assert line_of(driver).version() in {"TLSv1.2", "TLSv1.3"}
    assert answers_its_own(driver)
    assert driver.alive()
    assert ask(driver, "select $1::text", "x" * 10_000_000) == [("x" * 10_000_000,)]


@pytest.mark.parametrize("query", ["", "sslmode=verify-full", "sslmode=require", "sslmode=prefer"])
def test_a_stranger_is_refused_whatever_else_is_asked_for(
    encrypted: Callable[..., Config], opened: Open, query: str
) -> None:
    with pytest.raises(CannotConnect) as refused:
        opened(encrypted("127.0.0.1", by=Authority("Somebody else"), query=query))
    assert isinstance(refused.value.__cause__, ssl.SSLCertVerificationError)


def test_a_certificate_of_another_host_is_refused(
    encrypted: Callable[..., Config], opened: Open
) -> None:
    with pytest.raises(CannotConnect) as refused:
        opened(encrypted("database.example", "127.0.0.2"))
    assert "127.0.0.1" in str(refused.value.__cause__)


def test_an_expired_certificate_is_refused(encrypted: Callable[..., Config], opened: Open) -> None:
    with pytest.raises(CannotConnect) as refused:
        opened(encrypted("127.0.0.1", days=-1))
    assert "expired" in str(refused.value.__cause__)


def test_the_systems_authorities_are_asked_where_none_are_named(
    encrypted: Callable[..., Config], opened: Open
) -> None:
    with pytest.raises(CannotConnect):
        opened(replace(encrypted("127.0.0.1"), database_ca=None))


@pytest.mark.parametrize("query", ["", "sslmode=require", "sslmode=prefer", "sslmode=allow"])
def test_a_server_that_speaks_no_tls_is_refused(settings: Config, opened: Open, query: str) -> None:
    url = urlsplit(settings.database_url)._replace(query=query).geturl()
    with pytest.raises(CannotConnect):
        opened(replace(settings, database_url=url))


def test_only_sslmode_disable_speaks_in_the_clear(settings: Config, opened: Open) -> None:
    assert urlsplit(settings.database_url).query == "sslmode=disable"
    assert not isinstance(line_of(opened(settings)), ssl.SSLSocket)


def test_one_context_serves_the_whole_process(
    encrypted: Callable[..., Config], opened: Open, trusted: str
) -> None:
    one, other = (line_of(opened(encrypted("127.0.0.1"))).context for _ in range(2))
    assert one is other is tls_context(trusted)
    assert one.verify_mode is ssl.CERT_REQUIRED
    assert one.check_hostname


@pytest.fixture
def own_tls(server: Server, authority: Authority, database_url: str) -> Iterator[None]:
    """PostgreSQL speaks TLS itself, where it was built to."""
    if not isinstance(server, LocalServer):
        pytest.skip("DATABASE_URL names a server whose settings aren't ours to change")
    owner = server.data.stat()
    pair = server.data / "tests.pem"
    pair.write_bytes(authority.sign(["127.0.0.1"], days=1))
    pair.chmod(0o600)
    os.chown(pair, owner.st_uid, owner.st_gid)
    try:
        for name in ("ssl_cert_file", "ssl_key_file"):
            database.execute(f"alter system set {name} = 'tests.pem'")
        database.execute("alter system set ssl = on")
    except DatabaseError:
        pytest.skip("this PostgreSQL was built without TLS")
    else:
        database.execute("select pg_reload_conf()")
        deadline = time.monotonic() + 5
        while database.execute("show ssl") != [("on",)] and time.monotonic() < deadline:
            db.session.close()
            time.sleep(0.01)
        yield
    finally:
        database.execute("alter system reset all")
        database.execute("select pg_reload_conf()")
        pair.unlink()


def test_postgresqls_own_tls_is_spoken_and_bound_to_the_password(
    own_tls: None, settings: Config, opened: Open, trusted: str
) -> None:
    url = urlsplit(settings.database_url)._replace(query="").geturl()
    told = replace(settings, database_url=url, database_ca=trusted)
    driver = opened(told)
    encrypted = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
    assert ask(driver, encrypted) == [(True,)]
    assert answers_its_own(driver)
    assert driver.auth.mechanism_name == "SCRAM-SHA-256-PLUS"
    with pytest.raises(CannotConnect):
        opened(replace(told, database_ca=None))
