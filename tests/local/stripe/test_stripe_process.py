"""The fake as a process of its own: killed at any time it has kept what it answered."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from local.stripe.fake import Settings
from local.stripe.receiver import Receiver
from local.stripe.server import serve


@contextlib.contextmanager
def started(
    state: Path, *options: str, environment: dict[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A fake in a process, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local.stripe", "--port", "0", "--state", str(state), *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, **(environment or {})},
    )
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: None)
    try:
        line = process.stdout.readline()
        # the log is read on, or the process would wait for room in the pipe
        reader = threading.Thread(target=process.stdout.read)
        reader.start()
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


@contextlib.contextmanager
def connected(url: str) -> Iterator[stripe.StripeClient]:
    http = stripe.RequestsClient(timeout=10)
    yield stripe.StripeClient(
        "sk_test_kith", base_addresses={"api": url}, max_network_retries=0, http_client=http
    )
    http.close()  # type: ignore[no-untyped-call]


def test_killed_right_after_an_answer_it_has_lost_nothing(tmp_path: Path) -> None:
    state = tmp_path / "stripe.db"
    made: list[str] = []
    for _ in range(3):
        with started(state) as (process, url), connected(url) as client:
            for number in range(5):
                key = {"idempotency_key": f"key-{len(made)}-{number}"}
                made.append(client.v1.customers.create({}, key).id)  # type: ignore[arg-type]
            process.send_signal(signal.SIGKILL)
    with serve(Settings(state=state)) as fake, connected(fake.url) as client:
        assert [c.id for c in client.v1.customers.list({"limit": 100}).data] == made[::-1]
        assert len(client.v1.events.list({"limit": 100}).data) == len(made)
        again = client.v1.customers.create({}, {"idempotency_key": "key-10-0"})
        assert again.id == made[10]


def test_killed_under_load_every_answer_is_kept_with_its_event(tmp_path: Path) -> None:
    state = tmp_path / "stripe.db"
    answered: list[str] = []

    def buy(url: str) -> None:
        with connected(url) as client, contextlib.suppress(stripe.APIConnectionError):
            while True:
                answered.append(client.v1.customers.create().id)

    with started(state) as (process, url):
        buyers = [threading.Thread(target=buy, args=(url,)) for _ in range(4)]
        for buyer in buyers:
            buyer.start()
        while len(answered) < 60:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        for buyer in buyers:
            buyer.join()
    with serve(Settings(state=state)) as fake, connected(fake.url) as client:
        kept = {c.id for c in client.v1.customers.list({"limit": 100}).auto_paging_iter()}
        told = {
            event.data.object["id"]
            for event in client.v1.events.list({"limit": 100}).auto_paging_iter()
        }
    assert set(answered) <= kept
    assert kept == told


def test_an_event_nobody_took_is_sent_by_the_next_process(tmp_path: Path) -> None:
    state = tmp_path / "stripe.db"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        options = ("--webhook-url", address, "--webhook-secret", "whsec_local")
        with started(state, *options) as (process, url), connected(url) as client:
            customer = client.v1.customers.create()
            process.send_signal(signal.SIGKILL)
    with Receiver() as receiver:
        settings = Settings(
            state=state, webhook_url=receiver.url, webhook_secrets=["whsec_local"], durable=False
        )
        with serve(settings):
            (webhook,) = receiver.wait_for(1)
        assert webhook.event("whsec_local").data.object["id"] == customer.id


def test_it_stops_when_it_is_told_to(tmp_path: Path) -> None:
    with started(tmp_path / "stripe.db") as (process, url), connected(url) as client:
        client.v1.customers.create()  # leaves a connection open
        process.terminate()
        assert process.wait(5) == 0


def test_no_telemetry_is_written_by_fake_or_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr("stripe._telemetry_id._loaded", False)  # as in a process that never looked
    with Receiver() as receiver:
        options = ("--webhook-url", receiver.url, "--webhook-secret", "whsec_local")
        with started(tmp_path / "stripe.db", *options) as (_, url), connected(url) as client:
            client.v1.customers.create()
            receiver.wait_for(1)
    assert list(home.rglob("*")) == []


def test_given_up_after_as_many_attempts_as_were_allowed(tmp_path: Path) -> None:
    with Receiver() as receiver:
        receiver.statuses = [500] * 5
        settings = Settings(
            state=tmp_path / "stripe.db",
            webhook_url=receiver.url,
            webhook_secrets=["whsec_local"],
            durable=False,
            first_pause=0.01,
            most_attempts=3,
        )
        with serve(settings) as fake, connected(fake.url) as client:
            client.v1.customers.create()
            receiver.wait_for(3)
            assert fake.wait_until_settled()
            assert fake.deliveries()[0].state == "failed"
        assert len(receiver.received) == 3


def test_a_moved_clock_and_held_events_outlive_the_process(tmp_path: Path) -> None:
    settings = Settings(
        state=tmp_path / "stripe.db", webhook_url="http://127.0.0.1:9", durable=False
    )
    with serve(settings) as fake, connected(fake.url) as client:
        fake.set_clock(3600)
        fake.set_delivery_mode("hold")
        client.v1.customers.create()
        held = fake.held()
    with serve(settings) as fake:
        assert fake.clock().offset_seconds == 3600
        assert fake.held() == held
