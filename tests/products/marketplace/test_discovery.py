"""The search finds what a look at every post would find, in that order, page by page."""

import random
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import urlencode

import pytest

from chalicelib.products.marketplace.discovery import queries, service
from chalicelib.products.marketplace.schemas import Platform, PricePoint, UserType
from tests.support import database
from tests.support.api import Api
from tests.support.crowd import strangers
from tests.support.people import Person

PATH = "/v1/marketplace/posts"
COUNT = 120
INTERESTS = ["fashion", "food", "music", "street art", "travel"]
WORDS = ["street", "São", "Paulo", "ואהבה", "summer", "loud", "quiet"]


def publish(at: int, author: object, chosen: random.Random) -> None:
    brand = chosen.random() < 0.4
    database.execute(
        "insert into marketplace.posts (id, user_id, status, user_type, platform, followers,"
        " interests, price_point, description, contact_info, verified, created_at, updated_at)"
        " values ($1::text::uuid, $2, 'active', $3, $4, $5, $6, $7, $8, '', $9, now(), now())",
        f"01900000-0000-7000-8000-{at:012x}",
        author,
        "brand" if brand else "influencer",
        chosen.choice(get_args(Platform)),
        chosen.choice([0, 1, 7, 999, 1000, 1001, 1500, 20_000, 2_000_000_000]),
        chosen.sample(INTERESTS, chosen.randint(1, 3)),
        chosen.choice(get_args(PricePoint)),
        " ".join(chosen.sample(WORDS, 3)),
        brand and chosen.random() < 0.5,
    )


@pytest.fixture(params=[1, queries.WALKED])
def posts(
    request: pytest.FixtureRequest, api: Api, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[dict[str, Any]]]:
    """Posts of many people; the search walks one of them, or so many that it walks them all."""
    monkeypatch.setattr(queries, "WALKED", request.param)
    built = (queries.in_cells, queries.in_range, queries.matching)
    for one in built:
        one.cache_clear()
    chosen = random.Random(3)
    for at, author in enumerate(strangers(COUNT)):
        publish(at, author, chosen)
    names = ["id", "user_type", "platform", "followers", "interests", "price_point"]
    names += ["description", "verified"]
    rows = database.execute(f"select {', '.join(names)} from marketplace.posts order by id desc")
    yield [dict(zip(names, row, strict=True)) | {"id": str(row[0])} for row in rows]
    for one in built:
        one.cache_clear()


def fits(post: dict[str, Any], asked: dict[str, Any]) -> bool:
    words = {word.lower() for word in post["description"].split()}
    words |= set(post["interests"])
    return (
        all(post[name] == asked[name] for name in EXACT if name in asked)
        and asked.get("min_followers", 0) <= post["followers"]
        and post["followers"] <= asked.get("max_followers", 2**31)
        and (not asked.get("interest") or bool({*asked["interest"]} & {*post["interests"]}))
        and {*asked.get("every_interest", [])} <= {*post["interests"]}
        and all(word.lower() in words for word in asked.get("text", "").split())
        and (post["verified"] or not asked.get("verified"))
    )


EXACT = ("user_type", "platform", "price_point")


def question(chosen: random.Random) -> dict[str, Any]:
    every: dict[str, Any] = {
        "user_type": chosen.choice(get_args(UserType)),
        "platform": chosen.choice(get_args(Platform)),
        "price_point": chosen.choice(get_args(PricePoint)),
        "min_followers": chosen.choice([0, 1, 1000, 1200]),
        "max_followers": chosen.choice([0, 1000, 1600, 2_000_000_000]),
        "interest": chosen.sample(INTERESTS, 2),
        "every_interest": chosen.sample(INTERESTS, chosen.randint(1, 2)),
        "text": " ".join(chosen.sample([*WORDS, "FOOD", "nothing"], chosen.randint(1, 2))),
        "verified": "true",
    }
    names = chosen.sample(list(every), chosen.randint(0, 4))
    return {name: every[name] for name in names}


def walk(who: Person, asked: dict[str, Any], limit: int) -> list[str]:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = who.api.get(f"{PATH}?{urlencode(asked | cursor | {'limit': limit}, doseq=True)}")
        assert page.status == 200, page.text
        found += [one["id"] for one in page.json["items"]]
        if page.json["next_cursor"] is None:
            return found
        assert len(page.json["items"]) == limit
        cursor = {"cursor": page.json["next_cursor"]}


def test_it_finds_what_a_look_at_every_post_finds(posts: list[dict[str, Any]], ana: Person) -> None:
    chosen = random.Random(5)
    found_something = 0
    for _ in range(150):
        asked = question(chosen)
        expected = [post for post in posts if fits(post, asked)]
        found_something += bool(expected)
        assert walk(ana, asked, chosen.choice([3, 20, 50])) == [one["id"] for one in expected], (
            asked
        )
        expected.sort(key=lambda post: (post["followers"], post["id"]), reverse=True)
        asked |= {"sort": "most_followers"}
        assert walk(ana, asked, chosen.choice([3, 20, 50])) == [one["id"] for one in expected], (
            asked
        )
    assert found_something > 70


QUESTIONS: list[dict[str, Any]] = [
    {},
    {"platform": "x"},
    {"min_followers": 1000, "max_followers": 1001},
    {"text": "street"},
    {"interest": "food", "text": "street"},
]


def test_whom_one_may_not_see_is_in_no_answer(posts: list[dict[str, Any]], ana: Person) -> None:
    authors = database.execute("select user_id from marketplace.posts order by id")
    blocked, banned = authors[: COUNT // 3], authors[COUNT // 3 : COUNT // 2]
    for (author,) in blocked:
        ana.api.put(f"/v1/moderation/blocks/{author}")
    for (author,) in banned:
        database.execute("update accounts.users set status = 'banned' where id = $1", author)
    hidden = {str(author) for (author,) in blocked + banned}
    for asked in QUESTIONS:
        for sort in ("newest", "most_followers"):
            found = set(walk(ana, asked | {"sort": sort}, 50))
            expected = {
                one["id"]
                for one, (author,) in zip(reversed(posts), authors, strict=True)
                if str(author) not in hidden and fits(one, _listed(asked))
            }
            assert found == expected, (asked, sort)


def _listed(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: [told] if name == "interest" else told for name, told in asked.items()}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("user_type=robot", "query.user_type"),
        ("platform=fax", "query.platform"),
        ("min_followers=-1", "query.min_followers"),
        ("max_followers=1e3", "query.max_followers"),
        ("every_interest=NOPE", "query.every_interest.0"),
        ("text=", "query.text"),
        (f"text={'a' * 101}", "query.text"),
        ("verified=maybe", "query.verified"),
        ("sort=oldest", "query.sort"),
        ("cursor=abc", "query.cursor"),
        ("nothing=1", "query.nothing"),
    ],
)
def test_a_bad_question_names_the_field(asked: str, field: str, ana: Person) -> None:
    refused = ana.api.get(f"{PATH}?{asked}")
    assert refused.status == 400
    assert refused.json["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "text", ["!!!", "' or 1=1 --", "a & !b | (c)", "<->", "\\", "%_", "עברית", "🙂"]
)
def test_any_text_is_only_words(text: str, ana: Person) -> None:
    assert ana.api.get(f"{PATH}?{urlencode({'text': text})}").json["items"] == []


def test_a_cursor_is_of_its_question(posts: list[dict[str, Any]], ana: Person) -> None:
    cursor = ana.api.get(f"{PATH}?limit=1").json["next_cursor"]
    for other in ("sort=most_followers", "platform=x", "text=street"):
        refused = ana.api.get(f"{PATH}?{other}&cursor={cursor}")
        assert refused.json["errors"][0]["field"] == "query.cursor"


def test_nobody_searches_without_signing_in(api: Api) -> None:
    assert api.get(PATH).status == 401


@pytest.mark.parametrize(
    ("lowest", "highest"),
    [(0, 0), (0, 1), (3, 9), (0, 2_147_483_647), (1000, 1001), (1023, 1025), (7, 7)],
)
def test_a_range_touches_the_parts_that_its_numbers_lie_in(lowest: int, highest: int) -> None:
    told = service.reaches(lowest, highest)
    assert len(told) == len(set(told)) <= 1000
    numbers = {lowest, highest, (lowest + highest) // 2}
    for number in numbers:
        assert service.reaches(number, number)[0] in told
