"""What is for sale in the tests of billing besides what migrations put there."""

import json

import pytest

from tests.support import database

# Pix is paid in reais, which no price of the first product is in.
BRAZILIAN = {
    "id": "019a9e00-0000-7000-8000-00000000b001",
    "product": "tests",
    "code": "pacote",
    "name": "Pacote",
    "currency": "BRL",
    "amount": 4900,
    "credit_amount": 25,
    "sort_order": 1,
}


@pytest.fixture(scope="session", autouse=True)
def brazilian_price(migrated: str) -> None:
    """A pack of 25 credits for 49 reais, in a product of its own."""
    database.execute(
        "insert into billing.prices select (jsonb_populate_record(p, $1)).* from billing.prices p"
        " where p.code = 'contacts_10' on conflict do nothing",
        json.dumps(BRAZILIAN),
    )
