"""The pages beside the app, the log, and the environment that the app is given."""

import io
import json
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import aws
from local import environment
from local.aws_emulator import Aws
from local.environment import EnvironmentProblem
from local.http_server import Request, Response
from local.pages import mailbox, payment, verification
from local.postgres import Server
from local.readable_log import ReadableLog, render
from local.sent_mail import SentMail


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SentMail:
    monkeypatch.setattr(aws, "send_mail", lambda _sender, _recipient, _raw: "id-of-ses")
    made = SentMail(tmp_path / "mail")
    made.keep_copies()
    return made


def mail(to: str, text: str, html: str = "<p>Hi</p>") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "hello@kith.example", to, "Olá <b>"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    assert aws.send_mail("hello@kith.example", to, message.as_bytes()) == "id-of-ses"


def body(response: Response) -> str:
    return response.body.decode()


def test_mails_are_kept_shown_newest_first_and_found_by_recipient(sent: SentMail) -> None:
    mail("ana@example.com", "One http://127.0.0.1/x?a=1&token=abc-_1 <script>")
    mail("ben@example.com", "Two")
    page = body(mailbox.show(sent, ""))
    assert page.index("to ben@example.com") < page.index("to ana@example.com")
    assert 'href="http://127.0.0.1/x?a=1&amp;token=abc-_1"' in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "ben@example.com" not in body(mailbox.show(sent, "ANA@example.com"))
    assert body(mailbox.newest(sent, "Ana@Example.com")).startswith(
        "To: ana@example.com\nSubject: Olá <b>"
    )
    assert mailbox.newest(sent, "nobody@example.com").status == 404


def test_mail_as_html_can_run_nothing(sent: SentMail) -> None:
    mail("ana@example.com", "x", html='<script>alert(1)</script>"><img src=x>')
    response = mailbox.show(sent, "")
    assert "<script" not in body(response)
    assert "<img" not in body(response)
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in body(response)
    assert "default-src 'none'" in dict(response.headers)["Content-Security-Policy"]


def test_a_token_is_waited_for(sent: SentMail) -> None:
    late = threading.Timer(0.2, mail, ("ana@example.com", "http://h/verify?token=later"))
    late.start()
    response = mailbox.token(sent, "ana@example.com", threading.Event())
    late.join()
    assert body(response) == "later\n"


def test_a_wait_for_a_token_ends_when_the_process_does(sent: SentMail) -> None:
    stopping = threading.Event()
    stopping.set()
    assert mailbox.token(sent, "ana@example.com", stopping).status == 404


def test_looking_at_a_verification_link_only_shows_a_button() -> None:
    page = body(verification.ask('x"><script>'))
    assert 'method="post"' in page
    assert "<script" not in page
    assert verification.ask("").status == 400


@pytest.mark.parametrize(
    ("status", "told"), [(200, "You can sign in"), (400, "no &lt;longer&gt; good")]
)
def test_the_button_hands_the_token_to_the_api(status: int, told: str) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response(status, (), json.dumps({"detail": "no <longer> good"}).encode())

    form = Request("POST", "/verify_email", "", (), b"token=a%2Bb&password=x", "10.0.0.1")
    response = verification.verify(form, answer)
    assert (response.status, told in body(response)) == (status, True)
    assert json.loads(asked[0].body) == {"token": "a+b", "password": "x"}
    assert (asked[0].path, asked[0].source_address) == ("/v1/auth/verifications", "10.0.0.1")


def test_the_pages_after_paying_escape_what_they_are_given() -> None:
    for show in (payment.paid, payment.not_paid):
        assert "<script" not in body(show("<script>"))


def line(**fields: Any) -> str:
    return json.dumps({"at": "2026-11-20T12:00:00.000+00:00", **fields})


def test_the_log_hides_jobs_that_did_nothing_and_keeps_every_line(tmp_path: Path) -> None:
    shown = io.StringIO()
    log = ReadableLog(tmp_path / "logs" / "app.jsonl", shown)
    log.write(line(event="job", job="core_relay", state="done", rows=0) + "\n")
    log.write(line(event="job", job="core_relay", state="done", rows=3) + "\n")
    log.is_quiet = True
    log.write(line(event="request", status=200, ms=1.2) + "\n")
    log.close()
    assert [text.split()[1:] for text in shown.getvalue().splitlines()] == [
        ["done", "job", "core_relay,", "3", "rows"]
    ]
    assert len((tmp_path / "logs" / "app.jsonl").read_text().splitlines()) == 3


def test_a_failure_is_shown_with_its_frames() -> None:
    entry = {"at": "2026-11-20T12:00:00+00:00", "event": "request", "status": 500, "ms": 12.0}
    text = render(
        {**entry, "method": "GET", "path": "/x", "error": ["a.B", "c.py:1 d"]}, colours=False
    )
    assert "500      GET /x" in text
    assert text.splitlines()[1:] == ["          a.B", "          c.py:1 d"]


def build(home: Path, url: str = "postgresql://u:p@127.0.0.1:5/kith") -> dict[str, str]:
    return environment.build(
        home, server=Server(url), aws=Aws("http://127.0.0.1:7"), stripe_url="http://s", port=8001
    )


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting of ours in the environment."""
    for name in ("KITH_TOKEN_KEYS", "KITH_MASTER_KEY", "KITH_QUEUE_URL", "STRIPE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("STRIPE_WEBHOOK_SECRET", raising=False)
    return monkeypatch


def test_secrets_are_made_once_and_for_their_owner_alone(
    tmp_path: Path, plain: pytest.MonkeyPatch
) -> None:
    made = build(tmp_path)
    assert build(tmp_path) == made
    files = list((tmp_path / "secrets").iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    environment.remember(tmp_path, made)
    assert stat.S_IMODE((tmp_path / "environment.json").stat().st_mode) == 0o600
    assert environment.remembered(tmp_path)["KITH_MASTER_KEY"] == made["KITH_MASTER_KEY"]


def test_threads_that_need_a_secret_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(environment.control_token, tmp_path) for _ in range(32)]
        assert len({each.result() for each in made}) == 1
    assert [file.name for file in (tmp_path / "secrets").iterdir()] == ["control_token"]


def test_what_the_environment_names_counts(tmp_path: Path, plain: pytest.MonkeyPatch) -> None:
    plain.setenv("KITH_TOKEN_KEYS", "mine:abc")
    made = build(tmp_path)
    assert made["KITH_TOKEN_KEYS"] == "mine:abc"
    assert made["DATABASE_URL"] == "postgresql://u:p@127.0.0.1:5/kith?sslmode=disable"
    assert made["KITH_QUEUE_URL"] == "http://127.0.0.1:7/000000000000/"
    elsewhere = "postgresql://u:p@db.example/kith"
    assert build(tmp_path, elsewhere)["DATABASE_URL"] == elsewhere


def test_a_key_of_stripes_needs_its_webhook_secret(plain: pytest.MonkeyPatch) -> None:
    assert not environment.stripe_is_real()
    plain.setenv("STRIPE_API_KEY", "sk_live_1")
    with pytest.raises(EnvironmentProblem, match="no test key"):
        environment.stripe_is_real()
    plain.setenv("STRIPE_API_KEY", "sk_test_1")
    with pytest.raises(EnvironmentProblem, match="STRIPE_WEBHOOK_SECRET"):
        environment.stripe_is_real()
    plain.setenv("STRIPE_WEBHOOK_SECRET", "whsec_1")
    assert environment.stripe_is_real()


@pytest.mark.parametrize("text", ["x", "0", "65536", "-1"])
def test_a_port_must_be_one(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(EnvironmentProblem, match="PORT"):
        environment.port()
