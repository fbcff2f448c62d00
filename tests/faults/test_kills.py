"""The kill matrix: nothing is left out of it, and what it compares is neither chance nor time."""

from chalice.app import Chalice

from chalicelib.core import jobs, rooms
from tests.faults import kill_flows, kill_plants, kill_points
from tests.faults.kill_points import Points
from tests.faults.kill_state import NEW


def test_every_job_has_a_flow(app: Chalice) -> None:
    rooms.load("jobs")
    ours = {
        name
        for name, job in jobs.registered.items()
        if job.function.__module__.startswith("chalicelib.")
    }
    described = {flow.job for flow in kill_flows.every().values() if flow.job}
    assert ours == described, "describe them in tests/faults/flows"


def test_a_planted_fault_has_a_flow_and_points_that_there_are(app: Chalice) -> None:
    flows = kill_flows.every()
    calls = {*kill_points.PROVIDERS.values(), "statement", "commit"}
    for plant in kill_plants.PLANTS.values():
        assert plant.flow in flows, plant.name
        for point in plant.points:
            when, _, what = point.partition(" ")
            assert when in {"before", "amid", "after"}, plant.name
            assert what in calls, plant.name


def test_a_process_counts_the_points_it_passes() -> None:
    last_words: list[str] = []
    points = Points(0, last_words.append)
    for name in ("before statement", "amid statement"):
        points.reach(name)
    assert points.passed == ["before statement", "amid statement"]
    assert last_words == []


def test_ids_moments_and_secrets_are_told_apart_from_what_is_meant() -> None:
    kinds = {
        "01a1fdfa-be5d-72ad-acf3-04ce2a027710": "id",
        "2026-11-20T12:00:30.123456+00:00": "moment",
        "2026-11-20T12:00:30Z": "moment",
        "1795262429": "second",
        "cs_test_a1fNo0f9EG5Vtcd7GNx25q": "external",
        "mail-3": "external",
        "a" * 64: "hash",
    }
    for text, kind in kinds.items():
        found = NEW.fullmatch(text)
        assert found, text
        assert found.lastgroup == kind
    for text in ("active", "900", "contacts_10", "marketplace.post", "2026-11-20"):
        assert not NEW.search(text), text
