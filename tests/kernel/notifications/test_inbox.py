"""What people are told in the app: in their language, once, theirs alone."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.core import db, privacy
from chalicelib.kernel.notifications import events, gateway, service
from chalicelib.kernel.notifications.events import Notice, notice
from tests.support import database
from tests.support.api import Api
from tests.support.people import Person
from tests.support.races import many
from tests.support.state import nothing_changes

PATH = "/v1/notifications"


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notice]:
    """A kind of thing to be told, written in English and Hebrew."""
    known = dict(events._declared)  # noqa: SLF001  those of the program
    monkeypatch.setattr(events, "_declared", known)
    for locale, title in (("en", "$who came by"), ("he", "$who הגיע")):
        folder = tmp_path / "templates" / locale
        folder.mkdir(parents=True)
        text = f"Subject: {title}\n\nAbout $what."
        (folder / "came_by.txt").write_text(text, encoding="utf-8")
    yield notice("marketplace.came_by", "Somebody came by", str(tmp_path / "events.py"))
    gateway.letter.cache_clear()


def tell(who: Person, *, what: str = "it", product: str = "marketplace") -> None:
    values = {"who": "<Ben>", "what": what}
    db.write(
        lambda unit: service.notify(
            unit, who.id, product=product, kind="marketplace.came_by", values=values
        )
    )


def test_somebody_is_told_in_the_app(ana: Person, ben: Person, kind: Notice) -> None:
    tell(ana)
    (told,) = ana.api.get(PATH).json["items"]
    assert (told["title"], told["body"]) == ("<Ben> came by", "About it.")
    assert (told["kind"], told["priority"], told["read_at"]) == (kind.kind, "normal", None)
    assert ben.api.get(PATH).json["items"] == []


@pytest.mark.parametrize(("locale", "title"), [("he", "<Ben> הגיע"), ("pt-BR", "<Ben> came by")])
def test_in_ones_language_or_else_in_english(
    ana: Person, kind: Notice, locale: str, title: str
) -> None:
    database.execute("update accounts.users set locale = $1 where id = $2", locale, ana.id)
    tell(ana)
    assert ana.api.get(PATH).json["items"][0]["title"] == title


def test_it_is_told_with_the_change_or_not_at_all(ana: Person, kind: Notice) -> None:
    def change(unit: db.Connection) -> None:
        values = {"who": "Ben", "what": "it"}
        service.notify(unit, ana.id, product="marketplace", kind=kind.kind, values=values)
        raise ValueError

    with nothing_changes(), pytest.raises(ValueError):
        db.write(change)


def test_a_kind_nobody_declared_and_a_missing_value_are_bugs(ana: Person, kind: Notice) -> None:
    with nothing_changes():
        for name in ("marketplace.nothing", kind.kind):
            with pytest.raises(KeyError):
                db.write(service.notify, ana.id, product="marketplace", kind=name)


def test_whoever_is_gone_is_told_nothing(ana: Person, kind: Notice) -> None:
    database.execute("update accounts.users set status = 'banned' where id = $1", ana.id)
    tell(ana)
    assert database.execute("select count(*) from notifications.notifications") == [(0,)]


def test_erasing_somebody_removes_what_they_were_told(
    ana: Person, ben: Person, kind: Notice
) -> None:
    tell(ana)
    tell(ben)
    db.write(privacy.erase, ana.id)
    assert database.execute("select user_id from notifications.notifications") == [(ben.id,)]
    assert database.execute(
        "select count(*) from notifications.mails where user_id = $1 and filling is not null",
        ana.id,
    ) == [(0,)]


def test_the_list_is_filtered_and_paged(ana: Person, kind: Notice) -> None:
    for number in range(3):
        tell(ana, what=str(number), product="marketplace" if number else "gallery")
    first = ana.api.get(f"{PATH}?limit=2").json
    rest = ana.api.get(f"{PATH}?limit=2&cursor={first['next_cursor']}").json
    bodies = [one["body"] for one in first["items"] + rest["items"]]
    assert bodies == ["About 2.", "About 1.", "About 0."]
    assert rest["next_cursor"] is None
    ana.api.post(f"{PATH}/{first['items'][0]['id']}/read")
    for query, count in (
        ("product=gallery", 1),
        ("unread=true", 2),
        ("unread=false", 1),
        ("unread=true&product=gallery", 1),
    ):
        assert len(ana.api.get(f"{PATH}?{query}").json["items"]) == count, query
    for query in ("unread=x", "product=X", "limit=0", "cursor=x", "nope=1"):
        answer = ana.api.get(f"{PATH}?{query}")
        assert answer.json["errors"][0]["field"] == f"query.{query.partition('=')[0]}"


def test_reading_counts_down(ana: Person, ben: Person, kind: Notice) -> None:
    for _ in range(3):
        tell(ana)
    assert ana.api.get(f"{PATH}/unread").json == {"unread": 3}
    assert ben.api.get(f"{PATH}/unread").json == {"unread": 0}
    identifier = ana.api.get(PATH).json["items"][1]["id"]
    first, *others = many(4, lambda: ana.api.post(f"{PATH}/{identifier}/read"))
    assert first.status == 200
    assert first.json["read_at"]
    assert all(other.json == first.json for other in others)
    assert ana.api.get(f"{PATH}/unread").json == {"unread": 2}
    assert sum(one.json["read"] for one in many(4, lambda: ana.api.post(f"{PATH}/read"))) == 2
    assert ana.api.post(f"{PATH}/read").json == {"read": 0}
    assert ana.api.get(f"{PATH}/unread").json == {"unread": 0}


def test_somebody_elses_is_not_found(ana: Person, ben: Person, api: Api, kind: Notice) -> None:
    tell(ana)
    identifier = ana.api.get(PATH).json["items"][0]["id"]
    with nothing_changes():
        assert ben.api.post(f"{PATH}/{identifier}/read").status == 404
        assert ben.api.delete(f"{PATH}/{identifier}").status == 404
        assert ben.api.post(f"{PATH}/read").json == {"read": 0}
        assert ana.api.post(f"{PATH}/{uuid.uuid4()}/read").status == 404
        assert ana.api.post(f"{PATH}/x/read").json["errors"][0]["field"] == "path.notification_id"
        assert api.get(PATH).status == 401


def test_one_is_removed_once(ana: Person, kind: Notice) -> None:
    tell(ana)
    path = f"{PATH}/{ana.api.get(PATH).json['items'][0]['id']}"
    statuses = sorted(answer.status for answer in many(4, lambda: ana.api.delete(path)))
    assert statuses == [204, 404, 404, 404]
    assert ana.api.get(PATH).json["items"] == []
