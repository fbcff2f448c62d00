"""Somebody who leaves something in every column that can hold it, by names found nowhere else."""

import base64
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chalicelib import registry
from chalicelib.core import privacy
from chalicelib.core.columns import Fate
from tests.faults.described.billing import PACK
from tests.faults.described.marketplace import Post
from tests.faults.described.moderation import report_of
from tests.faults.described.scene import Scene
from tests.faults.world import World
from tests.support import database, people
from tests.support.api import Answer, Api
from tests.support.people import PASSWORD, POST, Person


@dataclass(frozen=True)
class Canary:
    """A word that stands in everything somebody tells, and the number in their telephone numbers."""

    word: str
    number: str

    @property
    def email(self) -> str:
        """Their address."""
        return f"{self.word}@kith.example"

    @property
    def wanted(self) -> str:
        """The address they would like to have."""
        return f"wanted.{self.word}@kith.example"

    @property
    def told(self) -> dict[str, str]:
        """What they tell of themselves, and where: all that an export has to hold."""
        return {
            "email": self.email,
            "name": f"Name {self.word}",
            "phone": f"+5511{self.number}",
            "device": f"device of {self.word}",
            "wanted": self.wanted,
            "description": f"a description by {self.word}",
            "interest": f"an interest of {self.word}",
            "contact address": f"contact.{self.word}@contact.example",
            "contact phone": f"+3512{self.number}",
            "contact handle": f"@handle_{self.word}",
            "report": f"a report by {self.word}",
            "domain": f"{self.word}.com",
            "explanation": f"a decision on {self.word}",
            "statement": f"an appeal by {self.word}",
            "outcome": f"an outcome for {self.word}",
        }

    @property
    def shapes(self) -> Iterator[str]:
        """How it could stand somewhere: as it is, in hexadecimal, in base64 from any place on."""
        for plain in (self.word, self.number):
            yield plain
            yield plain.encode().hex()
            for shift in range(3):
                # What stands beside it decides the ends.
                encoded = base64.b64encode(b"x" * shift + plain.encode()).decode()
                yield encoded[4 if shift else 0 : -4].lower()


def _done(answer: Answer) -> Any:
    assert answer.status < 300, answer.text
    return answer.json if answer.text else None


@dataclass
class Life:
    """What a person with a canary does in every domain and product, by the API."""

    world: World
    canary: Canary
    who: Person

    @staticmethod
    def begun(world: World, canary: Canary) -> "Life":
        """Sign up, verify, sign in."""
        told = canary.told
        account = {"email": canary.email, "password": PASSWORD}
        _done(world.api.post("/v1/auth/sign_ups", account | {"name": told["name"]}))
        world.cloud.deliver()
        token = world.cloud.mail_to(canary.email).token
        _done(world.api.post("/v1/auth/verifications", {"token": token, "password": PASSWORD}))
        session = account | {"device": told["device"]}
        tokens = _done(world.api.post("/v1/auth/sessions", session))
        api = Api(world.app, token=tokens["access_token"])
        identifier = uuid.UUID(api.get("/v1/me").json["id"])
        return Life(world, canary, Person(identifier, canary.email, api, tokens["refresh_token"]))

    def post(self) -> str:
        """Tell who one is, pay, publish; the post's id."""
        told, api = self.canary.told, self.who.api
        _done(api.patch("/v1/me", {"phone": told["phone"], "time_zone": "America/Sao_Paulo"}))
        for code in ("posting_fee", "contacts_10"):
            self._buy(code)
        contact = {
            "email": told["contact address"],
            "phone": told["contact phone"],
            "handle": told["contact handle"],
        }
        body = POST | {
            "description": told["description"],
            "interests": [told["interest"]],
            "contact_info": contact,
        }
        identifier: str = _done(api.post("/v1/marketplace/posts", body))["id"]
        return identifier

    def _buy(self, code: str) -> None:
        """Pay on Stripe's page, which is told the address as well."""
        bought = self.who.api.post(
            "/v1/billing/checkouts", PACK | {"code": code}, key=str(uuid.uuid4())
        )
        page = _done(bought)["url"].rpartition("/")[2]
        self.world.stripe.fake.act(page, "pay", self.canary.email)
        self.world.stripe.send_webhooks(Api(self.world.app))
        self.world.cloud.deliver()

    def look_behind(self, post: str) -> None:
        """Reveal a contact, report its author and block somebody."""
        api, told = self.who.api, self.canary.told
        _done(api.post(f"/v1/marketplace/posts/{post}/reveal", key=str(uuid.uuid4())))
        reported = report_of(Post(post, self.who)) | {"detail": told["report"]}
        _done(api.post("/v1/moderation/reports", reported))
        _done(api.put(f"/v1/moderation/blocks/{people.person(self.world.api).id}"))

    def own(self) -> None:
        """Name a domain and a new address, become staff."""
        api, told = self.who.api, self.canary.told
        _done(api.post("/v1/marketplace/domain_verifications", {"domain": told["domain"]}))
        self.world.cloud.deliver()
        wanted = {"email": self.canary.wanted, "password": PASSWORD}
        _done(api.post("/v1/me/email_changes", wanted))
        self.world.cloud.deliver()
        people.give_role(self.who, "support", "couples")

    def be_judged(self, post: str) -> None:
        """Be reported, warned, appeal and hear of it; mails of that are still to be sent."""
        scene, told = Scene(self.world), self.canary.told
        _done(scene.person().api.post("/v1/moderation/reports", report_of(Post(post, self.who))))
        ((case,),) = database.execute(
            "select id from moderation.cases where subject_id = $1 and state = 'open'",
            uuid.UUID(post),
        )
        cases = f"/v1/admin/marketplace/cases/{case}/decisions"
        decision = {"action": "warn", "reason": "spam", "explanation": told["explanation"]}
        made = _done(scene.staff("moderator").api.post(cases, decision))
        appeals = f"/v1/moderation/decisions/{made['id']}/appeals"
        appeal = _done(self.who.api.post(appeals, {"statement": told["statement"]}))
        path = f"/v1/admin/marketplace/appeals/{appeal['id']}/outcome"
        outcome = {"outcome": "upheld", "explanation": told["outcome"]}
        _done(scene.staff("moderator").api.post(path, outcome))


def personal_columns() -> list[tuple[str, str, str]]:
    """Table, owner's column and name of each column that holds something of a person."""
    return [
        (str(table), table.info[privacy.OWNER], column.name)
        for table in registry.tables().sorted_tables
        if privacy.OWNER in table.info
        for column in table.c
        if privacy.fate_of(column) not in {None, Fate.NOT_PERSONAL}
    ]


def holds(table: str, owner: str, column: str, person: uuid.UUID) -> bool:
    """Whether a row of a person's has anything in a column."""
    ((number,),) = database.execute(
        f"select count(*) from {table}"
        f" where {owner}::text = $1 and length(coalesce({column}::text, '')) > 2",
        str(person),
    )
    return bool(number)


def everything() -> dict[str, str]:
    """Every table, with all that stands in it as text."""
    return {
        str(table): "\n".join(
            str(row[0]) for row in database.execute(f"select t::text from {table} t")
        ).lower()
        for table in registry.tables().sorted_tables
    }


def places(world: World, canary: Canary) -> list[str]:
    """Where a canary is found: in tables, queues, dead letters, waiting mails and the log."""
    found = everything()
    found["queues"] = str(world.cloud.queues).lower()
    found["dead letters"] = str(world.cloud.dead).lower()
    found["log"] = world.log_path.read_text(encoding="utf-8").lower()
    return [name for name, text in found.items() if any(one in text for one in canary.shapes)]
