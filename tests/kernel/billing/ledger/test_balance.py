"""One's credits."""

import pytest

from tests.support import database
from tests.support.people import Person, credit

PATH = "/v1/billing/credits"


def test_who_never_had_any_has_none(ana: Person) -> None:
    assert ana.api.get(PATH).json == {"unit": "contact", "total": 0, "used": 0, "remaining": 0}


def test_ones_own_credits_and_nobody_elses(ana: Person, ben: Person) -> None:
    credit(ana, 3)
    credit(ana, 4)
    assert ana.api.get(PATH).json["remaining"] == 7
    assert ben.api.get(PATH).json["remaining"] == 0


def test_an_account_says_what_is_held_and_by_whom(ana: Person) -> None:
    credit(ana, 3)
    held = database.execute(
        "select kind, holder_kind, holder_id, unit, balance from billing.credit_accounts"
        " where kind <> 'issuer' order by kind"
    )
    assert held == [
        ("debt", "user", ana.id, "contact", 0),
        ("wallet", "user", ana.id, "contact", 3),
    ]


@pytest.mark.parametrize("asked", ["unit=gold", "unit=", "unit=contact&unit=contact"])
def test_an_unknown_unit_is_named(ana: Person, asked: str) -> None:
    answer = ana.api.get(f"{PATH}?{asked}")
    assert answer.status == 400
    assert [problem["field"] for problem in answer.json["errors"]] == ["query.unit"]
