"""The statements of the search. Whatever is asked for, none reads more than it has to.

A post's *cell* is its type, platform, price point and mark in one word. A search by those alone
needs the first few of each cell that fits, by index, and the first of these.

Every search begins by walking some thousand posts in their order. What is common fills a page
there. What doesn't is rare, and all of it is taken by index and sorted.

PostgreSQL keeps one plan for all values of a prepared statement, so there is a statement for each
set of filters, and none leaves the planner a choice that depends on a value.
"""

from functools import cache
from typing import Any, Literal

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from chalicelib.core.paging import PagedStatement
from chalicelib.products.marketplace.posts.queries import SHOWN, is_active, visible_to
from chalicelib.products.marketplace.tables import posts

Sort = Literal["newest", "most_followers"]
Filter = Literal[
    "cells", "most_cells", "followers", "most_followers", "interest", "every_interest", "text"
]
"""`most_…` is a filter that most posts pass: it is looked at, and no index asked for it."""

WALKED = 5_000
"""Of a million posts with 5,000 walked, what leaves the longest page unfilled fits about 10,000."""

_KEYS: dict[Sort, tuple[str, ...]] = {"newest": ("id",), "most_followers": ("followers", "id")}
_CALLER = bindparam("caller", type_=Uuid)
_LIMIT = bindparam("limit", type_=Integer)
_cells = bindparam("cells", type_=ARRAY(Text))
_any = bindparam("interest", type_=ARRAY(Text))
_every = bindparam("every_interest", type_=ARRAY(Text))
_words = func.plainto_tsquery(literal_column("'simple'::regconfig"), bindparam("text", type_=Text))

_BY_INDEX: dict[Filter, ColumnElement[bool]] = {
    "cells": posts.c.terms.overlap(_cells),
    "followers": posts.c.terms.overlap(bindparam("reaches", type_=ARRAY(Text))),
    "interest": posts.c.terms.overlap(_any),
    "every_interest": posts.c.terms.contains(_every),
    "text": posts.c.document.op("@@")(_words),
}
"""The filters that the one index over `terms` and `document` takes, all at once."""


def _in_range(rows: FromClause) -> ColumnElement[bool]:
    lowest, highest = (bindparam(name, type_=Integer) for name in ("lowest", "highest"))
    return and_(rows.c.followers >= lowest, rows.c.followers <= highest)


def _fits(rows: FromClause, filters: tuple[Filter, ...]) -> ColumnElement[bool]:
    """The filters as rows that were read are held against them."""
    by_row: dict[Filter, ColumnElement[bool]] = {
        "cells": rows.c.cell == any_(_cells),
        "most_cells": rows.c.cell == any_(_cells),
        "followers": _in_range(rows),
        "most_followers": _in_range(rows),
        "interest": rows.c.interests.overlap(_any),
        "every_interest": rows.c.interests.contains(_every),
        "text": rows.c.document.op("@@")(_words),
    }
    return and_(visible_to(_CALLER, rows), *(by_row[one] for one in filters))


def _after(rows: FromClause, sort: Sort) -> ColumnElement[bool]:
    """Where the page begins, by the parameters of `PagedStatement`."""
    keys = [rows.c[name] for name in _KEYS[sort]]
    after = (bindparam(f"after_{at}", type_=key.type) for at, key in enumerate(keys))
    return tuple_(*keys) < tuple_(*after)


def _sorted(
    core: Select[*tuple[Any, ...]], rows: FromClause, sort: Sort
) -> Select[*tuple[Any, ...]]:
    return core.order_by(*(rows.c[name].desc() for name in _KEYS[sort]))


def _shown(rows: FromClause) -> Select[*tuple[Any, ...]]:
    return select(*(rows.c[column.name] for column in SHOWN))


def _paged(rows: Subquery, sort: Sort) -> PagedStatement:
    return PagedStatement(_shown(rows), *(rows.c[name] for name in _KEYS[sort]))


def _each_cell() -> Any:
    return func.unnest(_cells).table_valued("cell").render_derived(name="each_cell")


@cache
def everything(sort: Sort) -> PagedStatement:
    """All posts; by followers, also of a range."""
    page = select(*SHOWN).where(visible_to(_CALLER), _after(posts, sort))
    if sort == "most_followers":
        page = page.where(_in_range(posts))
    return _paged(_sorted(page, posts, sort).limit(_LIMIT + 1).subquery("page"), sort)


@cache
def in_cells(sort: Sort) -> PagedStatement:
    """The posts of these cells; by followers, also of a range: the first few of each cell."""
    cells = _each_cell()
    of_cell = select(posts).where(
        posts.c.cell == cells.c.cell, visible_to(_CALLER), _after(posts, sort)
    )
    filters: tuple[Filter, ...] = ("most_cells",)
    if sort == "most_followers":
        of_cell, filters = of_cell.where(_in_range(posts)), ("most_cells", "most_followers")
    top = _sorted(of_cell, posts, sort).limit(_LIMIT + 1).lateral("top")
    found = select(top).select_from(cells).join(top, true())
    return _walked_or_found(found, filters, sort)


@cache
def in_range() -> PagedStatement:
    """The posts of these cells within a range of followers, newest first."""
    cells = _each_cell()
    of_cell = (
        select(posts)
        .where(is_active(), posts.c.cell == cells.c.cell, _in_range(posts))
        .offset(0)
        .lateral("of_cell")
    )
    found = select(of_cell).select_from(cells).join(of_cell, true())
    return _walked_or_found(found, ("most_cells", "followers"), "newest")


@cache
def matching(filters: tuple[Filter, ...], sort: Sort) -> PagedStatement:
    """The posts that fit these filters, text or interests among them."""
    by_index = [_BY_INDEX[one] for one in filters if one in _BY_INDEX]
    return _walked_or_found(select(posts).where(is_active(), *by_index), filters, sort)


def _walked_or_found(
    found: Select[*tuple[Any, ...]], filters: tuple[Filter, ...], sort: Sort
) -> PagedStatement:
    """The page as a walk fills it; if it doesn't, the first of all that `found` takes by index."""
    ahead = [is_active(), _after(posts, sort)]
    if sort == "most_followers" and {"followers", "most_followers"} & set(filters):
        ahead.append(_in_range(posts))
    seen = _sorted(select(posts).where(*ahead), posts, sort).limit(WALKED).subquery("seen")
    walk = _shown(seen).where(_fits(seen, filters))
    walked = _fenced(_sorted(walk, seen, sort).limit(_LIMIT + 1).cte("walked"))
    is_full = select(func.count() > _LIMIT).select_from(walked).scalar_subquery()
    # Near the end of the list the walk has seen all that is left.
    left = _sorted(select(posts.c.id).where(*ahead), posts, sort).limit(WALKED).subquery("left")
    is_all = select(func.count() < WALKED).select_from(left).scalar_subquery()
    done = select(or_(is_full, is_all).label("it")).cte("done")
    is_done = select(done.c.it).scalar_subquery()

    taken = _fenced(found.where(not_(is_done)).cte("taken"))
    fitting = _fenced(
        _shown(taken).where(_fits(taken, filters), _after(taken, sort)).cte("fitting")
    )
    rows = union_all(
        _shown(walked).where(is_done),
        _sorted(_shown(fitting), fitting, sort).limit(_LIMIT + 1).subquery("first").select(),
    )
    return _paged(rows.subquery("page"), sort)


def _fenced(rows: CTE) -> CTE:
    """Planned apart: its conditions decide on its index, not how few rows are wanted of it."""
    return rows.prefix_with("materialized")
