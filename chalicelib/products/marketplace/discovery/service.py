"""Searching posts: which statement serves which filters, and what they mean to the index."""

from itertools import product
from typing import Any, get_args

from chalicelib.core import paging
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.paging import Page, PagedStatement
from chalicelib.core.statements import Json
from chalicelib.products.marketplace.discovery import queries
from chalicelib.products.marketplace.discovery.queries import Filter
from chalicelib.products.marketplace.schemas import (
    Platform,
    Post,
    PostQuery,
    PricePoint,
    UserType,
)

HIGHEST = 2_147_483_647
_BITS_KEPT = 6
_FEW_CELLS = 24
_FEW_REACHES = 64
"""Past these a filter is passed by so many that asking an index would cost more than it spares."""


def search(unit: Connection, caller: Caller, query: PostQuery) -> Json[Page[Post]]:
    """The posts that fit and that the caller may see."""
    paged, given = chosen(query)
    return paging.page(unit, paged, query, caller=caller.id, **given)


def chosen(query: PostQuery) -> tuple[PagedStatement, dict[str, Any]]:
    """The statement that serves a query, and its parameters."""
    asked = _asked(query)
    given = {name: value for parameters in asked.values() for name, value in parameters.items()}
    if {"interest", "every_interest", "text"} & asked.keys():
        return queries.matching(tuple(asked), query.sort), given
    if query.sort == "most_followers":
        given = _between(query) | given
        given.pop("reaches", None)
        by_cell = {"cells", "most_cells"} & asked.keys()
        return (queries.in_cells if by_cell else queries.everything)("most_followers"), given
    if {"followers", "most_followers"} & asked.keys():
        return queries.in_range(), {"cells": cells_of(query)} | _between(query)
    return (queries.in_cells if asked else queries.everything)("newest"), given


def _asked(query: PostQuery) -> dict[Filter, dict[str, Any]]:
    """The filters with their parameters, always in this order, so that a set has one statement."""
    asked: dict[Filter, dict[str, Any]] = {}
    if query.user_type or query.platform or query.price_point or query.verified:
        cells = cells_of(query)
        asked["cells" if len(cells) <= _FEW_CELLS else "most_cells"] = {"cells": cells}
    if query.min_followers is not None or query.max_followers is not None:
        between = _between(query)
        touched = reaches(**between)
        if len(touched) <= _FEW_REACHES:
            asked["followers"] = between | {"reaches": touched}
        else:
            asked["most_followers"] = between
    if query.interest:
        asked["interest"] = {"interest": query.interest}
    if query.every_interest:
        asked["every_interest"] = {"every_interest": query.every_interest}
    if query.text is not None:
        asked["text"] = {"text": query.text}
    return asked


def _between(query: PostQuery) -> dict[str, Any]:
    highest = HIGHEST if query.max_followers is None else query.max_followers
    return {"lowest": query.min_followers or 0, "highest": highest}


def cells_of(query: PostQuery) -> list[str]:
    """The cells that fit: `brand/youtube/high/verified`. Only brands are marked."""
    user_types = (query.user_type,) if query.user_type else get_args(UserType)
    platforms = (query.platform,) if query.platform else get_args(Platform)
    price_points = (query.price_point,) if query.price_point else get_args(PricePoint)
    plain = ["/".join(parts) for parts in product(user_types, platforms, price_points)]
    marked = [f"{cell}/verified" for cell in plain if cell.startswith("brand/")]
    return marked if query.verified else plain + marked


def reaches(lowest: int, highest: int) -> list[str]:
    """The parts of octaves that a range of followers touches: `#14.01110`."""
    found = []
    at = lowest
    while at <= highest:
        found.append(f"#{at.bit_length()}.{f'{at:b}'[1:_BITS_KEPT]}" if at else "#0.")
        width = max(0, at.bit_length() - _BITS_KEPT)
        at = ((at >> width) + 1) << width
    return found
