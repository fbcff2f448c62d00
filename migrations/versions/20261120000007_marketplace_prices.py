"""What the marketplace sells to begin with; operators change it afterwards."""

from alembic import op

revision = "20261120000007_marketplace_prices"
down_revision = "20261120000006_marketplace"


def upgrade() -> None:
    """Runs while the code of the migration before still serves."""
    op.execute(
        """
        insert into billing.prices
            (id, product, code, kind, name, amount, currency, credit_unit, credit_amount,
             takes_subject, sort_order, is_active, created_at, updated_at)
        values
            ('019a9e00-0000-7000-8000-000000000001', 'marketplace', 'posting_fee', 'fee', 'Posting fee, one year', 2900, 'USD', null, null, false, 1, true,
             '2026-11-20T00:00:00Z', '2026-11-20T00:00:00Z'),
            ('019a9e00-0000-7000-8000-000000000002', 'marketplace', 'contacts_10', 'pack', '10 contacts', 900, 'USD', 'contact', 10, false, 2, true,
             '2026-11-20T00:00:00Z', '2026-11-20T00:00:00Z'),
            ('019a9e00-0000-7000-8000-000000000003', 'marketplace', 'contacts_50', 'pack', '50 contacts', 3900, 'USD', 'contact', 50, false, 3, true,
             '2026-11-20T00:00:00Z', '2026-11-20T00:00:00Z'),
            ('019a9e00-0000-7000-8000-000000000004', 'marketplace', 'contacts_200', 'pack', '200 contacts', 12900, 'USD', 'contact', 200, false, 4, true,
             '2026-11-20T00:00:00Z', '2026-11-20T00:00:00Z'),
            ('019a9e00-0000-7000-8000-000000000005', 'marketplace', 'single_reveal', 'fee', 'One contact', 150, 'USD', null, null, true, 5, true,
             '2026-11-20T00:00:00Z', '2026-11-20T00:00:00Z')
        """
    )
