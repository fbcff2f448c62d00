"""Every statement on how far the provider's lists were compared."""

from sqlalchemy import Text, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core.statements import command, statement
from chalicelib.kernel.billing.webhooks.tables import reconciliations

PLACE = statement(
    select(reconciliations.c.since, reconciliations.c.until, reconciliations.c.cursor).where(
        reconciliations.c.account == bindparam("account", type_=Text),
        reconciliations.c.resource == bindparam("resource", type_=Text),
    )
)
_new = insert(reconciliations)
KEEP = command(
    _new.on_conflict_do_update(
        index_elements=[reconciliations.c.account, reconciliations.c.resource],
        set_={
            "since": _new.excluded.since,
            "until": _new.excluded.until,
            "cursor": _new.excluded.cursor,
            "updated_at": _new.excluded.updated_at,
        },
    )
)
