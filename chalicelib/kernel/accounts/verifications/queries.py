"""The statements that make an address its account's."""

from sqlalchemy import CTE, Text, bindparam, case, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.dialects.postgresql import insert as upsert

from chalicelib.core.statements import statement
from chalicelib.kernel.accounts.queries import NOW, take_token
from chalicelib.kernel.accounts.tables import staff_roles, tokens, users


def verifying(verified: CTE) -> CTE:
    """Part of a statement that verifies an address: whose is the first admin's gets the role."""
    an_admin = staff_roles.alias("an_admin")
    there_is_one = (
        select(literal(1)).where(an_admin.c.product == "all", an_admin.c.role == "admin").exists()
    )
    return (
        upsert(staff_roles)
        .from_select(
            ["user_id", "product", "role", "created_at"],
            select(verified.c.id, literal("all"), literal("admin"), NOW).where(
                verified.c.email == bindparam("admin_email", type_=CITEXT), ~there_is_one
            ),
        )
        .on_conflict_do_nothing()
        .returning(staff_roles.c.user_id)
        .cte("first_admin")
    )


PASSWORD_BEHIND = statement(
    select(users.c.password_hash)
    .join(tokens, tokens.c.user_id == users.c.id)
    .where(
        users.c.status == "active",
        tokens.c.token_hash == bindparam("token_hash", type_=Text),
        or_(tokens.c.kind == "verify_email", tokens.c.kind == "change_email"),
        tokens.c.used_at.is_(None),
        tokens.c.expires_at > NOW,
    )
)
# A token that came to a new address makes it the account's; one that came to the account's own
# address only verifies it.
_used = take_token("verify_email", "change_email")
_verified = (
    update(users)
    .where(
        users.c.id == _used.c.user_id,
        users.c.status == "active",
        users.c.password_hash == bindparam("checked_hash", type_=Text),
    )
    .values(
        email=func.coalesce(_used.c.email, users.c.email),
        email_verified_at=case(
            (_used.c.kind == "change_email", NOW),
            else_=func.coalesce(users.c.email_verified_at, NOW),
        ),
        updated_at=NOW,
    )
    .returning(users.c.id, users.c.email, _used.c.kind)
    .cte("verified")
)
VERIFY_EMAIL = statement(select(_verified.c.id, _verified.c.kind).add_cte(verifying(_verified)))
