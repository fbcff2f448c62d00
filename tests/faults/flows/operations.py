"""What operators ask for."""

from tests.faults.flows.billing import CHECKOUTS, PACK
from tests.faults.kill_flows import Act, flow
from tests.faults.kill_stage import Stage


@flow("operations_job_by_hand", extra=(r"core\.(outbox|deliveries|audit_log) .*(job|run_job)",))
def start(stage: Stage) -> Act:
    """An operator has a daily job run now: it finds a payment of which no webhook came."""
    admin, ana = stage.person(role="admin"), stage.person()
    paid = stage.prepared(ana, "POST", CHECKOUTS, PACK)
    stage.world.stripe.pay(paid["url"])
    stage.have_stripe_forget("checkout.session.completed")
    stage.forget_events()

    def act() -> None:
        stage.ask(admin, "POST", "/v1/admin/jobs/billing_reconciliation_reconcile/runs")
        stage.deliver()

    return act
