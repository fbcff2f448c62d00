"""Posts and reveals."""

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
            user_type text not null,
            platform text not null,
            followers integer not null,
            interests text[] not null,
            price_point text not null,
            description text not null,
            contact_info bytea,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (id),
            constraint posts_status check (status in ('active', 'archived', 'removed')),
            constraint posts_user_type check (user_type in ('influencer', 'brand')),
            constraint posts_platform check (platform in ('instagram', 'tiktok', 'youtube', 'x', 'twitch', 'blog', 'other')),
            constraint posts_price_point check (price_point in ('low', 'medium', 'high', 'luxury')),
            constraint posts_followers check (followers >= 0),
            constraint posts_contact_info check (status <> 'active' or contact_info is not null),
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
        create unique index posts_one_active on marketplace.posts (user_id) where status = 'active'
        """
    )
    op.execute(
        """
        create index posts_user_id on marketplace.posts (user_id)
        """
    )
    op.execute(
        """
        create table marketplace.contact_reveals (
            requester_id uuid not null,
            target_post_id uuid not null,
            owner_id uuid not null,
            revealed_via text not null,
            transfer_id uuid,
            contact_info bytea not null,
            revealed_at timestamptz not null,
            primary key (requester_id, target_post_id),
            constraint contact_reveals_revealed_via check (revealed_via in ('credit', 'payment', 'subscription')),
            constraint contact_reveals_not_ones_own check (requester_id <> owner_id),
            constraint contact_reveals_transfer check ((revealed_via = 'credit') = (transfer_id is not null)),
            foreign key(requester_id) references accounts.users (id) on delete restrict,
            foreign key(target_post_id) references marketplace.posts (id) on delete restrict,
            foreign key(owner_id) references accounts.users (id) on delete restrict,
            foreign key(transfer_id) references billing.credit_transfers (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index contact_reveals_owner_id on marketplace.contact_reveals (owner_id)
        """
    )
    op.execute(
        """
        create index contact_reveals_requester_id_revealed_at on marketplace.contact_reveals (requester_id, revealed_at, target_post_id)
        """
    )
    op.execute(
        """
        create index contact_reveals_target_post_id on marketplace.contact_reveals (target_post_id)
        """
    )
    op.execute(
        """
        create index contact_reveals_transfer_id on marketplace.contact_reveals (transfer_id)
        """
    )
