"""The local cloud's commands: `python -m local <command>`; the Makefile is how people call them."""

import argparse
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from local import environment, paths, progress, single_run
from local.client import ClientError, call
from local.demo.seed import DemoProblem
from local.environment import EnvironmentProblem
from local.processes import PortTakenError, ProcessError
from local.single_run import AlreadyRunning, NotRunning

# Errors whose message says all there is to say.
_TOLD = (
    AlreadyRunning,
    ClientError,
    DemoProblem,
    EnvironmentProblem,
    NotRunning,
    PortTakenError,
    ProcessError,
)
_INTERRUPTED = 130
_POLL_SECONDS = 0.3
_LONGEST_MOVE_SECONDS = 900.0


def main(arguments: list[str]) -> int:
    """Do what is asked; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    run = commands.add_parser("run", help="run everything, until Ctrl-C")
    run.add_argument("--no-reload", action="store_true", help="leave the code as it was loaded")
    run.set_defaults(work=_run)
    for name, work, told in (
        ("stop", _stop, "stop what runs"),
        ("migrate", _migrate, "bring the database to the newest schema"),
        ("seed", _seed, "load the demo data, or what is missing of it"),
        ("openapi", _openapi, "write docs/openapi.json"),
    ):
        commands.add_parser(name, help=told).set_defaults(work=work)
    clock = commands.add_parser("clock", help="move the clock of what runs")
    clock.add_argument("move", nargs="?", default="show", help="+25h, +90m, +3d, +2w, show, reset")
    clock.set_defaults(work=_clock)
    serve = commands.add_parser("serve", help="the app's process, as `run` starts it")
    serve.add_argument("--announce", type=Path, help="the file to make when it is ready")
    serve.add_argument("--migrate", action="store_true", help="migrate the database first")
    serve.set_defaults(work=_serve)
    given = parser.parse_args(arguments)
    try:
        given.work(given)
    except _TOLD as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _run(given: argparse.Namespace) -> None:
    from local import runner  # noqa: PLC0415  what it needs takes half a second to import

    runner.run(reloads=not given.no_reload)


def _serve(given: argparse.Namespace) -> None:
    from local import app_process  # noqa: PLC0415  only once its environment is set

    app_process.serve(paths.cloud_home(), given.announce, migrating=given.migrate)


def _stop(_given: argparse.Namespace) -> None:
    with progress.step("Kith") as step:
        single_run.stop(paths.cloud_home())
        step.outcome = "stopped"


def _migrate(_given: argparse.Namespace) -> None:
    from local import migrating  # noqa: PLC0415  imports the tables

    migrating.command(paths.cloud_home())


def _seed(_given: argparse.Namespace) -> None:
    from local.demo import seed  # noqa: PLC0415  beside the others

    home = paths.cloud_home()
    run = single_run.current(home)
    pays = environment.remembered(home)["STRIPE_API_KEY"] == environment.STRIPE_KEY
    with progress.step("Demo data") as step:
        seed.load(f"http://127.0.0.1:{run.port}", step, pays=pays)


def _openapi(_given: argparse.Namespace) -> None:
    os.environ.update(environment.placeholders())
    import app  # noqa: F401, PLC0415  registers every operation; not before its environment
    from local.pages.docs import openapi_text  # noqa: PLC0415  beside it

    file = paths.REPOSITORY / "docs" / "openapi.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(openapi_text(), encoding="utf-8")
    print(f"{file.relative_to(paths.REPOSITORY)} is written")


def _clock(given: argparse.Namespace) -> None:
    home = paths.cloud_home()
    run = single_run.current(home)
    url = f"http://127.0.0.1:{run.port}/_control/clock"
    headers = {"Authorization": f"Bearer {environment.control_token(home)}"}
    if given.move == "show":
        _say_time(call("GET", url, headers=headers))
        return
    answers: list[Any] = []

    def move() -> None:
        try:
            body = {"move": given.move}
            answers.append(call("POST", url, body, headers=headers, timeout=_LONGEST_MOVE_SECONDS))
        except ClientError as error:
            answers.append(error)

    with progress.step("Clock") as step:
        step.outcome = "moved"
        mover = threading.Thread(target=move)
        mover.start()
        while mover.is_alive():
            mover.join(_POLL_SECONDS)
            if mover.is_alive():
                step.detail = call("GET", url, headers=headers)["now"]
        moved = answers[0]
        if isinstance(moved, ClientError):
            told = json.loads(moved.body)["detail"] if moved.body else str(moved)
            raise ClientError(told)
    _say_runs(moved["runs"])
    _say_time(moved)


def _say_time(clock: dict[str, Any]) -> None:
    ahead = clock["offset_seconds"]
    days, rest = divmod(ahead, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    told = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    far = " ".join(f"{count} {unit}" for count, unit in told if count)
    print(f"{clock['now']}{f', {far} ahead of real time' if ahead else ', real time'}")


def _say_runs(runs: list[dict[str, Any]]) -> None:
    """A table of the jobs that ran, in the order in which each ended: runs, rows, last slot."""
    by_job: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        by_job.setdefault(run["job"], []).append(run)
    if not by_job:
        return
    width = max(map(len, by_job))
    print(f"\n{'job':<{width}}  {'runs':>5}  {'rows':>6}  {'last slot':<16}  outcome")
    for job, ran in sorted(by_job.items(), key=lambda each: (each[1][-1]["slot"], each[0])):
        states = sorted({run["state"] for run in ran})
        rows = sum(run["rows"] for run in ran)
        last = ran[-1]["slot"][:16].replace("T", " ")
        print(f"{job:<{width}}  {len(ran):>5}  {rows:>6}  {last}  {', '.join(states)}")
    print()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
