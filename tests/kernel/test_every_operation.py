"""What holds for every operation there is, whoever added it."""

import uuid
from collections.abc import Iterator
from typing import Any

from chalice.app import Chalice
from pydantic import TypeAdapter

from chalicelib.core import operations
from chalicelib.core.operations import Operation
from tests.support.api import Api
from tests.support.people import Person, give_role
from tests.support.state import nothing_changes


def example_of(kind: Any) -> str:
    """A value that a path may hold."""
    if kind is uuid.UUID:
        return str(uuid.uuid4())
    told = TypeAdapter(kind).json_schema()
    return str((told.get("examples") or told["enum"])[0])


def with_access(*, signed_in: bool) -> Iterator[tuple[Operation, str]]:
    """The operations, each with an address; the ids in its path are of nothing there is."""
    for one in operations.registered.values():
        if one.access.signed_in is signed_in and not one.access.optional:
            given = {name: example_of(kind) for name, kind in one.path_parameters.items()}
            yield one, one.path.format(**given)


def test_whoever_is_not_signed_in_gets_a_401_and_changes_nothing(api: Api) -> None:
    with nothing_changes():
        for operation, path in with_access(signed_in=True):
            answer = api.call(operation.method, path, body={}, key="key")
            assert (answer.status, answer.code) == (401, "not_signed_in"), operation.name
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_that_is_none_of_ours_gets_a_401(app: Chalice, ana: Person) -> None:
    assert ana.api.token
    header, claims, signature = ana.api.token.split(".")
    forged = ["", "x", f"{header}.{claims}.", f"{header}.{claims}.{signature[::-1]}"]
    with nothing_changes():
        for operation, path in with_access(signed_in=True):
            for token in forged:
                headers = {"authorization": f"Bearer {token}"}
                answer = Api(app).call(operation.method, path, body={}, key="k", headers=headers)
                assert answer.status == 401, operation.name


def test_an_ended_session_gets_a_401_wherever_it_asks(ana: Person) -> None:
    ana.api.delete("/v1/auth/sessions")
    with nothing_changes():
        for operation, path in with_access(signed_in=True):
            if operation.body is None and operation.query is None:
                answer = ana.api.call(operation.method, path, key="key")
                assert (answer.status, answer.code) == (401, "not_signed_in"), operation.name


def test_a_body_that_is_no_object_is_refused_everywhere(ana: Person, api: Api) -> None:
    with nothing_changes():
        for signed_in, client in ((True, ana.api), (False, api)):
            for operation, path in with_access(signed_in=signed_in):
                if operation.body is None:
                    continue
                for raw in (b"", b"null", b"[]", b"7", b"{]", b"\xff\xfe{}", b'{"a": NaN}'):
                    answer = client.call(operation.method, path, raw=raw, key="key")
                    assert answer.status == 400, (operation.name, raw)


def test_a_field_nobody_declared_is_named(ana: Person, api: Api) -> None:
    with nothing_changes():
        for signed_in, client in ((True, ana.api), (False, api)):
            for operation, path in with_access(signed_in=signed_in):
                if operation.body is None:
                    continue
                answer = client.call(operation.method, path, body={"is_admin": True}, key="key")
                named = {problem["field"] for problem in answer.json["errors"]}
                assert "body.is_admin" in named, operation.name


def test_where_money_moves_an_attempt_has_to_be_named(ana: Person) -> None:
    with nothing_changes():
        for operation, path in with_access(signed_in=True):
            if operation.moves and operation.body is None:
                answer = ana.api.call(operation.method, path)
                assert answer.code == "idempotency_key_required", operation.name
                answer = ana.api.call(operation.method, path, key="x" * 256)
                named = [problem["field"] for problem in answer.json["errors"]]
                assert named == ["header.Idempotency-Key"], operation.name


def test_lists_are_paged_and_refuse_what_is_no_page(ana: Person) -> None:
    give_role(ana, "admin")
    pages = ["limit=0", "limit=51", "limit=1.0", "limit=x", "nope=1"]
    cursors = ["cursor=x", "cursor=bnVsbA"]
    lists = 0
    for operation, path in with_access(signed_in=True):
        fields = getattr(operation.query, "model_fields", {})
        if "cursor" not in fields or any(one.is_required() for one in fields.values()):
            continue
        lists += 1
        never_empty = operation.name == "accounts_sessions_mine"
        if not operation.access.roles and "{" not in operation.path and not never_empty:
            found = ana.api.get(path).json
            assert found == {"items": [], "next_cursor": None}, operation.name
        # What a path names does not exist here, which is told before a cursor is read.
        for asked in pages if "{" in operation.path else pages + cursors:
            answer = ana.api.get(f"{path}?{asked}")
            assert answer.status == 400, (operation.name, asked)
            named = [problem["field"] for problem in answer.json["errors"]]
            assert named == [f"query.{asked.partition('=')[0]}"], operation.name
    assert lists >= 4


def test_staff_operations_are_for_those_who_hold_the_role_for_the_product(
    ana: Person, ben: Person, newcomer: Person
) -> None:
    give_role(newcomer, "admin")
    callers = [(ana, "not_allowed"), (ben, "not_allowed"), (newcomer, "not_verified")]
    for role in ("support", "moderator", "finance", "admin"):
        give_role(ben, role, "somewhere_else")
    with nothing_changes():
        for operation, path in with_access(signed_in=True):
            if not operation.access.roles:
                continue
            for who, code in callers:
                answer = who.api.call(operation.method, path, body={}, key="key")
                # A body, or what the path names, may be refused before the role is looked at.
                if answer.status == 400:
                    assert answer.code == "validation_failed", operation.name
                else:
                    assert (answer.status, answer.code) == (403, code), operation.name
