"""Addresses that bounced or complained are never written to again."""

import json
from typing import Any

import pytest

from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import PASSWORD, Person, give_role, person
from tests.support.races import many
from tests.support.state import nothing_changes

QUEUE = "ses-feedback"


def bounce(address: str, kind: str = "Permanent") -> dict[str, Any]:
    return {
        "notificationType": "Bounce",
        "bounce": {"bounceType": kind, "bouncedRecipients": [{"emailAddress": address}]},
    }


def complaint(address: str, **told: str) -> dict[str, Any]:
    recipients = [{"emailAddress": f"Ana <{address}>"}]
    return {"eventType": "Complaint", "complaint": {"complainedRecipients": recipients} | told}


def by_sns(told: dict[str, Any]) -> str:
    return json.dumps({"Type": "Notification", "Message": json.dumps(told)})


def suppressed() -> list[str]:
    return [row[0] for row in database.execute("select reason from notifications.suppressions")]


def mailed(api: Api, cloud: Cloud, address: str) -> bool:
    """Whether a mail goes out to an address that asks for one."""
    before = len(cloud.mails)
    api.post("/v1/auth/sign_ups", {"email": address, "password": PASSWORD})
    cloud.deliver()
    return address in {mail.recipient for mail in cloud.mails[before:]}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (by_sns(bounce("ana@kith.example")), "bounce"),
        (json.dumps(bounce("Ana@KITH.example")), "bounce"),
        (by_sns(complaint("ana@kith.example")), "complaint"),
    ],
)
def test_a_suppressed_address_is_not_written_to(
    api: Api, cloud: Cloud, told: str, reason: str
) -> None:
    assert mailed(api, cloud, "ana@kith.example")
    assert cloud.take(QUEUE, [told, told]) == []
    assert suppressed() == [reason]
    assert not mailed(api, cloud, "ana@kith.example")
    assert mailed(api, cloud, "ben@kith.example")
    states = [row[0] for row in database.execute("select state from notifications.mails")]
    assert sorted(states) == ["dropped", "sent", "sent"]


@pytest.mark.parametrize(
    "told",
    [
        by_sns(bounce("ana@kith.example", "Transient")),
        by_sns(complaint("ana@kith.example", complaintFeedbackType="not-spam")),
        by_sns({"notificationType": "Delivery", "delivery": {}}),
        by_sns({"eventType": "Open"}),
    ],
)
def test_what_is_no_reason_suppresses_nobody(api: Api, cloud: Cloud, told: str) -> None:
    with nothing_changes():
        assert cloud.take(QUEUE, [told]) == []


@pytest.mark.parametrize(
    "told", ["", "x", "[]", '{"Message": "x"}', by_sns({"eventType": "Bounce"})]
)
def test_what_is_not_understood_comes_again_and_holds_up_nothing(
    api: Api, cloud: Cloud, told: str
) -> None:
    good = by_sns(bounce("ana@kith.example"))
    assert cloud.take(QUEUE, [told, good]) == [told]
    assert suppressed() == ["bounce"]


def test_the_address_itself_is_not_kept(api: Api, cloud: Cloud, capsys: Any) -> None:
    cloud.take(QUEUE, [by_sns(bounce("canary@kith.example"))])
    ((row,),) = database.execute("select s::text from notifications.suppressions s")
    assert "canary" not in row
    assert "canary" not in capsys.readouterr().out


def path_of(who: Person) -> str:
    return f"/v1/admin/users/{who.id}/suppression"


def test_support_lifts_it_once(ana: Person, api: Api, cloud: Cloud) -> None:
    support = person(api)
    give_role(support, "support")
    cloud.take(QUEUE, [by_sns(bounce(ana.email))])
    statuses = sorted(one.status for one in many(3, lambda: support.api.delete(path_of(ana))))
    assert statuses == [204, 404, 404]
    assert suppressed() == []
    assert mailed(api, cloud, ana.email)
    assert database.execute("select actor_id, action from core.audit_log") == [
        (support.id, "notifications.lift_suppression")
    ]


def test_nobody_else_does(ana: Person, ben: Person, api: Api, cloud: Cloud) -> None:
    cloud.take(QUEUE, [by_sns(bounce(ana.email))])
    finance = person(api)
    give_role(finance, "finance")
    of_a_product = person(api)
    give_role(of_a_product, "support", "marketplace")
    support = person(api)
    give_role(support, "support")
    with nothing_changes():
        assert api.delete(path_of(ana)).status == 401
        for who in (ana, ben, finance, of_a_product):
            assert who.api.delete(path_of(ana)).code == "not_allowed"
        assert support.api.delete(path_of(ben)).status == 404
