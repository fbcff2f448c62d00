"""What a Lambda is called: after its domain and its function, whichever way in it is."""

from collections.abc import Callable
from typing import Any


def domain_of(module: str) -> str:
    """The domain, with its noun, that a module belongs to: `marketplace_posts`; `core` for core's."""
    return "_".join(module.removeprefix("chalicelib.").split(".")[1:-1]) or "core"


def name_of(function: Callable[..., Any]) -> str:
    """The name of the Lambda that a function is."""
    return f"{domain_of(function.__module__)}_{function.__name__}"


def take_the_place_of(function: Callable[..., Any], handler: Callable[..., Any]) -> None:
    """Have `handler` pass for `function`: Lambda finds it in its module, by its name."""
    for what in ("__name__", "__module__", "__qualname__", "__doc__"):
        setattr(handler, what, getattr(function, what))
