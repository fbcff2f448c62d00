"""What comes in and goes out of the operations on staff roles."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from chalicelib.core.config import ALL_PRODUCTS
from chalicelib.core.operations import Role
from chalicelib.core.schemas import Schema


def _known(product: str) -> str:
    if product not in {"all", *ALL_PRODUCTS}:
        raise ValueError("a product, or all")
    return product


Product = Annotated[str, AfterValidator(_known), Field(examples=["marketplace"])]


class StaffRole(Schema):
    """A role, for one product or for `all`."""

    product: Product
    role: Role


class StaffRoleQuery(StaffRole):
    """The role to take."""


class StaffMember(Schema):
    """Somebody with a role."""

    user_id: UUID
    email: str | None
    name: str | None
    roles: list[str] = Field(description="`product:role` for each role.")
