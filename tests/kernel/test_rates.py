"""How often who may call what: a rate that somebody drops or loosens stands out here."""

from chalice.app import Chalice

from chalicelib.core.operations import Rate, registered

_AN_ADDRESS = Rate(30, 300)
_ANYBODY = Rate(60, 60)

RATES = {
    "accounts_email_changes_request": {Rate(10, 3600, "caller"), Rate(3, 3600, "body.email")},
    "accounts_erasure_erase": {Rate(10, 300, "caller")},
    "accounts_erasure_export": {Rate(10, 3600, "caller")},
    "accounts_passwords_change": {Rate(10, 300, "caller")},
    "accounts_passwords_request_reset": {_AN_ADDRESS, Rate(3, 3600, "body.email")},
    "accounts_passwords_reset": {_AN_ADDRESS},
    "accounts_refresh": {_AN_ADDRESS},
    "accounts_request_verification": {_AN_ADDRESS, Rate(3, 3600, "body.email")},
    "accounts_sign_in": {_AN_ADDRESS, Rate(10, 300, "body.email")},
    "accounts_sign_up": {_AN_ADDRESS, Rate(10, 300, "body.email")},
    "accounts_verify_email": {_AN_ADDRESS},
    "billing_checkouts_prices": {_ANYBODY},
    "billing_webhooks_stripe": {Rate(6000, 60)},
    "marketplace_domains_begin": {Rate(20, 86400, "caller")},
    "marketplace_domains_request_check": {Rate(20, 3600, "caller")},
    "moderation_appeals_appeal_by_token": {Rate(10, 300)},
    "moderation_reports_report": {Rate(10, 60), Rate(60, 3600)},
    "notifications_preferences_unsubscribe": {_ANYBODY},
}


def test_rates_are_as_they_were_decided(app: Chalice) -> None:
    found = {
        name: set(operation.rates)
        for name, operation in registered.items()
        if operation.rates and operation.function.__module__.startswith("chalicelib.")
    }
    assert found == RATES
