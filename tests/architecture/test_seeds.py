"""Everything the seeds name has a home in the database, and every rule a place and a test."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from pg8000 import native

from chalicelib.core.config import ALL_PRODUCTS
from local import postgres
from tests.architecture import catalog, seeds
from tests.architecture.listings import difference
from tests.architecture.seeds import Home, Rule
from tests.architecture.source import ROOT, report
from tests.support.people import Person, credit

DATA_MODEL = ROOT / "docs" / "data-model.md"


@pytest.fixture
def database(migrated: str) -> Iterator[native.Connection]:
    """The migrated database, in a transaction that is rolled back."""
    with postgres.connected(migrated) as connection:
        connection.run("begin")
        yield connection
        connection.run("rollback")


@pytest.mark.parametrize("product", ALL_PRODUCTS)
def test_the_list_of_columns_is_the_documents(product: str) -> None:
    words = seeds.document(product)
    named = {name for _, table, column in seeds.columns(product) for name in (table, column)}
    assert not {name for name in named if name not in words}


def test_the_list_of_columns_has_whatever_the_document_draws() -> None:
    drawn = set(re.findall(r"•([a-z_]+)", seeds.document("marketplace")))
    listed = {column for _, _, column in seeds.columns("marketplace")}
    # The drawing says `requester` where the text says `requester_email`.
    assert drawn - listed == {"requester"}


@pytest.mark.parametrize("product", ALL_PRODUCTS)
def test_every_column_of_the_seed_is_mapped_once(product: str) -> None:
    mapped = [one[:3] for one in seeds.homes() if one.product == product]
    found = difference(mapped, seeds.columns(product))
    twice = [f"twice: {line}" for line, times in Counter(mapped).items() if times > 1]
    assert not found + twice, report(["docs/seed_map.csv:", *found, *twice])


def test_nothing_is_mapped_that_no_seed_names() -> None:
    assert {one.product for one in seeds.homes()} <= set(ALL_PRODUCTS)


def test_every_home_is_in_the_database(database: native.Connection) -> None:
    found = seeds.homeless(database, seeds.homes(), catalog.names_of(database))
    assert not found, report(["docs/seed_map.csv:", *found])


@pytest.mark.parametrize(
    ("home", "column"),
    [
        ("accounts.users.nickname", "nickname"),
        ("accounts.people.name", "name"),
        ("accounts.users", "name"),
        ("accounts.users.name", ""),
        ("sql: select nickname from accounts.users", "name"),
        ("sql: selekt", "name"),
        ("", "name"),
    ],
)
def test_a_home_that_is_not_there_is_found(
    database: native.Connection, home: str, column: str
) -> None:
    names = catalog.names_of(database)
    assert seeds.homeless(database, [Home("couples", "users", column, home, "")], names)


def test_a_home_that_is_there_is_not(database: native.Connection) -> None:
    mapped = [
        Home("couples", "users", "name", "accounts.users.name", ""),
        Home("couples", "users", "", "accounts.users", ""),
        Home("couples", "users", "name", "sql: select name from accounts.users", ""),
    ]
    assert not seeds.homeless(database, mapped, catalog.names_of(database))


def test_total_used_and_remaining_are_read_from_the_ledger(
    migrated: str, ana: Person, ben: Person
) -> None:
    credit(ana, 10)
    credit(ana, 5)
    credit(ben, 3)
    told = ana.api.get("/v1/billing/credits").json
    assert (told["total"], told["used"], told["remaining"]) == (15, 0, 15)
    mapped = {one.column: one.home for one in seeds.homes() if one.table == "contact_credits"}
    with postgres.connected(migrated) as connection:
        for column in ("total_credits", "used_credits"):
            rows = connection.run(mapped[column].removeprefix("sql: ")) or []
            assert dict(rows)[ana.id] == told[column.removesuffix("_credits")]


@pytest.mark.parametrize("product", ALL_PRODUCTS)
def test_every_numbered_line_of_the_seed_has_a_place_and_a_test(product: str) -> None:
    listed = [one.id for one in seeds.rules() if one.id.startswith(f"{seeds.NUMBERS[product]}-")]
    found = difference([(one,) for one in listed], [(one,) for one in seeds.numbered(product)])
    twice = [f"twice: {one}" for one, times in Counter(listed).items() if times > 1]
    assert not found + twice, report(["docs/seed_rules.csv:", *found, *twice])


def test_every_rule_is_kept_where_it_is_said_to_be(database: native.Connection) -> None:
    found = seeds.misplaced(seeds.rules(), catalog.names_of(database))
    assert not found, report(["docs/seed_rules.csv:", *found])


def test_every_rule_has_its_test() -> None:
    found = seeds.untested(seeds.rules())
    assert not found, report(["docs/seed_rules.csv:", *found])


def test_a_rule_without_its_place_or_its_test_is_found(database: native.Connection) -> None:
    names = catalog.names_of(database)
    here = "tests/architecture/test_seeds.py::test_every_rule_has_its_test"
    good = Rule("0-K10", "accounts.users.users_email; chalicelib/core/db.py:refused", here)
    assert not seeds.misplaced([good], names)
    assert not seeds.untested([good])
    for where in ("accounts.users.users_mail", "chalicelib/core/db.py:nothing", "db.py:run", ""):
        assert seeds.misplaced([good._replace(where=where)], names)
    for test in (f"{here}_at_all", "tests/no_such_file.py::test_x", "by hand", f"{here}; ", ""):
        assert seeds.untested([good._replace(test=test)])


def test_the_data_model_names_what_is_there(database: native.Connection) -> None:
    # Every schema.table it speaks of, and every constraint, index or trigger in its first columns.
    names = catalog.names_of(database)
    text = DATA_MODEL.read_text(encoding="utf-8")
    schemas = {name.partition(".")[0] for name in names}
    told = set(re.findall(r"`(\w+\.[\w.]+)`", text))
    found = {one for one in told if one.partition(".")[0] in schemas} - names
    short = {name.rpartition(".")[2] for name in names}
    ruled = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    missing = sorted(found | {one for one in ruled if one not in short | schemas})
    assert not missing, report(["docs/data-model.md:", *missing])
    assert set(ruled) >= schemas, report(
        ["docs/data-model.md lacks:", *sorted(schemas - set(ruled))]
    )
