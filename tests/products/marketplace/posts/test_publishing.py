"""Publishing a post: paid for by the year, one at a time, whom to write to sealed."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.accounts import service as accounts
from chalicelib.products.marketplace.posts import service as posts
from tests.support import database
from tests.support.cloud import Cloud
from tests.support.people import POST, Person, again, pay_for, person
from tests.support.races import many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe
from tests.support.times import Times

PATH = "/v1/marketplace/posts"


@pytest.fixture
def author(ana: Person, stripe: Stripe, cloud: Cloud) -> Person:
    """Ana, who paid the posting fee."""
    pay_for(ana, "posting_fee", stripe, cloud)
    return ana


def active() -> int:
    ((count,),) = database.execute("select count(*) from marketplace.posts where status = 'active'")
    return int(count)


def test_a_post_shows_all_but_whom_to_write_to(author: Person) -> None:
    created = author.api.post(PATH, POST)
    assert created.status == 201, created.text
    shown = {name: value for name, value in POST.items() if name != "contact_info"}
    assert shown.items() <= created.json.items()
    assert (created.json["status"], created.json["user_id"]) == ("active", str(author.id))
    assert "contact_info" not in created.json
    assert author.api.get(f"{PATH}/{created.json['id']}").json == created.json


def test_a_brand_carries_no_mark_before_it_has_a_domain(author: Person) -> None:
    assert author.api.post(PATH, POST | {"user_type": "brand"}).json["verified"] is False


def test_whom_to_write_to_is_sealed_under_the_authors_key_for_this_row(author: Person) -> None:
    post_id = author.api.post(PATH, POST).json["id"]
    ((identifier, sealed),) = database.execute("select id, contact_info from marketplace.posts")
    assert str(identifier) == post_id
    assert b"ana@contact.example" not in sealed
    ((wrapped,),) = database.execute(
        "select wrapped_key from accounts.data_keys where user_id = $1", author.id
    )
    contact = posts.open_contact(accounts.data_key(author.id, wrapped), identifier, sealed)
    assert contact.model_dump(exclude_none=True) == POST["contact_info"]


def test_without_the_fee_there_is_no_post(ana: Person) -> None:
    with nothing_changes():
        answer = ana.api.post(PATH, POST)
    assert (answer.status, answer.code) == (409, "marketplace.posting_fee_not_paid")


def test_the_fee_is_not_paid_before_stripe_says_so(ana: Person, stripe: Stripe) -> None:
    asked = {"product": "marketplace", "code": "posting_fee"}
    stripe.pay(ana.api.post("/v1/billing/checkouts", asked, key="one").json["url"])
    assert ana.api.post(PATH, POST).code == "marketplace.posting_fee_not_paid"


def test_credits_and_other_peoples_fees_do_not_count(
    author: Person, ben: Person, stripe: Stripe, cloud: Cloud
) -> None:
    pay_for(ben, "contacts_10", stripe, cloud)
    assert ben.api.post(PATH, POST).code == "marketplace.posting_fee_not_paid"


def test_the_fee_is_good_for_a_year(author: Person, times: Times) -> None:
    first = author.api.post(PATH, POST).json["id"]
    times.pass_by(timedelta(days=364, hours=23))
    late = again(author)
    late.api.post(f"{PATH}/{first}/archive")
    assert late.api.post(PATH, POST).status == 201
    times.pass_by(timedelta(hours=2))
    too_late = again(author)
    kept = too_late.api.get(PATH).json["items"]
    too_late.api.post(f"{PATH}/{kept[0]['id']}/archive")
    assert too_late.api.post(PATH, POST).code == "marketplace.posting_fee_not_paid"


def test_a_second_fee_opens_another_year(
    author: Person, stripe: Stripe, cloud: Cloud, times: Times
) -> None:
    times.pass_by(timedelta(days=400))
    late = again(author)
    assert late.api.post(PATH, POST).status == 409
    pay_for(late, "posting_fee", stripe, cloud)
    assert late.api.post(PATH, POST).status == 201


def test_one_post_is_active_at_a_time(author: Person) -> None:
    assert author.api.post(PATH, POST).status == 201
    with nothing_changes():
        answer = author.api.post(PATH, POST | {"platform": "tiktok"})
    assert (answer.status, answer.code) == (409, "marketplace.active_post_exists")


def test_of_20_posts_at_once_one_is_published(author: Person) -> None:
    answers = many(20, lambda: author.api.post(PATH, POST), connections=20)
    assert sorted(answer.status for answer in answers) == [201] + [409] * 19
    assert {answer.code for answer in answers if answer.status == 409} == {
        "marketplace.active_post_exists"
    }
    assert active() == 1


def test_archiving_frees_the_place_while_others_press_for_it(author: Person) -> None:
    first = author.api.post(PATH, POST).json["id"]

    def both() -> int:
        author.api.post(f"{PATH}/{first}/archive")
        return author.api.post(PATH, POST).status

    assert many(8, both).count(201) == 1
    assert active() == 1


def test_an_unverified_person_publishes_nothing(newcomer: Person) -> None:
    with nothing_changes():
        assert newcomer.api.post(PATH, POST).code == "not_verified"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"user_type": "agency"}, "body.user_type"),
        ({"platform": "myspace"}, "body.platform"),
        ({"followers": -1}, "body.followers"),
        ({"followers": 2_000_000_001}, "body.followers"),
        ({"followers": 12.5}, "body.followers"),
        ({"followers": "12000"}, "body.followers"),
        ({"followers": True}, "body.followers"),
        ({"interests": []}, "body.interests"),
        ({"interests": ["a"] * 11}, "body.interests"),
        ({"interests": ["fashion", "fashion"]}, "body.interests"),
        ({"interests": ["Fashion"]}, "body.interests.0"),
        ({"interests": ["fashion", ""]}, "body.interests.1"),
        ({"interests": ["x" * 41]}, "body.interests.0"),
        ({"price_point": "free"}, "body.price_point"),
        ({"description": ""}, "body.description"),
        ({"description": "x" * 2001}, "body.description"),
        ({"contact_info": {}}, "body.contact_info"),
        ({"contact_info": None}, "body.contact_info"),
        ({"contact_info": {"email": "x"}}, "body.contact_info.email"),
        ({"contact_info": {"phone": "11987654321"}}, "body.contact_info.phone"),
        ({"contact_info": {"handle": ""}}, "body.contact_info.handle"),
        ({"contact_info": {"fax": "1"}}, "body.contact_info.fax"),
        ({"status": "active"}, "body.status"),
        ({"id": "019a9e00-0000-7000-8000-000000000001"}, "body.id"),
        ({"user_id": "019a9e00-0000-7000-8000-000000000001"}, "body.user_id"),
        ({"created_at": "2026-01-01T00:00:00Z"}, "body.created_at"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(
    author: Person, changes: dict[str, Any], field: str
) -> None:
    with nothing_changes():
        answer = author.api.post(PATH, POST | changes)
    assert answer.status == 400, answer.text
    assert field in {problem["field"] for problem in answer.json["errors"]}
    assert "ana@contact.example" not in answer.text


@pytest.mark.parametrize("missing", sorted(POST))
def test_a_missing_field_is_named(author: Person, missing: str) -> None:
    body = {name: value for name, value in POST.items() if name != missing}
    answer = author.api.post(PATH, body)
    assert [problem["field"] for problem in answer.json["errors"]] == [f"body.{missing}"]


def test_text_in_any_script_comes_back_as_it_was(author: Person) -> None:
    description = "漢字 עברית 🐎🇧🇷 a\u0301 \u202e <script> ' \" \\ %s $1 {0}"
    created = author.api.post(PATH, POST | {"description": description}).json
    assert author.api.get(f"{PATH}/{created['id']}").json["description"] == description


def test_an_author_who_is_erased_meanwhile_publishes_nothing(author: Person) -> None:
    database.execute("delete from accounts.data_keys where user_id = $1", author.id)
    with nothing_changes():
        assert author.api.post(PATH, POST).status == 401


def test_each_author_has_a_place_of_their_own(author: Person, stripe: Stripe, cloud: Cloud) -> None:
    other = person(author.api)
    pay_for(other, "posting_fee", stripe, cloud)
    assert {author.api.post(PATH, POST).status, other.api.post(PATH, POST).status} == {201}
    assert active() == 2
