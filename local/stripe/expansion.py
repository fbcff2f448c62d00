"""`expand[]`: an id in an answer is replaced by the object it stands for."""

from local.stripe.errors import Json, StripeError, invalid
from local.stripe.operations import items_list
from local.stripe.work import Work

_DEEPEST = 4
_KINDS = {
    "charge": "charge",
    "customer": "customer",
    "default_price": "price",
    "latest_charge": "charge",
    "payment_intent": "payment_intent",
    "product": "product",
}


def expand(work: Work, answer: Json, paths: list[str]) -> Json:
    """The answer with every path replaced; `data.payment_intent` reaches into a list.

    Raises:
        StripeError: for a field that can't be expanded, or a path deeper than four levels.
    """
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEEPEST:
            message = (
                f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path}"
            )
            raise invalid(message, param="expand")
        _expand(work, answer, steps, path)
    return answer


def _expand(work: Work, body: Json, steps: list[str], path: str) -> None:
    step, rest = steps[0], steps[1:]
    if body.get("object") == "list" and step == "data":
        for item in body["data"]:
            _expand(work, item, rest, path)
        return
    value = _included(work, body, step)
    if value is None:
        if step not in body and not body.get("deleted"):
            raise _refusal(path)
        value = body.get(step)
    if isinstance(value, str):
        if step not in _KINDS:
            raise _refusal(path)
        value = work.rows.find(_KINDS[step], value)
    elif not (value is None or isinstance(value, dict)):
        raise _refusal(path)
    body[step] = value
    if rest and isinstance(value, dict):
        _expand(work, value, rest, path)


def _included(work: Work, body: Json, step: str) -> Json | None:
    """A list that is part of an object but only shown when asked for, unless it is shown already."""
    if isinstance(body.get(step), dict):
        return None
    identifier = body.get("id", "")
    if body.get("object") == "checkout.session" and step == "line_items":
        items = work.rows.private(identifier)["line_items"]
        return items_list(f"/v1/checkout/sessions/{identifier}/line_items", items)
    if body.get("object") == "charge" and step == "refunds":
        where = "kind = 'refund' and json_extract(body, '$.charge') = ?"
        refunds = work.rows.select(where, [identifier], limit=100)
        return items_list(f"/v1/charges/{identifier}/refunds", refunds)
    return None


def _refusal(path: str) -> StripeError:
    return invalid(f"This property cannot be expanded ({path}).", param="expand")
