"""The AWS emulator: made ready in one call, as often as need be; mails and messages to look at."""

import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import aws, paths, processes
from local.aws_emulator import Aws, Emulator
from local.processes import PortTakenError, ProcessError

QUEUES = ["billing", "webhooks", "uploads"]
BUCKETS = ["kith-media"]


@pytest.fixture(scope="module", autouse=True)
def no_other_endpoint() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        yield


@pytest.fixture(scope="module")
def emulator(
    no_other_endpoint: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Emulator]:
    with aws.running(tmp_path_factory.mktemp("aws")) as started:
        assert isinstance(started, Emulator)
        yield started


@pytest.fixture
def endpoint(emulator: Emulator) -> str:
    aws.provision(emulator.endpoint_url, queues=QUEUES, buckets=BUCKETS)
    aws.empty(emulator.endpoint_url)
    return emulator.endpoint_url


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def send_mail(endpoint: str, subject: str, sender: str = "Kith <hello@kith.example>") -> None:
    client("sesv2", endpoint).send_email(
        FromEmailAddress=sender,
        Destination={"ToAddresses": ["ana@example.com"], "BccAddresses": ["bo@example.com"]},
        Content={
            "Simple": {
                "Subject": {"Data": subject},
                "Body": {"Text": {"Data": "Olá"}, "Html": {"Data": "<p>Olá</p>"}},
            }
        },
    )


def attributes(endpoint: str, queue: str) -> dict[str, str]:
    sqs = client("sqs", endpoint)
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]
    return found


def test_queues_have_dead_letters_and_patience(endpoint: str) -> None:
    found = attributes(endpoint, "billing")
    assert found["VisibilityTimeout"] == "180"
    assert found["RedrivePolicy"] == (
        '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:billing-dead",'
        ' "maxReceiveCount": "5"}'
    )
    assert attributes(endpoint, "billing-dead")["ApproximateNumberOfMessages"] == "0"


def test_provisioning_again_changes_settings_and_keeps_messages(endpoint: str) -> None:
    sqs = client("sqs", endpoint)
    url = sqs.get_queue_url(QueueName="billing")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    patience = {"billing": 30, "webhooks": 60, "uploads": 900}
    aws.provision(endpoint, queues=QUEUES, buckets=BUCKETS, visibility_seconds=patience, attempts=2)
    assert attributes(endpoint, "uploads")["VisibilityTimeout"] == "900"
    assert '"maxReceiveCount": "2"' in attributes(endpoint, "billing")["RedrivePolicy"]
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "kept"


def test_a_message_that_is_never_deleted_becomes_a_dead_letter(endpoint: str) -> None:
    aws.provision(endpoint, queues=["hasty"], buckets=[], visibility_seconds=0, attempts=2)
    sqs = client("sqs", endpoint)
    url = sqs.get_queue_url(QueueName="hasty")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(3):
        sqs.receive_message(QueueUrl=url)
    dead = sqs.get_queue_url(QueueName="hasty-dead")["QueueUrl"]
    assert sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "poison"


def test_mails_can_be_read(endpoint: str) -> None:
    send_mail(endpoint, "Confirm your address")
    send_mail(endpoint, "Welcome")
    first, second = aws.outbox_mails(endpoint)
    assert (first.subject, second.subject) == ("Confirm your address", "Welcome")
    assert first.sender == "Kith <hello@kith.example>"
    assert first.recipients == ("ana@example.com", "bo@example.com")
    assert (first.text, first.html) == ("Olá", "<p>Olá</p>")
    assert first.sent_at.utcoffset() is not None
    assert first.sent_at <= second.sent_at
    assert first.id != second.id


def test_mails_from_a_domain_that_is_not_ours_are_refused(endpoint: str) -> None:
    with pytest.raises(Exception, match="not verified"):
        send_mail(endpoint, "Hello", sender="me@elsewhere.example")
    assert aws.outbox_mails(endpoint) == []


def test_emptied_between_tests(endpoint: str) -> None:
    sqs = client("sqs", endpoint)
    for name in ("billing", "uploads-dead"):
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="x")
    send_mail(endpoint, "one")
    aws.empty(endpoint)
    assert aws.outbox_mails(endpoint) == []
    for name in ("billing", "uploads-dead"):
        assert attributes(endpoint, name)["ApproximateNumberOfMessages"] == "0"
    send_mail(endpoint, "two")
    assert [each.subject for each in aws.outbox_mails(endpoint)] == ["two"]


def test_signatures_are_checked(emulator: Emulator, endpoint: str) -> None:
    client("s3", endpoint).put_object(Bucket="kith-media", Key="a", Body=b"1")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{endpoint}/kith-media/a")
    assert refused.value.code == 403
    refused.value.close()
    assert emulator.environment == {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def test_a_clean_stop_keeps_everything_but_mails(emulator: Emulator, endpoint: str) -> None:
    sqs, s3 = client("sqs", endpoint), client("s3", endpoint)
    url = sqs.get_queue_url(QueueName="billing")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    s3.put_object(Bucket="kith-media", Key="a", Body=b"kept too")
    emulator.stop()
    emulator.stop()
    emulator.start()
    emulator.start()
    assert emulator.endpoint_url == endpoint
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "kept"
    assert s3.get_object(Bucket="kith-media", Key="a")["Body"].read() == b"kept too"


def test_ready_again_after_it_was_killed(emulator: Emulator, endpoint: str) -> None:
    assert emulator.process is not None
    emulator.process.send(signal.SIGKILL)
    emulator.process.wait(5)
    with pytest.raises(ProcessError, match="does not answer"):
        aws.outbox_mails(endpoint)
    emulator.start()
    aws.provision(endpoint, queues=[*QUEUES, "new"], buckets=BUCKETS)
    assert attributes(endpoint, "new")["VisibilityTimeout"] == "180"
    send_mail(endpoint, "again")
    assert [each.subject for each in aws.outbox_mails(endpoint)] == ["again"]


def test_a_port_that_is_taken_is_named(emulator: Emulator, tmp_path: Path) -> None:
    port = int(emulator.endpoint_url.rpartition(":")[2])
    with pytest.raises(PortTakenError, match=f"port {port} is taken by python"):
        aws.running(tmp_path, port)
    (tmp_path / "port").write_text(f"{port}\n")
    with aws.running(tmp_path) as other:
        assert other.endpoint_url != emulator.endpoint_url


def test_an_endpoint_in_the_environment_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://aws.example:4566")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    with aws.running(tmp_path) as started:
        assert type(started) is Aws
        assert started.environment["AWS_ENDPOINT_URL"] == "http://aws.example:4566"
        assert started.environment["AWS_ACCESS_KEY_ID"] == "mine"
    assert list(tmp_path.iterdir()) == []


def test_another_aws_has_no_mailbox() -> None:
    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Nobody wants to read it."""

    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(ProcessError, match=r"is not the local AWS emulator.*: unset AWS_END"):
            aws.outbox_mails(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "AWS_ENVIRONMENT", tmp_path)
    with pytest.raises(ProcessError, match=r"run python3 local/install\.py --only cloud"):
        aws.running(tmp_path)
    assert not processes.working_in(tmp_path)
