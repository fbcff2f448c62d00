"""What the log says of round trips where docs/round_trips.csv does not: repeats, rates, reconnects.

What each operation costs when it succeeds is counted on the wire, and held against that list.
"""

from pathlib import Path

from chalicelib.core import db
from tests.support.api import Api
from tests.support.logs import last_request
from tests.support.people import Person, again


def cost(log_lines: Path) -> int:
    trips: int = last_request(log_lines)["round_trips"]
    return trips


def test_an_anonymous_read_is_one_and_the_count_of_its_rate(api: Api, log_lines: Path) -> None:
    assert api.get("/v1/billing/prices?product=marketplace").status == 200
    assert cost(log_lines) == 2


def test_what_is_not_there_costs_no_more_than_what_is(ana: Person, log_lines: Path) -> None:
    for path in ("marketplace/posts", "billing/checkouts"):
        nothing = f"/v1/{path}/019a9e00-0000-7000-8000-000000000001"
        assert ana.api.get(nothing).status == 404
        assert cost(log_lines) == 1


def test_buying_again_by_the_same_key_is_one_look_and_its_undoing(
    ana: Person, log_lines: Path
) -> None:
    body = {"product": "marketplace", "code": "posting_fee"}
    first = ana.api.post("/v1/billing/checkouts", body, key="one")
    assert ana.api.post("/v1/billing/checkouts", body, key="one").text == first.text
    assert cost(log_lines) == 2


def test_a_new_connection_is_not_counted(ana: Person, log_lines: Path) -> None:
    known = again(ana)
    db.close()
    assert known.api.get("/v1/me").status == 200
    assert cost(log_lines) == 1
