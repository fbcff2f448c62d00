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
        create table billing.payment_gateways (
            id uuid not null,
            name text not null,
            kind text not null,
            public_key text,
            secret bytea not null,
            webhook_secret bytea not null,
            is_active boolean not null,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (id),
            constraint payment_gateways_kind check (kind in ('stripe'))
        )
        """
    )
    op.execute(
        """
        create unique index payment_gateways_name on billing.payment_gateways (name)
        """
    )
    op.execute(
        """
        create unique index payment_gateways_one_active on billing.payment_gateways (kind) where is_active
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
            takes_subject boolean not null,
            sort_order integer not null,
            is_active boolean not null,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (id),
            constraint prices_kind check (kind in ('fee', 'pack')),
            constraint prices_amount check (amount > 0),
            constraint prices_currency check (currency ~ '^[A-Z]{3}$'),
            constraint prices_credits check (case kind when 'pack' then credit_unit is not null and credit_amount is not null else credit_unit is null and credit_amount is null end),
            constraint prices_credit_amount check (credit_amount > 0),
            constraint prices_credit_unit check (credit_unit in ('contact')),
            constraint prices_subject check (kind = 'fee' or not takes_subject)
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
            subject_id uuid,
            currency text not null,
            amount bigint not null,
            gateway text not null,
            gateway_id uuid,
            external_id text,
            url text,
            state text not null,
            expires_at timestamptz not null,
            paid_at timestamptz,
            closed_at timestamptz,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (id),
            constraint checkouts_state check (state in ('open', 'paid', 'expired')),
            constraint checkouts_gateway check (gateway in ('stripe')),
            constraint checkouts_amount check (amount > 0),
            constraint checkouts_paid check ((state = 'paid') = (paid_at is not null)),
            foreign key(user_id) references accounts.users (id) on delete restrict,
            foreign key(gateway_id) references billing.payment_gateways (id) on delete restrict
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
        create index checkouts_gateway_id on billing.checkouts (gateway_id)
        """
    )
    op.execute(
        """
        create index checkouts_open on billing.checkouts (expires_at) where state = 'open'
        """
    )
    op.execute(
        """
        create index checkouts_product on billing.checkouts (product, created_at, id)
        """
    )
    op.execute(
        """
        create index checkouts_to_close on billing.checkouts (expires_at) where state = 'expired' and closed_at is null
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
            constraint payments_state check (state in ('succeeded', 'partially_refunded', 'refunded', 'disputed')),
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
        create index payments_product on billing.payments (product, paid_at, id)
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
        create table billing.refunds (
            id uuid not null,
            payment_id uuid not null,
            amount bigint not null,
            reason text not null,
            state text not null,
            actor_id uuid,
            attempt text,
            external_id text,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (id),
            constraint refunds_state check (state in ('ordered', 'pending', 'succeeded', 'failed')),
            constraint refunds_amount check (amount > 0),
            constraint refunds_at_provider check (state not in ('pending', 'succeeded') or external_id is not null),
            foreign key(payment_id) references billing.payments (id) on delete restrict,
            foreign key(actor_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create unique index refunds_attempt on billing.refunds (actor_id, attempt)
        """
    )
    op.execute(
        """
        create unique index refunds_external_id on billing.refunds (external_id)
        """
    )
    op.execute(
        """
        create index refunds_ordered on billing.refunds (created_at) where state = 'ordered'
        """
    )
    op.execute(
        """
        create index refunds_payment_id on billing.refunds (payment_id)
        """
    )
    op.execute(
        """
        create table billing.disputes (
            id uuid not null,
            payment_id uuid not null,
            amount bigint not null,
            reason text not null,
            state text not null,
            external_id text not null,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (id),
            constraint disputes_state check (state in ('inquiry', 'open', 'won', 'lost')),
            constraint disputes_amount check (amount > 0),
            foreign key(payment_id) references billing.payments (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create unique index disputes_external_id on billing.disputes (external_id)
        """
    )
    op.execute(
        """
        create index disputes_payment_id on billing.disputes (payment_id)
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
        create unique index credit_accounts_holder on billing.credit_accounts (holder_id, holder_kind, unit, kind) nulls not distinct
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
            reverses uuid,
            actor_id uuid,
            created_at timestamptz not null,
            primary key (id),
            constraint credit_transfers_amount check (amount > 0),
            constraint credit_transfers_two_sides check (debit_account_id <> credit_account_id),
            constraint credit_transfers_reason check (reason in ('purchase', 'grant', 'spend', 'give_back', 'take_back', 'restore', 'debt', 'repayment')),
            constraint credit_transfers_reverses check ((reason in ('give_back', 'take_back', 'restore')) = (reverses is not null)),
            foreign key(debit_account_id) references billing.credit_accounts (id) on delete restrict,
            foreign key(credit_account_id) references billing.credit_accounts (id) on delete restrict,
            foreign key(payment_id) references billing.payments (id) on delete restrict,
            foreign key(reverses) references billing.credit_transfers (id) on delete restrict,
            foreign key(actor_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index credit_transfers_actor_id on billing.credit_transfers (actor_id)
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
        create unique index credit_transfers_given_back_once on billing.credit_transfers (reverses) where reason = 'give_back'
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
        create index credit_transfers_reverses on billing.credit_transfers (reverses)
        """
    )
    op.execute(
        """
        create table billing.webhook_events (
            id uuid not null,
            gateway text not null,
            gateway_id uuid,
            event_id text not null,
            type text not null,
            payload jsonb not null,
            state text not null,
            attempts integer not null,
            next_attempt_at timestamptz,
            error text,
            processed_at timestamptz,
            scrubbed_at timestamptz,
            created_at timestamptz not null,
            primary key (id),
            constraint webhook_events_state check (state in ('pending', 'processed', 'ignored', 'failed')),
            foreign key(gateway_id) references billing.payment_gateways (id) on delete restrict
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
        create index webhook_events_gateway_id on billing.webhook_events (gateway_id)
        """
    )
    op.execute(
        """
        create index webhook_events_state on billing.webhook_events (state, id)
        """
    )
    op.execute(
        """
        create index webhook_events_to_scrub on billing.webhook_events (created_at) where scrubbed_at is null
        """
    )
    op.execute(
        """
        create table billing.reconciliations (
            account text not null,
            resource text not null,
            since timestamptz not null,
            until timestamptz not null,
            cursor text,
            updated_at timestamptz not null,
            primary key (account, resource),
            constraint reconciliations_window check (since < until)
        )
        """
    )
    op.execute(
        """
        create function billing.refuse_overrefund() returns trigger language plpgsql as $$
        begin
            -- Whoever refunds the same payment waits here, and then counts what the other added.
            perform 1 from billing.payments where id = new.payment_id for update;
            if (select sum(amount) from billing.refunds
                where payment_id = new.payment_id and state <> 'failed')
                > (select amount from billing.payments where id = new.payment_id) then
                raise exception 'more would be given back than was paid'
                    using errcode = 'check_violation', constraint = 'refunds_within_payment';
            end if;
            return null;
        end
        $$;
        create constraint trigger refunds_within_payment
            after insert or update of amount, state, payment_id on billing.refunds
            for each row execute function billing.refuse_overrefund()
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
