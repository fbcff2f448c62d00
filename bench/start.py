"""From the start of a process to its first authenticated answer, as a Lambda starts.

Every sample is a fresh process, in rounds whose order is shuffled. Ours is one handler, named by
KITH_FUNCTION, as each is deployed; beside it stand the bare imports of the libraries it is made
with, and FastAPI programs that answer the same and load what such programs load: one of our size
(as many tables, schemas and routes, all of it loaded, since it is one function), and one that has
nothing but the one read.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from bench.figures import Figure, Tell
from chalicelib import registry
from tests.faults.world import World
from tests.support import people
from tests.support.api import Api
from tests.support.environment import VARIABLES

TITLE = "P4 Process start to the first authenticated answer"
ROUNDS = 25
HANDLER = "marketplace_posts_get"

_ANSWERS = """
import json, os, sys
from {module} import {name} as handler
class Context:
    function_name, function_version, invoked_function_arn = "kith", "$LATEST", ""
    memory_limit_in_mb, aws_request_id, log_group_name, log_stream_name = 1024, "one", "", ""
    def get_remaining_time_in_millis(self): return 29000
answer = handler(json.load(open(sys.argv[1])), Context())
os._exit(answer["statusCode"] != 200)
"""
_LIBRARIES = "import chalice, sqlalchemy, pydantic, pg8000\npydantic.BaseModel\n"
SCRIPTS = {
    "kith": _ANSWERS.format(module="app", name="app"),
    "libraries": f"{_LIBRARIES}import os; os._exit(0)",
    "fastapi": _ANSWERS.format(module="whole.program", name="handler"),
    "one route": _ANSWERS.format(module="bench.peers.eager", name="handler"),
    "python": "import os; os._exit(0)",
}


class Sample(NamedTuple):
    """What a process took, in milliseconds."""

    wall: float
    cpu: float


def sample(who: str, event_path: str, environment: dict[str, str]) -> Sample:
    """Start a process and wait until it has answered; RuntimeError if it did not."""
    started = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPTS[who], event_path],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if child.returncode:
        raise RuntimeError(f"{who} did not answer 200")
    return Sample(wall * 1000, (used.ru_utime + used.ru_stime) * 1000)


def measure(here: World, tell: Tell) -> list[Figure]:
    """Medians of wall time; CPU time beside them, which other work disturbs less."""
    author = people.person(here.api)
    post = people.post_of(author, here.stripe, here.cloud)
    reader = people.person(here.api)
    event_path = here.folder / "event.json"
    event_path.write_text(json.dumps(event_of(reader.api, post)))
    environment = VARIABLES | {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "KITH_FUNCTION": HANDLER,
        "KITH_CHECK_ANSWERS": "",
        "PYTHONPATH": str(here.folder),
    }
    from bench.peers import writer  # noqa: PLC0415  its clients want the environment

    writer.write(here.folder, registry.tables().sorted_tables)
    taken: dict[str, list[Sample]] = {who: [] for who in SCRIPTS}
    for number in range(-1, ROUNDS):
        for who in random.sample(list(SCRIPTS), len(SCRIPTS)):
            one = sample(who, str(event_path), environment)
            # The round before the first writes the byte code and warms the disk's cache.
            if number >= 0:
                taken[who].append(one)
        if number % 5 == 4:
            tell(f"{number + 1} of {ROUNDS} rounds")
    wall, cpu = (
        {who: statistics.median(one[at] for one in samples) for who, samples in taken.items()}
        for at in (0, 1)
    )
    return [
        Figure("first answer", wall["kith"], "ms", 1.25, peer=wall["libraries"],
               peer_is="bare imports"),
        Figure("first answer", wall["kith"], "ms", 0.27, peer=wall["fastapi"], peer_is="FastAPI"),
        Figure("first answer", wall["kith"], "ms", peer=wall["one route"],
               peer_is="FastAPI, one route"),
        Figure("its CPU time", cpu["kith"], "ms", peer=cpu["libraries"], peer_is="bare imports"),
        Figure("its CPU time", cpu["kith"], "ms", peer=cpu["fastapi"], peer_is="FastAPI"),
        Figure("a bare interpreter", wall["python"], "ms"),
    ]  # fmt: skip


def event_of(api: Api, post: str) -> dict[str, object]:
    """What API Gateway sends where somebody asks for a post."""
    headers = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
    return api._event("GET", f"/v1/marketplace/posts/{post}", headers, None)  # noqa: SLF001  no call
