"""The old in-memory store: taken over once, what is wrong is named, nothing is half there."""

import json
import uuid
from pathlib import Path

import bcrypt
import pytest

from chalicelib.core import db
from chalicelib.products.marketplace.importing import service
from chalicelib.products.marketplace.importing.errors import NotTheStore
from local import import_marketplace
from tests.support import database
from tests.support.api import Api
from tests.support.people import person
from tests.support.state import fingerprints, nothing_changes

FILE = Path(__file__).parent / "old_store.json"
PASSWORD = "the old password"
TAKEN_OVER = {
    "bulkContactSessions": 1,
    "contactReveals": 2,
    "env": 1,
    "paidUsers": 1,
    "posts": 1,
    "prices": 2,
    "registeredUsers": 3,
    "samplePosts": 1,
    "verificationTokens": 1,
}
REFUSED = {
    "prices[2]", "prices[3].code", "prices[3].amount", "registeredUsers[3]",
    "registeredUsers[4].passwordHash", "registeredUsers[5].email", "registeredUsers[5].createdAt",
    "posts[1]", "posts[2]", "posts[3].followers", "posts[3].interests", "posts[3].contactInfo",
    "verificationTokens[1]", "paidUsers[1]", "paidUsers[2]", "bulkContactSessions[1]",
    "bulkContactSessions[2].credits", "bulkContactSessions[2].amount",
    "bulkContactSessions[2].currency", "contactReveals[1]", "contactReveals[2]",
    "contactReveals[4]", "env.STALE_CLAIMS_PER_MONTH", "env.STRIPE_SECRET_KEY",
}  # fmt: skip


@pytest.fixture(autouse=True)
def prices_as_they_were(api: Api) -> object:
    """Prices stay from test to test; those that the store brings go again."""
    before = database.execute("select id, name, amount from billing.prices")
    yield
    database.clean()
    for price, name, amount in before:
        database.execute(
            "update billing.prices set name = $1, amount = $2 where id = $3", name, amount, price
        )
    database.execute(
        "delete from billing.prices where not id::text = any($1)", [str(row[0]) for row in before]
    )


@pytest.fixture
def text() -> str:
    """The sample, with a password of which we know the hash, for Ana and for who is new."""
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    store = json.loads(FILE.read_text(encoding="utf-8"))
    for number in (0, 2):
        store["registeredUsers"][number]["passwordHash"] = hashed
    return json.dumps(store)


def signed_in(api: Api, email: str, password: str) -> Api:
    told = api.post("/v1/auth/sessions", {"email": email, "password": password})
    assert told.status == 201, told.text
    return Api(api.app, token=told.json["access_token"])


def test_a_bad_row_is_reported_and_the_others_are_loaded(api: Api, text: str) -> None:
    report = db.write(service.load, text)
    assert report.added == TAKEN_OVER
    assert {path for path, _ in report.refused} == REFUSED
    told = json.dumps(report.refused)
    for secret in ("hunter2", "sk_live", "old.example", "contact.example"):
        assert secret not in told


def test_people_go_on_with_what_they_had(api: Api, text: str) -> None:
    db.write(service.load, text)
    ana = signed_in(api, "ana@old.example", PASSWORD)
    (post,) = ana.get("/v1/marketplace/me/posts").json["items"]
    assert (post["status"], post["description"]) == ("active", "Street fashion.")
    ((ben,),) = database.execute("select id from accounts.users where email = 'ben@old.example'")
    rows = database.execute(
        "select balance from billing.credit_accounts where holder_id = $1 and kind = 'wallet'", ben
    )
    assert rows == [(1,)]
    (seen,) = ana.get(f"/v1/marketplace/posts/{post['id']}/reveals").json["items"]
    assert seen["requester_id"] == str(ben)
    mailed = {"token": "a-token-that-was-mailed-once", "password": PASSWORD}
    assert api.post("/v1/auth/verifications", mailed).status == 200
    assert ana.patch(f"/v1/marketplace/posts/{post['id']}", {"followers": 1}).status == 200


def test_newest_is_by_when_it_was_written(api: Api, text: str) -> None:
    db.write(service.load, text)
    found = person(api).api.get("/v1/marketplace/posts").json["items"]
    assert [one["description"] for one in found] == ["Street fashion.", "A sample."]


def test_the_old_store_is_loaded_once_however_often_it_is_run(api: Api, text: str) -> None:
    first = db.write(service.load, text)
    before = fingerprints()
    second = db.write(service.load, text)
    assert fingerprints() == before
    assert second.added == {}
    assert second.known == first.added | {"env": 2}
    assert second.refused == first.refused


def test_an_address_that_somebody_has_here_is_not_taken_over(api: Api, text: str) -> None:
    person(api, email="ana@old.example")
    report = db.write(service.load, text)
    paths = dict(report.refused)
    assert paths["registeredUsers[0]"] == "the address is another account's here"
    assert "posts[0]" in paths
    assert "paidUsers[0]" in paths
    assert "contactReveals[0]" in paths


def test_a_dry_run_says_the_same_and_changes_nothing(api: Api, text: str) -> None:
    with nothing_changes():
        looked = import_marketplace.load(text, dry_run=True)
    assert looked == import_marketplace.load(text, dry_run=False)


def test_nothing_is_half_loaded(api: Api, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(service._Loading, "_reveal", fail)  # noqa: SLF001
    with nothing_changes(), pytest.raises(RuntimeError):
        db.write(service.load, text)


@pytest.mark.parametrize(
    "wrong", ["", "[]", "{", '{"users": []}', "null", "[" * 100_000, '{"posts": [], "x": 1}']
)
def test_what_is_no_store(wrong: str, api: Api) -> None:
    with nothing_changes(), pytest.raises(NotTheStore):
        db.write(service.load, wrong)


@pytest.mark.parametrize("rows", [{}, "x", 7, None])
def test_a_collection_that_is_no_list(rows: object, api: Api) -> None:
    report = db.write(service.load, json.dumps({"posts": rows, "env": []}))
    assert dict(report.refused).keys() >= {"posts", "env"}


@pytest.mark.parametrize("row", [None, 7, "x", [], {}, {"email": "a\u0000@b.example"}])
def test_rows_of_any_kind(row: object, api: Api) -> None:
    names = ("registeredUsers", "posts", "samplePosts", "paidUsers", "contactReveals", "prices")
    store = {name: [row] for name in names}
    report = db.write(service.load, json.dumps(store))
    assert report.added == {}
    assert len({path.partition("]")[0] for path, _ in report.refused}) == len(store)


def test_the_command(
    api: Api, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"{uuid.uuid4()}.json"
    path.write_text(text, encoding="utf-8")
    assert import_marketplace.main([str(path), "--dry-run"]) == 1
    assert database.execute("select count(*) from marketplace.posts") == [(0,)]
    assert import_marketplace.main([str(path)]) == 1
    told = capsys.readouterr()
    assert "posts: 1 taken over, 0 were there already" in told.out
    assert "refused posts[1]: its author has an active post already" in told.err
    path.write_text("{", encoding="utf-8")
    assert import_marketplace.main([str(path)]) == 2
    assert import_marketplace.main([str(tmp_path / "none.json")]) == 2
