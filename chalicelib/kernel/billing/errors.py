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


class GatewayExists(AppError):
    """A payment gateway of this name is there."""

    status = 409
    code = "billing.gateway_exists"
    title = "There is a payment gateway of this name; change that one"


class PriceExists(AppError):
    """A price of this code is there in the product."""

    status = 409
    code = "billing.price_exists"
    title = "There is a price of this code; change that one"


class RefundTooLarge(AppError):
    """More would be given back than was paid."""

    status = 409
    code = "billing.refund_too_large"
    title = "This is more than is left of the payment"


class RefundRefused(AppError):
    """The provider does not give this money back: it is disputed, or back already."""

    status = 409
    code = "billing.refund_refused"
    title = "The provider refused this refund"
