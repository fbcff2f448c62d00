"""How large, how old, how often and how long: the figures of webhooks, to the unit."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import clock, jobs
from chalicelib.kernel.billing import gateway
from tests.kernel.billing.lives import staff
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.logs import lines
from tests.support.stripe import Stripe, hand_in, signed
from tests.support.times import Times

EVENT: dict[str, Any] = {
    "id": "evt_test",
    "type": "checkout.session.completed",
    "livemode": False,
    "data": {"object": {"id": "cs_test_nothing"}},
}
PATH = "/v1/admin/webhook_events"


def sized(size: int) -> dict[str, Any]:
    """An event whose body has so many bytes."""
    body, _ = signed(EVENT | {"data": ""})
    return EVENT | {"data": "x" * (size - len(body))}


def test_an_event_has_half_a_megabyte_at_most(api: Api) -> None:
    assert hand_in(api, *signed(sized(512 * 1024))).status == 200
    assert hand_in(api, *signed(sized(512 * 1024 + 1))).status == 413


def test_a_time_of_the_future_is_taken_up_to_five_minutes(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.real_time().replace(microsecond=0)
    monkeypatch.setattr(clock, "real_time", clock.frozen(now))
    at = int(now.timestamp())
    assert hand_in(api, *signed(EVENT, at=at + 300)).status == 200
    assert hand_in(api, *signed(EVENT, at=at + 301)).code == "billing.webhook_refused"


def test_payloads_are_kept_for_thirty_days(api: Api, times: Times) -> None:
    for age in (timedelta(days=30, seconds=1), timedelta(days=29, hours=23)):
        hand_in(api, *signed(EVENT | {"id": f"evt_{age.days}"}))
        database.execute(
            "update billing.webhook_events set created_at = $1 where event_id = $2",
            clock.now() - age,
            f"evt_{age.days}",
        )
    assert times.run("billing_webhooks_scrub")["rows"] == 1
    scrubbed = database.execute(
        "select event_id, payload, scrubbed_at <= $1 from billing.webhook_events"
        " where scrubbed_at is not null",
        clock.now(),
    )
    told = {"id": "evt_30", "type": EVENT["type"], "data": EVENT["data"]}
    assert scrubbed == [("evt_30", told, True)]


def test_what_came_is_due_after_a_minute_and_what_is_replayed_too(api: Api, times: Times) -> None:
    times.stop()
    in_a_minute = clock.now() + timedelta(minutes=1)
    hand_in(api, *signed(EVENT))
    due = "select next_attempt_at, attempts, processed_at, error, created_at"
    ((*stored, created_at),) = database.execute(f"{due} from billing.webhook_events")
    assert stored == [in_a_minute, 0, None, None]
    assert created_at == clock.now()
    database.execute(
        "update billing.webhook_events set state = 'processed', processed_at = $1, error = 'x',"
        " attempts = 7, next_attempt_at = $1",
        clock.now() - timedelta(days=1),
    )
    support = staff(api, "support", "all")
    (event,) = support.api.get(PATH).json["items"]
    support.api.post(f"{PATH}/{event['id']}/replay")
    ((*replayed, _),) = database.execute(f"{due} from billing.webhook_events")
    assert replayed == stored


@pytest.mark.usefixtures("impatient")
def test_a_failure_is_logged_and_another_time_is_set_that_doubles(
    api: Api, stripe: Stripe, cloud: Cloud, times: Times, log_lines: Path
) -> None:
    times.stop()
    stripe.fake.order_outage(2, "error", method="GET")
    hand_in(api, *signed(EVENT))
    cloud.deliver()
    ((webhook_id, due),) = database.execute(
        "select id::text, next_attempt_at from billing.webhook_events"
    )
    assert due == clock.now() + timedelta(minutes=1)
    (failed,) = lines(log_lines, "webhook_failed")
    assert failed["webhook_id"] == webhook_id
    assert "Unavailable" in str(failed["error"])
    clock.follow(clock.frozen(due))
    jobs.run(jobs.registered["billing_webhooks_process_due"], clock.now())
    ((again,),) = database.execute("select next_attempt_at from billing.webhook_events")
    assert again == due + timedelta(minutes=2)


def test_what_is_done_is_due_no_more(api: Api, cloud: Cloud, times: Times) -> None:
    hand_in(api, *signed(EVENT | {"type": "customer.created"}))
    cloud.deliver()
    times.pass_by(timedelta(hours=1))
    assert times.run("billing_webhooks_process_due")["rows"] == 0


def test_what_is_due_is_taken_up_in_the_order_in_which_it_is_due(
    api: Api, times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def note(_key: str, named: str) -> Callable[..., bool]:
        seen.append(named)
        raise ZeroDivisionError

    monkeypatch.setattr(gateway, "session", note)
    for name, minutes in (("late", 1), ("first", 3), ("second", 2)):
        hand_in(api, *signed(EVENT | {"id": f"evt_{name}", "data": {"object": {"id": name}}}))
        database.execute(
            "update billing.webhook_events set next_attempt_at = $1 where event_id = $2",
            clock.now() - timedelta(minutes=minutes),
            f"evt_{name}",
        )
    times.run("billing_webhooks_process_due")
    assert seen == ["first", "second", "late"]


@pytest.mark.parametrize(
    ("role", "status"), [("finance", 200), ("support", 200), ("moderator", 403)]
)
def test_finance_and_support_see_events(api: Api, role: str, status: int) -> None:
    hand_in(api, *signed(EVENT))
    seen = staff(api, role, "all").api
    assert seen.get(PATH).status == status
    ((webhook_id,),) = database.execute("select id from billing.webhook_events")
    assert seen.post(f"{PATH}/{webhook_id}/replay").status == status


@pytest.mark.parametrize("state", ["pending", "processed", "ignored", "failed"])
def test_events_are_found_by_their_state(api: Api, state: str) -> None:
    for name in ("one", "other"):
        hand_in(api, *signed(EVENT | {"id": f"evt_{name}"}))
    another = "failed" if state == "pending" else "pending"
    change = "update billing.webhook_events set state = $1 where event_id = $2"
    database.execute(change, state, "evt_one")
    database.execute(change, another, "evt_other")
    found = staff(api, "support", "all").api.get(f"{PATH}?state={state}").json["items"]
    assert [one["event_id"] for one in found] == ["evt_one"]
