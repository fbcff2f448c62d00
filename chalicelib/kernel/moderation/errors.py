"""What can stand against moderation."""

from chalicelib.core.errors import AppError


class CannotBlockOneself(AppError):
    """The caller named themselves."""

    status = 409
    code = "moderation.cannot_block_oneself"
    title = "You can't block yourself"


class CannotReportOneself(AppError):
    """What the caller reports is their own."""

    status = 409
    code = "moderation.cannot_report_oneself"
    title = "You can't report what is your own"


class CaseClosed(AppError):
    """The case was decided before."""

    status = 409
    code = "moderation.case_closed"
    title = "This case was decided"


class CaseAssigned(AppError):
    """Another moderator looks at the case."""

    status = 409
    code = "moderation.case_assigned"
    title = "Another moderator looks at this case"


class ConflictOfInterest(AppError):
    """Nobody decides about themselves, nor about an appeal against their own decision."""

    status = 409
    code = "moderation.conflict_of_interest"
    title = "Somebody else has to decide this"


class NotRemovable(AppError):
    """What was reported is no content that could be hidden."""

    status = 409
    code = "moderation.not_removable"
    title = "There is no content to remove here"


class NotAModerator(AppError):
    """A case goes to moderators of its product only."""

    status = 409
    code = "moderation.not_a_moderator"
    title = "This person is no moderator of the product"


class AlreadyAppealed(AppError):
    """A decision is appealed once."""

    status = 409
    code = "moderation.already_appealed"
    title = "You have appealed this decision"


class AppealClosed(AppError):
    """The appeal has its outcome."""

    status = 409
    code = "moderation.appeal_closed"
    title = "This appeal was decided"
