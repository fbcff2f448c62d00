"""What can stand against posting and revealing."""

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
