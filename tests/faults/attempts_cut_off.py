"""What can become of an attempt that is cut off: by a bug, a lost connection, Stripe or a kill."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from chalicelib.core.config import config
from chalicelib.kernel.billing import gateway
from tests.faults import interruptions
from tests.faults.trials import Trial, begin_anew
from tests.faults.world import replaced
from tests.support import database, people
from tests.support.proxy import Proxy

_MOST_POINTS = 60


def _interrupted(trial: Trial, interrupt: Callable[[Trial, int], bool], *, step: int = 1) -> None:
    """Make the request cut off at each point in turn, then again: one effect in the end."""
    for number in range(1, _MOST_POINTS, step):
        begin_anew(trial.world)
        tried = trial.anew()
        with tried.has_one_effect():
            was_cut_off = interrupt(tried, number)
            if was_cut_off:
                trial.findings.count("interruptions")
            first = tried.take_up()
            tried.is_repeated(first, tried.make())
        if not was_cut_off:
            return
    trial.hold(None, "it has no end")


def failed(trial: Trial) -> None:
    """A bug of ours in the middle, before whatever is said to the database."""

    def fail(tried: Trial, number: int) -> bool:
        with interruptions.at_point(number, interruptions.fail) as passed:
            answer = tried.make()
        if passed[0] >= number:
            tried.hold(answer.status == HTTPStatus.INTERNAL_SERVER_ERROR, f"told {answer.text}")
        return passed[0] >= number

    _interrupted(trial, fail, step=2)


def lost(trial: Trial) -> None:
    """The connection to the database is lost, before or after it heard of something."""

    def lose(tried: Trial, number: int) -> bool:
        with interruptions.at_point(number, interruptions.lose) as passed:
            answer = tried.make()
        if answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
            tried.succeeded(answer)
        return passed[0] >= number

    _interrupted(trial, lose)


def killed(trial: Trial) -> None:
    """The process is killed, before or after the database heard of something."""
    _interrupted(trial, lambda tried, number: interruptions.killed(tried.make, number))


def answer_lost(trial: Trial) -> None:
    """The database commits, and the word of that never arrives: over a real wire."""
    with _on_a_wire() as wire, trial.has_one_effect():
        wire.lose_reply_to(b"commit")
        answer = trial.make()
        trial.refused(answer, 503, "unavailable")
        first = trial.take_up()
        trial.is_repeated(first, trial.make())


def commit_lost(trial: Trial) -> None:
    """The database never hears that it is to commit."""
    with _on_a_wire() as wire, trial.has_one_effect():
        wire.lose_request(b"commit")
        answer = trial.make()
        trial.refused(answer, 503, "unavailable")
        first = trial.take_up()
        trial.is_repeated(first, trial.make())


@contextmanager
def _on_a_wire() -> Iterator[Proxy]:
    """The program's connection goes through a proxy meanwhile."""
    url = config().database_url
    with Proxy(("127.0.0.1", urlsplit(url).port or 5432)) as proxy:
        database.use(proxy.url(url))
        try:
            yield proxy
        finally:
            database.use(url)


def provider_down(trial: Trial) -> None:
    """Stripe can't be reached, or does the work and its word never arrives."""
    for when in ("before", "after"):
        tried = trial.anew()
        with tried.has_one_effect(), _impatient():
            tried.world.stripe.fake.order_outage(1, "reset", when=when, method="POST")
            tried.refused(tried.make(), 503, "unavailable")
            first = tried.take_up()
            tried.is_repeated(first, tried.make())


@contextmanager
def _impatient() -> Iterator[None]:
    """A client of Stripe that gives up at the first failure."""
    with replaced(gateway, "_RETRIES", 0):
        gateway._client.cache_clear()  # noqa: SLF001  made with the other patience
        yield
    gateway._client.cache_clear()  # noqa: SLF001


def cut_off_and_taken_up_days_later(trial: Trial) -> None:
    """The first answer is lost on its way from Stripe or the database; the client comes back late."""
    for days in (2, 15):
        begin_anew(trial.world)
        tried = trial.anew()
        with tried.has_one_effect():
            if tried.description.registered.kind == "call":
                with _impatient():
                    tried.world.stripe.fake.order_outage(1, "reset", when="after", method="POST")
                    tried.make()
            else:
                with _on_a_wire() as wire:
                    wire.lose_reply_to(b"commit")
                    tried.make()
            tried.pass_by(timedelta(days=days))
            again = people.again(tried.caller).api
            first = tried.succeeded(tried.make(client=again))
            tried.is_repeated(first, tried.make(client=again))
