"""Run the fake: `python -m local.stripe --port 8020 --state .cloud/stripe.db …`."""

import argparse
import signal
import threading
from pathlib import Path

from local.stripe.fake import Settings
from local.stripe.parameters import api_version
from local.stripe.server import serve


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m local.stripe", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="the file that keeps everything")
    parser.add_argument("--webhook-url", help="where events are sent; left out: nowhere")
    parser.add_argument(
        "--webhook-secret",
        action="append",
        default=[],
        help="signs events; given twice, they carry two signatures as while a secret is rotated",
    )
    parser.add_argument("--api-key", default="sk_test_kith", help="the one key that is accepted")
    parser.add_argument("--first-pause", type=float, default=1.0, help="seconds to the first retry")
    parser.add_argument("--most-attempts", type=int, help="left out: a webhook is never given up")
    given = parser.parse_args()
    if given.webhook_url and not given.webhook_secret:
        parser.error("--webhook-url needs --webhook-secret")

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    settings = Settings(
        state=given.state,
        port=given.port,
        webhook_url=given.webhook_url,
        webhook_secrets=given.webhook_secret,
        api_key=given.api_key,
        first_pause=given.first_pause,
        most_attempts=given.most_attempts,
        log=lambda line: print(line, flush=True),
    )
    with serve(settings) as running:
        print(f"stripe serves at {running.url}", flush=True)
        api_version()  # imports stripe now, so that the first call doesn't wait for it
        stopped.wait()


if __name__ == "__main__":
    main()
