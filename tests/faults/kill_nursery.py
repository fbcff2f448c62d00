"""A process that has imported the program, holds no connection, and forks a Lambda when told to.

    python -m tests.faults.kill_nursery FD

On the socket FD it is told which (`Order`), with another socket along which that Lambda is asked
and asks. Nothing else runs here, and there is one thread: what is forked is clean.
"""

import base64
import contextlib
import gc
import importlib
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection as Line
from typing import Any

from argon2 import PasswordHasher

from chalicelib.core import aws, clock, log, passwords, privacy, rooms
from chalicelib.core.statements import Statement
from chalicelib.products.marketplace.domains import gateway as domains
from tests.faults import kill_plants, kill_points
from tests.faults.kill_points import Points
from tests.faults.kill_tasks import Order, Task
from tests.support.api import Context
from tests.support.internet import Internet

_LONGEST_ORDER = 4096
_AT_FIRST_USE = (
    "cryptography.hazmat.primitives.ciphers.aead", "email.generator", "idna",
    "local.import_marketplace", "netrc", "stripe._charge_service", "stripe._dispute_service",
    "stripe._event_service", "stripe._invoice", "stripe._object_classes",
    "stripe._payment_intent_service", "stripe._refund_service", "stripe._stripe_client",
    "stripe._test_helpers", "stripe._v1_services", "stripe._webhook",
    "stripe.checkout._session_service",
)  # fmt: skip
"""Modules that the program imports when it first needs them."""


class Lambda:
    """The forked process itself, with the world at the other end of the line."""

    def __init__(self, line: Line, order: Order) -> None:
        self._line = line
        self._points = Points(order.kill_at, self._die)
        self._internet = Internet()
        domains.network = self._internet
        aws.send_message = self._passed_on("queue")
        aws.send_mail = self._passed_on("mail")
        aws.kms_decrypt = base64.b64decode  # type: ignore[assignment]  # KMS wraps nothing here
        if order.plant is not None:
            kill_plants.PLANTS[order.plant].plant()
        kill_points.watch(self._points)

    def _passed_on(self, what: str) -> Callable[..., Any]:
        """Queues and mail are in the world, so that they outlive us."""

        def send(*given: Any) -> Any:
            self._line.send((what, given))
            return self._line.recv()

        return send

    def _die(self, point: str) -> None:
        """The last words: where, and whether the mail that was just sent is on record."""
        passed = self._points.passed
        mailed = max((at for at, one in enumerate(passed) if one == "before mail"), default=None)
        unnoted = mailed is not None and "after commit" not in passed[mailed:]
        self._line.send(("dies", (point, unnoted)))

    def serve(self) -> None:
        """Do what is asked until nobody asks any more."""
        while True:
            try:
                task: Task | None = self._line.recv()
            except EOFError:
                return
            if task is None:
                self._line.send(("passed", self._points.passed))
                continue
            clock.follow(clock.shifted(task.ahead))
            self._internet.records = task.records
            try:
                answer = ("answer", self._do(task))
            except Exception as error:  # noqa: BLE001  told to who asked, as Lambda does
                answer = ("raised", [repr(error), *log.frames(error)])
            self._line.send(answer)

    @staticmethod
    def _do(task: Task) -> Any:
        import app as program  # noqa: PLC0415  there since `prepare`

        app: Any = program.app
        if task.kind == "request":
            return app(*task.given, Context())
        if task.kind == "handler":
            return app.handler_map[task.name](*task.given, Context())
        module, _, name = task.name.partition(":")
        return getattr(importlib.import_module(module), name)(*task.given, **task.named)


def prepare() -> None:
    """Load what a Lambda loads at its cold start, and what would be compiled at its first use."""
    import app as program  # noqa: F401, PLC0415  not before its environment

    for name in [*_AT_FIRST_USE, *(place.partition(":")[0] for place in kill_points.PROVIDERS)]:
        importlib.import_module(name)
    for kind in ("events", "subscribers", "tables"):
        rooms.load(kind)
    privacy._erasures()  # noqa: SLF001  built once a process
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    quick: Any = passwords
    quick._hasher = lambda: hasher  # noqa: SLF001  how dear hashing is, is not what is tried
    log.stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  for good
    for module in list(sys.modules.values()):
        for value in vars(module).values():
            if isinstance(value, Statement):
                # Some can't be compiled by themselves: what they are parts of can.
                with contextlib.suppress(Exception):
                    value.sql  # noqa: B018  the property compiles


def main(orders: socket.socket) -> None:
    """Fork whatever is ordered; nobody waits for those that die."""
    prepare()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    orders.sendall(b"ready")
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, _LONGEST_ORDER, 1)
        if not message:
            return
        if os.fork() == 0:
            orders.close()
            order: Order = pickle.loads(message)
            Lambda(Line(descriptors[0]), order).serve()
            os._exit(0)
        os.close(descriptors[0])


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
