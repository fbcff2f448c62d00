"""Jobs: what there is, how they went, and starting one by hand."""

from datetime import timedelta

import pytest

from chalicelib.core import clock, jobs
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person, give_role, person
from tests.support.races import many
from tests.support.state import nothing_changes
from tests.support.times import Times

JOBS, RUNS = "/v1/admin/jobs", "/v1/admin/job_runs"
JOB = "accounts_forget_expired"


@pytest.fixture
def admin(api: Api) -> Person:
    """An admin of all products."""
    made = person(api)
    give_role(made, "admin")
    return made


def test_every_job_is_there_with_its_newest_run(admin: Person) -> None:
    jobs.run(jobs.registered[JOB], clock.now() - timedelta(hours=3))
    jobs.run(jobs.registered[JOB], clock.now())
    known = {one["job"]: one for one in admin.api.get(JOBS).json["items"]}
    assert known.keys() == jobs.registered.keys()
    assert known[JOB]["schedule"] == "every 60 minutes"
    assert known["core_forget_events"]["schedule"] == "daily at 03:10 UTC"
    assert known["core_forget_events"]["last_run"] is None
    newest, older = admin.api.get(f"{RUNS}?job={JOB}").json["items"]
    assert known[JOB]["last_run"]["id"] == newest["id"]
    assert newest["slot"] > older["slot"]
    assert newest["state"] == "done"


def test_a_job_that_was_asked_for_runs_by_its_queue(admin: Person, cloud: Cloud) -> None:
    jobs.run(jobs.registered[JOB], clock.now())
    asked = admin.api.post(f"{JOBS}/{JOB}/runs")
    assert asked.status == 202, asked.text
    assert len(admin.api.get(RUNS).json["items"]) == 1
    cloud.deliveries = 3
    cloud.deliver()
    by_hand = admin.api.get(RUNS).json["items"][0]
    assert len(admin.api.get(RUNS).json["items"]) == 2
    assert (by_hand["job"], by_hand["state"]) == (JOB, "done")
    assert by_hand["slot"].rstrip("Z+0:") == asked.json["slot"].rstrip("Z+0:")
    assert database.execute("select actor_id, action, subject from core.audit_log") == [
        (admin.id, "operations.start_job", f"core.job_runs:{JOB}")
    ]


def test_a_job_that_fails_says_where(
    admin: Person, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise ValueError("canary")

    known = jobs.registered[JOB]
    broken = jobs.Job(JOB, known.schedule, fail, known.calls)
    monkeypatch.setitem(jobs.registered, JOB, broken)
    admin.api.post(f"{JOBS}/{JOB}/runs")
    cloud.deliver()
    answer = admin.api.get(f"{RUNS}?state=failed")
    (run,) = answer.json["items"]
    assert "fail" in run["error"]
    assert "canary" not in answer.text
    assert cloud.dead == []


def test_a_job_whose_worker_was_killed_is_run_when_its_lease_is_over(
    admin: Person, cloud: Cloud, times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> int:
        raise Killed

    known = jobs.registered[JOB]
    cloud.queues.clear()
    admin.api.post(f"{JOBS}/{JOB}/runs")
    ((queue, bodies),) = cloud.queues.items()
    with monkeypatch.context() as dying:
        dying.setitem(jobs.registered, JOB, jobs.Job(JOB, known.schedule, die, known.calls))
        with pytest.raises(Killed):
            cloud.take(queue, bodies)
    times.pass_by(timedelta(minutes=1))
    assert cloud.take(queue, bodies) == bodies
    times.pass_by(timedelta(minutes=2))
    assert cloud.take(queue, bodies) == []
    assert database.execute("select job, state from core.job_runs") == [(JOB, "done")]


def test_asked_for_several_times_at_once_it_runs_for_each(admin: Person, cloud: Cloud) -> None:
    answers = many(3, lambda: admin.api.post(f"{JOBS}/{JOB}/runs"))
    assert {answer.status for answer in answers} == {202}
    cloud.deliver()
    slots = {answer.json["slot"] for answer in answers}
    assert len(admin.api.get(RUNS).json["items"]) == len(slots)


def test_nobody_else_may(ana: Person, api: Api) -> None:
    of_a_product, support = person(api), person(api)
    give_role(of_a_product, "admin", "marketplace")
    give_role(support, "support")
    with nothing_changes():
        for path in (JOBS, RUNS):
            assert api.get(path).status == 401
            for who in (ana, of_a_product, support):
                assert who.api.get(path).code == "not_allowed"
        for who in (ana, of_a_product, support):
            for job in (JOB, "nothing"):
                assert who.api.post(f"{JOBS}/{job}/runs").code == "not_allowed"


def test_what_there_is_not(admin: Person) -> None:
    with nothing_changes():
        assert admin.api.post(f"{JOBS}/nothing/runs").status == 404
        assert admin.api.post(f"{JOBS}/No-1/runs").json["errors"][0]["field"] == "path.job"
        assert admin.api.get(f"{RUNS}?state=x").json["errors"][0]["field"] == "query.state"
        assert admin.api.get(f"{RUNS}?cursor=x").json["errors"][0]["field"] == "query.cursor"
    assert admin.api.get(f"{RUNS}?job=nothing").json["items"] == []
