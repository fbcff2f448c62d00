"""The process of the app: HTTP, pages, queue consumers and schedules, until SIGTERM.

It makes ready what it needs (subscriptions, queues), announces that by a file, and takes the port
as soon as that is free: so a new process is ready before the old one is told to go.
"""

import errno
import os
import signal
import sys
import threading
import time
from pathlib import Path

from chalicelib import registry
from chalicelib.core import db, log, outbox
from chalicelib.core.config import config
from chalicelib.core.errors import Unavailable
from local import aws, environment, progress, readable_log
from local.consumers import Consumers, sources
from local.gateway import Gateway, refuse
from local.http_server import Server
from local.lambdas import for_many_threads
from local.logical_clock import LogicalClock
from local.migrating import migrate
from local.pages.site import Site
from local.schedules import Schedules
from local.sent_mail import SentMail

_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 5.0
_DATABASE_SECONDS = 60.0
# Six times what a handler here may take, as AWS advises.
_VISIBILITY_SECONDS = 60


def serve(home: Path, announcement: Path | None, *, migrating: bool) -> None:
    """Serve the app until SIGTERM or SIGINT.

    Args:
        home: the folder of state and logs.
        announcement: the file to make when all is ready but the port.
        migrating: whether to bring the database to the newest schema first.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    lines = readable_log.use(home / "logs" / "app.jsonl")
    # Not before its log: importing it loads every handler.
    import app as program  # noqa: PLC0415

    app = for_many_threads(program.app)
    stripe = None if environment.stripe_is_real() else config().stripe_url
    sent = SentMail(home / "mail")
    sent.keep_copies()
    clock = LogicalClock(home / "clock", stripe)
    queues = [str(source.queue) for source in sources(app)]

    def provision() -> None:
        endpoint = os.environ["AWS_ENDPOINT_URL"]
        aws.provision(endpoint, queues=queues, buckets=[], visibility_seconds=_VISIBILITY_SECONDS)

    if migrating:
        with progress.step("Database schema") as step:
            migrate()
            step.outcome = "newest"
    _sync_subscriptions()
    try:
        provision()
    except Exception as error:  # noqa: BLE001  the consumers try again
        log.line("provisioning_failed", error=log.frames(error)[:1])
    clock.tell_stripe()
    if announcement is not None:
        announcement.touch()
    gateway, schedules, consumers = Gateway(app), Schedules(app), Consumers(app, provision)
    site = Site(
        home,
        gateway,
        logical_clock=clock,
        schedules=schedules,
        lines=lines,
        sent=sent,
        stopping=stopping,
    )
    server = _listen(site, stopping)
    if server is None:
        return
    for part in (server, consumers, schedules):
        part.start()
    stopping.wait()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for stop in (server.stop, schedules.stop, consumers.stop):
        stop(max(0.0, deadline - time.monotonic()))
    gateway.stop()
    sys.stdout.flush()
    # Threads that are still working have had their time: what they hold is rolled back.
    os._exit(0)


def _sync_subscriptions() -> None:
    """Say who hears of what, waiting for a database that is just starting."""
    deadline = time.monotonic() + _DATABASE_SECONDS
    while True:
        try:
            db.write(outbox.sync_subscriptions, registry.subscribers(config()))
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


def _listen(site: Site, stopping: threading.Event) -> Server | None:
    """Take the port as soon as nobody else has it; None when told to stop before."""
    while not stopping.is_set():
        try:
            return Server(environment.port(), site.answer, refuse)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            time.sleep(_POLL_SECONDS)
    return None
