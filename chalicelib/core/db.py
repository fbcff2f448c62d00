"""Units of work on this process's one connection: who begins, commits, repeats and gives up.

A unit of work is a *read* (autocommit) or a *write* (one transaction). What must be true first
(the caller's session, a rate limit, an idempotency key) rides in the flush of the first statement
and is checked before a row of it is seen; what nobody waits for rides with COMMIT.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar

from chalicelib.core import log
from chalicelib.core.config import config
from chalicelib.core.driver import (
    BEGIN,
    COMMIT,
    ROLLBACK,
    Call,
    CannotConnect,
    ConnectionLost,
    DatabaseError,
    Driver,
    Group,
    Reply,
    UnencodableValue,
    connect,
)
from chalicelib.core.errors import AppError, Conflict, InternalError, Unavailable, ValidationFailed
from chalicelib.core.statements import Json, Statement

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

Kind = Literal["read", "write"]

ATTEMPTS = 5
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.5

# SQLSTATE classes and codes, https://www.postgresql.org/docs/current/errcodes-appendix.html
RETRIED = frozenset({"40001", "40P01"})
STALE_STATEMENT = frozenset({"0A000", "26000"})
LOCK_NOT_AVAILABLE = "55P03"
UNIQUE_VIOLATION = "23505"
CHECK_VIOLATION = "23514"
_BUSY = frozenset({"53300", "53400", "57P03", "57014", "25P03", "25006", "57P01", "57P02"})
# Text PostgreSQL has no form for, numbers and times past what a column holds.
_UNSTORABLE = frozenset({"22021", "22P05", "22003", "22008"})


class Again(Exception):
    """Somebody else did the same at the same moment: begin anew, and find it done."""


class Prelude(Generic[R]):
    """What has to hold before a unit of work: a statement, and a check that raises if it doesn't.

    `apart` gives it a transaction of its own, so that it stands even if the work is rolled back.
    """

    __slots__ = ("apart", "call", "check", "statement")

    def __init__(
        self,
        statement: Statement[R],
        given: dict[str, Any],
        check: Callable[[R | None], None],
        *,
        apart: bool = False,
    ) -> None:
        self.statement, self.check, self.apart = statement, check, apart
        self.call = statement.call(given)

    def settle(self, reply: Reply) -> None:
        """Check what came back."""
        rows: list[Any] = self.statement.rows(reply)
        self.check(rows[0] if rows else None)


class Connection:
    """One unit of work, handed to handlers and services as `db`. They never commit."""

    def __init__(self, kind: Kind, preludes: tuple[Prelude[Any], ...] = ()) -> None:
        self.kind = kind
        self._preludes = preludes
        self._begun = False
        self._later: list[Call] = []
        self._later_replies: list[tuple[Statement[Any], Callable[[list[Any]], None]]] = []
        self._after_commit: list[Callable[[], None]] = []
        self._driver: Driver | None = None
        self.committing = False
        self.settled = False

    def one(self, statement: Statement[R], **given: Any) -> R | None:
        """The first row, or None."""
        rows = self.all(statement, **given)
        return rows[0] if rows else None

    def all(self, statement: Statement[R], **given: Any) -> list[R]:
        """Every row."""
        rows: list[Any] = statement.rows(self._run(statement.call(given)))
        return rows

    def run(self, statement: Statement[Any], **given: Any) -> int:
        """How many rows were changed."""
        return self._run(statement.call(given)).affected

    def json(self, statement: Statement[tuple[str]], **given: Any) -> Json[Any] | None:
        """The one row as the JSON text PostgreSQL made of it, or None.

        In a read it is one statement with what has to hold before, if that is one select.
        """
        first = self._preludes[0] if len(self._preludes) == 1 else None
        if self.kind == "read" and first and first.statement.selects and not first.apart:
            text = self._beneath(first, statement, statement.call(given))
        else:
            row = self.one(statement, **given)
            text = row[0] if row is not None else None
        return Json(text) if text is not None else None

    def later(
        self,
        statement: Statement[R],
        then: Callable[[list[R]], None] = lambda _rows: None,
        **given: Any,
    ) -> None:
        """Run a statement that nobody waits for in the flush of COMMIT; `then` sees its rows."""
        self._later.append(statement.call(given))
        self._later_replies.append((statement, then))

    def after_commit(self, action: Callable[[], None]) -> None:
        """Do something once this unit of work stands. What raises there is logged, not answered."""
        self._after_commit.append(action)

    def precede(self, prelude: Prelude[Any]) -> None:
        """Add what has to hold before the first statement."""
        self._preludes += (prelude,)

    def settle(self) -> None:
        """Check what has to hold now, before work that is dear or leaves the database."""
        if self._preludes:
            self._run(None)

    def finish(self) -> None:
        """Commit: once for each unit of work, by the edge."""
        self.settle()
        if not self._begun and not self._later:
            return
        begin = [] if self._begun else [BEGIN]
        self.committing = True
        replies = self._exchange([[*begin, *self._later, COMMIT]])[-1]
        if replies[-1].tag != "COMMIT":
            raise DatabaseError({"C": "25P02", "M": "the transaction was rolled back"})
        self._begun = False
        later = zip(self._later_replies, replies[len(begin) : -1], strict=True)
        for (statement, then), reply in later:
            rows: list[Any] = statement.rows(reply)
            then(rows)

    def notify(self) -> None:
        """Do what was to follow the commit."""
        for action in self._after_commit:
            try:
                action()
            except Exception as error:  # noqa: BLE001  the work stands; a sweep repeats what failed
                log.line("after_commit_failed", error=log.frames(error))

    def roll_back(self) -> None:
        """Undo what was begun; a connection that can't is given up."""
        driver = self._driver
        if driver is None or not driver.in_transaction:
            return
        try:
            driver.exchange([[ROLLBACK]])
        except (ConnectionLost, DatabaseError):
            driver.abandon()
        except BaseException:
            # Whoever comes next in this process must not be in somebody else's transaction.
            driver.abandon()
            raise

    def _beneath(self, prelude: Prelude[Any], statement: Statement[Any], call: Call) -> str | None:
        """The one value of `call`, asked for together with the prelude, which is checked first."""
        self._preludes = ()
        together = Call(statement.beneath(prelude.statement), [*prelude.call.values, *call.values])
        ((reply,),) = self._exchange([[together]])
        prelude.settle(Reply([row[:-1] for row in reply.rows], reply.tag))
        self.settled = True
        value: str | None = reply.rows[0][-1] if reply.rows else None
        return value

    def _run(self, call: Call | None) -> Reply:
        preludes, self._preludes = self._preludes, ()
        apart = [prelude for prelude in preludes if prelude.apart]
        within = [prelude for prelude in preludes if not prelude.apart]
        begins = self.kind == "write" and not self._begun
        group = [prelude.call for prelude in within]
        if call is not None:
            group.append(call)
        if begins and group:
            group.insert(0, BEGIN)
        groups: list[Group] = [[prelude.call] for prelude in apart]
        if group:
            groups.append(group)
        try:
            replies = self._exchange(groups)
        except DatabaseError as refusal:
            # Whoever may not ask is told so, and not what their statement ran into.
            self._check(apart, within, refusal.replies, begins=begins)
            raise
        if begins and group:
            self._begun = True
        self._check(apart, within, replies, begins=begins)
        return replies[-1][-1] if call is not None else Reply([], "")

    def _check(
        self,
        apart: list[Prelude[Any]],
        within: list[Prelude[Any]],
        replies: list[list[Reply]],
        *,
        begins: bool,
    ) -> None:
        """Hold the preludes against their replies, those apart first; some may have none."""
        own, main = replies[: len(apart)], replies[len(apart) :]
        for prelude, reply in zip(apart, own, strict=False):
            if reply:
                prelude.settle(reply[0])
        for prelude, answer in zip(within, main[0][begins:] if main else [], strict=False):
            prelude.settle(answer)
        self.settled = all(own)

    def _exchange(self, groups: list[Group]) -> list[list[Reply]]:
        if self._driver is None:
            driver = session.ready()
            if driver.in_transaction:
                raise RuntimeError("a unit of work within another would commit both")
            self._driver = driver
        return self._driver.exchange(groups)


class Session(threading.local):
    """The connection of this thread: a Lambda has one thread and one connection."""

    driver: Driver | None = None

    def ready(self) -> Driver:
        """A connection that was alive a moment ago; CannotConnect when there is none to be had."""
        if self.driver is None or not self.driver.alive():
            self.close()
            self.driver = connect(config())
        return self.driver

    def close(self) -> None:
        """Give the connection up."""
        if self.driver is not None:
            self.driver.abandon()
        self.driver = None

    @property
    def trips(self) -> int:
        """Round trips made on the present connection."""
        return self.driver.trips if self.driver else 0


session = Session()


def run(kind: Kind, work: Callable[[Connection], T], *preludes: Callable[[], Prelude[Any]]) -> T:
    """Do a unit of work and commit it; AppError for whatever stands against it.

    The whole of it is done again, a bounded number of times with jittered pauses, after a
    serialization failure or deadlock, and after the connection was lost (not: fell silent) before
    COMMIT was sent. After that point the outcome is unknown, and the client's retry under its key
    finds it out.
    """
    counted = False
    for attempt in range(1, ATTEMPTS + 1):
        # What stood apart stands already when the work is done again: it counted this request.
        due = (prelude() for prelude in preludes)
        db = Connection(kind, tuple(one for one in due if not (one.apart and counted)))
        try:
            result = work(db)
            db.finish()
        except Exception as error:
            counted = counted or db.settled
            final = _final(db, error)
            if final is error:
                raise
            if final is None and attempt == ATTEMPTS:
                final = Conflict() if isinstance(error, Again) else Unavailable()
            if final is not None:
                raise final from error
        except BaseException:
            db.roll_back()
            raise
        else:
            db.notify()
            return result
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
        time.sleep(random.uniform(0, pause))  # noqa: S311  jitter, not a secret
    raise AssertionError("unreachable: the last attempt returns or raises")


def _final(db: Connection, error: Exception) -> Exception | None:
    """What a failed unit of work is answered with; None when it may be done again."""
    if isinstance(error, CannotConnect):
        log.line("cannot_connect", sqlstate=error.sqlstate, error=log.frames(error))
        return Unavailable()
    if isinstance(error, ConnectionLost):
        session.close()
        if db.committing:
            return Unavailable("it is not known whether this happened; ask again")
        # A server that let us wait for so long is not asked again: a request has no time for that.
        return Unavailable() if error.silent else None
    db.roll_back()
    if isinstance(error, DatabaseError):
        if error.sqlstate in STALE_STATEMENT and session.driver:
            session.driver.forget_prepared()
        again = error.sqlstate in RETRIED | STALE_STATEMENT
        return None if again else _as_app_error(error)
    if isinstance(error, UnencodableValue):
        return ValidationFailed("text that can't be stored")
    return None if isinstance(error, Again) else error


def _as_app_error(error: DatabaseError) -> AppError:
    """The answer to a database error that no service foresaw, by SQLSTATE alone."""
    code = error.sqlstate
    log.line("database_error", sqlstate=code, constraint=error.constraint)
    if code == LOCK_NOT_AVAILABLE:
        return Conflict()
    if code in _BUSY or code.startswith(("08", "53", "58")):
        return Unavailable()
    if code in _UNSTORABLE:
        return ValidationFailed("a value that can't be stored")
    return InternalError()


def read(work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do `work` as a read of its own."""
    return run("read", lambda db: work(db, *args, **kwargs))


def write(work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do `work` as a transaction of its own."""
    return run("write", lambda db: work(db, *args, **kwargs))


@contextmanager
def refused(sqlstate: str, constraint: str | None, error: Exception) -> Iterator[None]:
    """Raise `error` where the database refuses by this SQLSTATE and constraint."""
    try:
        yield
    except DatabaseError as refusal:
        if refusal.sqlstate == sqlstate and refusal.constraint == constraint:
            raise error from refusal
        raise


def close() -> None:
    """Close this thread's connection."""
    with suppress(OSError):
        session.close()


class Transactions:
    """What a handler gets that has to call a provider in between: transactions, one by one.

    `preludes` have to hold before the first of them, what `each` says before every one.
    """

    def __init__(
        self,
        *preludes: Callable[[], Prelude[Any]],
        each: tuple[Callable[[], Prelude[Any]], ...] = (),
    ) -> None:
        self._preludes, self._each = preludes, each

    def read(self, work: Callable[..., T], *args: Any) -> T:
        """Do `work(db, *args)` as a read."""
        return self._run("read", work, args)

    def write(self, work: Callable[..., T], *args: Any) -> T:
        """Do `work(db, *args)` as a transaction of its own."""
        return self._run("write", work, args)

    def settle(self) -> None:
        """Check what has to hold, if no transaction has done so: before what is dear, and at last."""
        if self._preludes:
            self._run("write", Connection.settle, ())

    def _run(self, kind: Kind, work: Callable[..., T], args: tuple[Any, ...]) -> T:
        preludes, self._preludes = self._preludes, ()
        return run(kind, lambda unit: work(unit, *args), *preludes, *self._each)
