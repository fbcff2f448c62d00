"""What must be true of money, credits and reveals in every state the program can leave behind."""

from chalicelib.core import db
from chalicelib.kernel.billing.invariants.service import violations
from tests.support import database

# Each statement finds the rows that break a rule; billing's own are asked of billing.
RULES = {
    "a reveal by credit has the transfer that paid it, out of its buyer's wallet": """
        select r.requester_id, r.target_post_id
        from marketplace.contact_reveals r
        left join billing.credit_transfers t on t.id = r.transfer_id and t.reason = 'spend'
        left join billing.credit_accounts a
            on a.id = t.debit_account_id and a.holder_id = r.requester_id and a.kind = 'wallet'
        where r.revealed_via = 'credit' and a.id is null""",
    "a transfer pays one reveal": """
        select transfer_id from marketplace.contact_reveals
        where transfer_id is not null group by transfer_id having count(*) > 1""",
    "a credit that a reveal took shows in a reveal": """
        select t.id
        from billing.credit_transfers t
        where t.reason = 'spend' and t.key like 'reveal:%'
            and not exists (select from marketplace.contact_reveals r where r.transfer_id = t.id)""",
}


def broken() -> dict[str, list[tuple[object, ...]]]:
    """The rules that do not hold, each with the rows that break it; billing's are its own."""
    found = {rule: database.execute(sql) for rule, sql in RULES.items()}
    found |= {rule: [(one,) for one in ids] for rule, ids in db.read(violations).items()}
    return {rule: rows for rule, rows in found.items() if rows}
