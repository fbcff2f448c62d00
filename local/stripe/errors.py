"""The errors Stripe answers, in Stripe's JSON shape, so that stripe-python raises its own classes."""

from typing import Any

Json = dict[str, Any]


class StripeError(Exception):
    """An answer that is an error: an HTTP status and the fields of Stripe's `error` object."""

    def __init__(self, status: int, kind: str, message: str, **fields: object) -> None:
        super().__init__(message)
        self.status = status
        self.keeps_work = False
        self.fields: Json = {"type": kind, "message": message}
        self.fields.update({name: value for name, value in fields.items() if value is not None})

    def body(self) -> Json:
        """The JSON body to answer with."""
        code = self.fields.get("code")
        link = {"doc_url": f"https://docs.stripe.com/error-codes#{code}"} if code else {}
        return {"error": {**self.fields, **link}}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> StripeError:
    """A 400: the request can't be done as asked. `param` is in Stripe's bracket form."""
    return StripeError(400, "invalid_request_error", message, param=param, code=code)


def not_implemented(what: str, *, param: str | None = None) -> StripeError:
    """A 400 for what Stripe can do and this fake can't: better said than silently left out."""
    return invalid(f"The local fake of Stripe does not implement {what}.", param=param)


def resource_missing(
    name: str, identifier: str, *, param: str = "id", status: int = 404
) -> StripeError:
    """Nothing has this id: 404 for the object in the address, 400 for one that is referred to."""
    return StripeError(
        status,
        "invalid_request_error",
        f"No such {name}: '{identifier}'",
        param=param,
        code="resource_missing",
    )


def unauthorized(message: str) -> StripeError:
    """A 401: no API key, or not ours."""
    return StripeError(401, "invalid_request_error", message)


def card_declined(failure: Json, intent: Json) -> StripeError:
    """A 402: the card was refused while the API confirmed a payment intent. The failed charge
    stays, so this error commits what was done before it.
    """
    fields = {name: value for name, value in failure.items() if name not in {"type", "message"}}
    error = StripeError(402, "card_error", failure["message"], payment_intent=intent, **fields)
    error.keeps_work = True
    return error
