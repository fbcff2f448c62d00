"""Two people who only look at what is theirs while others are hostile: what they must see."""

import itertools
import uuid
from dataclasses import dataclass

from chalicelib.core import db, outbox
from tests.faults.described.scene import Scene
from tests.support import people
from tests.support.api import Answer
from tests.support.people import Person

_ONCE = "Request-Id"
"""The one header that is another at each request."""


@dataclass(frozen=True)
class Probe:
    """A call of one of them, and the bytes it is answered with."""

    who: Person
    method: str
    path: str
    key: str | None = None

    def ask(self) -> Answer:
        """Make it."""
        return self.who.api.call(self.method, self.path, key=self.key)

    @property
    def title(self) -> str:
        """What it is, for people."""
        return f"{self.method} {self.path}"


class Bystanders:
    """Ana and Ben, each with a post that the other has revealed."""

    def __init__(self, scene: Scene) -> None:
        world = scene.world
        ana, ben = scene.person(), scene.person()
        self.marks = [f"@{uuid.uuid4().hex}" for _ in (ana, ben)]
        posts: list[str] = []
        for who, mark in zip((ana, ben), self.marks, strict=True):
            who.api.patch("/v1/me", {"name": f"Bystander {mark}"})
            contact = {"handle": mark}
            post = people.post_of(who, world.stripe, world.cloud, contact_info=contact)
            people.credit(who, 3 + len(posts))
            who.api.put(f"/v1/moderation/blocks/{scene.person().id}")
            posts.append(post)
        probes = [
            *_probes(ana, own=posts[0], other=posts[1]),
            *_probes(ben, own=posts[1], other=posts[0]),
        ]
        for probe in probes:
            assert probe.ask().status == 200, probe.title
        # What follows from all this has happened before anybody looks.
        db.write(outbox.relay)
        world.cloud.deliver()
        expected = [(probe, _bytes_of(probe.ask())) for probe in probes]
        # In turns: whoever looks is somebody else than the time before.
        half = len(probes) // 2
        pairs = list(zip(expected[:half], expected[half:], strict=True))
        self.shared = [one.title for (one, seen), (_, other) in pairs if seen == other]
        """What both are answered alike, although nothing of theirs is."""
        self._turns = itertools.cycle(itertools.chain.from_iterable(pairs))

    def look(self) -> tuple[Probe, Answer | None]:
        """The next probe, and what it was answered if those are not its own bytes."""
        probe, expected = next(self._turns)
        answer = probe.ask()
        return probe, None if _bytes_of(answer) == expected else answer


def _probes(who: Person, *, own: str, other: str) -> list[Probe]:
    posts, seen = "/v1/marketplace/posts", "/v1/marketplace/reveals"
    reads = ["/v1/me", f"{posts}/{own}", "/v1/marketplace/me/posts", "/v1/billing/credits", seen]
    reads += [f"{posts}/{other}", "/v1/billing/payments", f"{posts}/{own}/reveals"]
    reads += ["/v1/moderation/blocks", "/v1/notifications", "/v1/billing/credit_transfers"]
    reveal = Probe(who, "POST", f"{posts}/{other}/reveal", str(uuid.uuid4()))
    return [reveal, *(Probe(who, "GET", path) for path in reads)]


def _bytes_of(answer: Answer) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    headers = tuple(pair for pair in sorted(answer.headers.items()) if pair[0] != _ONCE)
    return answer.status, answer.text.encode(errors="surrogatepass"), headers
