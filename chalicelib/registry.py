"""What there is: the rooms of each product, and the app that serves the products asked for."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from functools import partial

from chalice.app import Blueprint, Chalice
from sqlalchemy import MetaData

from chalicelib.core import auth, columns, http, loading, naming, outbox, privacy, rooms
from chalicelib.core.config import ALL_PRODUCTS, Config
from chalicelib.core.outbox import Subscriber

PRODUCTS: dict[str, tuple[str, ...]] = {
    "marketplace": ("accounts", "billing", "moderation", "notifications", "operations"),
}
"""Each product, and the kernel domains it stands on."""

ENTRANCES = ("routes", "workers", "jobs", "triggers")
"""The files of a domain in which Lambdas are written; each has a blueprint `bp`."""

_CORE = "chalicelib.core.housekeeping"


def domains(products: tuple[str, ...]) -> list[str]:
    """The packages of these products and of what they stand on, in a stable order."""
    kernel = sorted({name for product in products for name in PRODUCTS[product]})
    return [
        *(f"chalicelib.kernel.{name}" for name in kernel),
        *(f"chalicelib.products.{product}" for product in products),
    ]


def modules(products: tuple[str, ...], kinds: tuple[str, ...]) -> Iterator[str]:
    """The modules of these kinds that exist in the products' domains."""
    for domain in domains(products):
        package = importlib.import_module(domain)
        nouns = [one.name for one in pkgutil.iter_modules(package.__path__) if one.ispkg]
        for room in (domain, *(f"{domain}.{noun}" for noun in sorted(nouns))):
            for kind in kinds:
                name = f"{room}.{kind}"
                if importlib.util.find_spec(name):
                    yield name


def entrances(config: Config) -> list[str]:
    """The modules to load: all that hold Lambdas, or the one that holds this Lambda's handler.

    `KITH_FUNCTION` is a handler's name, which begins with its domain: that of a noun, or else that
    of the whole domain.
    """
    found = [_CORE, *modules(config.products, ENTRANCES)]
    if config.function is None:
        return found
    of_function = [
        name for name in found if config.function.startswith(f"{naming.domain_of(name)}_")
    ]
    longest = max((len(naming.domain_of(name)) for name in of_function), default=0)
    return [name for name in of_function if len(naming.domain_of(name)) == longest]


def build(app: Chalice, config: Config) -> Chalice:
    """Register every handler of this deployment with `app`."""
    if config.function is not None:
        loading.when_used()
    app.api.cors = True
    # Bodies are JSON both ways; whether a type is binary would be asked three times a request.
    app.api.binary_types = []
    app.register_middleware(http.problems_of_the_framework, "http")
    for name in entrances(config):
        module = importlib.import_module(name)
        blueprint: Blueprint = module.bp
        app.register_blueprint(blueprint)
    from chalicelib.kernel.accounts import service as accounts  # noqa: PLC0415  not before the app

    auth.use_caller_state(accounts.caller_state, accounts.staff_state)
    privacy.use_tables(tables)
    rooms.use(partial(load, config.products))
    return app


def load(products: tuple[str, ...], kind: str) -> None:
    """Load the files of one name that the products' domains hold; core's jobs are among the jobs."""
    for name in (*([_CORE] if kind == "jobs" else []), *modules(products, (kind,))):
        loading.now(importlib.import_module(name))


def subscribers(config: Config) -> list[Subscriber]:
    """Everybody who hears of an event in this deployment."""
    load(config.products, "subscribers")
    return outbox.subscribers()


def tables() -> MetaData:
    """The tables of core and of every domain, for migrations and the tests that check them."""
    for name in ("chalicelib.core.tables", *modules(ALL_PRODUCTS, ("tables",))):
        loading.now(importlib.import_module(name))
    return columns.metadata
