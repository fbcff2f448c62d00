"""Prices: an amount in minor units of a currency, once or at each interval."""

import re
from decimal import Decimal

from local.stripe.errors import Json, invalid, not_implemented
from local.stripe.identifiers import new_id
from local.stripe.objects.metadata import merged
from local.stripe.objects.products import create_product
from local.stripe.operations import PAGING, Condition, Operation, page, retrieving
from local.stripe.parameters import missing
from local.stripe.work import Work, change, create, find

_MOST = 99_999_999
_CURRENCY = re.compile(r"[a-z]{3}")


def check_currency(currency: str, param: str) -> str:
    """The currency in Stripe's lower case, or a 400."""
    lowered = currency.lower()
    if not _CURRENCY.fullmatch(lowered):
        raise invalid(f"Invalid currency: {currency}.", param=param)
    return lowered


def unit_amount(asked: Json, param: str) -> int:
    """The amount of one unit, in minor units, from `unit_amount` or `unit_amount_decimal`."""
    inside = (lambda name: f"{param}[{name}]") if param else str
    decimal: Decimal | None = asked.get("unit_amount_decimal")
    if decimal is not None and decimal != int(decimal):
        raise not_implemented("fractions of a minor unit", param=inside("unit_amount_decimal"))
    amount = asked.get("unit_amount", None if decimal is None else int(decimal))
    if amount is None:
        raise missing(inside("unit_amount"))
    if amount < 0:
        raise invalid(
            "This value must be greater than or equal to 0.",
            param=inside("unit_amount"),
            code="parameter_invalid_integer",
        )
    if amount > _MOST:
        raise invalid(
            "Amount must be no more than 99999999",
            param=inside("unit_amount"),
            code="amount_too_large",
        )
    return int(amount)


def create_price(work: Work, _identifier: str, asked: Json) -> Json:
    """Make a price, of a product that is there or of one made from `product_data`."""
    body = {
        "id": new_id("price_1"),
        "object": "price",
        "active": asked.get("active", True),
        "billing_scheme": "per_unit",
        "created": work.now,
        "currency": check_currency(asked["currency"], "currency"),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": _free_lookup_key(work, asked),
        "metadata": merged({}, asked.get("metadata")),
        "nickname": asked.get("nickname"),
        "product": _product(work, asked),
        "recurring": _recurring(asked.get("recurring")),
        "tax_behavior": asked.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if "recurring" in asked else "one_time",
        "unit_amount": (amount := unit_amount(asked, "")),
        "unit_amount_decimal": str(amount),
    }
    return create(work, body, "price.created")


def inline_price(work: Work, asked: Json, param: str) -> Json:
    """The price a line item describes in place. It belongs to the line alone, and is inactive."""
    product = asked.get("product")
    if (product is None) == ("product_data" not in asked):
        raise invalid(
            f"You must specify one of `product` or `product_data` in `{param}`.", param=param
        )
    unit_amount(asked, param)
    check_currency(asked["currency"], f"{param}[currency]")
    given = {name: value for name, value in asked.items() if name != "product_data"}
    if product is None:
        given["product"] = create_product(work, "", asked["product_data"])["id"]
    else:
        find(work, "product", product, param=f"{param}[product]")
    return create_price(work, "", {**given, "active": False})


def _product(work: Work, asked: Json) -> str:
    if ("product" in asked) == ("product_data" in asked):
        raise invalid(
            "You must pass exactly one of `product` or `product_data` to create a price.",
            param="product",
        )
    if "product" in asked:
        return str(find(work, "product", asked["product"], param="product")["id"])
    return str(create_product(work, "", asked["product_data"])["id"])


def _recurring(asked: Json | None) -> Json | None:
    if asked is None:
        return None
    if "meter" in asked or asked.get("usage_type", "licensed") != "licensed":
        raise not_implemented("metered prices", param="recurring")
    return {
        "interval": asked["interval"],
        "interval_count": asked.get("interval_count", 1),
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _free_lookup_key(work: Work, asked: Json) -> str | None:
    """The lookup key, which one active price may have; `transfer_lookup_key` takes it over."""
    key: str | None = asked.get("lookup_key")
    where = "kind = 'price' and json_extract(body, '$.lookup_key') = ?"
    for holder in work.rows.select(where, [key], limit=1) if key else []:
        if not asked.get("transfer_lookup_key"):
            raise invalid(
                f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key"
            )
        change(work, holder, "price.updated", lookup_key=None)
    return key


def _update(work: Work, identifier: str, asked: Json) -> Json:
    body = find(work, "price", identifier)
    changes: Json = {
        name: asked[name] if asked[name] != "" else None
        for name in ("active", "nickname", "tax_behavior")
        if name in asked
    }
    if asked.get("lookup_key") not in {None, body["lookup_key"]}:
        changes["lookup_key"] = _free_lookup_key(work, asked) or None
    metadata = merged(body["metadata"], asked.get("metadata"))
    return change(work, body, "price.updated", **changes, metadata=metadata)


def _list(work: Work, _identifier: str, asked: Json) -> Json:
    conditions: list[Condition] = [
        (f"json_extract(body, '$.{name}') = ?", [asked[name]])
        for name in ("active", "currency", "product", "type")
        if name in asked
    ]
    keys = asked.get("lookup_keys", [])
    if keys:
        marks = ", ".join("?" * len(keys))
        conditions.append((f"json_extract(body, '$.lookup_key') in ({marks})", list(keys)))
    return page(work, "price", _PATH, asked, conditions)


_PATH = "/v1/prices"
_CHANGEABLE = frozenset(
    {
        "active",
        "lookup_key",
        "metadata",
        "nickname",
        "tax_behavior",
        "transfer_lookup_key",
        "expand",
    }
)
_CREATED_WITH = _CHANGEABLE | {
    "currency",
    "product",
    "product_data",
    "recurring",
    "unit_amount",
    "unit_amount_decimal",
}
OPERATIONS = (
    Operation("POST", _PATH, "PriceCreateParams", create_price, _CREATED_WITH),
    Operation("POST", f"{_PATH}/{{id}}", "PriceUpdateParams", _update, _CHANGEABLE),
    retrieving("price", _PATH, "PriceRetrieveParams", param="price"),
    Operation(
        "GET",
        _PATH,
        "PriceListParams",
        _list,
        PAGING | {"active", "currency", "lookup_keys", "product", "type"},
    ),
)
