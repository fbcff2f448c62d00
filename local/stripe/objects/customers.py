"""Customers."""

import re

from local.stripe.errors import Json, invalid
from local.stripe.identifiers import new_id
from local.stripe.objects.metadata import merged
from local.stripe.operations import Operation, listing, retrieving
from local.stripe.work import Work, change, create, find

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FIELDS = ("address", "description", "email", "name", "phone", "preferred_locales", "shipping")
_IMPLEMENTED = frozenset({*_FIELDS, "metadata", "expand"})


def check_email(email: str | None, param: str) -> None:
    """Refuse what is no e-mail address."""
    if email and not _EMAIL.fullmatch(email):
        raise invalid(f"Invalid email address: {email}", param=param, code="email_invalid")


def create_customer(work: Work, _identifier: str, asked: Json) -> Json:
    """Make a customer; every field is optional."""
    check_email(asked.get("email"), "email")
    identifier = new_id("cus_", 14)
    body = {
        "id": identifier,
        "object": "customer",
        "balance": 0,
        "created": work.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "discount": None,
        "invoice_prefix": identifier[-8:].upper(),
        "livemode": False,
        "metadata": merged({}, asked.get("metadata")),
        "next_invoice_sequence": 1,
        "tax_exempt": "none",
        "test_clock": None,
        **{name: asked.get(name) or None for name in _FIELDS},
        "preferred_locales": asked.get("preferred_locales", []),
    }
    return create(work, body, "customer.created")


def existing_customer(work: Work, identifier: str, *, param: str = "customer") -> Json:
    """The customer another object refers to; a deleted one counts as missing."""
    body = find(work, "customer", identifier, param=param)
    if body.get("deleted"):
        raise invalid(f"No such customer: '{identifier}'", param=param, code="resource_missing")
    return body


def _update(work: Work, identifier: str, asked: Json) -> Json:
    body = existing_customer(work, identifier, param="id")
    check_email(asked.get("email"), "email")
    changes = {name: asked[name] or None for name in _FIELDS if name in asked}
    metadata = merged(body["metadata"], asked.get("metadata"))
    return change(work, body, "customer.updated", **changes, metadata=metadata)


def _delete(work: Work, identifier: str, _asked: Json) -> Json:
    body = existing_customer(work, identifier, param="id")
    gone = {"id": identifier, "object": "customer", "deleted": True}
    change(work, body, "customer.deleted")
    work.rows.put(gone)
    return gone


_PATH = "/v1/customers"
OPERATIONS = (
    Operation("POST", _PATH, "CustomerCreateParams", create_customer, _IMPLEMENTED),
    Operation("POST", f"{_PATH}/{{id}}", "CustomerUpdateParams", _update, _IMPLEMENTED),
    Operation("DELETE", f"{_PATH}/{{id}}", "CustomerDeleteParams", _delete),
    retrieving("customer", _PATH, "CustomerRetrieveParams"),
    listing("customer", _PATH, "CustomerListParams", ["email"]),
)
