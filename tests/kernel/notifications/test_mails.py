"""Mail on its way: once for each event, late rather than never, and never to nobody."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import aws, db
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.notifications import service
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.logs import lines
from tests.support.people import PASSWORD, Person
from tests.support.times import Times


class Crash(BaseException):
    """The process is gone."""


def sign_up(api: Api, email: str = "ana@kith.example") -> None:
    assert api.post("/v1/auth/sign_ups", {"email": email, "password": PASSWORD}).status == 202


def states() -> list[str]:
    return [row[0] for row in database.execute("select state from notifications.mails order by id")]


def undone() -> int:
    ((count,),) = database.execute("select count(*) from core.outbox where done_at is null")
    return int(count)


def test_one_event_is_one_mail_though_each_message_comes_five_times(api: Api, cloud: Cloud) -> None:
    cloud.deliveries = 5
    sign_up(api)
    cloud.deliver()
    assert len(cloud.mails) == 1
    assert states() == ["sent"]
    assert undone() == 0


def test_what_the_provider_called_it_is_kept_and_what_it_said_is_not(
    api: Api, cloud: Cloud
) -> None:
    sign_up(api)
    cloud.deliver()
    ((row,),) = database.execute("select m::text from notifications.mails m")
    assert "mail-" in row
    assert "ana@kith.example" not in row
    assert cloud.mails[0].token not in row


def test_mail_waits_while_the_provider_is_down_and_goes_out_afterwards(
    api: Api, cloud: Cloud, times: Times
) -> None:
    cloud.mail_down = True
    sign_up(api)
    cloud.deliver()
    assert (cloud.mails, states(), len(cloud.dead)) == ([], ["queued"], 1)
    assert undone() == 1
    cloud.mail_down = False
    times.pass_by(timedelta(minutes=2))
    times.run("core_relay")
    cloud.deliver()
    assert [mail.recipient for mail in cloud.mails] == ["ana@kith.example"]
    assert (states(), undone()) == (["sent"], 0)


def test_a_sign_up_stands_while_the_queue_is_down_and_its_mail_follows(
    api: Api, cloud: Cloud, times: Times
) -> None:
    cloud.down = True
    sign_up(api)
    assert cloud.queues == {}
    cloud.down = False
    for _ in range(2):
        times.pass_by(timedelta(minutes=2))
        times.run("core_relay")
        cloud.deliver()
    assert [mail.recipient for mail in cloud.mails] == ["ana@kith.example"]


def test_a_mail_whose_message_was_lost_is_sent_by_the_sweep(
    api: Api, cloud: Cloud, times: Times
) -> None:
    sign_up(api)
    cloud.queues.clear()
    times.pass_by(timedelta(minutes=2))
    times.run("core_relay")
    cloud.deliver()
    assert len(cloud.mails) == 1


def test_one_cut_off_before_it_was_noted_is_sent_again_with_a_token_that_works(
    api: Api, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise Crash

    sign_up(api)
    ((queue, waiting),) = cloud.queues.items()
    cloud.queues = {}
    cloud.take(queue, waiting)
    waiting = cloud.queues.pop(queue)
    with monkeypatch.context() as patch:
        patch.setattr(service, "_settle", crash)
        with pytest.raises(Crash):
            cloud.take(queue, waiting)
    assert (len(cloud.mails), states()) == (1, ["queued"])
    cloud.take(queue, waiting)
    assert (len(cloud.mails), states()) == (2, ["sent"])
    assert (
        api.post(
            "/v1/auth/verifications", {"token": cloud.mails[1].token, "password": PASSWORD}
        ).status
        == 200
    )


def test_mail_to_somebody_who_has_gone_is_dropped(api: Api, cloud: Cloud, newcomer: Person) -> None:
    database.execute("update accounts.users set status = 'banned'")
    cloud.deliver()
    assert (cloud.mails, states(), cloud.dead) == ([], ["dropped"], [])
    assert database.execute(
        "select count(*) from accounts.tokens where user_id = $1", newcomer.id
    ) == [(0,)]


def test_somebody_without_an_address_is_written_to_nowhere(ana: Person) -> None:
    database.execute("update accounts.users set email = null")
    assert db.read(accounts.mail_address, ana.id) is None


def test_somebody_banned_is_written_to_about_the_ban_alone(ana: Person) -> None:
    database.execute("update accounts.users set status = 'banned'")
    assert db.read(accounts.mail_address, ana.id) is None
    assert db.read(accounts.mail_address, ana.id, even_banned=True) is not None


def test_an_address_that_the_provider_refuses_holds_up_nobody_else(
    api: Api, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def picky(sender: str, recipient: str, raw: bytes) -> str:
        if recipient.startswith("ana"):
            raise ValueError("refused")
        return cloud.send_mail(sender, recipient, raw)

    monkeypatch.setattr(aws, "send_mail", picky)
    sign_up(api)
    sign_up(api, "ben@kith.example")
    cloud.deliver()
    assert [mail.recipient for mail in cloud.mails] == ["ben@kith.example"]
    assert sorted(states()) == ["queued", "sent"]
    assert [name for name, _ in cloud.dead] == ["notifications"]


def test_the_log_knows_the_message_but_nobodys_address(
    api: Api, cloud: Cloud, log_lines: Any
) -> None:
    cloud.mail_down = True
    sign_up(api)
    cloud.deliver()
    failed = [line for line in lines(log_lines, "message") if not line["ok"]]
    assert {line["topic"] for line in failed} == {"notifications.mail_queued"}
    assert "ana@kith.example" not in log_lines.read_text()
