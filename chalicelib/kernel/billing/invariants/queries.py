"""What must be true of money and credits at every moment, as SQL that finds what breaks it.

Written as text, because whoever checks the books has to be able to read it.
"""

from sqlalchemy import Text, column, text

from chalicelib.core.statements import Statement

_MOST_SHOWN = 20

RULES = {
    "what all accounts hold is what issuers gave out": """
        select 'all' as subject
        from (select coalesce(sum(case kind when 'debt' then -balance else balance end), 0) as total
              from billing.credit_accounts where kind <> 'issuer') held,
             (select coalesce(sum(case when d.kind = 'issuer' then t.amount else 0 end)
                            - sum(case when c.kind = 'issuer' then t.amount else 0 end), 0) as total
              from billing.credit_transfers t
              join billing.credit_accounts d on d.id = t.debit_account_id
              join billing.credit_accounts c on c.id = t.credit_account_id) given
        where held.total <> given.total""",
    "a balance is the sum of its transfers": """
        select a.id::text as subject
        from billing.credit_accounts a
        left join (
            select account, sum(amount) as total
            from (select credit_account_id as account, amount from billing.credit_transfers
                  union all
                  select debit_account_id, -amount from billing.credit_transfers) sides
            group by account) moved on moved.account = a.id
        where a.kind <> 'issuer'
            and a.balance <> coalesce(case a.kind when 'debt' then -moved.total else moved.total end, 0)
        """,
    "no balance is below zero": """
        select id::text as subject from billing.credit_accounts where balance < 0""",
    "nobody has credits and a debt": """
        select w.id::text as subject
        from billing.credit_accounts w
        join billing.credit_accounts d
            on d.kind = 'debt' and d.holder_id = w.holder_id and d.unit = w.unit
        where w.kind = 'wallet' and w.balance > 0 and d.balance > 0""",
    "a transfer stays within its unit and its holder": """
        select t.id::text as subject
        from billing.credit_transfers t
        join billing.credit_accounts d on d.id = t.debit_account_id
        join billing.credit_accounts c on c.id = t.credit_account_id
        where t.unit <> d.unit or t.unit <> c.unit or d.holder_id <> c.holder_id""",
    "a transfer goes the way its reason says": """
        select t.id::text as subject
        from billing.credit_transfers t
        join billing.credit_accounts d on d.id = t.debit_account_id
        join billing.credit_accounts c on c.id = t.credit_account_id
        where d.kind || '-' || c.kind <> case t.reason
            when 'debt' then 'debt-wallet'
            when 'repayment' then 'wallet-debt'
            when 'spend' then 'wallet-issuer'
            when 'take_back' then 'wallet-issuer'
            else 'issuer-wallet' end""",
    "what is reversed is of the right kind, and no more than there was": """
        select r.id::text as subject
        from billing.credit_transfers r
        join billing.credit_transfers t on t.id = r.reverses
        where (r.reason, t.reason) not in (
                ('give_back', 'spend'), ('take_back', 'purchase'), ('restore', 'take_back'))
            or r.reason = 'give_back' and r.amount <> t.amount
            or t.amount < (select sum(x.amount) from billing.credit_transfers x
                           where x.reverses = t.id)
                        - (select coalesce(sum(y.amount), 0) from billing.credit_transfers y
                           join billing.credit_transfers x on x.id = y.reverses
                           where x.reverses = t.id and y.reason = 'restore')""",
    "a debt comes with what was taken back": """
        select d.id::text as subject
        from billing.credit_transfers d
        where d.reason = 'debt' and not exists (
            select from billing.credit_transfers t
            where t.reason = 'take_back' and d.key = t.key || ':debt'
                and d.payment_id = t.payment_id and d.amount <= t.amount)""",
    "a repayment comes with what was received": """
        select r.id::text as subject
        from billing.credit_transfers r
        where r.reason = 'repayment' and not exists (
            select from billing.credit_transfers t
            where r.key = t.key || ':repayment' and r.amount <= t.amount)""",
    "a paid checkout has one payment, of its amount, and no other has one": """
        select c.id::text as subject
        from billing.checkouts c
        left join billing.payments p on p.checkout_id = c.id
        group by c.id
        having count(p.id) <> case c.state when 'paid' then 1 else 0 end
            or bool_or((p.amount, p.currency, p.user_id, p.product, p.kind) is distinct from
                       (c.amount, c.currency, c.user_id, c.product, c.purpose)) and c.state = 'paid'
        """,
    "a checkout costs what its lines cost": """
        select c.id::text as subject
        from billing.checkouts c
        left join billing.checkout_lines l on l.checkout_id = c.id
        group by c.id
        having sum(l.quantity * l.unit_amount) is distinct from c.amount""",
    "a line with credits gave them once if it was paid, and never else": """
        select l.id::text as subject
        from billing.checkout_lines l
        join billing.checkouts c on c.id = l.checkout_id
        left join billing.credit_transfers t
            on t.key = 'checkout_line:' || l.id and t.amount = l.quantity * l.credit_amount
                and t.reason = 'purchase'
        where l.credit_unit is not null and (c.state = 'paid') <> (t.id is not null)""",
    "a purchase is of a payment": """
        select t.id::text as subject
        from billing.credit_transfers t
        where t.reason = 'purchase' and t.payment_id is null""",
    "no more is given back than was paid": """
        select p.id::text as subject
        from billing.payments p
        join billing.refunds r on r.payment_id = p.id and r.state <> 'failed'
        group by p.id
        having sum(r.amount) > p.amount""",
    "a payment's state says what went back": """
        select p.id::text as subject
        from billing.payments p
        where p.state <> case
            when exists (select from billing.disputes d
                         where d.payment_id = p.id and d.state in ('open', 'lost')) then 'disputed'
            when (select sum(r.amount) from billing.refunds r where r.payment_id = p.id
                  and r.state in ('pending', 'succeeded')) >= p.amount then 'refunded'
            when exists (select from billing.refunds r where r.payment_id = p.id
                         and r.state in ('pending', 'succeeded')) then 'partially_refunded'
            else 'succeeded' end""",
    "credits are taken back in the proportion in which the money went back": """
        select t.id::text as subject
        from billing.credit_transfers t
        join billing.payments p on p.id = t.payment_id
        where t.reason = 'purchase' and t.amount * least(p.amount,
                (select coalesce(sum(r.amount), 0) from billing.refunds r
                 where r.payment_id = p.id and r.state in ('pending', 'succeeded'))
              + (select coalesce(sum(d.amount), 0) from billing.disputes d
                 where d.payment_id = p.id and d.state in ('open', 'lost')))::bigint / p.amount
            <> (select coalesce(sum(b.amount), 0) from billing.credit_transfers b
                where b.reverses = t.id)
             - (select coalesce(sum(s.amount), 0) from billing.credit_transfers s
                join billing.credit_transfers b on b.id = s.reverses where b.reverses = t.id)""",
}


def _finding(sql: str) -> Statement[tuple[str]]:
    # SQLAlchemy would read a colon at the beginning of a literal as a parameter.
    escaped = sql.replace("':", r"'\:")
    return Statement(text(f"{escaped} limit {_MOST_SHOWN}").columns(column("subject", Text)))


FINDING = {rule: _finding(sql) for rule, sql in RULES.items()}
