"""Metadata: up to fifty short texts that travel with an object."""

from typing import Literal

from local.stripe.errors import Json, invalid

_MOST_KEYS = 50
_LONGEST_KEY = 40
_LONGEST_VALUE = 500


def merged(current: Json, given: Json | Literal[""] | None) -> Json:
    """The metadata after an update: given keys are set, an empty value removes its key, and an
    empty text instead of a mapping removes all.

    Raises:
        StripeError: 400, when it passes Stripe's limits.
    """
    if given is None:
        return current
    if given == "":
        return {}
    for key, value in given.items():
        if len(key) > _LONGEST_KEY:
            message = f"Metadata keys can have up to {_LONGEST_KEY} characters"
            raise invalid(f"{message}, but you passed in {len(key)}.", param=f"metadata[{key}]")
        if len(value) > _LONGEST_VALUE:
            message = f"Metadata values can have up to {_LONGEST_VALUE} characters"
            raise invalid(f"{message}, but you passed in {len(value)}.", param=f"metadata[{key}]")
    after = {key: value for key, value in {**current, **given}.items() if value != ""}
    if len(after) > _MOST_KEYS:
        raise invalid(f"Metadata can have up to {_MOST_KEYS} keys.", param="metadata")
    return after
