"""What is mutated, and the tests that have to notice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    """Files that keep one promise; each with the tests that cover it, files or folders."""

    name: str
    files: dict[str, tuple[str, ...]]


_ACCOUNTS = "tests/kernel/accounts"
_BILLING = "tests/kernel/billing"
_POSTS = "tests/products/marketplace"
_SCHEMA = ("tests/architecture/test_schema.py", "tests/architecture/test_migrations.py")
_DECLARED = (
    "tests/architecture/test_operations.py",
    "tests/core/test_openapi.py",
    "tests/kernel/test_rates.py",
)

_REFUNDING = f"{_BILLING}/refunds/test_refunding.py"
_SPENDING = f"{_BILLING}/ledger/test_spending.py"
_LEDGER = (
    f"{_BILLING}/ledger/test_balance.py",
    f"{_BILLING}/ledger/test_moves.py",
    f"{_BILLING}/ledger/test_reversing.py",
    f"{_BILLING}/ledger/test_rules.py",
    _REFUNDING,
    f"{_BILLING}/test_forgotten_keys.py",
    f"{_SPENDING}::test_of_200_tries_over_16_connections_at_10_credits_10_succeed",
    f"{_SPENDING}::test_who_is_in_debt_does_not_spend_until_it_is_repaid",
)
_WEBHOOKS = (
    f"{_BILLING}/gateways",
    f"{_REFUNDING}::test_what_we_did_not_sell_is_parked_without_effect",
    f"{_BILLING}/webhooks/test_bounds.py",
    f"{_BILLING}/webhooks/test_inbox.py",
    f"{_BILLING}/webhooks/test_kinds.py",
    f"{_BILLING}/webhooks/test_retries.py",
    f"{_BILLING}/webhooks/test_signature.py",
    f"{_BILLING}/webhooks/test_staff.py",
    f"{_BILLING}/reconciliation",
    f"{_BILLING}/refunds/test_second_payments.py",
)
_ENDPOINTS = (
    "tests/core/test_access.py",
    "tests/core/test_http.py",
    "tests/core/test_declaring.py",
    "tests/core/test_request_log.py",
    "tests/core/test_idempotency.py",
    "tests/core/test_binding.py",
    "tests/core/test_limits.py",
    "tests/core/test_idempotency_races.py",
    "tests/architecture/test_handlers.py",
    f"{_ACCOUNTS}/test_session_list.py",
    f"{_BILLING}/webhooks/test_bounds.py",
)
_VISIBLE = (
    f"{_POSTS}/posts",
    f"{_POSTS}/test_domains.py",
    f"{_POSTS}/test_post_changes.py",
    f"{_POSTS}/test_removed_posts.py",
    "tests/kernel/moderation/test_blocks_hold.py",
)
_REVEALED = (
    f"{_POSTS}/reveals",
    f"{_POSTS}/test_direct_reveals.py",
    f"{_POSTS}/test_reveal_limits.py",
    f"{_POSTS}/test_stale_claims.py",
)

AREAS = (
    Area(
        "ledger",
        {
            "chalicelib/kernel/billing/ledger/queries.py": _LEDGER,
            "chalicelib/kernel/billing/ledger/routes.py": (f"{_BILLING}/ledger", *_DECLARED),
            "chalicelib/kernel/billing/ledger/service.py": _LEDGER,
            "chalicelib/kernel/billing/ledger/tables.py": _SCHEMA,
        },
    ),
    Area(
        "webhooks",
        {
            "chalicelib/core/signatures.py": ("tests/core/test_signatures.py",),
            "chalicelib/kernel/billing/webhooks/gateway.py": _WEBHOOKS,
            "chalicelib/kernel/billing/webhooks/jobs.py": _WEBHOOKS,
            "chalicelib/kernel/billing/webhooks/queries.py": _WEBHOOKS,
            "chalicelib/kernel/billing/webhooks/routes.py": (*_WEBHOOKS, *_DECLARED),
            "chalicelib/kernel/billing/webhooks/schemas.py": (*_WEBHOOKS, *_DECLARED),
            "chalicelib/kernel/billing/webhooks/service.py": _WEBHOOKS,
            "chalicelib/kernel/billing/webhooks/subscribers.py": _WEBHOOKS,
            "chalicelib/kernel/billing/webhooks/tables.py": _SCHEMA,
            "chalicelib/kernel/billing/webhooks/workers.py": _WEBHOOKS,
        },
    ),
    Area(
        "idempotency",
        {
            "chalicelib/core/idempotency.py": (
                "tests/core/test_idempotency.py",
                "tests/core/test_idempotency_races.py",
            ),
        },
    ),
    Area("money", {"chalicelib/core/money.py": ("tests/core/test_money.py",)}),
    Area(
        "tokens",
        {
            "chalicelib/core/auth.py": ("tests/core/test_auth.py", "tests/core/test_access.py"),
            "chalicelib/core/ids.py": ("tests/core/test_ids.py",),
            "chalicelib/core/passwords.py": (
                "tests/core/test_passwords.py",
                f"{_ACCOUNTS}/test_old_hashes.py",
                f"{_ACCOUNTS}/test_sign_up.py",
            ),
            "chalicelib/kernel/accounts/passwords/queries.py": (_ACCOUNTS,),
            "chalicelib/kernel/accounts/passwords/routes.py": (_ACCOUNTS, *_DECLARED),
            "chalicelib/kernel/accounts/passwords/service.py": (_ACCOUNTS,),
            "chalicelib/kernel/accounts/queries.py": (
                _ACCOUNTS,
                "tests/kernel/moderation/test_cases.py",
                "tests/kernel/notifications",
                f"{_POSTS}/test_reveal_limits.py",
            ),
            "chalicelib/kernel/accounts/routes.py": (_ACCOUNTS, *_DECLARED),
            "chalicelib/kernel/accounts/service.py": (
                _ACCOUNTS,
                "tests/kernel/moderation/test_cases.py",
                "tests/kernel/notifications/test_mails.py",
                f"{_POSTS}/test_importing.py",
            ),
            "chalicelib/kernel/accounts/sessions/queries.py": (_ACCOUNTS,),
            "chalicelib/kernel/accounts/sessions/routes.py": (_ACCOUNTS, *_DECLARED),
            "chalicelib/kernel/accounts/sessions/service.py": (_ACCOUNTS,),
            "chalicelib/kernel/accounts/tables.py": _SCHEMA,
            "chalicelib/kernel/accounts/verifications/queries.py": (_ACCOUNTS,),
        },
    ),
    Area(
        "access",
        {
            "chalicelib/core/http.py": _ENDPOINTS,
            "chalicelib/core/operations.py": (*_ENDPOINTS, *_DECLARED),
            "chalicelib/kernel/moderation/queries.py": (
                "tests/kernel/moderation",
                f"{_POSTS}/posts/test_looking.py",
            ),
            "chalicelib/kernel/moderation/service.py": (
                "tests/kernel/moderation",
                f"{_POSTS}/test_removed_posts.py",
            ),
            "chalicelib/products/marketplace/discovery/queries.py": (
                f"{_POSTS}/test_discovery.py",
                f"{_POSTS}/posts/test_search.py",
            ),
            "chalicelib/products/marketplace/posts/queries.py": _VISIBLE,
            "chalicelib/products/marketplace/reveals/queries.py": _REVEALED,
        },
    ),
)
