"""Processes that move money until they are killed, and go on where their journals end.

    python -m tests.faults.money_workers FOLDER

A line of a journal is an acknowledgement: what was done is written down once the program has said
so. A process that takes over does the next operation under its old key, done before or not.
"""

import os
import pickle
import random
import signal
import subprocess
import sys
import time
import traceback
from collections import deque
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from chalicelib.core import aws, log
from chalicelib.core.errors import Conflict, Unavailable
from chalicelib.core.statements import Statement
from chalicelib.kernel.billing import gateway
from tests.faults import naive_spending
from tests.faults.money_plan import Operation, Stage, do, planned, session_of
from tests.faults.proof import Findings, say
from tests.faults.world import replaced
from tests.support import database

PLANTS = {
    "": nullcontext,
    "two transactions": naive_spending.two_transactions,
    "a key each time": naive_spending.a_key_each_time,
}
WORKERS = 5
_KILLS, _OFTEN = 100, 100
"""At least so many kills in a run, and one every so many operations in a long one."""
_LONGEST_AIM_SECONDS = 0.004
_POLL_SECONDS = 0.01
_REMEMBERED = 64
_AGAIN_EVERY = 25
_MOST_TRIES = 10


@dataclass(frozen=True)
class Share:
    """The operations of one process after another, and the journal in which they stand."""

    stage: Stage
    url: str
    number: int
    operations: int
    folder: Path
    plant: str

    @property
    def journal(self) -> Path:
        """Its file."""
        return self.folder / f"{self.number}"

    def acknowledged(self, tail: int = 0) -> list[tuple[int, str]]:
        """What the journal says of each operation; of about so many bytes of its end, if given."""
        if not self.journal.exists():
            return []
        size = self.journal.stat().st_size
        with self.journal.open("rb") as lines:
            if 0 < tail < size:
                lines.seek(size - tail)
                lines.readline()
            found = [line.decode().split() for line in lines]
        return [(int(line[0]), line[1]) for line in found if len(line) == 2]

    @property
    def progress(self) -> int:
        """How many of its operations are acknowledged."""
        newest = self.acknowledged(tail=200)
        return (newest[-1][0] - self.number) // WORKERS + 1 if newest else 0

    def repeated(self) -> list[tuple[int, str]]:
        """What came of operations that were done once more after they were acknowledged."""
        lines = self.journal.read_text().splitlines()
        return [(int(words[0]), words[2]) for line in lines if len(words := line.split()) == 3]


def work(share: Share, master: int) -> None:
    """Do what is left of a share, as long as the process lives that started this one."""
    database.use(share.url)
    journal = os.open(share.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    recent = deque(share.acknowledged(tail=1000), _REMEMBERED)
    begin = recent[-1][0] + WORKERS if recent else share.number
    chance = random.Random()
    for number in range(begin, share.operations, WORKERS):
        verdict = _done(planned(share.stage, number))
        os.write(journal, f"{number} {verdict}\n".encode())
        recent.append((number, verdict))
        earlier, verdict = chance.choice(recent)
        if verdict != "refused" and chance.randrange(_AGAIN_EVERY) == 0:
            again = _done(planned(share.stage, earlier))
            os.write(journal, f"{earlier} again {again}\n".encode())
        if os.getppid() != master:
            return


def _done(operation: Operation) -> str:
    """Do it, though the program may say a few times that it could not: under its one key."""
    for _ in range(_MOST_TRIES - 1):
        with suppress(Conflict, Unavailable):
            return do(operation)
    return do(operation)


class Crew:
    """The processes of all shares, each killed at any moment and started anew until all is done."""

    def __init__(self, shares: list[Share]) -> None:
        self.unfinished = {share.number: share for share in shares}
        self.living: dict[int, int] = {}
        self.killed = 0
        self._chance = random.Random()

    def run(self) -> None:
        """Tell how far it is, line by line."""
        every = list(self.unfinished.values())
        often = min(_OFTEN, max(1, every[0].operations // _KILLS))
        done = following = 0
        while self.unfinished:
            self._start()
            time.sleep(_POLL_SECONDS)
            self._reap()
            done = sum(share.progress for share in every)
            if done >= following:
                following = done + self._chance.randint(1, 2 * often)
                time.sleep(self._chance.uniform(0, _LONGEST_AIM_SECONDS))
                self._kill()
            say(f"{done} {self.killed}")

    def _start(self) -> None:
        master = os.getpid()
        for number, share in self.unfinished.items():
            if number in self.living:
                continue
            child = os.fork()
            if child:
                self.living[number] = child
                continue
            try:
                work(share, master)
            except BaseException:  # noqa: BLE001  nothing may go on as if this were the crew
                traceback.print_exc()
                os._exit(1)
            os._exit(0)

    def _reap(self) -> None:
        """See who is done; RuntimeError for one that failed."""
        for number, child in list(self.living.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            if not ended:
                continue
            del self.living[number]
            if status:
                raise RuntimeError(f"worker {number} ended with {status}")
            del self.unfinished[number]

    def _kill(self) -> None:
        if self.living:
            victim = self._chance.choice(list(self.living))
            child = self.living.pop(victim)
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            # It may have come to its end a moment before.
            if status == 0:
                del self.unfinished[victim]
            else:
                self.killed += 1


def killing(shares: list[Share], findings: Findings) -> int:
    """Have all shares done by processes that are killed at any moment; how many were."""
    folder, of, killed = shares[0].folder, shares[0].operations, 0
    (folder / "shares").write_bytes(pickle.dumps(shares))
    command = [sys.executable, "-m", "tests.faults.money_workers", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as crew:
        assert crew.stdout
        for line in crew.stdout:
            done, killed = map(int, line.split())
            findings.progress(done, of, "operations")
    if crew.returncode:
        raise RuntimeError(f"the crew ended with {crew.returncode}")
    return killed


def _compile_statements() -> None:
    """What each process would else compile again, before it gets to do anything."""
    for module in list(sys.modules.values()):
        for value in vars(module).values():
            if isinstance(value, Statement):
                # Some can't be compiled by themselves: what they are parts of can.
                with suppress(Exception):
                    value.sql  # noqa: B018  the property compiles


def main(folder: Path) -> None:
    """Run a crew for the shares that lie in a folder."""
    shares: list[Share] = pickle.loads((folder / "shares").read_bytes())
    _compile_statements()
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        replaced(log, "stream", nowhere),
        # Nobody is waiting; the outbox keeps it all.
        replaced(aws, "send_message", lambda _url, _body: None),
        replaced(gateway, "session_of", session_of),
        PLANTS[shares[0].plant](),
    ):
        Crew(shares).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
