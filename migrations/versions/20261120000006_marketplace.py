"""Posts and what a search goes by, reveals and their limits, domains."""

from alembic import op

revision = "20261120000006_marketplace"
down_revision = "20261120000005_billing"


def upgrade() -> None:
    """Runs while the code of the migration before still serves."""
    op.execute(
        """
        create schema marketplace
        """
    )
    op.execute(
        """
        create table marketplace.posts (
            id uuid not null,
            user_id uuid not null,
            status text not null,
            removed_by text,
            user_type text not null,
            platform text not null,
            followers integer not null,
            interests text[] not null,
            price_point text not null,
            description text not null,
            contact_info bytea,
            verified boolean not null,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            cell text generated always as (user_type || '/' || platform || '/' || price_point || case when verified then '/verified' else '' end) stored not null,
            terms text[] generated always as (interests || array[user_type || '/' || platform || '/' || price_point || case when verified then '/verified' else '' end, '#' || length(ltrim((followers)::bit(32)::text, '0')) || '.' || substr(ltrim((followers)::bit(32)::text, '0'), 2, 5)]) stored not null,
            document tsvector generated always as (to_tsvector('simple'::regconfig, description) || array_to_tsvector(interests)) stored not null,
            primary key (id),
            constraint posts_status check (status in ('active', 'archived', 'removed')),
            constraint posts_removed_by check (case when status = 'removed' then removed_by in ('author', 'staff', 'moderation') else removed_by is null end),
            constraint posts_user_type check (user_type in ('influencer', 'brand')),
            constraint posts_platform check (platform in ('instagram', 'tiktok', 'youtube', 'x', 'twitch', 'blog', 'other')),
            constraint posts_price_point check (price_point in ('low', 'medium', 'high', 'luxury')),
            constraint posts_followers check (followers >= 0),
            constraint posts_contact_info check (status <> 'active' or contact_info is not null),
            constraint posts_verified check (not verified or user_type = 'brand'),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index posts_active on marketplace.posts (id) where status = 'active'
        """
    )
    op.execute(
        """
        create index posts_cell on marketplace.posts (cell, id) where status = 'active'
        """
    )
    op.execute(
        """
        create index posts_cell_most_followed on marketplace.posts (cell, followers, id) where status = 'active'
        """
    )
    op.execute(
        """
        create index posts_matching on marketplace.posts using gin (terms, document) with (fastupdate = off) where status = 'active'
        """
    )
    op.execute(
        """
        create index posts_most_followed on marketplace.posts (followers, id) where status = 'active'
        """
    )
    op.execute(
        """
        create unique index posts_one_active on marketplace.posts (user_id) where status = 'active'
        """
    )
    op.execute(
        """
        create index posts_status_id on marketplace.posts (status, id)
        """
    )
    op.execute(
        """
        create index posts_user_id on marketplace.posts (user_id, id)
        """
    )
    op.execute(
        """
        create table marketplace.contact_reveals (
            requester_id uuid not null,
            target_post_id uuid not null,
            id uuid not null,
            owner_id uuid not null,
            revealed_via text not null,
            transfer_id uuid,
            payment_id uuid,
            contact_info bytea not null,
            revealed_at timestamptz not null,
            claimed_back_at timestamptz,
            withdrawn_at timestamptz,
            primary key (requester_id, target_post_id),
            constraint contact_reveals_revealed_via check (revealed_via in ('credit', 'payment', 'subscription')),
            constraint contact_reveals_not_ones_own check (requester_id <> owner_id),
            constraint contact_reveals_transfer check ((revealed_via = 'credit') = (transfer_id is not null)),
            constraint contact_reveals_payment check ((revealed_via = 'payment') = (payment_id is not null)),
            foreign key(requester_id) references accounts.users (id) on delete restrict,
            foreign key(target_post_id) references marketplace.posts (id) on delete restrict,
            foreign key(owner_id) references accounts.users (id) on delete restrict,
            foreign key(transfer_id) references billing.credit_transfers (id) on delete restrict,
            foreign key(payment_id) references billing.payments (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index contact_reveals_owner_id on marketplace.contact_reveals (owner_id, revealed_at)
        """
    )
    op.execute(
        """
        create unique index contact_reveals_payment_id on marketplace.contact_reveals (payment_id)
        """
    )
    op.execute(
        """
        create index contact_reveals_requester_id_revealed_at on marketplace.contact_reveals (requester_id, revealed_at, target_post_id)
        """
    )
    op.execute(
        """
        create unique index contact_reveals_target_post_id on marketplace.contact_reveals (target_post_id, id)
        """
    )
    op.execute(
        """
        create unique index contact_reveals_transfer_id on marketplace.contact_reveals (transfer_id)
        """
    )
    op.execute(
        """
        create table marketplace.allowances (
            user_id uuid not null,
            kind text not null,
            period date not null,
            used integer not null,
            primary key (user_id, kind, period),
            constraint allowances_kind check (kind in ('reveal', 'stale_claim')),
            constraint allowances_used check (used > 0),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index allowances_period on marketplace.allowances (period)
        """
    )
    op.execute(
        """
        create table marketplace.domain_verifications (
            id uuid not null,
            user_id uuid not null,
            domain text not null,
            verification_code text not null,
            status text not null,
            method text,
            failures integer not null,
            verified_at timestamptz,
            checked_at timestamptz,
            next_check_at timestamptz,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (id),
            constraint domain_verifications_status check (status in ('pending', 'verified', 'failed', 'lapsed')),
            constraint domain_verifications_method check (method in ('dns', 'well_known')),
            constraint domain_verifications_failures check (failures >= 0),
            constraint domain_verifications_verified check (status not in ('verified', 'lapsed') or (verified_at is not null and method is not null)),
            constraint domain_verifications_next_check check ((status = 'verified') = (next_check_at is not null)),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index domain_verifications_due on marketplace.domain_verifications (next_check_at) where status = 'verified'
        """
    )
    op.execute(
        """
        create index domain_verifications_user_id on marketplace.domain_verifications (user_id, id)
        """
    )
    op.execute(
        """
        create unique index domain_verifications_user_id_domain on marketplace.domain_verifications (user_id, domain)
        """
    )
