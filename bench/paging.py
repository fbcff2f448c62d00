"""Lists of a million rows: the deepest page beside the first, through the whole program.

Where a list is one person's, half of the million are theirs. A page that is found by where it
begins takes as long wherever that is; one that is counted off takes ever longer.
"""

import base64
import json
import random
import statistics
import time
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from bench import full
from bench.figures import Figure, Tell
from chalicelib.core import binding, operations
from tests.faults.described.scene import Scene
from tests.faults.world import World
from tests.support import database, volume
from tests.support.api import Api

TITLE = "P8 The deepest page of a million rows, against the first"
WORLD = full.million
TIMES = 15


class Listing(NamedTuple):
    """A list: its operation, whose it is, and the place after which its last page begins."""

    what: str
    operation: str
    end: str
    by: str = "heavy"
    asked: tuple[tuple[str, str], ...] = ()
    path: tuple[tuple[str, str], ...] = ()


def _end(table: str, condition: str, *sort: str, descending: bool = True) -> str:
    """The place before the last twenty rows of a list, by SQL that reads from its end."""
    way = "asc" if descending else "desc"
    order = ", ".join(f"{name} {way}" for name in sort)
    return f"select {', '.join(sort)} from {table} where {condition} order by {order} offset 20 limit 1"


_ME = f"'{volume.HEAVY}'"
_POSTS = "marketplace.posts"
_WALLET = "(select id from billing.credit_accounts where holder_id = " + _ME + ")"
_HERE = (("product", "marketplace"),)
LISTS = (
    Listing("posts, newest", "marketplace_posts_search", _end(_POSTS, "true", "id")),
    Listing("posts, most followed", "marketplace_posts_search",
            _end(_POSTS, "true", "followers", "id"), asked=(("sort", "most_followers"),)),
    Listing("brands, newest", "marketplace_posts_search",
            _end(_POSTS, "user_type = 'brand'", "id"), asked=(("user_type", "brand"),)),
    Listing("brands, most followed", "marketplace_posts_search",
            _end(_POSTS, "user_type = 'brand'", "followers", "id"),
            asked=(("user_type", "brand"), ("sort", "most_followers"))),
    Listing("an interest, newest", "marketplace_posts_search",
            _end(_POSTS, "interests @> '{fashion}'", "id"), asked=(("interest", "fashion"),)),
    Listing("a word, most followed", "marketplace_posts_search",
            _end(_POSTS, "description like '%street%'", "followers", "id"),
            asked=(("text", "street"), ("sort", "most_followers"))),
    Listing("own reveals", "marketplace_reveals_revealed",
            _end("marketplace.contact_reveals", f"requester_id = {_ME}", "revealed_at",
                 "target_post_id")),
    Listing("reveals of a post", "marketplace_reveals_of_post",
            _end("marketplace.contact_reveals", f"target_post_id = '{volume.thing(1)}'", "id"),
            path=(("post_id", str(volume.thing(1))),)),
    Listing("own payments", "billing_checkouts_payments",
            _end("billing.payments", f"user_id = {_ME}", "paid_at", "id")),
    Listing("own credit transfers", "billing_ledger_transfers",
            _end("billing.credit_transfers", f"debit_account_id = {_WALLET}", "id")),
    Listing("own failed transactions", "billing_payments_failures",
            "select f.failed_at, f.id from billing.failed_transactions f join billing.checkouts c"
            f" on c.id = f.checkout_id where c.user_id = {_ME} order by 1, 2 offset 20 limit 1"),
    Listing("own notifications", "notifications_inbox_inbox",
            _end("notifications.notifications", f"user_id = {_ME}", "id")),
    Listing("own reports", "moderation_reports_own_reports",
            _end("moderation.reports", f"reporter_id = {_ME}", "id")),
    Listing("own blocks", "moderation_blocks",
            _end("moderation.blocks", f"blocker_id = '{volume.BLOCKER}'", "created_at",
                 "blocked_id"), "blocker"),
    Listing("all payments", "billing_payments_search",
            _end("billing.payments", "product = 'marketplace'", "paid_at", "id"), "staff",
            path=_HERE),
    Listing("all checkouts", "billing_payments_search_checkouts",
            _end("billing.checkouts", "product = 'marketplace'", "created_at", "id"), "staff",
            path=_HERE),
    Listing("all disputes", "billing_payments_search_disputes",
            _end("billing.disputes", "true", "created_at", "id"), "staff", path=_HERE),
    Listing("all failed transactions", "billing_payments_search_failures",
            _end("billing.failed_transactions", "true", "failed_at", "id"), "staff", path=_HERE),
    Listing("all webhook events", "billing_webhooks_search",
            _end("billing.webhook_events", "true", "id"), "staff"),
    Listing("all reports", "moderation_reports_queue",
            _end("moderation.reports", "product = 'marketplace'", "id"), "staff", path=_HERE),
    Listing("decided cases", "moderation_cases_queue",
            _end("moderation.cases", "state = 'decided'", "id", descending=False), "staff",
            (("state", "decided"),), _HERE),
    Listing("decided appeals", "moderation_appeals_queue",
            "select a.id from moderation.appeals a join moderation.appeal_outcomes o"
            " on o.appeal_id = a.id order by 1 desc offset 20 limit 1", "staff",
            (("open", "false"),), _HERE),
    Listing("all posts of staff", "marketplace_staff_posts", _end(_POSTS, "true", "id"), "staff"),
    Listing("all users", "accounts_users_search", _end("accounts.users", "true", "id"), "staff"),
    Listing("audit log", "operations_records_audit_log", _end("core.audit_log", "true", "id"),
            "staff"),
    Listing("job runs", "operations_runs_runs", _end("core.job_runs", "true", "id"), "staff"),
)  # fmt: skip
"""Every list that grows with use, in each of its sorts."""


def measure(here: World, tell: Tell) -> list[Figure]:
    """Medians of the first and the deepest page."""
    callers = {
        "heavy": full.heavy(here),
        "blocker": full.blocker(here),
        "staff": Scene(here).staff("admin").api,
    }
    pages: list[tuple[Listing, str, Api, str]] = []
    for one in LISTS:
        first, deepest = addresses(one)
        pages += [
            (one, "first", callers[one.by], first),
            (one, "deepest", callers[one.by], deepest),
        ]
    taken: dict[tuple[str, str], list[float]] = {}
    for number in range(TIMES):
        for one, which, caller, address in random.sample(pages, len(pages)):
            started = time.perf_counter()
            answer = caller.get(address)
            milliseconds = (time.perf_counter() - started) * 1000
            assert answer.status == 200, (address, answer.text)
            assert answer.json["items"], address
            taken.setdefault((one.what, which), []).append(milliseconds)
        if number % 5 == 0:
            tell(f"{number} of {TIMES} rounds of {len(pages)} pages")
    median = {key: statistics.median(times) for key, times in taken.items()}
    return [
        Figure(one.what, median[one.what, "deepest"], "ms", 3, peer=median[one.what, "first"],
               peer_is="first page")
        for one in LISTS
    ]  # fmt: skip


def addresses(one: Listing) -> tuple[str, str]:
    """The paths of a list's first and deepest page."""
    operation = operations.registered[one.operation]
    path = operation.path.format(**dict(one.path))
    assert operation.query is not None
    query: Any = binding.query_of(operation.query, {name: [value] for name, value in one.asked})
    ((*place,),) = database.execute(one.end)
    told = [value.isoformat() if isinstance(value, datetime) else value for value in place]
    text = json.dumps([query.digest(), *told], default=str)
    cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    asked = dict(one.asked)
    return f"{path}?{urlencode(asked)}", f"{path}?{urlencode(asked | {'cursor': cursor})}"
