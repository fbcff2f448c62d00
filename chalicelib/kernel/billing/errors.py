"""What can stand against buying."""

from chalicelib.core.errors import AppError


class PriceNotFound(AppError):
    """Nothing of this code is for sale in the product."""

    status = 404
    code = "billing.price_not_found"
    title = "This is not for sale"


class InsufficientCredits(AppError):
    """The balance is smaller than what it costs; nothing was taken."""

    status = 409
    code = "billing.insufficient_credits"
    title = "There are not enough credits; buy a pack first"


class WebhookRefused(AppError):
    """A webhook that is not signed by the provider for us, now, in this mode."""

    status = 400
    code = "billing.webhook_refused"
    title = "This was not sent by the provider"
