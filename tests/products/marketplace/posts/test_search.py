"""Searching: what each filter lets through, in pages that neither skip nor repeat."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.cloud import Cloud
from tests.support.crowd import posts_like
from tests.support.people import Person, person, post_of
from tests.support.stripe import Stripe

PATH = "/v1/marketplace/posts"

POSTS: dict[str, dict[str, Any]] = {
    "ana": {
        "user_type": "influencer",
        "platform": "instagram",
        "followers": 12_000,
        "interests": ["fashion", "travel"],
        "price_point": "medium",
    },
    "ben": {
        "user_type": "brand",
        "platform": "tiktok",
        "followers": 0,
        "interests": ["food"],
        "price_point": "low",
    },
    "caio": {
        "user_type": "influencer",
        "platform": "youtube",
        "followers": 2_000_000_000,
        "interests": ["travel", "food & drink"],
        "price_point": "luxury",
    },
}


@pytest.fixture
def shown(ana: Person, ben: Person, stripe: Stripe, cloud: Cloud) -> dict[str, str]:
    """Whose each post is, by its id."""
    people = {"ana": ana, "ben": ben, "caio": person(ana.api)}
    return {
        post_of(people[name], stripe, cloud, **changes): name for name, changes in POSTS.items()
    }


def names(who: Person, shown: dict[str, str], **asked: Any) -> list[str]:
    answer = who.api.get(f"{PATH}?{urlencode(asked, doseq=True)}")
    assert answer.status == 200, answer.text
    return [shown[one["id"]] for one in answer.json["items"]]


def test_everybody_sees_all_posts_newest_first(
    ana: Person, newcomer: Person, shown: dict[str, str]
) -> None:
    assert names(ana, shown) == ["caio", "ben", "ana"]
    assert names(newcomer, shown) == ["caio", "ben", "ana"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"user_type": "brand"}, ["ben"]),
        ({"user_type": "influencer"}, ["caio", "ana"]),
        ({"platform": "youtube"}, ["caio"]),
        ({"platform": "blog"}, []),
        ({"price_point": "medium"}, ["ana"]),
        ({"min_followers": 12_000}, ["caio", "ana"]),
        ({"min_followers": 12_001}, ["caio"]),
        ({"max_followers": 12_000}, ["ben", "ana"]),
        ({"max_followers": 0}, ["ben"]),
        ({"min_followers": 2_000_000_000}, ["caio"]),
        ({"min_followers": 1, "max_followers": 12_000}, ["ana"]),
        ({"min_followers": 5, "max_followers": 4}, []),
        ({"interest": "travel"}, ["caio", "ana"]),
        ({"interest": ["food", "fashion"]}, ["ben", "ana"]),
        ({"interest": "food & drink"}, ["caio"]),
        ({"interest": "chess"}, []),
        ({"user_type": "influencer", "interest": "travel", "max_followers": 20_000}, ["ana"]),
    ],
)
def test_filters_let_through_what_fits_all_of_them(
    ana: Person, shown: dict[str, str], asked: dict[str, Any], expected: list[str]
) -> None:
    assert names(ana, shown, **asked) == expected


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("user_type=agency", "query.user_type"),
        ("platform=", "query.platform"),
        ("price_point=free", "query.price_point"),
        ("min_followers=-1", "query.min_followers"),
        ("min_followers=1e3", "query.min_followers"),
        ("max_followers=2000000001", "query.max_followers"),
        ("max_followers=1&max_followers=2", "query.max_followers"),
        ("interest=Travel", "query.interest.0"),
        ("&".join(["interest=a"] * 11), "query.interest"),
        ("contact_info=ana", "query.contact_info"),
        ("limit=51", "query.limit"),
    ],
)
def test_a_bad_filter_is_named(ana: Person, asked: str, field: str) -> None:
    answer = ana.api.get(f"{PATH}?{asked}")
    assert answer.status == 400
    assert [problem["field"] for problem in answer.json["errors"]] == [field]


def test_pages_hold_each_post_once_though_others_are_published_meanwhile(
    ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    first = post_of(ana, stripe, cloud)
    known = {first, *map(str, posts_like(first, 24))}
    seen: list[str] = []
    query = "?limit=7"
    while query:
        page = ana.api.get(PATH + query).json
        seen += [one["id"] for one in page["items"]]
        posts_like(first, 1)
        query = f"?limit=7&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert len(seen) == len(set(seen))
    assert set(seen) == known


def test_a_cursor_is_bound_to_its_filters(ana: Person, shown: dict[str, str]) -> None:
    cursor = ana.api.get(f"{PATH}?limit=1").json["next_cursor"]
    assert ana.api.get(f"{PATH}?limit=2&cursor={cursor}").status == 200
    refused = ana.api.get(f"{PATH}?limit=1&user_type=brand&cursor={cursor}")
    assert [problem["field"] for problem in refused.json["errors"]] == ["query.cursor"]


def test_a_cursor_shows_a_blocked_person_nothing(
    ana: Person, newcomer: Person, shown: dict[str, str]
) -> None:
    cursor = newcomer.api.get(f"{PATH}?limit=2").json["next_cursor"]
    ana.api.put(f"/v1/moderation/blocks/{newcomer.id}")
    rest = newcomer.api.get(f"{PATH}?limit=2&cursor={cursor}").json
    assert rest["items"] == []
