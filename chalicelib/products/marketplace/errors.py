"""What can stand against posting, revealing, claiming back and showing a domain."""

from chalicelib.core.errors import AppError


class PostingFeeNotPaid(AppError):
    """No posting fee was paid within a year."""

    status = 409
    code = "marketplace.posting_fee_not_paid"
    title = "Pay the posting fee first; it opens a year of posting"


class ActivePostExists(AppError):
    """One person has one active post at a time."""

    status = 409
    code = "marketplace.active_post_exists"
    title = "You have an active post; archive it first"


class OwnPost(AppError):
    """The caller wrote the post."""

    status = 409
    code = "marketplace.own_post"
    title = "This is your own post"


class RevealsUsedUp(AppError):
    """As many contacts as a day allows were revealed; `retry_after` ends with the caller's day."""

    status = 429
    code = "marketplace.reveals_used_up"
    title = "You have revealed as many contacts as a day allows"


class ClaimedBack(AppError):
    """The contact was claimed back: its price was returned, and it is not shown again."""

    status = 409
    code = "marketplace.claimed_back"
    title = "You claimed this contact back"


class PaymentReturned(AppError):
    """The contact was paid for directly, and the payment was refunded or disputed."""

    status = 409
    code = "marketplace.payment_returned"
    title = "The payment for this contact was returned"


class TooLateToClaim(AppError):
    """The days in which a contact may be claimed back have passed."""

    status = 409
    code = "marketplace.too_late_to_claim"
    title = "This contact was revealed too long ago to be claimed back"


class ClaimsUsedUp(AppError):
    """As many contacts as a month allows were claimed back; `retry_after` ends with the month."""

    status = 429
    code = "marketplace.claims_used_up"
    title = "You have claimed back as many contacts as a month allows"
