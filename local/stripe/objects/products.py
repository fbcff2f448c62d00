"""Products: what is sold. Prices say for how much."""

from local.stripe.errors import Json, invalid
from local.stripe.identifiers import new_id
from local.stripe.objects.metadata import merged
from local.stripe.operations import Operation, listing, retrieving
from local.stripe.work import Work, change, create, find

_FIELDS = ("description", "shippable", "statement_descriptor", "tax_code", "unit_label", "url")
_LISTS = ("images", "marketing_features")
_IMPLEMENTED = frozenset({"active", "name", "metadata", "expand", *_FIELDS, *_LISTS})


def create_product(work: Work, _identifier: str, asked: Json) -> Json:
    """Make a product, under an id of the caller's if one is given."""
    identifier = asked.get("id") or new_id("prod_", 14)
    if work.rows.find("product", identifier):
        raise invalid("Product already exists.", param="id", code="resource_already_exists")
    body = {
        "id": identifier,
        "object": "product",
        "active": asked.get("active", True),
        "created": work.now,
        "default_price": None,
        "livemode": False,
        "metadata": merged({}, asked.get("metadata")),
        "name": asked["name"],
        "package_dimensions": None,
        "type": "service",
        "updated": work.now,
        **{name: asked.get(name) for name in _FIELDS},
        **{name: asked.get(name, []) for name in _LISTS},
    }
    return create(work, body, "product.created")


def _update(work: Work, identifier: str, asked: Json) -> Json:
    body = find(work, "product", identifier)
    changes: Json = {name: asked[name] for name in ("active", "name") if name in asked}
    changes |= {name: asked[name] or None for name in _FIELDS if name in asked}
    changes |= {name: asked[name] or [] for name in _LISTS if name in asked}
    if "default_price" in asked:
        changes["default_price"] = find(
            work, "price", asked["default_price"], param="default_price"
        )["id"]
    metadata = merged(body["metadata"], asked.get("metadata"))
    return change(work, body, "product.updated", **changes, metadata=metadata, updated=work.now)


def _delete(work: Work, identifier: str, _asked: Json) -> Json:
    body = find(work, "product", identifier)
    if work.rows.select(
        "kind = 'price' and json_extract(body, '$.product') = ?", [identifier], limit=1
    ):
        raise invalid(
            "This product cannot be deleted because it has one or more user-created prices.",
            param="id",
        )
    gone = {"id": identifier, "object": "product", "deleted": True}
    change(work, body, "product.deleted")
    work.rows.put(gone)
    return gone


_PATH = "/v1/products"
OPERATIONS = (
    Operation("POST", _PATH, "ProductCreateParams", create_product, _IMPLEMENTED | {"id"}),
    Operation(
        "POST", f"{_PATH}/{{id}}", "ProductUpdateParams", _update, _IMPLEMENTED | {"default_price"}
    ),
    Operation("DELETE", f"{_PATH}/{{id}}", "ProductDeleteParams", _delete),
    retrieving("product", _PATH, "ProductRetrieveParams"),
    listing("product", _PATH, "ProductListParams", ["active"]),
)
