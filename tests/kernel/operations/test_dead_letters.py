"""Dead letters: looked at without being shown, and sent again."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.core import aws
from tests.support import database
from tests.support.api import Api
from tests.support.people import Person, give_role, person
from tests.support.state import nothing_changes

PATH = "/v1/admin/dead_letters"


@pytest.fixture
def sqs(configured: Callable[[str, str], None]) -> Iterator[Any]:
    """Queues of the cloud, and dead letters beside them."""
    aws.client.cache_clear()
    configured("KITH_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/")
    with mock_aws():
        client = boto3.client("sqs")
        for name in ("kith-billing", "kith-billing-dead", "kith-media", "kith-media-dead"):
            client.create_queue(QueueName=name)
        client.create_queue(QueueName="another-billing-dead")
        yield client
    aws.client.cache_clear()


@pytest.fixture
def admin(api: Api) -> Person:
    """An admin of all products."""
    made = person(api)
    give_role(made, "admin")
    return made


def url(name: str) -> str:
    return f"https://sqs.us-east-1.amazonaws.com/123456789012/kith-{name}"


def put(sqs: Any, body: str, queue: str = "billing-dead") -> None:
    sqs.send_message(QueueUrl=url(queue), MessageBody=body)


def event(number: int = 1) -> str:
    payload = {"checkout_id": "canary"}
    told = {"event_id": str(uuid.UUID(int=number)), "topic": "billing.paid", "payload": payload}
    return json.dumps(told)


def waiting(sqs: Any, queue: str) -> int:
    name = "ApproximateNumberOfMessages"
    told = sqs.get_queue_attributes(QueueUrl=url(queue), AttributeNames=[name])
    return int(told["Attributes"][name])


def test_queues_say_how_many_they_have(sqs: Any, admin: Person) -> None:
    put(sqs, event())
    assert admin.api.get(PATH).json["items"] == [
        {"queue": "billing", "messages": 1},
        {"queue": "media", "messages": 0},
    ]


def test_a_letter_says_which_event_it_is_and_not_what_it_holds(sqs: Any, admin: Person) -> None:
    for number in range(1, 13):
        put(sqs, event(number))
    put(sqs, "no event canary")
    answer = admin.api.get(f"{PATH}/billing?limit=50")
    items = answer.json["items"]
    assert len(items) == 13
    assert "canary" not in answer.text
    known = {one["event_id"] for one in items if one["topic"] == "billing.paid"}
    assert known == {str(uuid.UUID(int=number)) for number in range(1, 13)}
    assert [one["topic"] for one in items].count(None) == 1
    assert waiting(sqs, "billing-dead") == 13
    assert len(admin.api.get(f"{PATH}/billing?limit=5").json["items"]) == 5
    assert admin.api.get(f"{PATH}/media").json == {"items": [], "next_cursor": None}


def test_letters_go_back_to_their_queue(sqs: Any, admin: Person) -> None:
    for number in range(25):
        put(sqs, event(number))
    path = f"{PATH}/billing/resend"
    assert admin.api.post(path, {"most": 12}).json == {"resent": 12}
    assert (waiting(sqs, "billing"), waiting(sqs, "billing-dead")) == (12, 13)
    assert admin.api.post(path, {}).json == {"resent": 13}
    assert admin.api.post(path, {}).json == {"resent": 0}
    assert (waiting(sqs, "billing"), waiting(sqs, "billing-dead")) == (25, 0)
    (message,) = sqs.receive_message(QueueUrl=url("billing"))["Messages"][:1]
    assert json.loads(message["Body"])["topic"] == "billing.paid"


def test_it_is_in_the_audit_log(sqs: Any, admin: Person) -> None:
    admin.api.get(f"{PATH}/billing")
    admin.api.post(f"{PATH}/billing/resend", {})
    rows = database.execute("select action, subject, actor_id from core.audit_log order by id")
    assert rows == [
        ("operations.look_at_dead_letters", "queues:billing", admin.id),
        ("operations.resend_dead_letters", "queues:billing", admin.id),
    ]


def test_nobody_else_may(sqs: Any, ana: Person, api: Api) -> None:
    put(sqs, event())
    of_a_product, support = person(api), person(api)
    give_role(of_a_product, "admin", "marketplace")
    give_role(support, "support")
    with nothing_changes():
        assert api.get(f"{PATH}/billing").status == 401
        for who in (ana, of_a_product, support):
            assert who.api.get(PATH).code == "not_allowed"
            assert who.api.get(f"{PATH}/billing").code == "not_allowed"
            assert who.api.post(f"{PATH}/billing/resend", {}).code == "not_allowed"
    assert waiting(sqs, "billing-dead") == 1


def test_a_queue_there_is_not_and_a_wrong_field(sqs: Any, admin: Person) -> None:
    assert admin.api.get(f"{PATH}/nothing").status == 404
    assert admin.api.post(f"{PATH}/nothing/resend", {}).status == 404
    for method, path, body, field in (
        ("GET", f"{PATH}/Billing", None, "path.queue"),
        ("GET", f"{PATH}/billing?limit=51", None, "query.limit"),
        ("POST", f"{PATH}/billing/resend", {"most": 0}, "body.most"),
        ("POST", f"{PATH}/billing/resend", {"most": 101}, "body.most"),
    ):
        answer = admin.api.call(method, path, body=body)
        assert [one["field"] for one in answer.json["errors"]] == [field]


def test_a_cloud_that_does_not_answer_is_no_bug(
    sqs: Any, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    aws.client.cache_clear()
    assert admin.api.get(f"{PATH}/billing").status == 503
