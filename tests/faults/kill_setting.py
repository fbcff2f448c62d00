"""What a flow begins with: made in this process, where nobody is killed, and then kept."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from chalicelib.core import clock
from chalicelib.core.errors import Unavailable
from chalicelib.kernel.billing import gateway
from tests.faults.kill_processes import KillWorld
from tests.faults.kill_state import Kept, stripe_rows
from tests.faults.world import replaced
from tests.support import database, people
from tests.support.people import Person


@dataclass
class Setting:
    """A world with a clock, and the people and things of a flow.

    `base` is the moment at which every act begins, `records` what DNS says, `past` the webhooks
    that are no part of an act.
    """

    world: KillWorld
    records: dict[str, list[str]] = field(default_factory=dict)
    ahead: timedelta = timedelta()
    base: datetime = field(init=False)
    past: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin at noon, so that no day ends by chance, with nothing at Stripe."""
        self.world.stripe.fake.reset()
        self.world.stripe.fake.set_delivery_mode("drop")
        self.world.stripe.sent.clear()
        tomorrow = clock.real_time() + timedelta(days=1)
        self.base = tomorrow.replace(hour=12, minute=0, second=30, microsecond=0)
        self.follow(self.base)

    def follow(self, moment: datetime) -> None:
        """Let it be this moment."""
        self.ahead = moment - datetime.now(UTC)
        self.pass_by(timedelta())

    def pass_by(self, span: timedelta) -> None:
        """Let time go by, at Stripe too."""
        self.ahead += span
        clock.follow(clock.shifted(self.ahead))
        self.world.stripe.fake.set_clock(int(self.ahead.total_seconds()))

    def begin(self) -> Kept:
        """Everything is prepared: keep it."""
        self.past = {event["id"] for event in self.world.stripe.events()}
        self.base = clock.now()
        return Kept.of(self.world)

    def person(self, *, verified: bool = True, role: str | None = None) -> Person:
        """Somebody signed in, staff if they hold a role; what they were mailed is past."""
        made = people.person(self.world.api, verified=verified)
        if role:
            people.give_role(made, role)
        self.forget_events()
        return made

    def credit(self, who: Person, amount: int) -> None:
        """Credits out of nowhere."""
        people.credit(who, amount)

    def paid_for(self, who: Person, code: str) -> dict[str, Any]:
        """Something bought, paid and handed over; the checkout."""
        opened = people.pay_for(who, code, self.world.stripe, self.world.cloud)
        checkout: dict[str, Any] = opened.json
        return checkout

    def post_of(self, who: Person, **changes: Any) -> str:
        """A published post; its id."""
        return people.post_of(who, self.world.stripe, self.world.cloud, **changes)

    def prepared(self, who: Person, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Something done before; what was answered."""
        answer = who.api.call(
            method, path, body=body, key=f"prepared-{clock.now()}".replace(" ", "T")
        )
        if answer.status >= 400:
            raise RuntimeError(answer.text)
        told: dict[str, Any] = answer.json if answer.text else {}
        return told

    def cut_off(self, who: Person, method: str, path: str, body: Any) -> None:
        """A refund that was ordered while Stripe could not be reached."""

        def away(*_: Any, **__: Any) -> NoReturn:
            raise Unavailable

        with replaced(gateway, "create_refund", away):
            answer = who.api.call(method, path, body=body, key="cut-off")
        if answer.status != 503:
            raise RuntimeError(answer.text)

    def forget_events(self) -> None:
        """Nothing is waiting to be told."""
        database.execute("update core.outbox set done_at = created_at where done_at is null")
        self.world.cloud.queues.clear()

    def take_webhooks(self) -> None:
        """What Stripe told so far is stored, and no more."""
        self.world.stripe.send_webhooks(self.world.api)

    def have_stripe_forget(self, *but: str) -> None:
        """What Stripe could tell is no more than the events of these kinds."""
        kinds = ", ".join(f"'{one}'" for one in but)
        with stripe_rows(self.world) as rows:
            rows.execute(
                "delete from objects where kind = 'event'"
                f" and json_extract(body, '$.type') not in ({kinds})"
            )

    def expire(self, *checkouts: str) -> None:
        """The time of these checkouts is over here, and not yet at Stripe."""
        database.execute(
            "update billing.checkouts set state = 'expired' where id::text = any($1)",
            list(checkouts),
        )

    def intent_of(self, checkout: dict[str, Any]) -> str:
        """What Stripe calls the payment of a checkout that was paid."""
        named = checkout["url"].rpartition("/")[2]
        found = next(one for one in self.world.stripe.fake.sessions() if one["id"] == named)
        return str(found["payment_intent"])
