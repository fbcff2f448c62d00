"""Request parameters, checked against the types that stripe-python itself publishes.

stripe-python describes every request as a TypedDict. Those are walked here instead of being given
to a validation library for two reasons: their enums are open (`Literal["payment", "setup"] | str`,
so that old clients meet new values) while Stripe refuses unknown values, and an error must name
its parameter as Stripe does, `line_items[0][price_data][currency]`. Everything on the wire is text,
a list or a mapping, so the shape of a value alone decides which member of a union is meant.
"""

import importlib
import re
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Literal, NoReturn, Union

from local.stripe.errors import Json, StripeError, invalid
from local.stripe.forms import Tree

Raw = str | Tree

_INTEGER = re.compile(r"-?\d{1,18}")
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,12})?")
_UNIONS = (Union, types.UnionType)


def check(tree: Tree, name: str, *, empty_unsets: bool) -> Json:
    """Turn decoded form fields into typed parameters.

    `name` is the type within stripe.params, such as `checkout.SessionCreateParams`. With
    `empty_unsets` (updates) an empty text stands for null where Stripe would unset the field.

    Raises:
        StripeError: 400 in Stripe's words; `param` names the first parameter that is wrong.
    """
    checked: Json = _check_typed_dict(tree, _parameter_type(name), "", empty_unsets=empty_unsets)
    return checked


def api_version() -> str:
    """The version of Stripe's API that the installed stripe-python speaks."""
    version: str = importlib.import_module("stripe").api_version
    return version


@cache
def _parameter_type(name: str) -> Any:
    """The TypedDict `name` below stripe.params. Importing stripe takes 0.2 s: at first use only."""
    module, _, class_name = f"stripe.params.{name}".rpartition(".")
    return getattr(importlib.import_module(module), class_name)


@cache
def _fields(typed_dict: Any) -> dict[str, Any]:
    """Name and type of each parameter, without the client's own options such as `api_key`."""
    options = importlib.import_module("stripe._request_options").RequestOptions.__annotations__
    names = {"StripeContext": str, "Mapping": Mapping}
    hints = typing.get_type_hints(typed_dict, localns=names)
    return {name: hint for name, hint in hints.items() if name not in options}


def _check(value: Raw, kind: Any, path: str, *, empty_unsets: bool) -> Any:
    """Check one value against one type; `path` is its name in bracket form."""
    origin = typing.get_origin(kind)
    if origin in _UNIONS:
        return _check_union(value, typing.get_args(kind), path, empty_unsets=empty_unsets)
    if origin is Literal:
        return _check_choice(value, typing.get_args(kind), path)
    if origin is list:
        (item,) = typing.get_args(kind)
        return _check_list(value, item, path, empty_unsets=empty_unsets)
    if origin is dict:
        return _check_mapping(value, typing.get_args(kind)[1], path)
    if hasattr(kind, "__required_keys__"):
        return _check_typed_dict(value, kind, path, empty_unsets=empty_unsets)
    return _check_scalar(value, kind, path, empty_unsets=empty_unsets)


def _check_union(value: Raw, members: tuple[Any, ...], path: str, *, empty_unsets: bool) -> Any:
    """Pick the member by the value's shape; a text is first looked for among the choices."""
    choices = [choice for m in members for choice in typing.get_args(m) if _is(m, Literal)]
    if isinstance(value, str):
        if value in choices:
            return value
        closed = any(choice != "" for choice in choices)
        scalars = [
            m for m in members if m in {int, bool, float, Decimal} or (m is str and not closed)
        ]
        error: StripeError | None = None
        for scalar in scalars:
            try:
                return _check_scalar(value, scalar, path, empty_unsets=empty_unsets)
            except StripeError as mismatch:
                error = mismatch
        if error is not None:
            raise error
        if closed:
            _refuse_choice(choices, path)
    structured = [m for m in members if _is(m, list, dict) or hasattr(m, "__required_keys__")]
    if not structured:
        raise invalid(f"Invalid string: {value}", param=path)
    return _check(value, structured[0], path, empty_unsets=empty_unsets)


def _is(kind: Any, *origins: Any) -> bool:
    return typing.get_origin(kind) in origins


def _check_choice(value: Raw, choices: tuple[Any, ...], path: str) -> Any:
    by_wire_form = {str(c).lower() if isinstance(c, bool) else c: c for c in choices}
    if not isinstance(value, str) or value not in by_wire_form:
        _refuse_choice(list(choices), path)
    return by_wire_form[value]


def _refuse_choice(choices: list[Any], path: str) -> NoReturn:
    """Say which values the parameter takes, in Stripe's words."""
    *others, last = [str(choice) for choice in choices if choice != ""]
    names = f"{', '.join(others)}{',' if len(others) > 1 else ''} or {last}" if others else last
    raise invalid(f"Invalid {path}: must be one of {names}", param=path)


def _check_list(value: Raw, item: Any, path: str, *, empty_unsets: bool) -> list[Any]:
    if isinstance(value, str) or not all(index.isdecimal() for index in value):
        raise invalid("Invalid array", param=path)
    return [
        _check(value[index], item, f"{path}[{position}]", empty_unsets=empty_unsets)
        for position, index in enumerate(sorted(value, key=int))
    ]


def _check_mapping(value: Raw, item: Any, path: str) -> Json:
    """Check a free mapping such as `metadata`, where an empty text always means: unset this key."""
    if isinstance(value, str):
        raise invalid("Invalid object", param=path)
    return {
        key: _check(inner, item, f"{path}[{key}]", empty_unsets=True)
        for key, inner in value.items()
    }


def _check_typed_dict(value: Raw, typed_dict: Any, path: str, *, empty_unsets: bool) -> Json:
    if isinstance(value, str):
        raise invalid("Invalid object", param=path)
    fields = _fields(typed_dict)
    place = {name: f"{path}[{name}]" if path else name for name in (*value, *fields)}
    unknown = [place[name] for name in value if name not in fields]
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        raise invalid(
            f"Received unknown parameter{plural}: {', '.join(unknown)}",
            param=unknown[0],
            code="parameter_unknown",
        )
    for name in fields:
        if name in typed_dict.__required_keys__ and name not in value:
            raise missing(place[name])
    return {
        name: _check(inner, fields[name], place[name], empty_unsets=empty_unsets)
        for name, inner in value.items()
    }


def missing(path: str) -> StripeError:
    """A required parameter was left out."""
    return invalid(f"Missing required param: {path}.", param=path, code="parameter_missing")


def _check_scalar(value: Raw, kind: Any, path: str, *, empty_unsets: bool) -> Any:
    if not isinstance(value, str):
        raise invalid(f"Invalid {_NAMES.get(kind, 'string')}", param=path)
    if value == "":
        if empty_unsets and kind is str:
            return value
        raise invalid(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{path}' cannot be unset. You should remove '{path}' from "
            "your request or supply a non-empty value.",
            param=path,
            code="parameter_invalid_empty",
        )
    if kind is int and _INTEGER.fullmatch(value):
        return int(value)
    if kind is bool and value in {"true", "false"}:
        return value == "true"
    if kind is Decimal and _DECIMAL.fullmatch(value):
        return Decimal(value)
    if kind is float and _DECIMAL.fullmatch(value):
        return float(value)
    if kind in _NAMES:
        code = "parameter_invalid_integer" if kind is int else None
        raise invalid(f"Invalid {_NAMES[kind]}: {value}", param=path, code=code)
    return value


_NAMES: dict[Any, str] = {int: "integer", bool: "boolean", Decimal: "decimal", float: "decimal"}
