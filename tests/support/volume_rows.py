"""What the rows of a full database are made of, table by table; see `volume`.

Of each: which numbers make a row, and the columns that matter. What is left out gets a value of
its type, made of the number; what may be empty is.
"""

from typing import NamedTuple

FUNCTIONS = """
    create or replace function thing(i bigint) returns uuid immutable parallel safe language sql
        return ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid;
    create or replace function person(i bigint) returns uuid immutable parallel safe language sql
        return ('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid;
    create or replace function moment(i bigint) returns timestamptz stable parallel safe
        language sql return date_trunc('day', now()) - interval '360 days' + i * interval '30 seconds'
"""
EVERY = "true"
FIFTH = "i % 5 = 0"
_HALF = "case when i % 2 = 0 then person(1) else person(i) end"
"""Every other row is of HEAVY."""
_BOUGHT = "(array['posting_fee', 'contacts_10', 'contacts_50', 'single_reveal'])[1 + i % 4]"
_LATER = "now() + (1 + i % 28) * interval '1 day'"


class Rows(NamedTuple):
    """The rows of a table: for which numbers, and columns by SQL of the number `i`."""

    values: dict[str, str]
    only: str = EVERY


ROWS = {
    "accounts.users": Rows(
        {
            "id": "person(i)", "email": "'person' || i || '@volume.example'", "status": "'active'",
            "email_verified_at": "moment(i)", "password_hash": "'$argon2id$' || i",
            "locale": "'en'", "time_zone": "'UTC'",
        }
    ),
    "accounts.bans": Rows(
        {"reason": "'spam'", "lifted_at": "moment(i)", "lifted_by": "person(3)"}, "i % 50 = 0"
    ),
    "accounts.data_keys": Rows({}, FIFTH),
    "accounts.tokens": Rows(
        {"kind": "'verify_email'", "used_at": "moment(i)", "expires_at": _LATER}, FIFTH
    ),
    "accounts.sessions": Rows({"expires_at": _LATER}),
    "accounts.refresh_tokens": Rows({"session_id": "thing(i)"}, FIFTH),
    "moderation.blocks": Rows(
        {
            "blocker_id": "case when i % 2 = 0 then person(2) else person(i) end",
            "blocked_id": "case when i % 2 = 0 then person(i + 2) else person(i + 1) end",
        }
    ),
    "moderation.cases": Rows(
        {
            "product": "'marketplace'", "subject_kind": "'marketplace.post'", "reported_user_id": "person(i)",
            "state": "case when i % 100 = 3 then 'open' else 'decided' end",
            "assignee_id": "case when i % 100 <> 3 then person(100 + i % 50) end",
            "decided_at": "case when i % 100 = 3 then null else moment(i) end",
        }
    ),
    "moderation.decisions": Rows(
        {"action": "'warn'", "reason": "'spam'", "decided_by": "person(i + 1)"}, "i % 100 <> 3"
    ),
    "moderation.reports": Rows(
        {
            "product": "'marketplace'", "subject_kind": "'marketplace.post'", "reason": "'spam'",
            "reported_user_id": "person(i + 1)", "reporter_id": _HALF,
        }
    ),
    "moderation.appeals": Rows(
        {"product": "'marketplace'", "is_open": "i % 1000 = 0"}, "i % 10 = 0"
    ),
    "moderation.appeal_outcomes": Rows(
        {"outcome": "'upheld'", "decided_by": "person(i + 2)"}, "i % 10 = 0 and i % 1000 <> 0"
    ),
    "notifications.notifications": Rows(
        {
            "user_id": _HALF, "product": "'marketplace'", "kind": "'case_decided'",
            "priority": "'normal'", "read_at": "case when i % 50 < 48 then moment(i) end",
        }
    ),
    "notifications.mails": Rows({"state": "'sent'", "sent_at": "moment(i)"}, FIFTH),
    "notifications.preferences": Rows({"channel": "'mail'"}, FIFTH),
    "notifications.suppressions": Rows({"reason": "'bounce'"}, FIFTH),
    "billing.checkouts": Rows(
        {
            "product": "'marketplace'", "user_id": _HALF, "purpose": _BOUGHT,
            "currency": "'USD'", "amount": "900", "gateway": "'stripe'",
            "external_id": "'cs_volume_' || i",
            "state": "case when i % 10 = 0 then 'expired' else 'paid' end",
            "paid_at": "case when i % 10 = 0 then null else moment(i) end",
            "closed_at": "case when i % 10 = 0 then moment(i) end",
        }
    ),
    "billing.checkout_lines": Rows(
        {
            "price_id": "'019a9e00-0000-7000-8000-000000000002'::uuid", "quantity": "1",
            "unit_amount": "900", "credit_unit": "'contact'", "credit_amount": "10",
        },
        FIFTH,
    ),
    "billing.payments": Rows(
        {
            "user_id": _HALF, "product": "'marketplace'", "kind": _BOUGHT, "amount": "900",
            "currency": "'USD'", "gateway": "'stripe'", "method": "'card'",
            "external_id": "'pi_volume_' || i", "paid_at": "moment(i)",
            "state": "case when i % 50 = 7 then 'refunded' when i % 50 = 11 then 'disputed'"
            " else 'succeeded' end",
        },
        "i % 10 <> 0",
    ),
    "billing.refunds": Rows(
        {"amount": "900", "state": "'succeeded'", "external_id": "'re_volume_' || i"},
        "i % 50 = 7",
    ),
    "billing.disputes": Rows(
        {"amount": "900", "external_id": "'dp_volume_' || i",
         "state": "case when i % 5000 = 11 then 'open' else 'lost' end"}, "i % 50 = 11"
    ),
    "billing.failed_transactions": Rows(
        {"checkout_id": "thing(i)", "gateway": "'stripe'", "external_id": "'pi_failed_' || i"},
        FIFTH,
    ),
    "billing.credit_accounts": Rows(
        {
            "id": "case when i = 1 then :wallet else thing(i) end", "holder_kind": "'user'",
            "holder_id": "person(i)", "unit": "'contact'", "kind": "'wallet'",
            "balance": "1000000",
        }
    ),
    # A quarter of them HEAVY spent, a quarter their payers; the others bought.
    "billing.credit_transfers": Rows(
        {
            "unit": "'contact'", "amount": "1", "key": "'volume:' || i",
            "reason": "case when i % 2 = 0 then 'spend' else 'purchase' end",
            "debit_account_id": "case when i % 4 = 0 then :wallet when i % 2 = 0 then thing(i)"
            " else :issuer end",
            "credit_account_id": "case when i % 2 = 0 then :issuer else thing(i + 2) end",
            "payment_id": "case when i % 2 = 0 then null else thing(i) end",
        }
    ),
    "billing.webhook_events": Rows(
        {
            "gateway": "'stripe'", "event_id": "'evt_volume_' || i",
            "type": "(array['checkout.session.completed', 'checkout.session.expired',"
            " 'charge.refunded', 'payment_intent.payment_failed', 'invoice.paid'])[1 + i % 5]",
            "state": "case when i % 7 = 0 then 'ignored' when i % 10007 = 5 then 'failed'"
            " else 'processed' end",
            "payload": "jsonb_build_object('data', jsonb_build_object('object',"
            " jsonb_build_object('id', 'cs_volume_' || i)))",
            "processed_at": "moment(i)", "scrubbed_at": "moment(i)",
        }
    ),
    # Common and rare of everything: a platform of ten posts, a word of thirty, an interest of twenty.
    "marketplace.posts": Rows(
        {
            "status": "'active'",
            "user_type": "case when i % 10 < 7 then 'influencer' else 'brand' end",
            "platform": "case when i % 100000 = 7 then 'twitch' else (array['instagram', 'tiktok',"
            " 'youtube', 'x', 'blog', 'other'])[1 + i * 7 % 11 % 6] end",
            "followers": "(power(10, 2 + 5 * (i::bigint * 7919 % 1000003) / 1000003.0))::int",
            "interests": "case when i % 50021 = 3 then array['falconry', 'travel']"
            " when i % 3 = 0 then array['fashion', 'travel']"
            " when i % 3 = 1 then array['fashion', 'food'] else array['music', 'i' || i % 1000] end",
            "price_point": "(array['low', 'medium', 'high', 'luxury'])[1 + i * 13 % 17 % 4]",
            "description": "case when i % 30011 = 5 then 'unicorn street' else 'street style' end",
            "contact_info": "'\\x00'::bytea", "verified": "i % 200 = 9",
        }
    ),
    # Half of them HEAVY saw; a quarter are of the first post, which is HEAVY's own.
    "marketplace.contact_reveals": Rows(
        {
            "requester_id": _HALF,
            "target_post_id": "case when i % 4 = 1 then thing(1) else thing(i + i % 2) end",
            "owner_id": "case when i % 4 = 1 then person(1) else person(i + i % 2) end",
            "revealed_via": "'credit'", "transfer_id": "thing(i)", "revealed_at": "moment(i)",
        },
        "i > 1",
    ),
    "marketplace.allowances": Rows(
        {"kind": "'reveal'", "used": "1", "period": "current_date - (i % 20)::int"}, FIFTH
    ),
    "marketplace.domain_verifications": Rows(
        {
            "domain": "'d' || i || '.example'", "status": "'verified'", "method": "'dns'",
            "verified_at": "moment(i)", "next_check_at": _LATER,
        },
        FIFTH,
    ),
    "core.outbox": Rows({"topic": "'billing.paid'", "done_at": "now() - interval '1 day'"}),
    "core.deliveries": Rows(
        {"event_id": "thing(i)", "delivered_at": "now() - interval '1 day'"}, FIFTH
    ),
    "core.idempotency_keys": Rows(
        {"owner": "person(i)::text", "state": "'done'", "status": "201", "expires_at": _LATER}, FIFTH
    ),
    "core.rate_limits": Rows({"window_ends_at": _LATER, "hits": "1"}, FIFTH),
    "core.job_runs": Rows(
        {
            "job": "(array['core_relay', 'billing_checkouts_expire', 'billing_refunds_finish',"
            " 'billing_webhooks_process_due'])[1 + i % 4]",
            "state": "case when i % 100000 = 5 then 'failed' else 'done' end",
            "slot": "moment(i)", "finished_at": "moment(i)",
        }
    ),
    "core.audit_log": Rows(
        {"actor_id": "person(i % 100)", "action": "'accounts.ban'", "at": "moment(i)",
         "subject": "'accounts.users:' || person(i)"}
    ),
}  # fmt: skip
