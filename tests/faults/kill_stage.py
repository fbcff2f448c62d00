"""The world around processes that are killed: it asks again, resends, and lets time pass.

Whoever called a process that died does what they would do in the world: a client repeats its
request under the same key, SQS gives the messages out again, Stripe sends the webhook again, and
the event of a schedule comes once more.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from chalice.app import Chalice

from chalicelib.core import clock, jobs, limits
from chalicelib.core.jobs import Every
from tests.faults.kill_processes import Killed, Process
from tests.faults.kill_setting import Setting
from tests.faults.kill_state import Kept
from tests.faults.kill_tasks import Kind, Order, Task
from tests.support import stripe
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud, Mail
from tests.support.people import Person

# A client asks again at once, then waits; the longest wait outlasts a claim that was left behind.
_PAUSES = tuple(timedelta(seconds=one) for one in (1, 10, 40, 60, 60))
_VISIBLE_AGAIN = timedelta(minutes=1)
_EVENT_AGAIN = timedelta(minutes=3)
_MINUTE = timedelta(minutes=1)
_A_WHILE = 6
_MOST_RECEIVES = 5
_IN_A_BATCH = 10
_UNDER_WAY = (409, 503)


class WentWrong(Exception):
    """Something failed that should not have: the run is broken."""


class _Program:
    """The app, in the process of the moment: what `Api` and `Cloud` call."""

    def __init__(self, stage: "Stage") -> None:
        self._stage = stage
        self.event_sources = stage.world.app.event_sources

    @property
    def handler_map(self) -> "_Program":
        return self

    def __getitem__(self, name: str) -> Callable[[Any, Any], Any]:
        return lambda event, _context: self._stage.do("handler", name, event)

    def __call__(self, event: Any, _context: Any) -> Any:
        return self._stage.do("request", "", event)


@dataclass
class Stage(Setting):
    """A world in which one flow is acted, again and again, by processes that may be killed.

    `deaths` says where processes died, `may_repeat` which mails may go out once more: those of a
    process that died before it could note that they had.
    """

    plant: str | None = None
    deaths: list[str] = field(default_factory=list)
    may_repeat: list[Mail] = field(default_factory=list)
    cloud: Cloud = field(init=False)
    _process: Process | None = None
    _spare: Process | None = None
    _sent: list[tuple[str, str]] = field(default_factory=list)
    _webhooks: list[dict[str, Any]] = field(default_factory=list)
    _fired: dict[str, datetime] = field(default_factory=dict)

    @contextmanager
    def acted(self, kept: Kept, kill_at: int) -> Iterator[None]:
        """From the state that was kept, with a process that dies at a point."""
        kept.put_back()
        limits.forget()
        self.follow(self.base)
        self.deaths, self.may_repeat, self._sent, self._webhooks = [], [], [], []
        self._fired = {name: one.schedule.slot(clock.now()) for name, one in _jobs().items()}
        self.cloud = Cloud(cast("Chalice", _Program(self)))
        self._process = self._fork(kill_at)
        try:
            yield
        finally:
            self.relieve()

    def end(self) -> None:
        """Nothing is acted any more."""
        if self._spare is not None:
            self._spare.end()
        self._spare = None

    def _fork(self, kill_at: int) -> Process:
        hears: dict[str, Callable[..., Any]] = {
            "queue": self._send_message,
            "mail": self._send_mail,
        }
        return self.world.nursery.fork(Order(kill_at, self.plant), hears)

    def _send_message(self, queue_url: str, body: str) -> None:
        self.cloud.send_message(queue_url, body)
        self._sent.append((queue_url, body))

    def _send_mail(self, sender: str, recipient: str, raw: bytes) -> str:
        return self.cloud.send_mail(sender, recipient, raw)

    def passed(self) -> list[str]:
        """The points that the process has passed."""
        return self._process.passed() if self._process else []

    def relieve(self) -> None:
        """From now on nobody dies."""
        if self._process is not None:
            self._process.end()
        self._process = None

    def do(self, kind: Kind, name: str, *given: Any, **named: Any) -> Any:
        """Have a process do something; Killed when it dies of it, and then there is another."""
        if self._process is None and self._spare is None:
            self._spare = self._fork(0)
        process = self._process or self._spare
        assert process is not None
        before = len(self.cloud.mails)
        try:
            return process.do(Task(kind, name, given, named, self.ahead, self.records))
        except Killed as death:
            self._process = None
            self.deaths.append(f"{death} in {name or given[0]['path']}")
            # Only the last one: the others were noted before it went out.
            self.may_repeat += self.cloud.mails[before:][-1:] if death.unnoted else []
            raise

    # What a flow acts, in a process that may die.

    def ask(
        self,
        who: Person | None,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        done: tuple[str, ...] = (),
    ) -> Answer:
        """A request, repeated until it is answered; WentWrong for a refusal.

        `done` are the codes that tell somebody who has to repeat it that it was done the first time.
        """
        token = who.api.token if who else None
        client = Api(cast("Chalice", _Program(self)), token=token)
        repeated = False
        for pause in _PAUSES:
            try:
                answer = client.call(method, path, body=body, key=key)
            except Killed:
                repeated = True
            else:
                if answer.status < 400 or (repeated and answer.code in done):
                    return answer
                if not (repeated and answer.status in _UNDER_WAY):
                    raise WentWrong(f"{method} {path}: {answer.text}")
            self.pass_by(pause)
        raise WentWrong(f"{method} {path} is never answered")

    def run(self, function: str, *given: Any, **named: Any) -> Any:
        """What an operator does by hand, and again if it was cut off: `module:name`."""
        for _ in _PAUSES:
            try:
                return self.do("function", function, *given, **named)
            except Killed:
                self.pass_by(_MINUTE)
        raise WentWrong(f"{function} never ends")

    def fire(self, job: str) -> None:
        """The event of a job's schedule, which comes once more if nothing came of it."""
        event = _scheduled(job)
        self._fired[job] = _jobs()[job].schedule.slot(clock.now())
        for _ in _PAUSES:
            try:
                self.do("handler", job, event)
            except Killed:
                self.pass_by(_EVENT_AGAIN)
            else:
                return
        raise WentWrong(f"{job} never ends")

    def firing(self, job: str) -> Callable[[], None]:
        """An act that is a job, and whatever it gives workers to do."""

        def act() -> None:
            self.fire(job)
            self.deliver()

        return act

    def send_webhooks(self, *kinds: str) -> None:
        """Stripe sends what was not sent, of the kinds that are wanted, until each is taken."""
        for event in self.world.stripe.events():
            if event["id"] in self.past or event in self._webhooks or event["type"] not in kinds:
                continue
            self._webhooks.append(event)
            self._send_webhook(event)

    def _send_webhook(self, event: dict[str, Any]) -> None:
        for _ in _PAUSES:
            try:
                answer = stripe.hand_in(Api(cast("Chalice", _Program(self))), *stripe.signed(event))
            except Killed:
                self.pass_by(_MINUTE)
            else:
                if answer.status == 200:
                    return
                self.pass_by(_MINUTE)
        raise WentWrong(f"a webhook is never taken: {event['type']}")

    def deliver(self) -> None:
        """SQS gives out what is in the queues, until nothing is."""
        received: dict[str, int] = {}
        while waiting := [name for name, bodies in self.cloud.queues.items() if bodies]:
            name = waiting[0]
            bodies = self.cloud.queues[name]
            batch, self.cloud.queues[name] = bodies[:_IN_A_BATCH], bodies[_IN_A_BATCH:]
            try:
                failed = self.cloud.take(name, batch)
            except Killed:
                failed = batch
            for body in failed:
                received[body] = received.get(body, 0) + 1
                if received[body] == _MOST_RECEIVES:
                    raise WentWrong(f"a dead letter in {name}: {body}")
            if failed:
                self.pass_by(_VISIBLE_AGAIN)
            self.cloud.queues[name] += failed

    def mailed(self, recipient: str, subject: str = "") -> Mail:
        """The newest mail to an address with these words in its subject, waited for."""
        for _ in _PAUSES:
            for one in reversed(self.cloud.mails):
                if one.recipient == recipient and subject in one.subject:
                    return one
            self.minute()
        raise WentWrong(f"{recipient} got no mail about {subject!r}")

    def later(self) -> None:
        """So much later that whatever was cut off has been made good."""
        for _ in range(_A_WHILE if self.deaths else 0):
            self.minute()

    # What the world does by itself.

    def minute(self) -> None:
        """A minute passes: whatever is due fires, and the workers work."""
        self.pass_by(_MINUTE)
        self._fire_due()
        self.deliver()

    def _fire_due(self) -> None:
        for name, job in _jobs().items():
            due = isinstance(job.schedule, Every) and job.schedule.slot(clock.now())
            if due and due != self._fired[name]:
                self.fire(name)

    def repeat_everything(self) -> None:
        """Every message and webhook comes once more, and the schedules of the next minutes."""
        for queue_url, body in list(self._sent):
            self.cloud.send_message(queue_url, body)
        self.deliver()
        for event in self._webhooks:
            self._send_webhook(event)
        self.pass_by(5 * _MINUTE)
        self._fire_due()
        self.deliver()


def _scheduled(job: str) -> dict[str, Any]:
    """What EventBridge sends now."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [f"arn:aws:events:us-east-1:000000000000:rule/{job}"],
        "detail": {},
    }


def _jobs() -> dict[str, jobs.Job]:
    return jobs.registered
