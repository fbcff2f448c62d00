"""The pages that mails link to: looking changes nothing, the button asks the API."""

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.http_server import Request, Response
from local.pages import appealing, passwords, unsubscribing, verification
from local.pages.site import Site

TEMPLATES = Path(__file__).resolve().parents[2] / "chalicelib"
LINK = re.compile(r"\$public_url(/[^?\s]*)")
ERROR = {"detail": "no <longer> good", "errors": []}

Press = Callable[[Request, Callable[[Request], Response]], Response]


class Api:
    """Answers the same to everything, and keeps what it was asked."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.response = Response(status, (), json.dumps(body).encode())
        self.asked: list[Request] = []

    def answer(self, request: Request) -> Response:
        """What the gateway does."""
        self.asked.append(request)
        return self.response


def press(view: Press, form: bytes, api: Api) -> str:
    """The page after a form was sent."""
    response = view(Request("POST", "/x", "", (), form, "10.0.0.1"), api.answer)
    page = response.body.decode()
    assert "<script" not in page
    assert all(request.source_address == "10.0.0.1" for request in api.asked)
    return page


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """The site over an API that knows nothing."""
    nothing: Any = None
    gateway: Any = Api(404, ERROR)
    return Site(
        tmp_path,
        gateway,
        logical_clock=nothing,
        schedules=nothing,
        lines=nothing,
        sent=nothing,
        stopping=threading.Event(),
    )


def get(site: Site, path: str, query: str = "") -> Response:
    return site.answer(Request("GET", path, query, (("host", "127.0.0.1:8000"),), b"", "10.0.0.1"))


def test_every_link_in_a_mail_leads_to_a_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.pages.home.show", lambda *_: Response(200, (), b""))
    told = "".join(path.read_text() for path in TEMPLATES.rglob("templates/*/*.txt"))
    paths = {*LINK.findall(told), unsubscribing.PATH} - {"/"}
    assert {"/verify_email", "/reset_password", "/appeal"} < paths
    assert {path: get(site, path, "token=abc").status for path in paths} == dict.fromkeys(
        paths, 200
    )


@pytest.mark.parametrize("module", [verification, passwords, unsubscribing, appealing])
def test_looking_shows_a_form_that_keeps_the_token(site: Site, module: Any) -> None:
    page = get(site, module.PATH, "token=x%22%3E%3Cscript%3E").body.decode()
    assert f'method="post" action="{module.PATH}"' in page
    assert 'name="token" value="x&quot;&gt;&lt;script&gt;"' in page
    assert "<script" not in page


@pytest.mark.parametrize("module", [verification, unsubscribing, appealing])
def test_a_link_without_its_token_is_told(site: Site, module: Any) -> None:
    response = get(site, module.PATH)
    assert (response.status, b"<form" in response.body) == (400, False)


@pytest.mark.parametrize("view", [unsubscribing.stop, appealing.appeal])
def test_no_token_asks_nobody(view: Press) -> None:
    api = Api(200, {})
    assert "this address has none" in press(view, b"token=&statement=x", api)
    assert api.asked == []


def test_a_foreign_page_presses_no_button(site: Site) -> None:
    headers = (("host", "127.0.0.1:8000"), ("sec-fetch-site", "cross-site"))
    request = Request("POST", passwords.PATH, "", headers, b"token=a&password=b", "10.0.0.1")
    assert site.answer(request).status == 403


def test_a_new_password_is_asked_for_by_address(site: Site) -> None:
    assert 'type="email"' in get(site, passwords.PATH).body.decode()
    api = Api(202, {"status": "accepted"})
    assert 'href="/mailbox"' in press(passwords.reset, b"email=+ana%40example.com", api)
    assert api.asked[0].path == "/v1/auth/password_resets"
    assert json.loads(api.asked[0].body) == {"email": "ana@example.com"}
    wrong = [{"field": "body.email", "code": "x", "detail": "Not an <address>"}]
    page = press(passwords.reset, b"email=%22%3E", Api(400, {"detail": "d", "errors": wrong}))
    assert "email: Not an &lt;address&gt;." in page
    assert 'value="&quot;&gt;"' in page


def test_the_new_password_is_set_and_never_shown() -> None:
    api = Api(200, {"status": "password_set"})
    form = b"token=abc&password=wild+horses+%26+more"
    assert "Your password is set" in press(passwords.reset, form, api)
    assert api.asked[0].path == "/v1/auth/passwords"
    assert json.loads(api.asked[0].body) == {"token": "abc", "password": "wild horses & more"}
    page = press(passwords.reset, form, Api(400, ERROR))
    assert "no &lt;longer&gt; good" in page
    assert 'name="token" value="abc"' in page
    assert "wild horses" not in page


def test_mails_of_a_kind_are_stopped() -> None:
    api = Api(200, {"status": "unsubscribed", "kind": "a.<b>"})
    assert "a.&lt;b&gt;" in press(unsubscribing.stop, b"token=a/../b", api)
    assert api.asked[0].path == "/v1/notifications/unsubscribes/a%2F..%2Fb"
    assert api.asked[0].body == b"List-Unsubscribe=One-Click"
    assert api.asked[0].header("content-type") == "application/x-www-form-urlencoded"
    short = {"detail": "d", "errors": [{"field": "path.token", "code": "x", "detail": "d"}]}
    for refused in (Api(404, ERROR), Api(400, short)):
        assert "This link leads nowhere" in press(unsubscribing.stop, b"token=a", refused)
    assert "no &lt;longer&gt; good" in press(unsubscribing.stop, b"token=a", Api(429, ERROR))


def test_a_decision_is_appealed_and_what_was_written_is_not_lost() -> None:
    api = Api(201, {})
    form = b"token=a%2Fb&statement=It+is%0D%0Amine.+%3C%2Ftextarea%3E"
    assert "Your appeal is with us" in press(appealing.appeal, form, api)
    assert api.asked[0].path == "/v1/moderation/appeals/a%2Fb"
    assert json.loads(api.asked[0].body) == {"statement": "It is\nmine. </textarea>"}
    page = press(appealing.appeal, form, Api(409, ERROR))
    assert "It is\nmine. &lt;/textarea&gt;</textarea>" in page
