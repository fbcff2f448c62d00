"""Domains as the world shows them: the only place that asks DNS and other people's servers.

Whoever names a domain decides where we connect, so nothing of it is trusted. A name is resolved
once for each connection; every address it has must be public, and the connection goes to one that
was checked, whatever the name resolves to a moment later. Redirects begin all of this anew.
"""

import http.client
import io
import ipaddress
import re
import socket
import ssl
import time
from typing import Any, Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

Method = Literal["dns", "well_known"]

PATH = "/.well-known/kith.txt"
MOST_BYTES = 16 * 1024
MOST_REDIRECTS = 3
SECONDS = 10.0
_DNS_SECONDS = 4.0
_CONNECT_SECONDS = 4.0
_PORT = 443
_MOST_TEXTS = 50
_MOST_ADDRESSES = 16

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
# A name whose last label is a number is an address in disguise: 127.1, 0x7f.1, 2130706433.
_LAST_LABEL = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")
_MOST_CHARACTERS = 253
_NEVER_PUBLIC = frozenset(
    {
        "alt", "arpa", "corp", "example", "home", "internal", "intranet", "invalid", "lan",
        "local", "localdomain", "localhost", "mail", "onion", "private", "test",
    }
)  # fmt: skip
_TARGET = re.compile(r"/[!-~]{0,1000}")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

# https://www.iana.org/assignments/iana-ipv4-special-registry and the one for IPv6, written out:
# what Python calls global differs between its versions, and a metadata service has a public one.
_REFUSED = [
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32",
        "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
        "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
    )
]  # fmt: skip
# Of IPv6 only what is given to anybody, without what leads back to IPv4 or nowhere.
_GLOBAL_6 = ipaddress.ip_network("2000::/3")
_REFUSED_6 = [
    ipaddress.ip_network(one)
    for one in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]


class NoDomain(Exception):
    """The text names no domain that anybody could own."""


class Refused(Exception):
    """A connection we don't make, or an answer we don't take."""


class Network:
    """What is asked of the outside; tests put their own in its place."""

    def texts(self, name: str) -> list[str]:
        """The TXT records of a name."""
        records = self._records(name, "TXT")
        return [b"".join(one.strings).decode("ascii", "replace") for one in records[:_MOST_TEXTS]]

    def addresses(self, host: str) -> list[str]:
        """The addresses of a host, as DNS tells them."""
        return [str(one.address) for kind in ("A", "AAAA") for one in self._records(host, kind)]

    def connect(self, address: str, host: str) -> ssl.SSLSocket:
        """A TLS connection to this very address, whose certificate is the host's."""
        context = ssl.create_default_context()
        plain = socket.create_connection((address, _PORT), timeout=_CONNECT_SECONDS)
        try:
            return context.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    @staticmethod
    def _records(name: str, kind: str) -> list[Any]:
        import dns.exception  # noqa: PLC0415  only who checks domains pays for it
        import dns.resolver  # noqa: PLC0415  comes with it

        resolver = dns.resolver.Resolver()
        resolver.lifetime = _DNS_SECONDS
        try:
            return list(resolver.resolve(f"{name}.", kind, search=False))
        except dns.exception.DNSException:
            return []


network = Network()


def normalised(text: str) -> str:
    """A domain as DNS writes it: lower case, punycode, no dot at the end. NoDomain for others."""
    import idna  # noqa: PLC0415  its tables are large

    try:
        name = idna.encode(text, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise NoDomain("a domain such as ana-brand.com, and nothing around it") from error
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > _MOST_CHARACTERS or not all(_LABEL.fullmatch(label) for label in labels):
        raise NoDomain("a domain such as ana-brand.com, and nothing around it")
    if len(labels) == 1 or not _LAST_LABEL.fullmatch(labels[-1]):
        raise NoDomain("a domain with its ending, not a host name or an address")
    if labels[-1] in _NEVER_PUBLIC:
        raise NoDomain("a domain that the public can reach")
    return name


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet."""
    try:
        told = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(told, ipaddress.IPv4Address):
        return not any(told in one for one in _REFUSED)
    return told in _GLOBAL_6 and not any(told in one for one in _REFUSED_6)


def find_proof(domain: str, proof: str) -> Method | None:
    """Where a domain shows `proof`: in a TXT record, or as a line of a file served over https."""
    if proof in (text.strip() for text in network.texts(f"_kith.{domain}")):
        return "dns"
    try:
        body = _fetch(domain)
    except (Refused, OSError, http.client.HTTPException, ValueError):
        return None
    lines = (line.strip() for line in body.decode("ascii", "replace").splitlines())
    return "well_known" if proof in lines else None


class _Answer(NamedTuple):
    status: int
    location: str | None
    body: bytes


def _fetch(domain: str) -> bytes:
    """The file of a domain. Redirects may lead to its `www` or back, and nowhere else."""
    bare = domain.removeprefix("www.")
    hosts = {domain, bare, f"www.{bare}"}
    deadline = time.monotonic() + SECONDS
    host, target = domain, PATH
    for _ in range(MOST_REDIRECTS + 1):
        answer = _ask(host, target, deadline)
        if answer.status == http.HTTPStatus.OK:
            return answer.body
        if answer.status not in _REDIRECTS or answer.location is None:
            raise Refused
        host, target = _redirected(f"https://{host}{target}", answer.location, hosts)
    raise Refused


def _redirected(base: str, location: str, hosts: set[str]) -> tuple[str, str]:
    parts = urlsplit(urljoin(base, location))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme != "https" or "@" in parts.netloc or ":" in parts.netloc:
        raise Refused
    try:
        host = normalised(parts.netloc)
    except NoDomain as error:
        raise Refused from error
    if host not in hosts or not _TARGET.fullmatch(target):
        raise Refused
    return host, target


def _ask(host: str, target: str, deadline: float) -> _Answer:
    addresses = network.addresses(host)
    # One that is not public spoils them all: nobody lists those next to each other by chance.
    if not 0 < len(addresses) <= _MOST_ADDRESSES or not all(map(is_public, addresses)):
        raise Refused
    request = (
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: kith-domain-check\r\n"
        "Accept: text/plain\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    )
    with network.connect(addresses[0], host) as connection:
        _wait_at_most(connection, deadline)
        connection.sendall(request.encode("ascii"))
        return _parsed(_received(connection, deadline))


def _received(connection: socket.socket, deadline: float) -> bytes:
    """What is sent until the other side ends it; never more than the limits of size and time."""
    found = bytearray()
    while len(found) <= MOST_BYTES:
        _wait_at_most(connection, deadline)
        part = connection.recv(MOST_BYTES)
        if not part:
            return bytes(found)
        found += part
    raise Refused


def _wait_at_most(connection: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise Refused
    connection.settimeout(left)


class _Heard:
    """Bytes that were received, where http.client wants a socket."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, _mode: str) -> io.BytesIO:
        """The bytes as a file."""
        return io.BytesIO(self._received)


def _parsed(received: bytes) -> _Answer:
    response = http.client.HTTPResponse(_Heard(received))  # type: ignore[arg-type]
    response.begin()
    return _Answer(response.status, response.getheader("Location"), response.read())
