"""What core's jobs find: events that were never sent, and what nobody needs any more."""

from datetime import timedelta

from chalicelib.core import clock
from tests.faults.work.due import Day, Due, Effects, work
from tests.support import database

_MORE_THAN_A_BATCH = 1_100


def count(sql: str, *values: object) -> int:
    """The number that a statement answers."""
    return int(database.execute(sql, *values)[0][0])


@work("core_relay")
def unsent(day: Day) -> Due:
    """More events than one batch takes, that no queue took: some that are mailed."""
    cloud, people = day.world.cloud, 2
    cloud.down = True
    for number in range(people):
        body = {"email": f"unsent{number}@kith.example", "password": "wild horses at dawn"}
        assert day.world.api.post("/v1/auth/sign_ups", body).status == 202
    cloud.down = False
    database.execute(
        "insert into core.outbox (id, topic, payload, created_at, attempts, next_send_at)"
        " select gen_random_uuid(), 'accounts.nothing_to_mail', jsonb_build_object('nobody', gen_random_uuid()), o.created_at, 1,"
        " o.next_send_at from (select * from core.outbox limit 1) o, generate_series(1, 100)"
    )
    day.times.pass_by(timedelta(minutes=2))

    def effects() -> Effects:
        cloud.deliver()
        return {
            "mails": len(cloud.mails),
            "events heard": count("select count(*) from core.deliveries"),
            "events that wait": count("select count(*) from core.outbox where done_at is null"),
        }

    # Each mail is an event of its own, which is heard as well.
    return Due({"mails": people, "events heard": 100 + 2 * people, "events that wait": 0}, effects)


@work("core_forget_events")
def old_events(_day: Day) -> Due:
    """Events that were done long ago, and one that was done yesterday."""
    database.execute(
        "insert into core.outbox"
        " (id, topic, payload, created_at, attempts, next_send_at, done_at)"
        " select gen_random_uuid(), 'tests.done', '{}', at, 1, at, at from"
        " (select $1::timestamptz - case n when 0 then interval '1 h' else interval '9 d' end as at"
        " from generate_series(0, $2::int) n) old",
        clock.now(),
        _MORE_THAN_A_BATCH,
    )
    database.execute(
        "insert into core.deliveries select id, 'tests.hear', done_at from core.outbox"
    )

    def effects() -> Effects:
        return {
            "events left": count("select count(*) from core.outbox"),
            "deliveries left": count("select count(*) from core.deliveries"),
        }

    left = {"events left": 1, "deliveries left": 1}
    return Due(left, effects, rows=_MORE_THAN_A_BATCH)


@work("core_forget_attempts")
def old_attempts(_day: Day) -> Due:
    """Keys that expired and counts of rates whose window has ended, and some of the next year."""
    database.execute(
        "insert into core.idempotency_keys (owner, key, operation, request_hash, state,"
        " created_at, expires_at) select 'somebody', n::text, 'tests', '', 'running', at, at from"
        " (select n, $1::timestamptz + case n when 0 then interval '1 y' else interval '-1 h' end"
        " as at from generate_series(0, $2::int) n) old",
        clock.now(),
        _MORE_THAN_A_BATCH,
    )
    database.execute(
        "insert into core.rate_limits select key, expires_at, 1 from core.idempotency_keys"
    )

    def effects() -> Effects:
        return {
            "keys left": count("select count(*) from core.idempotency_keys"),
            "windows left": count("select count(*) from core.rate_limits"),
        }

    left = {"keys left": 1, "windows left": 1}
    return Due(left, effects, rows=2 * _MORE_THAN_A_BATCH)
