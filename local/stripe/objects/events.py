"""Events as the API reads them. `work.record_event` writes them."""

from local.stripe.errors import Json
from local.stripe.operations import PAGING, Condition, Operation, page, retrieving
from local.stripe.work import Work

_PATH = "/v1/events"


def _list(work: Work, _identifier: str, asked: Json) -> Json:
    conditions: list[Condition] = []
    if "type" in asked:
        # Stripe takes a star for a whole family: charge.*
        conditions.append(("json_extract(body, '$.type') glob ?", [asked["type"]]))
    if asked.get("types"):
        marks = ", ".join("?" * len(asked["types"]))
        conditions.append((f"json_extract(body, '$.type') in ({marks})", list(asked["types"])))
    if "delivery_success" in asked:
        waiting = int(not asked["delivery_success"])
        conditions.append(("json_extract(body, '$.pending_webhooks') = ?", [waiting]))
    return page(work, "event", _PATH, asked, conditions)


OPERATIONS = (
    retrieving("event", _PATH, "EventRetrieveParams"),
    Operation(
        "GET", _PATH, "EventListParams", _list, PAGING | {"type", "types", "delivery_success"}
    ),
)
