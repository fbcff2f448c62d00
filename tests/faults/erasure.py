"""Leaving for good, taking along what is one's own, and what is never written down of anybody."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from itertools import count
from typing import Any

from chalicelib.core import jobs, limits, log, privacy
from chalicelib.core.columns import Fate
from chalicelib.core.db import Connection
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.accounts.schemas import Accepted, SignUp
from chalicelib.products.marketplace.tables import posts
from tests.faults import silence
from tests.faults.canaries import Canary, Life, holds, personal_columns, places
from tests.faults.proof import Findings, Planted, Proof, walk
from tests.faults.world import World, replaced
from tests.support import database, invariants
from tests.support.people import PASSWORD
from tests.support.times import Times

# Never the same again: the log is not emptied between one run and the next.
_numbers = count(1)
_RETENTION = timedelta(days=32)
_KEPT_FOR_A_MONTH = {"billing.webhook_events"}
"""What Stripe told us: only ids are left of it after thirty days."""
_ASKS_THE_INTERNET = {"marketplace_domains_recheck"}
_MONEY = (
    "select user_id, amount, currency, state, paid_at from billing.payments order by id",
    "select id, debit_account_id, credit_account_id, amount from billing.credit_transfers order by id",
)
_OTHERS = ("accounts.users", "moderation.", "marketplace.posts", "marketplace.domain_verifications")


def _nothing_is_left(world: World, tries: int, findings: Findings) -> None:
    """So many people leave, each with somebody beside them who did the same and stays."""
    for _ in walk(range(tries), findings, tries, "lives"):
        world.empty()
        limits.forget()
        leaver, stayer = (
            Life.begun(world, Canary(f"{bird}{number:03}feather", f"{digit}{number:03}27182"))
            for bird, digit, number in (("quill", 9, next(_numbers)), ("plume", 8, next(_numbers)))
        )
        _live(leaver, stayer)
        _is_planted(leaver, findings)
        _stripe_is_told_nothing(world, leaver, findings)
        _exports(leaver, stayer, findings)
        _leaves(world, leaver, stayer, findings)
        findings.count("lives")


def _live(one: Life, other: Life) -> None:
    mine, theirs = one.post(), other.post()
    one.look_behind(theirs)
    other.look_behind(mine)
    for life, post in ((other, theirs), (one, mine)):
        life.own()
        life.be_judged(post)


def _is_planted(life: Life, findings: Findings) -> None:
    """Hold that there is something in every column that can hold it: or the rest proves little."""
    columns = personal_columns()
    for table, owner, column in columns:
        there = holds(table, owner, column, life.who.id)
        findings.hold(there, f"nothing was put into {table}.{column}")
        findings.count("columns planted", int(there))
    findings.measure("personal columns", str(len(columns)))


def _stripe_is_told_nothing(world: World, life: Life, findings: Findings) -> None:
    """Hold that Stripe knows of a person what they told it themselves, on its page."""
    for session in world.stripe.fake.sessions(limit=10):
        ours = {name: value for name, value in session.items() if name != "customer_details"}
        told = str(ours).lower()
        for shape in life.canary.shapes:
            findings.hold(shape not in told, f"Stripe was told of {life.canary.word}")


def _exports(life: Life, other: Life, findings: Findings) -> None:
    """Hold that an export has all that one told, and nothing of anybody else."""
    answer = life.who.api.get("/v1/me/export")
    for name, told in life.canary.told.items():
        findings.hold(told in answer.text, f"the export lacks the {name}")
        findings.count("canaries exported")
    text = answer.text.lower()
    for shape in other.canary.shapes:
        findings.hold(shape not in text, f"the export tells of somebody else: {shape}")


def _leaves(world: World, life: Life, other: Life, findings: Findings) -> None:
    money = [database.execute(one) for one in _MONEY]
    theirs = _kept_of(other)
    sent = len(world.cloud.mails)
    answer = life.who.api.post("/v1/me/erasure", {"password": PASSWORD})
    findings.hold(answer.status == HTTPStatus.NO_CONTENT, f"it was refused: {answer.text}")
    world.cloud.deliver()
    findings.hold(_kept_of(other) == theirs, "something of somebody else changed")
    _is_nowhere(world, life, "after leaving", _KEPT_FOR_A_MONTH, findings)
    _time_passes(world)
    _is_nowhere(world, life, "a month later", set(), findings)
    findings.hold("log" not in places(world, other.canary), "the log tells of whoever stays")
    for mail in world.cloud.mails[sent:]:
        findings.hold(life.canary.word not in str(mail.raw), f"still mailed: {mail.subject}")
    findings.hold(
        [database.execute(one)[: len(was)] for one, was in zip(_MONEY, money, strict=True)]
        == money,
        "payments changed",
    )
    findings.hold(not (broken := invariants.broken()), f"money does not add up: {broken}")


def _is_nowhere(world: World, life: Life, when: str, kept: set[str], findings: Findings) -> None:
    for place in set(places(world, life.canary)) - kept:
        findings.hold(None, f"{when}, found in {place}")
    findings.count("searches of everything")


def _kept_of(life: Life) -> dict[str, Any]:
    """What somebody's own rows hold, as their export tells it."""
    tables = life.who.api.get("/v1/me/export").json["tables"]
    return {one["table"]: one["rows"] for one in tables if one["table"].startswith(_OTHERS)}


def _time_passes(world: World) -> None:
    """A month, with all that is done by the clock."""
    times = Times(world.stripe)
    times.pass_by(_RETENTION)
    for job in jobs.registered.keys() - _ASKS_THE_INTERNET:
        times.run(job)
    world.cloud.deliver()
    times.back()


@contextmanager
def _kept() -> Iterator[None]:
    """A column whose tag says that it holds nothing of anybody."""
    column = posts.c.description
    fate = column.info["pii"]
    privacy._erasures.cache_clear()  # noqa: SLF001  made from the tags
    column.info["pii"] = Fate.NOT_PERSONAL
    try:
        yield
    finally:
        column.info["pii"] = fate
        privacy._erasures.cache_clear()  # noqa: SLF001  see above


@contextmanager
def _address_logged() -> Iterator[None]:
    """A line that tells who signed up."""
    sign_up = accounts.sign_up

    def told(unit: Connection, data: SignUp) -> Accepted:
        log.line("signed_up", email=data.email)
        return sign_up(unit, data)

    with replaced(accounts, "sign_up", told):
        yield


@contextmanager
def _payloads_stay() -> Iterator[None]:
    """What Stripe told is never scrubbed."""
    scrub = jobs.registered.pop("billing_webhooks_scrub")
    try:
        yield
    finally:
        jobs.registered["billing_webhooks_scrub"] = scrub


PROOFS = (
    Proof(
        name="erasure.nothing_is_left",
        promise=(
            "Whoever leaves can take along all they told, and a month later nothing of it is left"
            " anywhere, while money still adds up and nobody else has lost anything."
        ),
        run=_nothing_is_left,
        full=6,
        short=2,
        planted=(
            Planted("a column is kept", _kept, tries=1),
            Planted("a line of the log has an address", _address_logged, tries=1),
            Planted("what Stripe told is kept", _payloads_stay, tries=1),
        ),
    ),
    Proof(
        name="erasure.silence",
        promise="Neither the log nor a refusal ever repeats what somebody sent, whatever went wrong.",
        run=silence.nothing_is_said,
        full=500,
        short=12,
        planted=(
            Planted("messages of failures are logged", silence.messages_logged, tries=2),
            Planted("a refusal says what it refuses", silence.input_echoed, tries=2),
        ),
    ),
)
