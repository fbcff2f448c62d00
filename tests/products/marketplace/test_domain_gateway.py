"""What a domain's owner may do to us: nothing. No name, address or redirect leads inside."""

import time
from collections.abc import Callable

import pytest

from chalicelib.products.marketplace.domains import gateway
from tests.support.internet import PUBLIC, Internet, answer

PROOF = "kith-verification=code"


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Internet:
    """The internet, in which ana-brand.com is somewhere."""
    made = Internet()
    made.names = {"ana-brand.com": [[PUBLIC]], "www.ana-brand.com": [["2606:2800:21f::1"]]}
    monkeypatch.setattr(gateway, "network", made)
    return made


def redirects(location: str) -> Callable[[str, bytes], bytes]:
    return lambda _host, _request: answer("302 Found", Location=location)


def find() -> str | None:
    return gateway.find_proof("ana-brand.com", PROOF)


def test_a_file_shows_the_proof(net: Internet) -> None:
    heard: list[bytes] = []

    def serve(_host: str, request: bytes) -> bytes:
        heard.append(request)
        return answer(body=f"# ours\n{PROOF}\n".encode())

    net.served = serve
    assert find() == "well_known"
    assert net.connected == [(PUBLIC, "ana-brand.com")]
    assert heard[0].startswith(b"GET /.well-known/kith.txt HTTP/1.1\r\nHost: ana-brand.com\r\n")


def test_a_text_record_shows_it_without_any_connection(net: Internet) -> None:
    net.records["_kith.ana-brand.com"] = [PROOF]
    assert find() == "dns"
    assert net.connected == []


@pytest.mark.parametrize("body", ["", "kith-verification=other", f"x{PROOF}", f"{PROOF}x"])
def test_anything_else_does_not(body: str, net: Internet) -> None:
    net.served = lambda _host, _request: answer(body=body.encode())
    assert find() is None


def test_a_redirect_to_its_www_is_followed_and_checked_anew(net: Internet) -> None:
    net.served = lambda host, _request: (
        answer(body=PROOF.encode())
        if host.startswith("www.")
        else answer("301 Moved Permanently", Location="https://www.ana-brand.com/proof?a=1")
    )
    assert find() == "well_known"
    assert [address for address, _ in net.connected] == [PUBLIC, "2606:2800:21f::1"]


def test_three_redirects_and_no_more(net: Internet) -> None:
    net.served = redirects("/again")
    assert find() is None
    assert len(net.connected) == 4


INSIDE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1",
    "172.31.255.254", "192.168.0.1", "169.254.169.254", "169.254.170.2", "100.64.0.1",
    "100.100.100.200", "100.127.255.254", "168.63.129.16", "192.0.0.192", "192.0.2.1",
    "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "192.88.99.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:8.8.8.8", "::ffff:7f00:1", "::127.0.0.1", "::8.8.8.8", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1",
    "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254",
    "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "2130706433",
    "0x7f000001", "0177.0.0.1", "127.1", "", "localhost", "1.2.3.4:80", "[::1]",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_no_connection_inside(address: str, net: Internet) -> None:
    net.names["ana-brand.com"] = [[address]]
    assert find() is None
    net.names["ana-brand.com"] = [[PUBLIC, address]]
    assert find() is None
    net.names["ana-brand.com"] = [[address, PUBLIC]]
    assert find() is None
    assert net.connected == []


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:21f::1", "2a00:1450:4001::5"])
def test_the_open_internet(address: str) -> None:
    assert gateway.is_public(address)


@pytest.mark.parametrize("address", INSIDE[:30])
def test_a_name_that_changes_its_mind_changes_nothing(address: str, net: Internet) -> None:
    net.names["ana-brand.com"] = [[PUBLIC], [address]]
    net.served = redirects("https://ana-brand.com/again")
    assert find() is None
    assert net.connected == [(PUBLIC, "ana-brand.com")]


LEADS_AWAY = [
    "http://ana-brand.com/", "http://127.0.0.1/", "https://127.0.0.1/", "https://[::1]/",
    "https://169.254.169.254/latest/meta-data/", "https://localhost/", "https://ben-brand.com/",
    "https://ana-brand.com.evil.com/", "https://evil.com/ana-brand.com", "//evil.com/",
    "https://ana-brand.com@127.0.0.1/", "https://user:pass@ana-brand.com/",
    "https://ana-brand.com:8443/", "https://ana-brand.com:22/", "https://ana-brand.com:/",
    "https://sub.ana-brand.com/", "ftp://ana-brand.com/", "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_", "javascript:alert(1)", "https://2130706433/",
    "https://0x7f.1/", "https://0177.0.0.1/", "https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/", "https://ana-brand。com.evil.com/",
    "https://[::ffff:127.0.0.1]/", "https://ana-brand.com\\@evil.com/", "https://evil.com#@ana-brand.com/",
    "https:///etc", "https://", "\\\\evil.com\\", "https://ana-brand.com\t.evil.com/",
    "https://xn--80ak6aa92e.com/", "https://www.www.ana-brand.com/", "https://ana-brand.com./x y",
]  # fmt: skip


@pytest.mark.parametrize("location", LEADS_AWAY)
def test_no_redirect_leads_away(location: str, net: Internet) -> None:
    for name in ("127.0.0.1", "evil.com", "localhost", "ben-brand.com", "sub.ana-brand.com"):
        net.names[name] = [["127.0.0.1"]]
    net.served = lambda _host, _request: (
        b"HTTP/1.1 302 Found\r\nLocation: " + location.encode() + b"\r\n\r\n"
    )
    assert find() is None
    assert set(net.connected) <= {(PUBLIC, "ana-brand.com")}


NO_DOMAINS = [
    "", " ", "localhost", "a", "a..b", ".com", "-a.com", "a-.com", "a_b.com", "a b.com",
    "https://a.com", "a.com/", "a.com/x", "a.com:443", "u@a.com", "a.com?x", "a.com#x", "[::1]",
    "::1", "127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0x7f000001", "0177.0.0.1",
    "1.2.3.4.5", "\uff11\uff12\uff17.\uff10.\uff10.\uff11", "a.1", "a.0x1", "a.local", "a.localhost", "a.internal",
    "printer.lan", "x.home", "1.0.0.127.in-addr.arpa", "hidden.onion", "a.test", "a.invalid",
    "metadata.google.internal", "a.com\n", "a.com\r\nHost: b.com", "a\x00.com", "a.com\\b",
    "%61.com", "a" * 64 + ".com", ".".join(["abcdefgh"] * 32) + ".com", "xn--a.com", "☃️‍.com", "*.com",
    "a.com,b.com", "a;b.com", "\uff41\uff0fb.com",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_DOMAINS)
def test_what_is_no_domain(text: str) -> None:
    with pytest.raises(gateway.NoDomain):
        gateway.normalised(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ana-Brand.COM", "ana-brand.com"),
        ("ana-brand.com.", "ana-brand.com"),
        ("www.ana-brand.co.uk", "www.ana-brand.co.uk"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("BÜCHER.de", "xn--bcher-kva.de"),
        ("faß.de", "xn--fa-hia.de"),
        ("xn--bcher-kva.de", "xn--bcher-kva.de"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("ana\uff0dbrand。com", "ana-brand.com"),
    ],
)
def test_one_name_for_one_domain(text: str, name: str) -> None:
    assert gateway.normalised(text) == name


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"\x00" * 100, b"HTTP/1.1 200 OK", b"HTTP/1.1 999 ?\r\n\r\n", b"SSH-2.0-x\r\n",
        answer("500 Oops", PROOF.encode()), answer("404 Not Found", PROOF.encode()),
        answer("302 Found"), answer("200 OK", b"x" * 20_000), b"a" * 20_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n" + PROOF.encode(),
        answer("200 OK", b"", **{"Content-Length": "1000000"}) + PROOF.encode(),
        answer("200 OK", b"zz\r\n", **{"Transfer-Encoding": "chunked"}),
        b"HTTP/1.1 302 Found\r\nLocation: https://ana-brand.com/\xff\xfe\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /a\r\n b\r\n\r\n",
    ],
)  # fmt: skip
def test_bad_answers_show_nothing(sent: bytes, net: Internet) -> None:
    net.served = lambda _host, _request: sent
    assert find() is None


def test_who_drips_is_not_waited_for(net: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "SECONDS", 0.3)

    def drip(_host: str, _request: bytes) -> bytes:
        time.sleep(2)
        return answer(body=PROOF.encode())

    net.served = drip
    started = time.monotonic()
    assert find() is None
    assert time.monotonic() - started < 1.5
