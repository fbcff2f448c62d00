"""The pages a person clicks, by plain form posts, as a browser or curl sends them."""

import http.client
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from local.stripe.receiver import Receiver
from local.stripe.server import Running

NewSession = Callable[..., stripe.checkout.Session]


def ask(
    url: str | None, method: str = "GET", headers: dict[str, str] | None = None, /, **fields: str
) -> tuple[int, str, str]:
    """The status, Location and body of one request; redirects aren't followed."""
    address = urlsplit(url or "")
    connection = http.client.HTTPConnection(str(address.hostname), address.port)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request(method, address.path, urlencode(fields), {**form, **(headers or {})})
    with connection.getresponse() as answer:
        found = answer.status, answer.headers.get("Location", ""), answer.read().decode()
    connection.close()
    return found


def press(url: str | None, action: str, **fields: str) -> tuple[int, str]:
    status, location, _ = ask(url, "POST", action=action, **fields)
    return status, location


def test_pay_by_card(client: stripe.StripeClient, new_session: NewSession) -> None:
    session = new_session()
    status, _, page = ask(session.url)
    assert status == 200
    for text in ("Posting fee", "BRL 10.00", "Test mode", "Pay by card", "Pay by Pix", "E-mail"):
        assert text in page
    assert "<script" not in page
    going = press(session.url, "pay", email="ana@example.com")
    assert going == (303, f"http://shop.test/done?session={session.id}")
    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert paid.customer_details is not None
    assert (paid.payment_status, paid.customer_details.email) == ("paid", "ana@example.com")
    assert "This payment is complete" in ask(session.url)[2]
    assert press(session.url, "pay")[0] == 400


def test_decline_then_pay(new_session: NewSession) -> None:
    url = new_session().url
    assert press(url, "decline") == (303, url)
    assert "Your card was declined." in ask(url)[2]
    assert press(url, "pay")[1].startswith("http://shop.test/done")


def test_cancel_goes_back_and_wait_stays(new_session: NewSession) -> None:
    url = new_session().url
    assert press(url, "wait") == (303, url)
    assert press(url, "cancel") == (303, "http://shop.test/back")
    assert "Pay by card" in ask(url)[2]


def test_pix_is_shown_and_paid(client: stripe.StripeClient, new_session: NewSession) -> None:
    session = new_session()
    assert press(session.url, "pix") == (303, session.url)
    page = ask(session.url)[2]
    assert "Pay the Pix now" in page
    assert "br.gov.bcb.pix" in page
    assert ask(f"{session.url}/pix.svg")[2].startswith("<svg")
    assert press(session.url, "pix_pay")[1].startswith("http://shop.test/done")
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert ask(f"{session.url}/pix.svg")[0] == 400


def test_pix_is_left_to_expire(new_session: NewSession) -> None:
    url = new_session().url
    press(url, "pix")
    assert press(url, "pix_expire") == (303, url)
    assert "The Pix expired" in ask(url)[2]


def test_an_expired_session_says_so(fake: Running, new_session: NewSession) -> None:
    url = new_session().url
    fake.set_clock(25 * 3600)
    assert "has expired" in ask(url)[2]
    assert press(url, "pay")[0] == 400


def test_what_a_caller_wrote_is_text_on_the_page(new_session: NewSession, fake: Running) -> None:
    evil = '<script>alert("1")</script>'
    price = {"currency": "brl", "unit_amount": 500, "product_data": {"name": evil}}
    session = new_session(
        line_items=[{"price_data": price, "quantity": 1}],
        success_url='http://shop.test/"><script>',
        client_reference_id=evil,
    )
    assert evil not in ask(session.url)[2]
    press(session.url, "pay")
    assert "<script" not in ask(session.url)[2]
    assert "<script" not in ask(f"{fake.url}/")[2]


@pytest.mark.parametrize("action", ["", "steal", "pix_pay"])
def test_a_wrong_action_is_refused(new_session: NewSession, action: str) -> None:
    assert press(new_session().url, action)[0] == 400


def test_an_unknown_session_is_a_404(fake: Running) -> None:
    assert ask(f"{fake.url}/pay/cs_test_none")[0] == 404
    assert press(f"{fake.url}/pay/cs_test_none", "pay")[0] == 404
    assert ask(f"{fake.url}/nothing")[0] == 404


def test_the_front_page_shows_all_and_sends_again(
    client: stripe.StripeClient, fake: Running, receiver: Receiver, new_session: NewSession
) -> None:
    session = new_session()
    press(session.url, "pay")
    receiver.wait_for(6)
    assert fake.wait_until_settled()
    page = ask(f"{fake.url}/")[2]
    for text in (session.id, "order-1", "payment_intent.succeeded", "delivered", "Send again"):
        assert text in page
    event = client.v1.events.list({"type": "checkout.session.completed"}).data[0].id
    assert ask(f"{fake.url}/events/{event}/send", "POST")[:2] == (303, f"{fake.url}/")
    assert receiver.wait_for(7)[-1].event("whsec_local").id == event
    assert ask(f"{fake.url}/events/evt_none/send", "POST")[0] == 404


@pytest.mark.parametrize("headers", [{"Host": "evil.test"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_presses_no_button(
    fake: Running, new_session: NewSession, headers: dict[str, str]
) -> None:
    session = new_session()
    assert ask(session.url, "POST", headers, action="pay")[0] == 403
    assert ask(f"{fake.url}/_control/reset", "POST", headers)[0] == 403
    assert fake.sessions()[0]["status"] == "open"
