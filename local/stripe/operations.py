"""What an operation of the API is, and the two every kind of object has: retrieve and list."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from local.stripe.errors import Json, invalid, resource_missing
from local.stripe.work import Work, find

Run = Callable[[Work, str, Json], Json]
Condition = tuple[str, list[object]]

_MOST_LISTED = 100
_DEFAULT_LISTED = 10
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
PAGING = frozenset({"limit", "starting_after", "ending_before", "created", "expand"})


@dataclass(frozen=True)
class Operation:
    """One operation: `POST /v1/customers/{id}`.

    `parameters` names its type below stripe.params. `implements` are the parameters that the fake
    honours; the others are refused by name, so that nobody counts on what isn't there. `run` takes
    the work, the id from the address (or "") and the checked parameters.
    """

    method: str
    path: str
    parameters: str
    run: Run
    implements: frozenset[str] = field(default=frozenset())

    @property
    def updates(self) -> bool:
        """Whether it changes an object that is there: an empty text then unsets a field."""
        return self.method == "POST" and self.path.endswith("{id}")


def retrieving(kind: str, path: str, parameters: str, *, param: str = "id") -> Operation:
    """`GET path/{id}`. `param` is what Stripe calls the id in its error."""

    def retrieve(work: Work, identifier: str, _parameters: Json) -> Json:
        """The object as it is now; 404 without one."""
        body = work.rows.find(kind, identifier)
        if body is None:
            raise resource_missing(kind, identifier, param=param)
        return body

    return Operation("GET", f"{path}/{{id}}", parameters, retrieve, frozenset({"expand"}))


def listing(kind: str, path: str, parameters: str, filters: Iterable[str] = ()) -> Operation:
    """`GET path`, newest first; each filter is a field that must equal the parameter of its name."""

    def list_page(work: Work, _identifier: str, asked: Json) -> Json:
        """One page."""
        conditions: list[Condition] = [("json_extract(body, '$.deleted') is null", [])]
        conditions += [
            (f"json_extract(body, '$.{name}') = ?", [asked[name]])
            for name in filters
            if name in asked
        ]
        return page(work, kind, path, asked, conditions)

    return Operation("GET", path, parameters, list_page, PAGING | frozenset(filters))


def page(work: Work, kind: str, url: str, asked: Json, conditions: list[Condition]) -> Json:
    """One page of the objects of a kind that meet all conditions, as Stripe's list object.

    Raises:
        StripeError: for a limit outside 1 to 100, or a cursor that is no object of this kind.
    """
    limit = _limit(asked)
    where: list[Condition] = [("kind = ?", [kind]), *conditions, *_created(asked)]
    backwards = "ending_before" in asked
    cursor = "ending_before" if backwards else "starting_after"
    if cursor in asked:
        find(work, kind, asked[cursor], param=cursor)
        at = "(select sequence from objects where id = ?)"
        where.append((f"sequence {'>' if backwards else '<'} {at}", [asked[cursor]]))
    found = work.rows.select(
        " and ".join(condition for condition, _ in where),
        [value for _, values in where for value in values],
        order=f"sequence {'asc' if backwards else 'desc'}",
        limit=limit + 1,
    )
    shown = found[:limit]
    return {
        "object": "list",
        "url": url,
        "has_more": len(found) > limit,
        "data": shown[::-1] if backwards else shown,
    }


def _limit(asked: Json) -> int:
    limit: int = asked.get("limit", _DEFAULT_LISTED)
    if not 1 <= limit <= _MOST_LISTED:
        bound = (
            "greater than or equal to 1" if limit < 1 else f"less than or equal to {_MOST_LISTED}"
        )
        raise invalid(
            f"This value must be {bound}.", param="limit", code="parameter_invalid_integer"
        )
    return limit


def _created(asked: Json) -> list[Condition]:
    """The condition on `created`: a second, or bounds."""
    wanted = asked.get("created", {})
    if isinstance(wanted, int):
        return [("json_extract(body, '$.created') = ?", [wanted])]
    return [
        (f"json_extract(body, '$.created') {_COMPARISONS[name]} ?", [value])
        for name, value in wanted.items()
    ]


def items_list(url: str, items: list[Json]) -> Json:
    """A short list that is part of another object, whole."""
    return {"object": "list", "url": url, "has_more": False, "data": items}
