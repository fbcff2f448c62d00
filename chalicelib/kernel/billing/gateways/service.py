"""Payment gateways: rows with sealed secrets. Without an active one, the environment's is it."""

from contextlib import AbstractContextManager
from typing import NamedTuple
from uuid import UUID

from chalicelib.core import audit, clock, db, ids, paging, sealing
from chalicelib.core.auth import Caller
from chalicelib.core.config import config
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.errors import GatewayExists
from chalicelib.kernel.billing.gateways import queries
from chalicelib.kernel.billing.gateways.schemas import (
    PaymentGateway,
    PaymentGatewayChange,
    PaymentGatewayCreate,
)


class Account(NamedTuple):
    """An account with a provider: None is the one that the environment names."""

    gateway_id: UUID | None
    key: str
    webhook_secrets: list[str]


def key_of(gateway_id: UUID | None, sealed: bytes | None) -> str:
    """The secret key of a gateway, as its row or the environment has it."""
    if gateway_id is None or sealed is None:
        return config().stripe_key
    return sealing.unseal_own(_row("secret", gateway_id), bytes(sealed)).decode()


def environment() -> Account:
    """The account that the environment names."""
    return Account(None, config().stripe_key, config().stripe_webhook_secret.split(","))


def accounts(db: Connection) -> list[Account]:
    """Every account: what was sold on one that is no longer active is still settled there."""
    found = []
    for gateway_id, secret, webhook_secret in db.all(queries.SECRETS):
        opened = sealing.unseal_own(_row("webhook_secret", gateway_id), bytes(webhook_secret))
        found.append(Account(gateway_id, key_of(gateway_id, secret), [opened.decode()]))
    return found


def list_gateways(db: Connection, query: PageQuery) -> Json[Page[PaymentGateway]]:
    """Every gateway, newest first."""
    return paging.page(db, queries.GATEWAYS, query)


def create(unit: Connection, caller: Caller, data: PaymentGatewayCreate) -> Json[PaymentGateway]:
    """Add a gateway; GatewayExists for a name that is taken."""
    gateway_id, now = ids.uuid7(), clock.now()
    if data.is_active:
        unit.run(queries.RETIRE_OTHERS, of_kind=data.kind, gateway_id=gateway_id, now=now)
    with db.refused(db.UNIQUE_VIOLATION, "payment_gateways_name", GatewayExists()), _one_active():
        created = unit.json(
            queries.CREATE,
            id=gateway_id,
            name=data.name,
            kind=data.kind,
            public_key=data.public_key,
            secret=_sealed("secret", gateway_id, data.secret),
            webhook_secret=_sealed("webhook_secret", gateway_id, data.webhook_secret),
            is_active=data.is_active,
            created_at=now,
            updated_at=now,
        )
    return _audited(unit, caller, "billing.create_gateway", gateway_id, created)


def change(
    unit: Connection, caller: Caller, gateway_id: UUID, data: PaymentGatewayChange
) -> Json[PaymentGateway]:
    """Change a gateway; NotFound. One that is made active takes the place of the one before."""
    now = clock.now()
    if data.is_active:
        unit.run(queries.RETIRE_OTHERS, of_kind="stripe", gateway_id=gateway_id, now=now)
    with _one_active():
        changed = unit.json(
            queries.CHANGE,
            gateway_id=gateway_id,
            new_public_key=data.public_key,
            new_secret=_sealed("secret", gateway_id, data.secret),
            new_webhook_secret=_sealed("webhook_secret", gateway_id, data.webhook_secret),
            activate=data.is_active,
            now=now,
        )
    return _audited(unit, caller, "billing.change_gateway", gateway_id, changed)


def _one_active() -> AbstractContextManager[None]:
    """Two that are made active at once: the second begins anew, and retires the first."""
    return db.refused(db.UNIQUE_VIOLATION, "payment_gateways_one_active", db.Again())


def _audited(
    unit: Connection,
    caller: Caller,
    action: str,
    gateway_id: UUID,
    outcome: Json[PaymentGateway] | None,
) -> Json[PaymentGateway]:
    if outcome is None:
        raise NotFound
    audit.record(unit, caller.id, action, f"billing.payment_gateways:{gateway_id}")
    return outcome


def _sealed(column: str, gateway_id: UUID, plain: str | None) -> bytes | None:
    if plain is None:
        return None
    return sealing.seal_own(_row(column, gateway_id), plain.encode())


def _row(column: str, gateway_id: UUID) -> str:
    return f"billing.payment_gateways.{column}:{gateway_id}"
