"""Showing that a domain is one's own, keeping it, and the mark that posts carry for it."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import db, outbox
from chalicelib.products.marketplace.domains import gateway
from tests.support import database
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud
from tests.support.internet import PUBLIC, Internet, answer
from tests.support.people import Person, again, post_of
from tests.support.races import at_once, many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe
from tests.support.times import Times

PATH = "/v1/marketplace/domain_verifications"
POSTS = "/v1/marketplace/posts"


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Internet:
    """DNS, and no server."""
    made = Internet()
    monkeypatch.setattr(gateway, "network", made)
    return made


def begin(who: Person, domain: str = "ana-brand.com") -> Answer:
    return who.api.post(PATH, {"domain": domain})


def show(zone: Internet, begun: Answer) -> None:
    zone.records[begun.json["record_name"]] = ["v=spf1 -all", begun.json["proof"]]


def check(who: Person, begun: Answer, cloud: Cloud) -> str:
    assert who.api.post(f"{PATH}/{begun.json['id']}/checks").status == 202
    cloud.deliver()
    status: str = who.api.get(f"{PATH}/{begun.json['id']}").json["status"]
    return status


def marked(who: Person) -> list[bool]:
    return [one["verified"] for one in who.api.get("/v1/marketplace/me/posts").json["items"]]


def test_a_domain_is_verified_and_marks_the_brands_posts(
    ana: Person, ben: Person, zone: Internet, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud, user_type="brand")
    begun = begin(ana)
    assert begun.status == 201, begun.text
    assert begun.json["record_name"] == "_kith.ana-brand.com"
    assert begun.json["file_url"] == "https://ana-brand.com/.well-known/kith.txt"
    assert begun.json["status"] == "pending"
    assert check(ana, begun, cloud) == "failed"
    assert marked(ana) == [False]
    show(zone, begun)
    cloud.deliveries = 2
    assert check(ana, begun, cloud) == "verified"
    assert marked(ana) == [True]
    found = ben.api.get(f"{POSTS}?verified=true").json["items"]
    assert [(one["id"], one["verified"]) for one in found] == [(post, True)]
    told = database.execute(
        "select kind from notifications.notifications where user_id = $1", ana.id
    )
    assert told.count(("marketplace.domain_verified",)) == 1


def test_only_brands_carry_the_mark(
    ana: Person, zone: Internet, stripe: Stripe, cloud: Cloud
) -> None:
    begun = begin(ana)
    show(zone, begun)
    check(ana, begun, cloud)
    post = post_of(ana, stripe, cloud)
    assert marked(ana) == [False]
    assert ana.api.patch(f"{POSTS}/{post}", {"user_type": "brand"}).json["verified"] is True
    assert ana.api.patch(f"{POSTS}/{post}", {"user_type": "influencer"}).json["verified"] is False
    ana.api.delete(f"{POSTS}/{post}")
    created = ana.api.post(POSTS, POST_OF_BRAND)
    assert created.json["verified"] is True
    assert ana.api.delete(f"{PATH}/{begun.json['id']}").status == 204
    assert marked(ana) == [False]


POST_OF_BRAND = {
    "user_type": "brand",
    "platform": "x",
    "followers": 1,
    "interests": ["a"],
    "price_point": "low",
    "description": "d",
    "contact_info": {"handle": "@b"},
}


def test_somebody_elses_domain_marks_nothing(
    ana: Person, ben: Person, zone: Internet, stripe: Stripe, cloud: Cloud
) -> None:
    begun = begin(ben)
    show(zone, begun)
    assert check(ben, begun, cloud) == "verified"
    post = post_of(ana, stripe, cloud, user_type="brand")
    assert ana.api.patch(f"{POSTS}/{post}", {"followers": 7}).json["verified"] is False
    assert marked(ana) == [False]


def test_asking_again_gives_the_same_code(ana: Person, zone: Internet) -> None:
    first = begin(ana)
    assert begin(ana, "ANA-Brand.com.").json == first.json
    answers = many(6, lambda: begin(ana, "other.com").json["id"])
    assert len(set(answers)) == 1
    assert len(ana.api.get(PATH).json["items"]) == 2


def test_a_domain_is_verified_once_by_each_person(
    ana: Person, ben: Person, zone: Internet, cloud: Cloud
) -> None:
    for who in (ana, ben):
        begun = begin(who)
        show(zone, begun)
        assert check(who, begun, cloud) == "verified"
    codes = database.execute("select verification_code from marketplace.domain_verifications")
    assert len(set(codes)) == 2


def test_one_person_verifies_several_domains(ana: Person, zone: Internet, cloud: Cloud) -> None:
    for domain in ("ana-brand.com", "ana-shop.com"):
        begun = begin(ana, domain)
        show(zone, begun)
        assert check(ana, begun, cloud) == "verified"
    assert len(ana.api.get(PATH).json["items"]) == 2


def test_a_code_in_dns_or_on_the_domain_verifies_it(
    ana: Person, zone: Internet, cloud: Cloud
) -> None:
    begun = begin(ana)
    show(zone, begun)
    assert check(ana, begun, cloud) == "verified"
    assert ana.api.get(f"{PATH}/{begun.json['id']}").json["method"] == "dns"
    served = begin(ana, "ana-shop.com")
    zone.names["ana-shop.com"] = [[PUBLIC]]
    zone.served = lambda _host, _request: answer(body=served.json["proof"].encode())
    assert check(ana, served, cloud) == "verified"
    assert ana.api.get(f"{PATH}/{served.json['id']}").json["method"] == "well_known"


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:7f00:1"])
def test_no_private_address_is_asked(
    address: str, ana: Person, zone: Internet, cloud: Cloud
) -> None:
    begun = begin(ana)
    zone.names["ana-brand.com"] = [[address]]
    zone.served = lambda _host, _request: answer(body=begun.json["proof"].encode())
    assert check(ana, begun, cloud) == "failed"
    assert zone.connected == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.domain"),
        ({"domain": ""}, "body.domain"),
        ({"domain": "localhost"}, "body.domain"),
        ({"domain": "https://a-b.com"}, "body.domain"),
        ({"domain": "127.0.0.1"}, "body.domain"),
        ({"domain": "a-b.com:8443"}, "body.domain"),
        ({"domain": 7}, "body.domain"),
        ({"domain": "a-b.com", "status": "verified"}, "body.status"),
    ],
)
def test_what_is_no_domain(body: dict[str, Any], field: str, ana: Person) -> None:
    with nothing_changes():
        refused = ana.api.post(PATH, body)
    assert refused.status == 400
    assert [one["field"] for one in refused.json["errors"]] == [field]


def test_a_name_of_another_script(ana: Person) -> None:
    assert begin(ana, "Bücher.de").json["domain"] == "xn--bcher-kva.de"


def test_nobody_else_sees_or_changes_it(
    ana: Person, ben: Person, newcomer: Person, api: Api, zone: Internet
) -> None:
    one = f"{PATH}/{begin(ana).json['id']}"
    with nothing_changes():
        for method, path in (("GET", one), ("DELETE", one), ("POST", f"{one}/checks")):
            assert ben.api.call(method, path).status == 404
            assert api.call(method, path).status == 401
        assert ben.api.get(PATH).json["items"] == []
        assert api.get(PATH).status == 401
        assert api.post(PATH, {"domain": "a-b.com"}).status == 401
        assert newcomer.api.post(PATH, {"domain": "a-b.com"}).status == 403
        assert ana.api.delete(f"{PATH}/{uuid.uuid4()}").status == 404


def test_deleting_twice_and_at_once(ana: Person, zone: Internet) -> None:
    one = f"{PATH}/{begin(ana).json['id']}"
    assert sorted(many(5, lambda: ana.api.delete(one).status)) == [204] + [404] * 4
    assert ana.api.get(one).status == 404


def recheck(times: Times, cloud: Cloud) -> int:
    done: int = times.run("marketplace_domains_recheck")["rows"]
    db.write(outbox.relay)
    cloud.deliver()
    return done


def test_it_is_looked_at_every_month_and_lapses_at_the_third_failure(
    ana: Person, zone: Internet, stripe: Stripe, cloud: Cloud, times: Times
) -> None:
    post_of(ana, stripe, cloud, user_type="brand")
    begun = begin(ana)
    show(zone, begun)
    check(ana, begun, cloud)
    assert recheck(times, cloud) == 0
    times.pass_by(timedelta(days=31))
    assert recheck(times, cloud) == 1
    assert recheck(times, cloud) == 0
    zone.records.clear()
    times.pass_by(timedelta(days=31))
    cloud.deliveries = 3
    for day in range(3):
        assert marked(again(ana)) == [True], day
        assert recheck(times, cloud) == 1
        times.pass_by(timedelta(days=1))
    ana = again(ana)
    assert ana.api.get(f"{PATH}/{begun.json['id']}").json["status"] == "lapsed"
    assert marked(ana) == [False]
    told = database.execute(
        "select kind from notifications.notifications where user_id = $1", ana.id
    )
    assert told.count(("marketplace.domain_lapsed",)) == 1
    assert recheck(times, cloud) == 0
    show(zone, begun)
    assert check(ana, begun, cloud) == "verified"
    assert marked(ana) == [True]


def test_many_looks_on_one_day_are_one_failure(ana: Person, zone: Internet, cloud: Cloud) -> None:
    begun = begin(ana)
    show(zone, begun)
    check(ana, begun, cloud)
    zone.records.clear()
    assert [check(ana, begun, cloud) for _ in range(5)] == ["verified"] * 5


def test_a_post_written_while_a_domain_is_verified_carries_the_mark(
    ana: Person, zone: Internet, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    begun = begin(ana)
    show(zone, begun)
    ana.api.post(f"{PATH}/{begun.json['id']}/checks")
    (waiting,) = cloud.queues["marketplace"]
    cloud.queues["marketplace"] = []
    at_once(
        [
            lambda: ana.api.patch(f"{POSTS}/{post}", {"user_type": "brand"}).status,
            lambda: len(cloud.take("marketplace", [waiting])),
        ]
    )
    assert marked(ana) == [True]
