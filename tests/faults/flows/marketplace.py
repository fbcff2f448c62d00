"""Posts, reveals, claims, domains and the old store."""

from datetime import timedelta
from pathlib import Path

from tests.faults.flows.billing import CHECKOUTS, COMPLETED
from tests.faults.kill_flows import Act, flow
from tests.faults.kill_stage import Stage
from tests.support import database
from tests.support.people import POST

POSTS = "/v1/marketplace/posts"
DOMAINS = "/v1/marketplace/domain_verifications"
OLD_STORE = Path(__file__).parents[2] / "products" / "marketplace" / "old_store.json"


@flow("marketplace_post_published")
def publish(stage: Stage) -> Act:
    """Somebody pays the fee and publishes a post."""
    ana = stage.person()

    def act() -> None:
        fee = {"product": "marketplace", "code": "posting_fee"}
        opened = stage.ask(ana, "POST", CHECKOUTS, fee, key="fee").json
        stage.world.stripe.pay(opened["url"])
        stage.send_webhooks(COMPLETED)
        stage.deliver()
        stage.later()
        stage.ask(ana, "POST", POSTS, POST, done=("marketplace.active_post_exists",))
        stage.fire("core_relay")

    return act


@flow("marketplace_reveal")
def reveal(stage: Stage) -> Act:
    """A contact is revealed for a credit."""
    post, ben = stage.post_of(stage.person()), stage.person()
    stage.credit(ben, 2)

    def act() -> None:
        stage.ask(ben, "POST", f"{POSTS}/{post}/reveal", key="one")
        stage.fire("core_relay")
        stage.deliver()

    return act


@flow("marketplace_reveal_paid")
def reveal_paid(stage: Stage) -> Act:
    """A single contact is paid for, handed over, and the payment is refunded."""
    post, ben = stage.post_of(stage.person()), stage.person()
    single = {"product": "marketplace", "code": "single_reveal", "subject_id": post}

    def act() -> None:
        opened = stage.ask(ben, "POST", CHECKOUTS, single, key="one").json
        stage.world.stripe.pay(opened["url"])
        stage.send_webhooks(COMPLETED)
        stage.deliver()
        stage.later()
        stage.world.stripe.fake.open_dispute(opened["url"].rpartition("/")[2])
        stage.send_webhooks("charge.dispute.created")
        stage.deliver()

    return act


@flow("marketplace_reveal_credited")
def reveal_credited(stage: Stage) -> Act:
    """A contact is paid for whose post is gone meanwhile: the buyer gets a credit."""
    ana, ben = stage.person(), stage.person()
    post = stage.post_of(ana)
    single = {"product": "marketplace", "code": "single_reveal", "subject_id": post}
    opened = stage.prepared(ben, "POST", CHECKOUTS, single)
    stage.prepared(ana, "DELETE", f"{POSTS}/{post}")
    stage.forget_events()

    def act() -> None:
        stage.world.stripe.pay(opened["url"])
        stage.send_webhooks(COMPLETED)
        stage.deliver()

    return act


@flow("marketplace_claim_stale")
def claim(stage: Stage) -> Act:
    """A contact leads nowhere, and what it cost is given back."""
    post, ben = stage.post_of(stage.person()), stage.person()
    stage.credit(ben, 2)
    stage.prepared(ben, "POST", f"{POSTS}/{post}/reveal")
    stage.forget_events()

    def act() -> None:
        stage.ask(ben, "POST", f"/v1/marketplace/reveals/{post}/stale_claims", {}, key="two")
        stage.deliver()

    return act


@flow("marketplace_post_removed_by_staff")
def remove_by_staff(stage: Stage) -> Act:
    """Staff remove a post, and its author is told."""
    post, staff = stage.post_of(stage.person()), stage.person(role="moderator")

    def act() -> None:
        path = f"/v1/admin/marketplace/posts/{post}/remove"
        stage.ask(staff, "POST", path, {"reason": "spam"}, done=("not_found",))
        stage.deliver()

    return act


@flow("marketplace_domain_verified", extra=(r"core\.(outbox|deliveries) .*check_requested",))
def verify_domain(stage: Stage) -> Act:
    """A brand shows that a domain is theirs."""
    ana = stage.person()
    stage.post_of(ana, user_type="brand")
    begun = stage.prepared(ana, "POST", DOMAINS, {"domain": "ana-brand.com"})
    stage.records = {begun["record_name"]: [begun["proof"]]}

    def act() -> None:
        stage.ask(ana, "POST", f"{DOMAINS}/{begun['id']}/checks")
        stage.deliver()

    return act


@flow("marketplace_old_store_imported")
def import_store(stage: Stage) -> Act:
    """The old store is taken over."""
    text = OLD_STORE.read_text(encoding="utf-8")

    def act() -> None:
        stage.run("local.import_marketplace:load", text, dry_run=False)

    return act


@flow(job="marketplace_reveals_forget_allowances")
def forget_allowances(stage: Stage) -> Act:
    """Days on which somebody revealed something, long ago."""
    post, ben = stage.post_of(stage.person()), stage.person()
    stage.credit(ben, 1)
    stage.prepared(ben, "POST", f"{POSTS}/{post}/reveal")
    stage.forget_events()
    stage.pass_by(timedelta(days=70))
    return stage.firing("marketplace_reveals_forget_allowances")


@flow(job="marketplace_domains_recheck")
def recheck(stage: Stage) -> Act:
    """A domain still shows its code, another one does not for the third time."""
    kept = _verified(stage, "kept-brand.com")
    _verified(stage, "lost-brand.com")
    database.execute("update marketplace.domain_verifications set failures = 2")
    stage.records = kept
    stage.pass_by(timedelta(days=40))

    def act() -> None:
        stage.fire("marketplace_domains_recheck")
        stage.fire("core_relay")
        stage.deliver()

    return act


def _verified(stage: Stage, domain: str) -> dict[str, list[str]]:
    """A brand's domain that was shown to be theirs; what DNS says of it."""
    ana = stage.person()
    stage.post_of(ana, user_type="brand")
    begun = stage.prepared(ana, "POST", DOMAINS, {"domain": domain})
    database.execute(
        "update marketplace.domain_verifications set status = 'verified', method = 'dns',"
        " verified_at = created_at, checked_at = created_at, next_check_at = created_at"
        " where id = $1",
        begun["id"],
    )
    return {begun["record_name"]: [begun["proof"]]}
