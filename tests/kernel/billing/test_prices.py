"""What is for sale."""

from collections.abc import Iterator

import pytest

from tests.support import database
from tests.support.api import Api

PATH = "/v1/billing/prices"


@pytest.fixture
def withdrawn(api: Api) -> Iterator[str]:
    """The code of a price that is no longer for sale."""
    database.execute("update billing.prices set is_active = false where code = 'contacts_50'")
    yield "contacts_50"
    database.execute("update billing.prices set is_active = true where code = 'contacts_50'")


def test_anybody_sees_the_prices_of_a_product_in_their_order(api: Api) -> None:
    items = api.get(f"{PATH}?product=marketplace").json["items"]
    shown = {one["code"]: one for one in items}
    assert list(shown)[:1] == ["posting_fee"]
    assert shown["posting_fee"]["price"] == {"amount": 2900, "currency": "USD"}
    packs = [one["credit_amount"] for one in items if one["kind"] == "pack"]
    assert packs == [10, 50, 200]


def test_what_is_withdrawn_is_not_shown(api: Api, withdrawn: str) -> None:
    items = api.get(f"{PATH}?product=marketplace").json["items"]
    assert withdrawn not in {one["code"] for one in items}


def test_a_product_without_prices_sells_nothing(api: Api) -> None:
    assert api.get(f"{PATH}?product=nothing").json == {"items": [], "next_cursor": None}


def test_pages_show_each_price_once(api: Api) -> None:
    whole = api.get(f"{PATH}?product=marketplace").json["items"]
    found, cursor = [], ""
    while True:
        page = api.get(f"{PATH}?product=marketplace&limit=1{cursor}").json
        found += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == whole


def test_a_cursor_is_good_for_its_own_list_alone(api: Api) -> None:
    cursor = api.get(f"{PATH}?product=marketplace&limit=1").json["next_cursor"]
    refused = api.get(f"{PATH}?product=tests&limit=1&cursor={cursor}")
    assert [problem["field"] for problem in refused.json["errors"]] == ["query.cursor"]


@pytest.mark.parametrize("asked", ["", "?product=", "?product=Market", "?product=a&product=b"])
def test_a_bad_product_is_named(api: Api, asked: str) -> None:
    answer = api.get(PATH + asked)
    assert answer.status == 400
    assert [problem["field"] for problem in answer.json["errors"]] == ["query.product"]
