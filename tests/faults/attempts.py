"""What can become of an attempt under an Idempotency-Key: the cases of the proof."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from chalicelib.core.operations import Operation
from tests.faults.attempts_cut_off import (
    answer_lost,
    commit_lost,
    cut_off_and_taken_up_days_later,
    failed,
    killed,
    lost,
    provider_down,
)
from tests.faults.trials import Trial
from tests.support import people
from tests.support.races import CONNECTIONS, many

Case = Callable[[Trial], None]

_BAD_KEYS = ("x" * 256, "with space", "tab\t", "é", "\x7f", " ")
_NOWHERE = uuid.UUID(int=7)


def repeated(trial: Trial) -> None:
    """The same request again, at once and from another session."""
    with trial.has_one_effect():
        first = trial.succeeded(trial.make())
        trial.is_repeated(first, trial.make())
        trial.is_repeated(first, trial.make(client=people.again(trial.caller).api))


def other_request(trial: Trial) -> None:
    """Another request under the key: another body, or about something else."""
    body = _other_body(trial)
    other = {"body": body} if body is not None else {"path": trial.prepared().path}
    with trial.has_one_effect():
        first = trial.succeeded(trial.make())
        trial.refused(trial.make(**other), 422, "idempotency_key_reused")
        trial.is_repeated(first, trial.make())


def _other_body(trial: Trial) -> dict[str, Any] | None:
    """The body with another number; None where the operation takes no body."""
    body = trial.description.registered.body
    told = TypeAdapter(body).json_schema()["properties"] if body else {}
    for name, one in told.items():
        if "integer" in {one.get("type"), *(each["type"] for each in one.get("anyOf", ()))}:
            given = trial.call.body.get(name, one.get("default")) or 1
            return {**trial.call.body, name: given + 1}
    return None


def other_operation(trial: Trial) -> None:
    """A request of another operation under the key."""
    path, body = "/v1/billing/checkouts", {"product": "marketplace", "code": "contacts_50"}
    if trial.description.registered.path == path:
        path, body = f"/v1/marketplace/posts/{_NOWHERE}/reveal", {}
    with trial.has_one_effect():
        trial.succeeded(trial.make())
        answer = trial.caller.api.post(path, body, key=trial.call.key)
        trial.refused(answer, 422, "idempotency_key_reused")


def somebody_elses_key(trial: Trial) -> None:
    """Another person under the same key, with a request of their own and with the very same."""
    other = trial.anew()
    with trial.has_one_effect():
        first = trial.succeeded(trial.make())
    with trial.has_one_effect():
        answers = [other.succeeded(other.make(key=trial.call.key))]
    answers.append(trial.make(client=trial.anew().caller.api))
    for answer in answers:
        trial.hold("Idempotent-Replayed" not in answer.headers, "somebody else's answer replayed")
        trial.hold(answer.text != first.text, "somebody else's answer")


def at_once(trial: Trial) -> None:
    """The same request over sixteen connections at once, and once more afterwards."""
    with trial.has_one_effect():
        answers = many(CONNECTIONS, trial.make)
        first = trial.take_up()
        for one in answers:
            if one.status == HTTPStatus.CONFLICT:
                trial.refused(one, 409, "conflict")
            else:
                trial.is_repeated(first, one)
    refused = sum(one.status == HTTPStatus.CONFLICT for one in answers)
    trial.hold(refused < CONNECTIONS, "none of them was answered")


def refused_first(trial: Trial) -> None:
    """A request that is refused, then a right one under the same key."""
    with trial.has_one_effect():
        path = {name: _NOWHERE for name in trial.call.path if name.endswith("_id")}
        if path:
            trial.refused(trial.make(path={**trial.call.path, **path}), 404, "not_found")
            named = {**trial.call.path, next(iter(path)): "x"}
            trial.refused(trial.make(path=named), 400, "validation_failed")
        if trial.description.registered.body:
            wrong = trial.make(body={**trial.call.body, "nonsense": 1})
            trial.refused(wrong, 400, "validation_failed")
            trial.refused(trial.make(body=None, raw=b"{"), 400, "malformed_body")
        trial.hold("Idempotent-Replayed" not in trial.take_up().headers, "a refusal was kept")


def no_key(trial: Trial) -> None:
    """No key, and what is no key."""
    with trial.has_no_effect():
        trial.refused(trial.make(key=""), 400, "idempotency_key_required")
        for key in _BAD_KEYS:
            trial.refused(trial.make(key=key), 400, "validation_failed")


def after_25_hours(trial: Trial) -> None:
    """The same request a day and an hour later."""
    _later(trial, timedelta(hours=25))


def after_15_days(trial: Trial) -> None:
    """The same request when the queues have long given up."""
    _later(trial, timedelta(days=15))


def _later(trial: Trial, span: timedelta) -> None:
    with trial.has_one_effect():
        first = trial.succeeded(trial.make())
    trial.pass_by(span)
    with trial.has_no_effect():
        again = people.again(trial.caller).api
        trial.is_repeated(first, trial.make(client=again))


def after_31_days_for_something_else(trial: Trial) -> None:
    """A key that was forgotten, for another request: never taken for the old one, and no bug."""
    body = _other_body(trial)
    first = trial.succeeded(trial.make())
    trial.pass_by(timedelta(days=31))
    again = people.again(trial.caller).api
    other = {"body": body} if body is not None else {"path": trial.prepared().path}
    answer = trial.make(client=again, **other)
    trial.hold(answer.status < HTTPStatus.INTERNAL_SERVER_ERROR, f"told {answer.text[:200]}")
    trial.hold(answer.text != first.text, "the old answer for another request")


CASES: tuple[Case, ...] = (
    repeated,
    other_request,
    somebody_elses_key,
    at_once,
    after_25_hours,
    no_key,
    refused_first,
    other_operation,
    answer_lost,
    commit_lost,
    cut_off_and_taken_up_days_later,
    after_15_days,
    after_31_days_for_something_else,
    provider_down,
    failed,
    lost,
    killed,
)


def concerns(case: Case, operation: Operation) -> bool:
    """Whether a case can happen to an operation: not all call a provider."""
    return case is not provider_down or operation.kind == "call"
