"""By which channels people are told: their own choice, also by the link in a mail."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from chalicelib.core import db, signatures
from chalicelib.kernel.notifications import events, gateway, service
from chalicelib.kernel.notifications.events import Notice, notice
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud, Mail
from tests.support.people import Person
from tests.support.races import at_once
from tests.support.state import nothing_changes

PATH = "/v1/notifications/preferences"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notice]:
    """A kind of thing to be told."""
    known = dict(events._declared)  # noqa: SLF001  those of the program
    monkeypatch.setattr(events, "_declared", known)
    folder = tmp_path / "templates" / "en"
    folder.mkdir(parents=True)
    head = "Subject: About $what\nAction: Look\nLink: $public_url/look?at=$what"
    (folder / "news.txt").write_text(f"{head}\n\nThere is $what.", encoding="utf-8")
    yield notice("marketplace.news", "There is news", str(tmp_path / "events.py"))
    gateway.letter.cache_clear()


def tell(who: Person, cloud: Cloud, *, what: str = "news") -> list[Mail]:
    """Tell somebody; the mails that went out for it."""
    before = len(cloud.mails)
    values = {"what": what}
    db.write(
        lambda unit: service.notify(
            unit, who.id, product="marketplace", kind="marketplace.news", values=values
        )
    )
    cloud.deliver()
    return [mail for mail in cloud.mails[before:] if "verify_email" not in mail.text]


def in_app(who: Person) -> int:
    return len(who.api.get("/v1/notifications").json["items"])


def test_everything_is_told_until_one_says_otherwise(ana: Person, kind: Notice) -> None:
    told = {one["kind"]: one for one in ana.api.get(PATH).json["items"]}
    assert told[kind.kind] == {
        "kind": "marketplace.news",
        "description": "There is news",
        "optional": True,
        "channels": [
            {"channel": "in_app", "enabled": True},
            {"channel": "mail", "enabled": True},
        ],
    }
    assert told["moderation.warned"]["optional"] is False


def test_each_channel_is_switched_apart(
    ana: Person, ben: Person, cloud: Cloud, kind: Notice
) -> None:
    assert len(tell(ana, cloud)) == 1
    answer = ana.api.put(f"{PATH}/{kind.kind}/mail", {"enabled": False})
    assert (answer.status, answer.json) == (200, {"channel": "mail", "enabled": False})
    assert tell(ana, cloud) == []
    assert in_app(ana) == 2
    ana.api.put(f"{PATH}/{kind.kind}/in_app", {"enabled": False})
    assert tell(ana, cloud) == []
    assert in_app(ana) == 2
    assert len(tell(ben, cloud)) == 1
    ana.api.put(f"{PATH}/{kind.kind}/mail", {"enabled": True})
    assert len(tell(ana, cloud)) == 1
    assert in_app(ana) == 2
    told = {one["kind"]: one["channels"] for one in ana.api.get(PATH).json["items"]}
    assert [one["enabled"] for one in told[kind.kind]] == [False, True]


def test_what_everybody_has_to_be_told_stays(ana: Person, api: Api) -> None:
    with nothing_changes():
        answer = ana.api.put(f"{PATH}/moderation.warned/mail", {"enabled": False})
        assert answer.code == "notifications.not_optional"
        for path in ("marketplace.nothing/mail", "moderation.report_decided/mail"):
            assert ana.api.put(f"{PATH}/{path}", {"enabled": False}).status == 404
        for path, field in (("x/mail", "kind"), ("moderation.warned/fax", "channel")):
            answer = ana.api.put(f"{PATH}/{path}", {"enabled": False})
            assert answer.json["errors"][0]["field"] == f"path.{field}"
        answer = ana.api.put(f"{PATH}/moderation.warned/mail", {"enabled": "no"})
        assert answer.json["errors"][0]["field"] == "body.enabled"
        assert api.get(PATH).status == 401


def test_switching_at_once_leaves_one_choice(ana: Person, kind: Notice) -> None:
    path = f"{PATH}/{kind.kind}/mail"
    answers = at_once([partial(ana.api.put, path, {"enabled": bool(at % 2)}) for at in range(8)])
    assert {answer.status for answer in answers} == {200}
    assert database.execute("select count(*) from notifications.preferences") == [(1,)]


def link_of(mail: Mail) -> str:
    found = re.fullmatch(r"<http://127.0.0.1:8000(/v1/\S+)>", mail.raw["list-unsubscribe"])
    assert found
    return found[1]


def test_a_mail_program_stops_a_kind_of_mail(
    ana: Person, api: Api, cloud: Cloud, kind: Notice
) -> None:
    (mail,) = tell(ana, cloud)
    assert mail.raw["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    path = link_of(mail)
    for _ in range(2):
        answer = api.call("POST", path, raw=b"List-Unsubscribe=One-Click", headers=FORM)
        assert answer.json == {"status": "unsubscribed", "kind": kind.kind}
    assert tell(ana, cloud) == []
    assert in_app(ana) == 2


def test_the_footer_leads_to_a_page_and_a_page_may_send_json(
    ana: Person, api: Api, cloud: Cloud, kind: Notice
) -> None:
    (mail,) = tell(ana, cloud)
    found = re.search(r"http://127.0.0.1:8000/unsubscribe\?token=(\S+)", mail.text)
    assert found
    assert found[0] in mail.html
    assert api.post(f"/v1/notifications/unsubscribes/{found[1]}", {}).status == 200
    assert tell(ana, cloud) == []


def test_looking_at_the_link_changes_nothing(
    ana: Person, api: Api, cloud: Cloud, kind: Notice
) -> None:
    (mail,) = tell(ana, cloud)
    with nothing_changes():
        for method in ("GET", "HEAD"):
            assert api.call(method, link_of(mail)).status in {403, 404, 405}


def test_a_token_of_ones_own_making_is_refused(
    ana: Person, ben: Person, api: Api, cloud: Cloud, kind: Notice
) -> None:
    (mail,) = tell(ana, cloud)
    token = link_of(mail).rpartition("/")[2]
    other = signatures.sign("moderation.appeal", f"{ben.id}:{kind.kind}")
    gone = signatures.sign("notifications.unsubscribe", f"{ana.id}:marketplace.gone")
    with nothing_changes():
        for wrong in (token[:-1], token[1:], token + "A", other, gone, "x" * 40):
            answer = api.post(f"/v1/notifications/unsubscribes/{wrong}")
            assert answer.status in {400, 404}, wrong


def test_somebody_erased_leaves_no_trace_by_it(
    ana: Person, api: Api, cloud: Cloud, kind: Notice
) -> None:
    (mail,) = tell(ana, cloud)
    database.execute("update accounts.users set status = 'banned' where id = $1", ana.id)
    with nothing_changes():
        assert api.post(link_of(mail)).status == 200


@pytest.mark.parametrize(
    "what",
    [
        "x\r\nBcc: eve@evil.example",
        "x\n\n<script>alert(1)</script>",
        "x\u2028Bcc: eve@evil.example",
        "a&at=b#c d/../",
        '"><img src=x>',
        "$what ${public_url} %s",
        "=?utf-8?q?=0aBcc:_eve@evil.example?=",
        "é" * 300,
    ],
)
def test_nothing_gets_out_of_its_place(ana: Person, cloud: Cloud, kind: Notice, what: str) -> None:
    (mail,) = tell(ana, cloud, what=what)
    assert {name.lower() for name in mail.raw} == {
        "from", "to", "subject", "mime-version", "content-type", "list-unsubscribe",
        "list-unsubscribe-post",
    }  # fmt: skip
    assert mail.raw["to"] == ana.email
    assert "\n" not in mail.subject
    assert set(re.findall(r"<(\w+)", mail.html)) == {"html", "body", "p", "a"}
    links = re.findall(r'href="([^"]*)"', mail.html)
    assert len(links) == 2
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/look\?at=[\w.%~-]*", links[0])


def test_nothing_of_it_is_kept_once_it_is_sent(ana: Person, cloud: Cloud, kind: Notice) -> None:
    tell(ana, cloud, what="canary")
    rows = database.execute("select m::text from notifications.mails m")
    assert rows
    assert not any("canary" in row for (row,) in rows)
    events_ = database.execute("select o::text from core.outbox o")
    assert not any("canary" in row for (row,) in events_)
