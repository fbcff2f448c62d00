"""Looking at a post, and taking one's own down: who may, and what others see of it."""

import uuid
from collections.abc import Callable

import pytest

from tests.support import database
from tests.support.cloud import Cloud
from tests.support.people import Person, credit, post_of
from tests.support.races import many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe

PATH = "/v1/marketplace/posts"


@pytest.fixture
def post(ana: Person, stripe: Stripe, cloud: Cloud) -> str:
    """A post of Ana's."""
    return post_of(ana, stripe, cloud)


def found(who: Person, post: str) -> set[str]:
    """In which of the places a post shows for somebody."""
    places = set()
    if who.api.get(f"{PATH}/{post}").status == 200:
        places.add("get")
    if post in {one["id"] for one in who.api.get(PATH).json["items"]}:
        places.add("search")
    revealed = who.api.post(f"{PATH}/{post}/reveal", key=str(uuid.uuid4()))
    if revealed.status == 200:
        places.add("reveal")
    else:
        assert revealed.code == "not_found"
    return places


EVERYWHERE = {"get", "search", "reveal"}


def test_others_see_an_active_post_as_its_author_does(ana: Person, ben: Person, post: str) -> None:
    shown = ben.api.get(f"{PATH}/{post}")
    assert (shown.status, shown.json) == (200, ana.api.get(f"{PATH}/{post}").json)
    assert "contact" not in shown.text


@pytest.mark.parametrize(
    "name", ["85252f7d-e600-4938-81fe-ea6dfc34c9bd", "00000000-0000-0000-0000-000000000000"]
)
def test_what_is_not_there_is_not_found(ana: Person, name: str) -> None:
    with nothing_changes():
        for answer in (ana.api.get(f"{PATH}/{name}"), ana.api.post(f"{PATH}/{name}/archive")):
            assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("name", ["x", "1", "%2e%2e", "019a9e000000700080000000000000ff"])
def test_a_bad_id_is_named(ana: Person, name: str) -> None:
    for answer in (ana.api.get(f"{PATH}/{name}"), ana.api.post(f"{PATH}/{name}/archive")):
        assert [problem["field"] for problem in answer.json["errors"]] == ["path.post_id"]


def test_an_archived_post_is_its_authors_alone(ana: Person, ben: Person, post: str) -> None:
    credit(ben, 1)
    archived = ana.api.post(f"{PATH}/{post}/archive")
    assert (archived.status, archived.json["status"]) == (200, "archived")
    assert ana.api.get(f"{PATH}/{post}").json == archived.json
    assert found(ben, post) == set()
    assert post not in {one["id"] for one in ana.api.get(PATH).json["items"]}


def test_nobody_archives_somebody_elses_post(ben: Person, post: str) -> None:
    with nothing_changes():
        assert ben.api.post(f"{PATH}/{post}/archive").code == "not_found"


def test_archiving_twice_is_as_good_as_once(ana: Person, post: str) -> None:
    statuses = {ana.api.post(f"{PATH}/{post}/archive").json["status"] for _ in range(2)}
    assert statuses == {"archived"}


def test_archiving_at_once_archives(ana: Person, post: str) -> None:
    answers = many(8, lambda: ana.api.post(f"{PATH}/{post}/archive"))
    assert {answer.status for answer in answers} == {200}


def test_a_deleted_post_is_gone_for_its_author_too(ana: Person, ben: Person, post: str) -> None:
    credit(ben, 1)
    assert ana.api.delete(f"{PATH}/{post}").status == 204
    assert found(ben, post) == set()
    assert ana.api.get(f"{PATH}/{post}").status == 404
    for path in (f"{PATH}/{post}/archive", f"{PATH}/{post}/reactivate"):
        assert ana.api.post(path).status == 404
    assert database.execute("select status, contact_info from marketplace.posts") == [
        ("removed", None)
    ]


def block(who: Person, whom: Person) -> None:
    assert who.api.put(f"/v1/moderation/blocks/{whom.id}").status == 204


def unblock(who: Person, whom: Person) -> None:
    assert who.api.delete(f"/v1/moderation/blocks/{whom.id}").status == 204


@pytest.mark.parametrize(
    "blocking", [lambda author, other: (author, other), lambda author, other: (other, author)]
)
def test_a_block_hides_a_post_everywhere_at_once_whoever_made_it(
    ana: Person, ben: Person, post: str, blocking: Callable[..., tuple[Person, Person]]
) -> None:
    credit(ben, 2)
    who, whom = blocking(ana, ben)
    block(who, whom)
    with nothing_changes():
        assert ben.api.get(f"{PATH}/{post}").status == 404
        assert ben.api.get(PATH).json["items"] == []
    assert found(ben, post) == set()
    assert ben.api.get("/v1/billing/credits").json["remaining"] == 2
    assert ana.api.get(f"{PATH}/{post}").status == 200
    unblock(who, whom)
    assert found(ben, post) == EVERYWHERE


def test_a_block_of_two_others_hides_nothing(
    ana: Person, ben: Person, newcomer: Person, post: str
) -> None:
    block(ana, newcomer)
    block(newcomer, ana)
    credit(ben, 1)
    assert found(ben, post) == EVERYWHERE
    assert newcomer.api.get(f"{PATH}/{post}").status == 404


def test_what_was_revealed_stays_though_one_is_blocked_afterwards(
    ana: Person, ben: Person, post: str
) -> None:
    credit(ben, 1)
    before = ben.api.post(f"{PATH}/{post}/reveal", key="one").json
    block(ana, ben)
    assert ben.api.get(f"{PATH}/{post}").status == 404
    after = ben.api.post(f"{PATH}/{post}/reveal", key="two")
    assert (after.status, after.json) == (200, before)
    assert [one["post_id"] for one in ben.api.get("/v1/marketplace/reveals").json["items"]] == [
        post
    ]


@pytest.mark.parametrize("status", ["banned"])
def test_a_banned_authors_post_is_gone_at_once(
    ana: Person, ben: Person, post: str, status: str
) -> None:
    credit(ben, 1)
    database.execute("update accounts.users set status = $1 where id = $2", status, ana.id)
    assert found(ben, post) == set()
