"""Everything that `make run` runs: one supervisor, one process tree, one Ctrl-C."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from local import (
    environment,
    paths,
    postgres,
    processes,
    progress,
    reload,
    single_run,
    supervision,
)
from local.aws_emulator import Aws, Emulator
from local.children import App, StripeFake
from local.client import ClientError
from local.demo import seed
from local.postgres import LocalServer
from local.processes import ProcessError
from local.supervision import Part

_FORCED = 130


def run(*, reloads: bool = True) -> None:
    """Run everything until SIGTERM or Ctrl-C; `reloads`: with the code as it is now.

    Raises:
        AlreadyRunning, EnvironmentProblem, PortTakenError, ProcessError: it can't be started.
    """
    home = paths.cloud_home()
    port = environment.port()
    with_stripe = not environment.stripe_is_real()
    stopping = threading.Event()
    parts: list[Part] = []
    with single_run.alone(home, port):
        processes.require_free_port(port)
        _on_signals(stopping, parts)
        try:
            app = _start(home, port, parts, with_stripe=with_stripe)
            _load_demo_data(app, port, pays=with_stripe)
            _say_addresses(port, reloads=reloads)
            supervision.watch(parts, stopping)
            if reloads:
                _replace_on_changes(app, stopping)
            stopping.wait()
        except KeyboardInterrupt:
            progress.say("Stopping; once more to force it.")
        finally:
            stopping.set()
            # The app first: it still needs the others to finish what it is doing.
            supervision.stop_all([part for part in parts if part.name == "The app"])
            supervision.stop_all(parts)


def _on_signals(stopping: threading.Event, parts: list[Part]) -> None:
    """Stop in order at the first signal, at once at the second."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            supervision.kill_all(parts)
            os._exit(_FORCED)
        stopping.set()
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _start(home: Path, port: int, parts: list[Part], *, with_stripe: bool) -> App:
    """Start all there is; each part is in `parts` from the moment it may have a process."""
    starts: list[Callable[[], None]] = []
    server = _server(home, parts, starts)
    cloud = _cloud(home, parts, starts)
    stripe = None
    if with_stripe:
        webhook = f"http://127.0.0.1:{port}/v1/webhooks/stripe"
        stripe = StripeFake(home / "stripe", webhook, environment.webhook_secret(home))
        parts.append(Part("The Stripe fake", stripe.start, stripe.stop, lambda: stripe.process))
        starts.append(_told("Stripe fake", stripe.start))
    else:
        progress.say("Stripe: your test account, as STRIPE_API_KEY says; the fake is not started")
    with ThreadPoolExecutor() as pool:
        for started in [pool.submit(start) for start in starts]:
            started.result()

    def variables() -> dict[str, str]:
        url = stripe.url if stripe else None
        return environment.build(home, server=server, aws=cloud, stripe_url=url, port=port)

    app = App(home, port, variables)
    parts.append(Part("The app", app.start, app.stop, lambda: app.process))
    with progress.step("App"):
        app.start(migrating=True)
    return app


def _server(home: Path, parts: list[Part], starts: list[Callable[[], None]]) -> postgres.Server:
    if url := os.environ.get("DATABASE_URL"):
        progress.say("PostgreSQL: yours, as DATABASE_URL says")
        return postgres.Server(url)
    server = LocalServer(home / "postgres", durable=True, port=None)
    parts.append(Part("PostgreSQL", server.start, server.stop, lambda: server.process))
    starts.append(_told(f"PostgreSQL {server.version}", server.start))
    return server


def _cloud(home: Path, parts: list[Part], starts: list[Callable[[], None]]) -> Aws:
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        progress.say(f"AWS: {endpoint}, as AWS_ENDPOINT_URL says")
        return Aws(endpoint)
    emulator = Emulator(home / "aws", None)
    parts.append(Part("The AWS emulator", emulator.start, emulator.stop, lambda: emulator.process))
    starts.append(_told("AWS emulator", emulator.start))
    return emulator


def _told(name: str, start: Callable[[], None]) -> Callable[[], None]:
    def told() -> None:
        with progress.step(name):
            start()

    return told


def _load_demo_data(app: App, port: int, *, pays: bool) -> None:
    """Load what is not there yet; what runs goes on without it if it can't be had."""
    url = f"http://127.0.0.1:{port}"
    try:
        with app.hushed():
            if not seed.is_loaded(url, pays=pays):
                with progress.step("Demo data") as step:
                    seed.load(url, step, pays=pays)
    except (ClientError, seed.DemoProblem) as error:
        progress.say(f"Demo data: {error}; make seed tries again")


def _say_addresses(port: int, *, reloads: bool) -> None:
    url = f"http://127.0.0.1:{port}"
    anew = " Code is loaded anew when it changes." if reloads else ""
    progress.say(
        f"\n  Kith runs at   {url}\n  API and docs   {url}/docs\n  Mailbox        {url}/mailbox\n"
        f"\n  Ctrl-C stops it.{anew}\n"
    )


def _replace_on_changes(app: App, stopping: threading.Event) -> None:
    """Replace the app's process whenever its code changes, until told to stop."""
    for files in reload.changes(stopping):
        if error := reload.syntax_error(files):
            progress.say(f"{error}; the app goes on as it was, until the next save")
            continue
        try:
            app.replace()
        except ProcessError as error:
            progress.say(f"{error}; the app goes on as it was, until the next save")
        else:
            progress.say(f"Loaded anew: {files[0].relative_to(paths.REPOSITORY)} changed")
