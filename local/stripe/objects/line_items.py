"""The lines of a Checkout Session: a price, saved or described in place, and how many."""

from local.stripe.errors import Json, invalid, not_implemented
from local.stripe.identifiers import new_id
from local.stripe.objects.prices import inline_price
from local.stripe.parameters import missing
from local.stripe.work import Work, find

_MOST = 100
_IMPLEMENTED = {"price", "price_data", "quantity"}


def create_line_items(work: Work, asked: Json) -> list[Json]:
    """The lines a session was asked for, all in one currency and each paid once.

    Raises:
        StripeError: 400 naming the line, `line_items[0]…`.
    """
    wanted = asked.get("line_items")
    if not wanted:
        raise missing("line_items")
    if len(wanted) > _MOST:
        raise invalid(f"You may have up to {_MOST} line items.", param="line_items")
    items = [_line_item(work, line, f"line_items[{n}]") for n, line in enumerate(wanted)]
    if len({item["currency"] for item in items}) > 1:
        raise invalid(
            "You cannot combine currencies on a single Checkout Session. All line items must have"
            " the same currency.",
            param="line_items",
        )
    return items


def _line_item(work: Work, line: Json, param: str) -> Json:
    for name in line:
        if name not in _IMPLEMENTED:
            raise not_implemented(f"`{param}[{name}]`", param=f"{param}[{name}]")
    price = _price(work, line, param)
    if "quantity" not in line:
        raise invalid(f"Quantity is required. Add `quantity` to `{param}`", param=param)
    quantity = line["quantity"]
    if quantity < 1:
        raise invalid(
            "This value must be greater than or equal to 1.",
            param=f"{param}[quantity]",
            code="parameter_invalid_integer",
        )
    amount = price["unit_amount"] * quantity
    product = find(work, "product", price["product"])
    return {
        "id": new_id("li_1"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product.get("name"),
        "metadata": {},
        "price": price,
        "quantity": quantity,
    }


def _price(work: Work, line: Json, param: str) -> Json:
    if ("price" in line) == ("price_data" in line):
        raise invalid(f"You must specify one of `price` or `price_data` in `{param}`.", param=param)
    if "price_data" in line:
        price = inline_price(work, line["price_data"], f"{param}[price_data]")
    else:
        price = find(work, "price", line["price"], param=f"{param}[price]")
        if not price["active"]:
            raise invalid(
                f"The price specified is inactive. This field only accepts active prices: {price['id']}",
                param=f"{param}[price]",
            )
    if price["type"] == "recurring":
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to"
            " `subscription` mode or use only one-time prices.",
            param=param,
        )
    return price
