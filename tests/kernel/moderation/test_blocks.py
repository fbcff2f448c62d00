"""Blocking: for oneself to do and undo, as often as one likes, and nobody else to see."""

import uuid

import pytest

from tests.support import database
from tests.support.api import Api
from tests.support.people import Person, person
from tests.support.races import many
from tests.support.state import nothing_changes

PATH = "/v1/moderation/blocks"


def rows() -> int:
    ((count,),) = database.execute("select count(*) from moderation.blocks")
    return int(count)


def test_blocking_and_unblocking(ana: Person, ben: Person) -> None:
    assert ana.api.put(f"{PATH}/{ben.id}").status == 204
    assert [one["user_id"] for one in ana.api.get(PATH).json["items"]] == [str(ben.id)]
    assert ana.api.delete(f"{PATH}/{ben.id}").status == 204
    assert ana.api.get(PATH).json["items"] == []


def test_who_is_blocked_is_not_told(ana: Person, ben: Person) -> None:
    ana.api.put(f"{PATH}/{ben.id}")
    assert ben.api.get(PATH).json["items"] == []
    assert ben.api.put(f"{PATH}/{ana.id}").status == 204
    assert ben.api.delete(f"{PATH}/{ana.id}").status == 204
    assert [one["user_id"] for one in ana.api.get(PATH).json["items"]] == [str(ben.id)]


def test_blocking_twice_is_as_good_as_once(ana: Person, ben: Person) -> None:
    ana.api.put(f"{PATH}/{ben.id}")
    first = ana.api.get(PATH).json
    assert ana.api.put(f"{PATH}/{ben.id}").status == 204
    assert ana.api.get(PATH).json == first


def test_unblocking_twice_finds_nothing_to_undo(ana: Person, ben: Person) -> None:
    ana.api.put(f"{PATH}/{ben.id}")
    assert ana.api.delete(f"{PATH}/{ben.id}").status == 204
    assert ana.api.delete(f"{PATH}/{ben.id}").status == 404


def test_blocking_at_once_makes_one_block(ana: Person, ben: Person) -> None:
    answers = many(16, lambda: ana.api.put(f"{PATH}/{ben.id}"))
    assert {answer.status for answer in answers} == {204}
    assert rows() == 1


def test_of_unblockings_at_once_one_undoes_it(ana: Person, ben: Person) -> None:
    ana.api.put(f"{PATH}/{ben.id}")
    answers = many(8, lambda: ana.api.delete(f"{PATH}/{ben.id}"))
    assert sorted(answer.status for answer in answers) == [204] + [404] * 7


def test_two_who_block_each_other_at_once_both_do(ana: Person, ben: Person) -> None:
    pairs = iter([(ana, ben), (ben, ana)])

    def block() -> int:
        who, whom = next(pairs)
        return who.api.put(f"{PATH}/{whom.id}").status

    assert many(2, block) == [204, 204]
    assert rows() == 2


def test_nobody_blocks_themselves(ana: Person) -> None:
    with nothing_changes():
        answer = ana.api.put(f"{PATH}/{ana.id}")
    assert (answer.status, answer.code) == (409, "moderation.cannot_block_oneself")


def test_nobody_is_blocked_who_is_not_there(ana: Person, ben: Person) -> None:
    database.execute("update accounts.users set status = 'banned' where id = $1", ben.id)
    with nothing_changes():
        for somebody in (uuid.uuid4(), ben.id):
            assert ana.api.put(f"{PATH}/{somebody}").code == "not_found"
            assert ana.api.delete(f"{PATH}/{somebody}").code == "not_found"


def test_a_block_of_somebody_elses_stays(ana: Person, ben: Person, api: Api) -> None:
    third = person(api)
    ana.api.put(f"{PATH}/{ben.id}")
    assert third.api.delete(f"{PATH}/{ben.id}").status == 404
    assert rows() == 1


@pytest.mark.parametrize("name", ["me", "1", "%00", "00000000-0000-0000-0000-00000000000g"])
def test_a_bad_id_is_named(ana: Person, name: str) -> None:
    with nothing_changes():
        for answer in (ana.api.put(f"{PATH}/{name}"), ana.api.delete(f"{PATH}/{name}")):
            assert answer.status == 400
            assert [problem["field"] for problem in answer.json["errors"]] == ["path.user_id"]


def test_the_list_is_paged_newest_first(ana: Person, api: Api) -> None:
    others = [str(person(api).id) for _ in range(5)]
    for other in others:
        ana.api.put(f"{PATH}/{other}")
    found: list[str] = []
    query = "?limit=2"
    while query:
        page = ana.api.get(PATH + query).json
        found += [one["user_id"] for one in page["items"]]
        query = f"?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert found == others[::-1]
