"""The settings of a product."""

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Staff
from chalicelib.core.paging import Page
from chalicelib.kernel.operations.schemas import Key, Product, Setting, SettingPut
from chalicelib.kernel.operations.settings import service

bp = Blueprint(__name__)

_ADMIN = Staff(product="{product}")


@endpoint(bp, "GET", "/v1/admin/{product}/settings", caller=_ADMIN)
def current(db: Connection, product: Product) -> Page[Setting]:
    """What operators of a product may change, and what it is now."""
    return service.current(db, product)


@endpoint(bp, "PUT", "/v1/admin/{product}/settings/{key}", caller=_ADMIN, errors=(NotFound,))
def put(db: Connection, caller: Caller, product: Product, key: Key, body: SettingPut) -> Setting:
    """Change a setting, from the next request on."""
    return service.put(db, caller, product, key, body)


@endpoint(
    bp,
    "DELETE",
    "/v1/admin/{product}/settings/{key}",
    caller=_ADMIN,
    status=204,
    errors=(NotFound,),
)
def reset(db: Connection, caller: Caller, product: Product, key: Key) -> None:
    """Have a setting's default hold again."""
    service.reset(db, caller, product, key)
