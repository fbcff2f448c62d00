"""What is served beside the app: its pages, the mailbox, and the controls of this machine's cloud.

Everything else goes to the gateway.
"""

import hmac
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chalicelib.core import clock
from chalicelib.core.config import ALL_PRODUCTS, config
from chalicelib.core.errors import AppError, MethodNotAllowed, NotSignedIn
from local import environment
from local.clock_moves import NotAMove, parse
from local.gateway import Gateway, problem
from local.http_server import Request, Response
from local.logical_clock import LogicalClock
from local.pages import (
    appealing,
    docs,
    front_end,
    home,
    mailbox,
    passwords,
    payment,
    unsubscribing,
    verification,
)
from local.pages.layout import as_json, page
from local.readable_log import ReadableLog
from local.schedules import Schedules
from local.sent_mail import SentMail

_LOOPBACK = {"127.0.0.1", "localhost"}

Page = Callable[[Request], Response]


class Site:
    """Answers every request: pages by their path, the rest as the gateway does."""

    def __init__(
        self,
        home_folder: Path,
        gateway: Gateway,
        *,
        logical_clock: LogicalClock,
        schedules: Schedules,
        lines: ReadableLog,
        sent: SentMail,
        stopping: threading.Event,
    ) -> None:
        self._token = environment.control_token(home_folder)
        self._gateway = gateway
        self._clock, self._schedules, self._lines = logical_clock, schedules, lines
        self._pages: dict[str, dict[str, Page]] = {
            "/": {"GET": lambda _: home.show(self._clock.offset_seconds, list(self._lines.recent))},
            "/docs": {"GET": lambda _: docs.show()},
            "/openapi.json": {"GET": lambda _: docs.document()},
            "/mailbox": {"GET": lambda request: mailbox.show(sent, field(request, "to"))},
            "/mailbox/newest": {"GET": lambda it: mailbox.newest(sent, field(it, "to"))},
            "/mailbox/token": {"GET": lambda it: mailbox.token(sent, field(it, "to"), stopping)},
            verification.PATH: self._asked(verification.ask, verification.verify),
            passwords.PATH: self._asked(passwords.ask, passwords.reset),
            unsubscribing.PATH: self._asked(unsubscribing.ask, unsubscribing.stop),
            appealing.PATH: self._asked(appealing.ask, appealing.appeal),
            "/paid": {"GET": lambda request: payment.paid(field(request, "checkout_id"))},
            "/not_paid": {"GET": lambda request: payment.not_paid(field(request, "checkout_id"))},
            "/_control/health": {"GET": self._controlled(self._health)},
            "/_control/clock": {
                "GET": self._controlled(self._read_clock),
                "POST": self._controlled(self._move_clock),
            },
            "/_control/log": {"POST": self._controlled(self._hush)},
        }

    def answer(self, request: Request) -> Response:
        """The answer to a request."""
        views = self._pages.get(request.path)
        if views is None and request.path.split("/")[1] in ALL_PRODUCTS:
            views = {"GET": lambda request: front_end.show(request.path)}
        if views is None:
            return self._gateway.answer(request)
        if _is_foreign(request):
            told = "<p>Pages of this machine are opened as 127.0.0.1 or localhost.</p>"
            return page("Not from there", told, status=HTTPStatus.FORBIDDEN, narrow=True)
        view = views.get("GET" if request.method == "HEAD" else request.method)
        return problem(MethodNotAllowed()) if view is None else view(request)

    def _asked(
        self, ask: Callable[[str], Response], press: Callable[[Request, Page], Response]
    ) -> dict[str, Page]:
        """A page that a mail's link leads to with its token, and what its button does."""
        return {
            "GET": lambda request: ask(field(request, "token")),
            "POST": lambda request: press(request, self._gateway.answer),
        }

    def _controlled(self, view: Page) -> Page:
        """Only for whoever may read the token's file."""

        def guarded(request: Request) -> Response:
            expected = f"Bearer {self._token}".encode()
            if not hmac.compare_digest(request.header("authorization").encode(), expected):
                return problem(NotSignedIn())
            return view(request)

        return guarded

    def _health(self, _request: Request) -> Response:
        return as_json({"pid": os.getpid()})

    def _hush(self, request: Request) -> Response:
        """`{"quiet": true}`: show nothing on the terminal until told otherwise."""
        self._lines.is_quiet = request.body == b'{"quiet": true}'
        return as_json({"quiet": self._lines.is_quiet})

    def _read_clock(self, _request: Request) -> Response:
        return as_json(_reading(self._clock.offset_seconds))

    def _move_clock(self, request: Request) -> Response:
        """`{"move": "+25h"}` or `{"move": "reset"}`."""
        try:
            text = json.loads(request.body)["move"]
            if text == "reset":
                self._clock.reset()
                return as_json({**_reading(0), "runs": []})
            moved = self._clock.move(parse(text), self._schedules)
        except NotAMove as error:
            return problem(AppError(str(error)))
        except (ValueError, KeyError, TypeError):
            return problem(AppError('send {"move": "+25h"}'))
        runs = [{**asdict(run), "slot": run.slot.isoformat()} for run in moved.runs]
        return as_json({**_reading(moved.offset_seconds), "runs": runs})


def field(request: Request, name: str) -> str:
    """A field of the query; empty if it isn't there."""
    return parse_qs(request.query, errors="replace").get(name, [""])[0]


def _reading(offset_seconds: int) -> dict[str, Any]:
    now = clock.now().strftime("%Y-%m-%d %H:%M:%S UTC")
    return {"now": now, "offset_seconds": offset_seconds}


def _is_foreign(request: Request) -> bool:
    """Whether some other site's page makes a browser ask: by a form of its own, or under a name
    that was pointed at this machine.
    """
    named = urlsplit(f"//{request.header('host')}").hostname
    ours = named in _LOOPBACK or named == urlsplit(config().public_url).hostname
    crosses = request.header("sec-fetch-site") == "cross-site"
    return not ours or (crosses and request.method not in {"GET", "HEAD"})
