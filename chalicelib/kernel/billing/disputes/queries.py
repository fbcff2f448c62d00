"""Every statement on disputes."""

from sqlalchemy import DateTime, Text, Uuid, bindparam, insert, select, update

from chalicelib.core.statements import command, statement
from chalicelib.kernel.billing.refunds.tables import disputes

ADD = command(insert(disputes))
KNOWN = statement(
    select(disputes.c.id, disputes.c.state).where(
        disputes.c.payment_id == bindparam("payment_id", type_=Uuid),
        disputes.c.external_id == bindparam("told_id", type_=Text),
    )
)
ADVANCE = command(
    update(disputes)
    .where(disputes.c.id == bindparam("dispute_id", type_=Uuid))
    .values(
        state=bindparam("new_state", type_=Text),
        updated_at=bindparam("now", type_=DateTime(timezone=True)),
    )
)
