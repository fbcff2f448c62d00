"""Prices, checkouts, payments and the ledger."""

from alembic import op

revision = "20261120000005_billing"
down_revision = "20261120000004_notifications"


def upgrade() -> None:
    """Runs while the code of the migration before still serves."""
    op.execute(
        """
        create schema billing
        """
    )
    op.execute(
        """
        create table billing.prices (
            id uuid not null,
            product text not null,
            code text not null,
            kind text not null,
            name text not null,
            amount bigint not null,
            currency text not null,
            credit_unit text,
            credit_amount bigint,
            sort_order integer not null,
            is_active boolean not null,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (id),
            constraint prices_kind check (kind in ('fee', 'pack')),
            constraint prices_amount check (amount > 0),
            constraint prices_currency check (currency ~ '^[A-Z]{3}$'),
            constraint prices_credits check ((kind = 'pack') = (credit_unit is not null and credit_amount > 0))
        )
        """
    )
    op.execute(
        """
        create unique index prices_product_code on billing.prices (product, code)
        """
    )
    op.execute(
        """
        create table billing.checkouts (
            id uuid not null,
            product text not null,
            user_id uuid not null,
            attempt text not null,
            purpose text not null,
            currency text not null,
            amount bigint not null,
            gateway text not null,
            external_id text,
            url text,
            state text not null,
            expires_at timestamptz not null,
            paid_at timestamptz,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (id),
            constraint checkouts_state check (state in ('open', 'paid', 'expired')),
            constraint checkouts_gateway check (gateway in ('stripe')),
            constraint checkouts_amount check (amount > 0),
            constraint checkouts_paid check ((state = 'paid') = (paid_at is not null)),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create unique index checkouts_attempt on billing.checkouts (user_id, attempt)
        """
    )
    op.execute(
        """
        create unique index checkouts_external_id on billing.checkouts (gateway, external_id)
        """
    )
    op.execute(
        """
        create index checkouts_open on billing.checkouts (expires_at) where state = 'open'
        """
    )
    op.execute(
        """
        create table billing.checkout_lines (
            id uuid not null,
            checkout_id uuid not null,
            price_id uuid not null,
            description text not null,
            quantity integer not null,
            unit_amount bigint not null,
            credit_unit text,
            credit_amount bigint,
            primary key (id),
            constraint checkout_lines_amount check (quantity > 0 and unit_amount > 0),
            constraint checkout_lines_credits check ((credit_unit is null) = (credit_amount is null)),
            foreign key(checkout_id) references billing.checkouts (id) on delete cascade,
            foreign key(price_id) references billing.prices (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index checkout_lines_checkout_id on billing.checkout_lines (checkout_id)
        """
    )
    op.execute(
        """
        create index checkout_lines_price_id on billing.checkout_lines (price_id)
        """
    )
    op.execute(
        """
        create table billing.payments (
            id uuid not null,
            checkout_id uuid not null,
            user_id uuid not null,
            product text not null,
            kind text not null,
            amount bigint not null,
            currency text not null,
            gateway text not null,
            method text not null,
            state text not null,
            external_id text not null,
            paid_at timestamptz not null,
            created_at timestamptz not null,
            primary key (id),
            constraint payments_state check (state in ('succeeded', 'refunded', 'disputed')),
            constraint payments_method check (method in ('card', 'pix')),
            constraint payments_amount check (amount > 0),
            foreign key(checkout_id) references billing.checkouts (id) on delete restrict,
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create unique index payments_checkout_id on billing.payments (checkout_id)
        """
    )
    op.execute(
        """
        create unique index payments_external_id on billing.payments (gateway, external_id)
        """
    )
    op.execute(
        """
        create index payments_state on billing.payments (state)
        """
    )
    op.execute(
        """
        create index payments_user_id_paid_at on billing.payments (user_id, paid_at)
        """
    )
    op.execute(
        """
        create table billing.failed_transactions (
            id uuid not null,
            checkout_id uuid,
            gateway text not null,
            external_id text not null,
            code text not null,
            failed_at timestamptz not null,
            primary key (id),
            foreign key(checkout_id) references billing.checkouts (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index failed_transactions_checkout_id on billing.failed_transactions (checkout_id)
        """
    )
    op.execute(
        """
        create unique index failed_transactions_external_id on billing.failed_transactions (gateway, external_id)
        """
    )
    op.execute(
        """
        create table billing.credit_accounts (
            id uuid not null,
            holder_kind text not null,
            holder_id uuid,
            unit text not null,
            kind text not null,
            balance bigint not null,
            created_at timestamptz not null,
            primary key (id),
            constraint credit_accounts_kind check (kind in ('wallet', 'debt', 'issuer')),
            constraint credit_accounts_unit check (unit in ('contact')),
            constraint credit_accounts_balance check (balance >= 0),
            constraint credit_accounts_issuer check (kind <> 'issuer' or balance = 0),
            constraint credit_accounts_holder check ((kind = 'issuer') = (holder_id is null))
        )
        """
    )
    op.execute(
        """
        create unique index credit_accounts_holder on billing.credit_accounts (holder_kind, holder_id, unit, kind) nulls not distinct
        """
    )
    op.execute(
        """
        create table billing.credit_transfers (
            id uuid not null,
            unit text not null,
            debit_account_id uuid not null,
            credit_account_id uuid not null,
            amount bigint not null,
            reason text not null,
            key text not null,
            payment_id uuid,
            created_at timestamptz not null,
            primary key (id),
            constraint credit_transfers_amount check (amount > 0),
            constraint credit_transfers_two_sides check (debit_account_id <> credit_account_id),
            constraint credit_transfers_reason check (reason in ('purchase', 'spend', 'refund', 'grant')),
            foreign key(debit_account_id) references billing.credit_accounts (id) on delete restrict,
            foreign key(credit_account_id) references billing.credit_accounts (id) on delete restrict,
            foreign key(payment_id) references billing.payments (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index credit_transfers_credit on billing.credit_transfers (credit_account_id, id)
        """
    )
    op.execute(
        """
        create index credit_transfers_debit on billing.credit_transfers (debit_account_id, id)
        """
    )
    op.execute(
        """
        create unique index credit_transfers_key on billing.credit_transfers (key)
        """
    )
    op.execute(
        """
        create index credit_transfers_payment_id on billing.credit_transfers (payment_id)
        """
    )
    op.execute(
        """
        create table billing.webhook_events (
            id uuid not null,
            gateway text not null,
            event_id text not null,
            type text not null,
            payload jsonb not null,
            state text not null,
            attempts integer not null,
            next_attempt_at timestamptz,
            error text,
            processed_at timestamptz,
            created_at timestamptz not null,
            primary key (id),
            constraint webhook_events_state check (state in ('pending', 'processed', 'ignored', 'failed'))
        )
        """
    )
    op.execute(
        """
        create index webhook_events_due on billing.webhook_events (next_attempt_at) where state = 'pending'
        """
    )
    op.execute(
        """
        create unique index webhook_events_event_id on billing.webhook_events (gateway, event_id)
        """
    )
    op.execute(
        """
        create trigger credit_transfers_append_only
            before update or delete or truncate on billing.credit_transfers
            for each statement execute function core.refuse_change()
        """
    )
    op.execute(
        """
        create trigger payments_stay
            before delete or truncate on billing.payments
            for each statement execute function core.refuse_change()
        """
    )
    op.execute(
        """
        insert into billing.credit_accounts
            (id, holder_kind, holder_id, unit, kind, balance, created_at)
        values
            ('558b52ad-54b8-50ce-b736-864a82154ee7', 'kith', null, 'contact', 'issuer', 0,
             '2026-11-20T00:00:00Z')
        """
    )
