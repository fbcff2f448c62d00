"""What the jobs of the marketplace find: domains to look at again, and counts of months gone by."""

from datetime import timedelta

from chalicelib.core import clock
from chalicelib.products.marketplace.domains import service as domains
from chalicelib.products.marketplace.reveals import service as reveals
from tests.faults.work.core import count
from tests.faults.work.due import Day, Due, Effects, work
from tests.support import database

_DUE_DOMAINS = 250
_OLD_DAYS = 40


@work("marketplace_domains_recheck")
def domains_to_look_at(day: Day) -> Due:
    """Domains that were looked at a month ago, and one that was looked at today."""
    now = clock.now()
    database.execute(
        "insert into marketplace.domain_verifications (id, user_id, domain, verification_code,"
        " status, method, failures, verified_at, next_check_at, created_at, updated_at)"
        " select gen_random_uuid(), $1, n || '.example', 'code', 'verified', 'dns', 0,"
        " $2::timestamptz, case n when 0 then $3::timestamptz else $2::timestamptz end,"
        " $2::timestamptz, $2::timestamptz from generate_series(0, $4::int) n",
        day.person(verified=False).id,
        now - timedelta(hours=1),
        now + domains.EVERY,
        _DUE_DOMAINS,
    )

    def effects() -> Effects:
        asked = "from core.outbox where topic = 'marketplace.domain_check_due'"
        return {
            "checks": count(f"select count(*) {asked}"),
            "domains": count(f"select count(distinct payload) {asked}"),
        }

    return Due({"checks": _DUE_DOMAINS, "domains": _DUE_DOMAINS}, effects, rows=_DUE_DOMAINS)


@work("marketplace_reveals_forget_allowances")
def old_allowances(day: Day) -> Due:
    """Counts of days that are long over, and one of today."""
    today = clock.now().date()
    database.execute(
        "insert into marketplace.allowances select $1, 'reveal',"
        " case n when 0 then $2::date else $3::date - n end, 1 from generate_series(0, $4::int) n",
        day.person(verified=False).id,
        today,
        today - reveals.KEEP_ALLOWANCES,
        _OLD_DAYS,
    )

    def effects() -> Effects:
        return {"counts left": count("select count(*) from marketplace.allowances")}

    return Due({"counts left": 1}, effects, rows=_OLD_DAYS)
