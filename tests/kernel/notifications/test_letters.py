"""What a mail looks like, whatever people call themselves."""

import re

import pytest

from tests.support.api import Api
from tests.support.cloud import Cloud, Mail
from tests.support.people import PASSWORD
from tests.support.state import nothing_changes

HEADERS = {"from", "to", "subject", "mime-version", "content-type"}


def letter(api: Api, cloud: Cloud, **changes: str) -> Mail:
    body = {"email": "ana@kith.example", "password": PASSWORD} | changes
    answer = api.post("/v1/auth/sign_ups", body)
    assert answer.status == 202, answer.text
    cloud.deliver()
    return cloud.mails[-1]


@pytest.mark.parametrize(
    "name",
    [
        "Ana\r\nBcc: eve@evil.example",
        "Ana\nSubject: You won",
        "Ana\r\n\r\nSecond body",
        "=?utf-8?q?=0aBcc:_eve@evil.example?=",
        "Ana\x0bX-Spam: no",
        "Ana\u2028Bcc: eve@evil.example",
    ],
)
def test_a_name_adds_no_header(api: Api, cloud: Cloud, name: str) -> None:
    body = {"email": "ana@kith.example", "password": PASSWORD, "name": name}
    if api.post("/v1/auth/sign_ups", body).status == 400:
        return
    cloud.deliver()
    (mail,) = cloud.mails
    assert {header.lower() for header in mail.raw} == HEADERS
    assert mail.raw["to"] == "ana@kith.example"
    assert mail.subject == "Confirm your e-mail address"


@pytest.mark.parametrize(
    "email", ["=?utf-8?q?eve?=@kith.example", "=?utf-8?q?=0aBcc=3a?=@kith.example"]
)
def test_an_address_that_a_header_would_decode_is_refused(api: Api, email: str) -> None:
    with nothing_changes():
        answer = api.post("/v1/auth/sign_ups", {"email": email, "password": PASSWORD})
    assert [problem["field"] for problem in answer.json["errors"]] == ["body.email"]


@pytest.mark.parametrize(
    "email",
    ["o'neil+kith@kith.example", ".a..b.@kith.example", "{a|b}~`@kith.example", "a=3f@k.co"],
)
def test_an_unusual_address_is_written_to_as_it_is(api: Api, cloud: Cloud, email: str) -> None:
    mail = letter(api, cloud, email=email)
    assert (mail.recipient, mail.raw["to"]) == (email, email)


def test_a_name_is_text_in_html_too(api: Api, cloud: Cloud) -> None:
    name = '<img src=x onerror="alert(1)">&amp;'
    mail = letter(api, cloud, name=name)
    assert f"Hello {name}," in mail.text
    assert "<img" not in mail.html
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;amp;" in mail.html
    assert set(re.findall(r"<(\w+)", mail.html)) == {"html", "body", "p", "a"}


def test_a_name_is_no_template(api: Api, cloud: Cloud) -> None:
    mail = letter(api, cloud, name="$token $public_url ${name} %s {0}")
    assert "Hello $token $public_url ${name} %s {0}," in mail.text


def test_without_a_name_the_greeting_has_no_gap(api: Api, cloud: Cloud) -> None:
    assert letter(api, cloud).text.startswith("Hello,")


def test_a_language_that_is_not_written_yet_gets_english_that_says_so(
    api: Api, cloud: Cloud
) -> None:
    for number, locale in enumerate(["he", "pt-BR"]):
        mail = letter(api, cloud, locale=locale, email=f"person-{number}@kith.example")
        assert mail.subject == "Confirm your e-mail address"
        assert 'lang="en" dir="ltr"' in mail.html
