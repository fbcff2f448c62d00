"""Hostile inputs one after another through one warm process, and everybody else in between."""

import json
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address

from chalicelib.core import db, outbox
from chalicelib.core.operations import Operation
from tests.faults.attacks.answers import MOST_SECONDS, wrong
from tests.faults.attacks.bystanders import Bystanders
from tests.faults.attacks.requests import request_of
from tests.faults.attacks.shots import Shot
from tests.faults.attacks.undoing import undo_for_all
from tests.faults.described.scene import Call, Description, Scene
from tests.faults.proof import Findings
from tests.faults.world import World
from tests.support.api import Answer, answered
from tests.support.state import fingerprints

TIDY_EVERY = 250
_SAMPLES = 150
_ANYWHERE = int(IPv6Address("2001:db8:2::"))
_MAIL_HEADERS = {
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "reply-to",
    "list-unsubscribe", "list-unsubscribe-post", "auto-submitted",
}  # fmt: skip


@dataclass
class Target:
    """An operation, and a call of it that would succeed."""

    description: Description
    call: Call | None = None
    stale: bool = False

    @property
    def operation(self) -> Operation:
        """The operation."""
        return self.description.registered


class Siege:
    """What is attacked, who looks on, and what was found wrong.

    It `judges` what the attacker is answered, unless only others matter; after each so many inputs
    somebody else looks at what is theirs.
    """

    def __init__(
        self,
        world: World,
        descriptions: Iterable[Description],
        tries: int,
        findings: Findings,
        *,
        judges: bool = True,
        look_every: int = 1,
    ) -> None:
        self.world, self.tries, self.findings = world, tries, findings
        self._judges, self._look_every = judges, look_every
        self.scene = Scene(world)
        self.targets = {one.operation: Target(one) for one in descriptions}
        self.bystanders = Bystanders(self.scene)
        for title in self.bystanders.shared:
            findings.hold(False, f"{title}: two people get the same bytes")
        self.fired = 0
        self.slowest = 0.0
        self.refused = 0
        self._sample_every = max(25, tries // _SAMPLES)
        self._preparations = len(self.targets) + tries // 100
        self._meant_dead: set[tuple[str, str]] = set()

    def fire(self, shot: Shot) -> Answer:
        """One hostile input, and somebody else's look at what is theirs."""
        target = self.targets[shot.operation]
        self._prepare(target)
        assert target.call is not None
        self.fired += 1
        address = str(IPv6Address(_ANYWHERE + self.fired))
        request = request_of(target.operation, target.call, address)
        shot.spoil(request, shot.kind)
        event = request.event(as_base64=self.fired % 2 == 0)
        sampled = self._judges and self.fired % self._sample_every == 0
        before = fingerprints() if sampled else None
        started = time.perf_counter()
        answer = answered(self.world.app, event)
        seconds = time.perf_counter() - started
        self._judge(shot, target, answer, seconds)
        if before is not None:
            self._hold_unchanged(shot, answer, before)
        if self.fired % self._look_every == 0:
            self._look(f"{shot.title} ({answer.status})")
        if self.fired % TIDY_EVERY == 0:
            self.tidy()
        self.findings.progress(self.fired, self.tries, "hostile inputs")
        return answer

    def _prepare(self, target: Target) -> None:
        """A call that would succeed, again if the one before has; not each time: that is dear."""
        if target.call is None or (target.stale and self._preparations > 0):
            self._preparations -= 1
            undo_for_all()
            target.call, target.stale = target.description.prepare(self.scene), False
            if target.operation.domain == "operations_dead_letters":
                self._meant_dead |= set(self.world.cloud.dead)

    def _judge(self, shot: Shot, target: Target, answer: Answer, seconds: float) -> None:
        self.slowest = max(self.slowest, seconds)
        self.refused += answer.status >= 400
        used = answer.status < 400 and target.operation.method != "GET"
        target.stale = target.stale or used or answer.status in {401, 404, 409, 422}
        if self._judges:
            for reason in wrong(target.operation, answer, seconds):
                self._found(f"{shot.title}: {reason}")
        if any(mark in answer.text for mark in self.bystanders.marks):
            self._found(f"{shot.title}: holds what is somebody else's")
        driver = db.session.driver
        if driver is not None and driver.in_transaction:
            self._found(f"{shot.title}: leaves a transaction open")

    def _hold_unchanged(self, shot: Shot, answer: Answer, before: dict[str, str | None]) -> None:
        if answer.status == 400:
            after = fingerprints()
            self.findings.count("refusals compared with the rows before")
            changed = [name for name in before if before[name] != after[name]]
            if changed:
                self._found(f"{shot.title}: refused, and {', '.join(changed)} changed")

    def _look(self, after: str) -> None:
        started = time.perf_counter()
        probe, other = self.bystanders.look()
        seconds = time.perf_counter() - started
        if other is not None:
            told = f"{other.status} {other.text[:160]}"
            self._found(f"{probe.title}, after {after}: not its own bytes but {told}")
        if seconds >= MOST_SECONDS:
            self._found(f"{probe.title}, after {after}: took {seconds:.1f} s")

    def _found(self, what: str) -> None:
        self.findings.hold(False, what)
        # Whatever it was, what comes next is judged by itself.
        db.close()

    def tidy(self) -> None:
        """Let what was asked for happen; give every address and setting back."""
        db.write(outbox.relay)
        self.world.cloud.deliver()
        for queue, body in set(self.world.cloud.dead) - self._meant_dead:
            self._found(f"a message on {queue} that nobody can take: {body[:200]}")
        for mail in self.world.cloud.mails:
            strange = {name.lower() for name in mail.raw} - _MAIL_HEADERS
            if strange:
                self._found(f"a mail with {sorted(strange)}")
        self.findings.count("mails they led to", len(self.world.cloud.mails))
        self.world.cloud.mails.clear()
        undo_for_all()

    def end(self) -> None:
        """Count what was done, and read what was logged."""
        self.tidy()
        lines = 0
        with self.world.log_path.open(encoding="utf-8", newline="\n") as stream:
            for line in stream:
                lines += 1
                try:
                    json.loads(line)
                except ValueError:
                    self._found(f"a log line that is none: {line[:200]!r}")
        self.findings.count("log lines", lines)
        self.findings.count("looks of others", self.fired // self._look_every)
        self.findings.measure("refused", f"{self.refused:,}")
        self.findings.measure("slowest", f"{self.slowest:.2f} s")


def few_of(descriptions: dict[str, Description], tries: int) -> list[Description]:
    """All of them, or where few tries are to be made, fewer: each has to be prepared."""
    some = sorted(descriptions.values(), key=lambda one: one.operation)
    random.Random(3).shuffle(some)
    return some[: max(8, tries // 10)]
