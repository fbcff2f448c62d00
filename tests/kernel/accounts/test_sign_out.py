"""Signing out, here or everywhere: it holds from the next request on."""

from tests.support import database
from tests.support.api import Api
from tests.support.people import Person, again
from tests.support.races import many

HERE, EVERYWHERE = "/v1/auth/sessions/current", "/v1/auth/sessions"


def test_signing_out_ends_this_session_alone(api: Api, ana: Person) -> None:
    elsewhere = again(ana)
    answer = ana.api.delete(HERE)
    assert (answer.status, answer.text) == (204, "")
    assert ana.api.get("/v1/me").code == "not_signed_in"
    refused = api.post("/v1/auth/sessions/refresh", {"refresh_token": ana.refresh_token})
    assert refused.code == "accounts.refresh_refused"
    assert elsewhere.api.get("/v1/me").status == 200


def test_signing_out_everywhere_ends_every_session_of_ones_own(
    api: Api, ana: Person, ben: Person
) -> None:
    elsewhere = again(ana)
    assert ana.api.delete(EVERYWHERE).status == 204
    for one in (ana, elsewhere):
        assert one.api.get("/v1/me").status == 401
        refused = api.post("/v1/auth/sessions/refresh", {"refresh_token": one.refresh_token})
        assert refused.status == 401
    assert ben.api.get("/v1/me").status == 200
    assert again(ana).api.get("/v1/me").status == 200


def test_signing_out_twice_needs_signing_in_again(ana: Person) -> None:
    for path in (HERE, EVERYWHERE):
        known = again(ana)
        assert known.api.delete(path).status == 204
        assert known.api.delete(path).status == 401


def test_signing_out_at_once_ends_the_session_once(ana: Person) -> None:
    statuses = [answer.status for answer in many(8, lambda: ana.api.delete(HERE))]
    assert set(statuses) <= {204, 401}
    assert 204 in statuses
    assert database.execute("select count(*) from accounts.sessions where revoked_at is null") == [
        (0,)
    ]
