"""Taking over the old in-memory store: in the order of what refers to what, all of it or nothing.

Ids follow from the old ones, so what was taken over before is found and left alone. A row that is
wrong, or whose parent was refused, is named with its reason and left out; values are never named,
because they may be somebody's.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid5

from pydantic import ValidationError

from chalicelib.core import clock, settings
from chalicelib.core.db import Connection
from chalicelib.core.errors import AppError
from chalicelib.kernel.accounts.importing import service as accounts
from chalicelib.kernel.billing.importing import service as billing
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.products.marketplace.importing import queries
from chalicelib.products.marketplace.importing.errors import NotTheStore, RowRefused
from chalicelib.products.marketplace.importing.schemas import (
    BulkSession,
    OldPost,
    OldPrice,
    OldReveal,
    OldRow,
    OldToken,
    OldUser,
    PaidUser,
    Report,
    SamplePost,
)
from chalicelib.products.marketplace.posts import service as posts

PRODUCT = "marketplace"
_OLD_STORE = UUID("5f0e2f5c-6f1d-4a52-9a53-0d7b6c2f9e10")
_V7 = 0x7 << 76 | 0b10 << 62
_RANDOM = ((1 << 12) - 1) << 64 | ((1 << 62) - 1)
_BULK = "bulk_contact"
_SINGLE = "single_reveal"

R = TypeVar("R", bound=OldRow)


def stable_id(kind: str, name: str, at: datetime) -> UUID:
    """An id that follows from an old name, and sorts by time as new ones do."""
    milliseconds = max(0, int(at.timestamp() * 1000))
    return UUID(int=milliseconds << 80 | _V7 | uuid5(_OLD_STORE, f"{kind}:{name}").int & _RANDOM)


def load(unit: Connection, text: str) -> Report:
    """Take over a whole store with this transaction. NotTheStore for another text."""
    return _Loading(unit, _store(text)).run()


def _store(text: str) -> dict[str, Any]:
    try:
        store = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotTheStore("not JSON") from error
    if not isinstance(store, dict) or not store.keys() <= _Loading.COLLECTIONS:
        raise NotTheStore(f"an object of {', '.join(sorted(_Loading.COLLECTIONS))}")
    return store


class _Loading:
    """One load: what was taken over so far, by its old name."""

    COLLECTIONS = frozenset(
        {
            "registeredUsers", "posts", "samplePosts", "verificationTokens", "paidUsers",
            "bulkContactSessions", "contactReveals", "env", "prices",
        }
    )  # fmt: skip

    def __init__(self, unit: Connection, store: dict[str, Any]) -> None:
        self.unit, self.store, self.report = unit, store, Report()
        self.users: dict[str, UUID] = {}
        self.posts: dict[str, UUID] = {}

    def run(self) -> Report:
        self._each("prices", OldPrice, self._price)
        self._each("registeredUsers", OldUser, self._user)
        self._each("posts", OldPost, self._post)
        self._each("samplePosts", SamplePost, self._sample)
        self._each("verificationTokens", OldToken, self._token)
        self._each("paidUsers", PaidUser, self._paid)
        self._each("bulkContactSessions", BulkSession, self._bulk)
        self._each("contactReveals", OldReveal, self._reveal)
        self._settings()
        return self.report

    def _each(self, collection: str, kind: type[R], take: Callable[[R], str]) -> None:
        rows = self.store.get(collection, [])
        if not isinstance(rows, list):
            self.report.refused.append((collection, "not a list"))
            return
        for at, row in enumerate(rows):
            path = f"{collection}[{at}]"
            try:
                outcome = take(kind.model_validate_json(json.dumps(row)))
            except ValidationError as error:
                self.report.refused += [
                    (".".join([path, *map(str, one["loc"])]), one["msg"])
                    for one in error.errors(include_url=False, include_input=False)
                ]
            except RowRefused as refusal:
                self.report.refused.append((path, str(refusal)))
            else:
                self.report.count(collection, outcome)

    def _author(self, email: str) -> UUID:
        known = self.users.get(email.lower())
        if known is None:
            raise RowRefused("its user was refused or is not in the store")
        return known

    def _price(self, row: OldPrice) -> str:
        at = clock.now()
        outcome = billing.import_price(
            self.unit,
            stable_id("price", row.code, at),
            PRODUCT,
            row.code,
            name=row.name,
            amount=row.amount,
            currency=row.currency,
            credit_amount=row.credits,
            sort_order=100,
        )
        return _taken_over(outcome, "something of another kind is sold under this code")

    def _user(self, row: OldUser) -> str:
        email = row.email.lower()
        if email in self.users:
            raise RowRefused("the address stands in an earlier row")
        user_id = stable_id("user", email, row.created_at)
        outcome = accounts.import_user(
            self.unit,
            user_id,
            email=row.email,
            password_hash=row.password_hash,
            name=row.name,
            verified_at=row.created_at if row.verified else None,
            created_at=row.created_at,
        )
        taken_over = _taken_over(outcome, "the address is another account's here")
        self.users[email] = user_id
        return taken_over

    def _post(self, row: OldPost) -> str:
        return self._add_post(row, self._author(row.user_email), active=row.active)

    def _sample(self, row: SamplePost) -> str:
        author = stable_id("sample", row.id, row.created_at)
        accounts.import_user(
            self.unit,
            author,
            email=None,
            password_hash=None,
            name="Sample",
            verified_at=None,
            created_at=row.created_at,
        )
        return self._add_post(row, author, active=True)

    def _add_post(self, row: SamplePost, author: UUID, *, active: bool) -> str:
        if row.id in self.posts:
            raise RowRefused("the id stands in an earlier row")
        post_id = stable_id("post", row.id, row.created_at)
        key = accounts.data_key(self.unit, author)
        if key is None:
            raise RowRefused("its author has left since")
        told = row.model_dump(
            include={
                "user_type", "platform", "followers", "interests", "price_point", "description",
            }
        )  # fmt: skip
        added = self.unit.one(
            queries.ADD_POST,
            post_id=post_id,
            author=author,
            active=active,
            contact_info=posts.seal_contact(key, post_id, row.contact_info),
            now=row.created_at,
            **told,
        )
        outcome = _outcome(added, "its author has an active post already")
        self.posts[row.id] = post_id
        return outcome

    def _token(self, row: OldToken) -> str:
        outcome = accounts.import_verification_token(
            self.unit,
            stable_id("token", row.token, row.created_at),
            self._author(row.user_email),
            row.token,
            expires_at=row.expires_at,
            created_at=row.created_at,
        )
        return _taken_over(outcome, "its user has a newer token")

    def _paid(self, row: PaidUser) -> str:
        return self._payment(row, "posting_fee", row.user_email, row.paid_at)

    def _bulk(self, row: BulkSession) -> str:
        if row.status != "completed" or row.paid_at is None:
            raise RowRefused("it was not paid, so there is nothing to take over")
        billing.import_price(
            self.unit,
            stable_id("price", _BULK, row.paid_at),
            PRODUCT,
            _BULK,
            name="Contacts, from the old store",
            amount=1,
            currency="USD",
            credit_amount=1,
            sort_order=1000,
            is_active=False,
        )
        return self._payment(row, _BULK, row.user_email, row.paid_at, credit_amount=row.credits)

    def _reveal(self, row: OldReveal) -> str:
        buyer = self._author(row.requester_email)
        post_id = self.posts.get(row.target_post_id)
        if post_id is None:
            raise RowRefused("its post was refused or is not in the store")
        given: dict[str, Any] = {"buyer": buyer, "post_id": post_id}
        name = f"{row.requester_email.lower()}:{row.target_post_id}"
        given["reveal_id"] = stable_id("reveal", name, row.revealed_at)
        if row.revealed_via == "credit":
            spent = ledger.spend_parameters(
                buyer, "contact", 1, key=f"reveal:{buyer}:{post_id}", now=row.revealed_at
            )
            added = self.unit.one(queries.ADD_REVEAL_BY_CREDIT, **given, **spent)
            return _outcome(added, "its buyer has no credit left, or wrote the post")
        if row.amount is None or row.currency is None or row.stripe_session_id is None:
            raise RowRefused("a reveal by payment needs amount, currency and stripeSessionId")
        self._payment(row, _SINGLE, row.requester_email, row.revealed_at, subject_id=post_id)
        paid = stable_id("payment", row.stripe_session_id, row.revealed_at)
        added = self.unit.one(
            queries.ADD_REVEAL_BY_PAYMENT, payment_id=paid, now=row.revealed_at, **given
        )
        return _outcome(added, "its buyer wrote the post")

    def _payment(self, row: Any, code: str, email: str, paid_at: datetime, **more: Any) -> str:
        name = row.stripe_session_id
        outcome = billing.import_payment(
            self.unit,
            stable_id("checkout", name, paid_at),
            self._author(email),
            PRODUCT,
            code,
            line_id=stable_id("line", name, paid_at),
            payment_id=stable_id("payment", name, paid_at),
            amount=row.amount,
            currency=row.currency,
            external_id=name,
            paid_at=paid_at,
            **more,
        )
        return _taken_over(outcome, "the payment is another's, or nothing is sold under its code")

    def _settings(self) -> None:
        told = self.store.get("env", {})
        if not isinstance(told, dict):
            self.report.refused.append(("env", "not an object"))
            return
        current = {one.setting.key: one for one in settings.current(self.unit, PRODUCT)}
        for name, value in told.items():
            known = current.get(name.lower())
            if known is None:
                self.report.refused.append((f"env.{name}", "no setting of the marketplace"))
            elif not (isinstance(value, str) and value.isascii() and value.isdecimal()):
                self.report.refused.append((f"env.{name}", "not a whole number in plain digits"))
            elif known.value == int(value):
                self.report.count("env", "known")
            else:
                try:
                    settings.put(self.unit, PRODUCT, name.lower(), int(value), _OLD_STORE)
                except AppError as error:
                    self.report.refused.append((f"env.{name}", error.problems[0].detail))
                else:
                    self.report.count("env", "added")


def _taken_over(outcome: str, otherwise: str) -> str:
    if outcome not in {"added", "known"}:
        raise RowRefused(otherwise)
    return outcome


def _outcome(row: tuple[bool, bool] | None, otherwise: str) -> str:
    added, known = row or (False, False)
    if not (added or known):
        raise RowRefused(otherwise)
    return "added" if added else "known"
