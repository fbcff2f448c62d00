"""What can be wrong with a request, as exceptions that know their HTTP status and code."""

from typing import ClassVar, NamedTuple


class FieldProblem(NamedTuple):
    """One thing wrong with one field of the input.

    `field` is a dotted path that starts with where the value came from: `body.email`,
    `query.limit`, `path.post_id`, `header.Idempotency-Key`.
    """

    field: str
    code: str
    detail: str


class AppError(Exception):
    """An answer other than success; services raise subclasses and know nothing of HTTP.

    `status` and `code` belong to the class, `detail` is a sentence for a person, `problems`
    name fields, `retry_after` is in whole seconds.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "The request can't be understood"
    known: ClassVar[dict[str, type["AppError"]]] = {}

    def __init_subclass__(cls) -> None:
        """Keep the list of codes, each of which one class owns."""
        taken = AppError.known.setdefault(cls.code, cls)
        if taken.__qualname__ != cls.__qualname__ or taken.__module__ != cls.__module__:
            raise TypeError(f"error code {cls.code} belongs to {taken.__qualname__}")

    def __init__(
        self,
        detail: str | None = None,
        *,
        problems: tuple[FieldProblem, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.problems = problems
        self.retry_after = retry_after


class ValidationFailed(AppError):
    """Input of the wrong shape; `problems` name each field."""

    status = 400
    code = "validation_failed"
    title = "Some fields are not as they should be"


class MalformedBody(AppError):
    """The body is no JSON as RFC 8259 has it: bad bytes, repeated keys, NaN, too deep."""

    status = 400
    code = "malformed_body"
    title = "The body is not valid JSON"


class IdempotencyKeyRequired(AppError):
    """Money or credits move, so the client must name the attempt."""

    status = 400
    code = "idempotency_key_required"
    title = "This operation needs an Idempotency-Key header"


class NotSignedIn(AppError):
    """No token, a bad or expired one, or one whose session has ended."""

    status = 401
    code = "not_signed_in"
    title = "Sign in first"


class NotAllowed(AppError):
    """Signed in, but without the staff role."""

    status = 403
    code = "not_allowed"
    title = "You don't have the role this needs"


class NotVerified(AppError):
    """Signed in, but the e-mail address is not verified yet."""

    status = 403
    code = "not_verified"
    title = "Verify your e-mail address first"


class NotFound(AppError):
    """What does not exist, or what the caller may not see: the two look alike."""

    status = 404
    code = "not_found"
    title = "There is nothing here"


class MethodNotAllowed(AppError):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    title = "This path doesn't take that method"


class Conflict(AppError):
    """The state of things, or somebody at the same moment, stands against it."""

    status = 409
    code = "conflict"
    title = "Something else changed this at the same moment; try again"


class BodyTooLarge(AppError):
    """The body passes the operation's limit."""

    status = 413
    code = "body_too_large"
    title = "The body is too large"


class UnsupportedMediaType(AppError):
    """The body is not `application/json`."""

    status = 415
    code = "unsupported_media_type"
    title = "Send application/json"


class IdempotencyKeyReused(AppError):
    """The key was used before with another request."""

    status = 422
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"


class TooManyRequests(AppError):
    """A rate limit; `retry_after` says when the window ends."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests; slow down"


class Unavailable(AppError):
    """The database or a provider can't be reached or has no room; nothing was changed."""

    status = 503
    code = "unavailable"
    title = "Try again in a moment"

    def __init__(self, detail: str | None = None, *, retry_after: int = 1) -> None:
        super().__init__(detail, retry_after=retry_after)


class InternalError(AppError):
    """A bug of ours; the answer holds the request's id and nothing else."""

    status = 500
    code = "internal_error"
    title = "Something went wrong on our side"
