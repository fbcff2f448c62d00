"""How many contacts a day, who looked, and a single one that is paid for directly."""

import uuid
from datetime import UTC, datetime, timedelta

from chalicelib.core import clock, db, settings
from tests.support import database
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud
from tests.support.crowd import posts_like
from tests.support.people import POST, Person, again, credit, person, post_of
from tests.support.races import at_once
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe
from tests.support.times import Times

POSTS = "/v1/marketplace/posts"


def most_a_day(count: int) -> None:
    db.write(settings.put, "marketplace", "reveals_per_day", count, uuid.uuid4())


def look(who: Person, post: object) -> Answer:
    return who.api.post(f"{POSTS}/{post}/reveal", key=str(uuid.uuid4()))


def used() -> list[tuple[object, ...]]:
    return database.execute("select kind, used from marketplace.allowances order by 1")


def test_a_day_has_its_limit_and_another_day_another(
    ana: Person, ben: Person, stripe: Stripe, cloud: Cloud, times: Times
) -> None:
    posts = posts_like(post_of(ana, stripe, cloud), 3)
    credit(ben, 10)
    most_a_day(2)
    clock.follow(clock.frozen(datetime.now(UTC).replace(hour=12) + timedelta(days=1)))
    ben = again(ben)
    assert [look(ben, post).status for post in posts] == [200, 200, 429]
    refused = look(ben, posts[2])
    assert refused.code == "marketplace.reveals_used_up"
    assert 0 < int(refused.headers["Retry-After"]) <= 12 * 3600
    assert look(ben, posts[0]).status == 200, "a second look is free"
    assert used() == [("reveal", 2)]
    assert ben.api.get("/v1/billing/credits").json["remaining"] == 8
    clock.follow(clock.frozen(clock.now() + timedelta(hours=12)))
    ben = again(ben)
    assert look(ben, posts[2]).status == 200


def test_the_limit_holds_at_once(ana: Person, ben: Person, stripe: Stripe, cloud: Cloud) -> None:
    posts = posts_like(post_of(ana, stripe, cloud), 12)
    credit(ben, 100)
    most_a_day(5)
    answers = at_once([lambda post=post: look(ben, post).status for post in posts])  # type: ignore[misc]
    assert sorted(answers) == [200] * 5 + [429] * 7
    assert used() == [("reveal", 5)]


def test_one_a_day_is_one(ana: Person, ben: Person, stripe: Stripe, cloud: Cloud) -> None:
    posts = posts_like(post_of(ana, stripe, cloud), 2)
    credit(ben, 2)
    most_a_day(1)
    assert [look(ben, post).status for post in posts] == [200, 429]


def test_what_others_revealed_and_what_one_revealed_of_others_is_not_this(
    ana: Person, ben: Person, stripe: Stripe, cloud: Cloud
) -> None:
    first, second = posts_like(post_of(ana, stripe, cloud), 2)
    credit(ben, 1)
    credit(ana, 1)
    assert (look(ben, first).status, look(ana, second).status) == (200, 200)
    assert look(ben, second).code == "billing.insufficient_credits"


def test_what_fails_is_not_counted(ana: Person, ben: Person, stripe: Stripe, cloud: Cloud) -> None:
    post = post_of(ana, stripe, cloud)
    with nothing_changes():
        assert look(ben, post).code == "billing.insufficient_credits"
        assert look(ana, post).code == "marketplace.own_post"
        assert look(ben, uuid.uuid4()).status == 404
    assert used() == []


def test_counts_of_the_past_are_forgotten(
    ana: Person, ben: Person, stripe: Stripe, cloud: Cloud, times: Times
) -> None:
    post = post_of(ana, stripe, cloud)
    credit(ben, 1)
    look(ben, post)
    times.pass_by(timedelta(days=30))
    times.run("marketplace_reveals_forget_allowances")
    assert used() == [("reveal", 1)]
    times.pass_by(timedelta(days=40))
    times.run("marketplace_reveals_forget_allowances")
    assert used() == []


def test_the_author_sees_who_looked(
    ana: Person, ben: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    eve = person(api)
    for who in (ben, eve):
        credit(who, 1)
        look(who, post)
    path = f"{POSTS}/{post}/reveals"
    first = ana.api.get(f"{path}?limit=1").json
    rest = ana.api.get(f"{path}?limit=1&cursor={first['next_cursor']}").json
    assert [one["requester_id"] for one in first["items"] + rest["items"]] == [
        str(eve.id),
        str(ben.id),
    ]
    assert api.get(path).status == 401
    assert ben.api.get(path).status == 404
    assert ana.api.get(f"{POSTS}/{uuid.uuid4()}/reveals").status == 404
    ana.api.post(f"{POSTS}/{post}/archive")
    another = ana.api.post(POSTS, POST).json["id"]
    credit(ben, 1)
    look(ben, another)
    shown = ana.api.get(f"{POSTS}/{another}/reveals").json["items"]
    assert [one["requester_id"] for one in shown] == [str(ben.id)]


def test_who_is_blocked_or_gone_is_not_named(
    ana: Person, ben: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    eve = person(api)
    for who in (ben, eve):
        credit(who, 1)
        look(who, post)
    ben.api.put(f"/v1/moderation/blocks/{ana.id}")
    database.execute("update accounts.users set status = 'banned' where id = $1", eve.id)
    page = ana.api.get(f"{POSTS}/{post}/reveals?limit=1")
    items = page.json["items"] + ana.api.get(f"{POSTS}/{post}/reveals").json["items"]
    assert {(one["requester_id"], one["requester_name"]) for one in items} == {(None, None)}
    assert str(ben.id) not in page.text


def test_the_author_is_told(ana: Person, ben: Person, stripe: Stripe, cloud: Cloud) -> None:
    post = post_of(ana, stripe, cloud)
    credit(ben, 1)
    look(ben, post)
    look(ben, post)
    told = database.execute(
        "select user_id, kind from notifications.notifications where product = 'marketplace'"
    )
    assert told == [(ana.id, "marketplace.contact_revealed")]
