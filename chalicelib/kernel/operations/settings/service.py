"""Settings of a product: listed, changed and reset by its admins."""

from chalicelib.core import settings
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.paging import Page
from chalicelib.core.settings import Current
from chalicelib.kernel.operations.schemas import Setting, SettingPut


def current(db: Connection, product: str) -> Page[Setting]:
    """Every setting of a product, by key."""
    items = [_shown(one) for one in settings.current(db, product)]
    return Page[Setting](items=items, next_cursor=None)


def put(db: Connection, caller: Caller, product: str, key: str, data: SettingPut) -> Setting:
    """Set a value; NotFound, or ValidationFailed for another kind or what is out of bounds."""
    return _shown(settings.put(db, product, key, data.value, caller.id))


def reset(db: Connection, caller: Caller, product: str, key: str) -> None:
    """Have the default hold again; NotFound."""
    settings.reset(db, product, key, caller.id)


def _shown(one: Current) -> Setting:
    told = one.setting
    return Setting(
        key=told.key,
        kind=told.kind,
        value=one.value,
        default=told.default,
        least=told.least,
        most=told.most,
        description=told.description,
        updated_at=one.updated_at,
        updated_by=one.updated_by,
    )
