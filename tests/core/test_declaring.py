"""Declaring handlers: what a signature says, and names that may not be taken twice."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from chalice.app import Blueprint

from chalicelib.core import jobs, operations
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import AppError
from chalicelib.core.http import ANONYMOUS_RATE, AttemptKey, RawRequest, endpoint
from chalicelib.core.jobs import Every, job
from chalicelib.core.operations import Anonymous, Operation, Optional, Rate, User
from chalicelib.core.outbox import Event
from chalicelib.core.paging import PageQuery
from chalicelib.core.schemas import Empty
from chalicelib.core.statements import Json
from tests.support.program import program_of

pytestmark = pytest.mark.usefixtures("settings")


def declared(
    method: str, function: Callable[..., Any], path: str = "/v1/tests/{thing_id}", **told: Any
) -> Operation:
    """The operation that a handler becomes."""

    def define(blueprint: Blueprint) -> None:
        endpoint(blueprint, method, path, **({"caller": User} | told))(function)

    with program_of(define):
        return next(one for one in operations.registered.values() if one.function is function)


def work(
    db: Connection, caller: Caller, thing_id: UUID, query: PageQuery, body: Empty
) -> Json[Empty]:
    """Do something.

    And say more.
    """
    raise NotImplementedError


def call(transactions: Transactions, thing_id: str, key: AttemptKey, raw: RawRequest) -> None:
    """Call a provider."""


def test_a_signature_says_what_goes_in_and_out() -> None:
    told = declared("POST", work)
    assert (told.name, told.domain, told.kind) == ("core_work", "core", "write")
    assert told.path_parameters == {"thing_id": UUID}
    assert (told.query, told.body, told.answer) == (PageQuery, Empty, Json[Empty])
    assert (told.raw, told.status, told.moves) == (False, 200, False)
    assert told.summary == "Do something."
    assert told.description == "Do something.\n\nAnd say more."


def test_a_name_in_a_path_is_a_whole_one() -> None:
    def find(db: Connection, query_id: UUID, old_query: UUID, query: PageQuery) -> Empty:
        """Find something."""
        raise NotImplementedError

    told = declared("GET", find, "/v1/query/{query_id}/{old_query}")
    assert told.path_parameters == {"query_id": UUID, "old_query": UUID}


def test_get_reads_and_what_calls_a_provider_is_a_call() -> None:
    assert declared("GET", work).kind == "read"
    assert declared("GET", work, kind="write").kind == "write"
    told = declared("POST", call)
    assert (told.kind, told.raw, told.answer, told.body) == ("call", True, None, None)
    assert told.path_parameters == {"thing_id": str}
    assert declared("GET", call).kind == "call"


def test_whoever_moves_money_is_signed_in() -> None:
    for access in (Anonymous, Optional):
        with pytest.raises(TypeError, match="signed in"):
            declared("POST", work, caller=access, moves=True)


def test_whoever_has_no_session_is_always_limited() -> None:
    assert declared("GET", work, caller=Anonymous).rates == (ANONYMOUS_RATE,)
    assert declared("GET", work, caller=Anonymous, rates=(Rate(1, 2),)).rates == (Rate(1, 2),)
    assert declared("GET", work).rates == ()


def test_two_operations_of_one_name_are_refused() -> None:
    def another() -> Callable[..., None]:
        def work(db: Connection) -> None:
            """Do something else."""

        return work

    def define(blueprint: Blueprint) -> None:
        endpoint(blueprint, "GET", "/v1/tests/{thing_id}", caller=User)(work)
        with pytest.raises(ValueError, match="core_work"):
            endpoint(blueprint, "GET", "/v1/tests/other", caller=User)(another())

    with program_of(define):
        pass


def test_two_jobs_of_one_name_are_refused() -> None:
    def build(rows: int) -> Callable[[Connection, Any], int]:
        if rows:

            def forget(db: Connection, now: Any) -> int:
                """Forget something."""
                return 1

        else:

            def forget(db: Connection, now: Any) -> int:
                """Forget something else."""
                return 0

        return forget

    known = dict(jobs.registered)
    try:
        job(Blueprint("tests"), Every(1))(build(1))
        with pytest.raises(ValueError, match="core_forget"):
            job(Blueprint("tests"), Every(1))(build(0))
    finally:
        jobs.registered.clear()
        jobs.registered.update(known)


def test_a_code_of_an_error_has_one_owner() -> None:
    with pytest.raises(TypeError, match="not_found"):

        class SomethingElse(AppError):
            code = "not_found"


def test_a_topic_of_an_event_has_one_owner() -> None:
    class First(Event):
        topic = "tests.owned"

    try:
        with pytest.raises(TypeError, match=r"tests\.owned"):

            class Second(Event):
                topic = "tests.owned"
    finally:
        del Event.by_topic[First.topic]
