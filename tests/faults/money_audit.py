"""What was acknowledged beside what the database holds: nothing lost, nothing twice."""

from collections import Counter
from typing import Any
from uuid import UUID

from tests.faults.money_plan import BLOCK, KINDS, Operation, Purchase, Stage, planned
from tests.faults.money_workers import Share
from tests.faults.proof import Findings
from tests.support import database, invariants

_ONCE = ("grant", "spend", "return")


def examine(shares: list[Share], findings: Findings) -> None:
    """Hold the journals of all shares against the database."""
    acknowledged = {number: verdict for share in shares for number, verdict in share.acknowledged()}
    for share in shares:
        for number, verdict in share.repeated():
            twice = verdict == "done" and KINDS[number % BLOCK] in _ONCE
            findings.hold(not twice, f"operation {number} was done once more when it was repeated")
    stage, operations = shares[0].stage, shares[0].operations
    missing = operations - len(acknowledged)
    findings.hold(not missing, f"{missing} operations were never acknowledged")
    every = {number: planned(stage, number) for number in sorted(acknowledged)}
    told = [every[number] for number, verdict in acknowledged.items() if verdict != "refused"]
    _transfers(told, every, acknowledged, findings)
    _reveals(told, findings)
    _payments(stage, told, findings)
    _balances(_expected(told, every), findings)
    for rule, rows in invariants.broken().items():
        findings.hold(False, f"{rule}: {len(rows)} rows break it")
    findings.count("operations", len(acknowledged))
    # A return may be found done because another operation returned the same.
    cut_off = [one for one in told if acknowledged[one.number] == "found" and one.kind != "return"]
    findings.count("done by a process killed before it could say so", len(cut_off))


def _transfers(
    told: list[Operation],
    every: dict[int, Operation],
    acknowledged: dict[int, str],
    findings: Findings,
) -> None:
    """Each grant, spend and return has its transfer, and there are no others."""
    rows = database.execute(
        "select t.key, t.amount, r.key from billing.credit_transfers t"
        " left join billing.credit_transfers r on r.id = t.reverses"
        " where t.reason in ('grant', 'spend', 'give_back') and t.key not like 'reveal:%'"
    )
    stand = Counter((reverses or key, amount) for key, amount, reverses in rows)
    wanted = Counter({(one.key, one.amount): 1 for one in told if one.kind in {"grant", "spend"}})
    spent = {f"spend:{one.spend}" for one in told if one.kind == "return"}
    for key in spent:
        operation = every[int(key.rpartition(":")[2])]
        wanted[key, operation.amount] += 1
        findings.hold(acknowledged[operation.number] != "refused", f"{key} returned, never spent")
    _compare("transfers", wanted, stand, findings)


def _reveals(told: list[Operation], findings: Findings) -> None:
    wanted = {(one.holder, one.post): 1 for one in told if one.kind == "reveal"}
    stand = Counter(
        (row[0], row[1])
        for row in database.execute(
            "select r.requester_id, r.target_post_id from marketplace.contact_reveals r"
            " join billing.credit_transfers t on t.id = r.transfer_id"
        )
    )
    _compare("reveals", Counter(wanted), stand, findings)


def _payments(stage: Stage, told: list[Operation], findings: Findings) -> None:
    blocks = {one.number // BLOCK for one in told if one.kind not in (*_ONCE, "reveal")}
    wanted = Counter((stage.checkout(block), Purchase(block).state) for block in blocks)
    stand = Counter(
        (row[0], row[1])
        for row in database.execute(
            "select checkout_id, state from billing.payments where kind = 'contacts_10'"
        )
    )
    _compare("payments", wanted, stand, findings)


def _expected(told: list[Operation], every: dict[int, Operation]) -> Counter[UUID]:
    """What each holder has left, by the journals alone; below zero it is a debt."""
    left: Counter[UUID] = Counter()
    for one in told:
        if one.kind in {"grant", "spend"}:
            left[one.holder] += one.amount if one.kind == "grant" else -one.amount
        elif one.kind == "pay":
            left[one.holder] += Purchase(one.number // BLOCK).credits
    for number in {one.spend for one in told if one.kind == "return"}:
        left[every[number].holder] += every[number].amount
    for holder, _ in {(one.holder, one.post) for one in told if one.kind == "reveal"}:
        left[holder] -= 1
    return left


def _balances(expected: Counter[UUID], findings: Findings) -> None:
    rows = database.execute(
        "select holder_id, sum(case kind when 'debt' then -balance else balance end)::bigint,"
        " min(balance) from billing.credit_accounts where kind <> 'issuer' group by holder_id"
    )
    for holder, left, least in rows:
        findings.hold(left == expected[holder], f"{holder} has {left}, not {expected[holder]}")
        findings.hold(least >= 0, f"{holder} has a balance of {least}")
    findings.count("balances", len(rows))


def _compare(what: str, wanted: Counter[Any], stand: Counter[Any], findings: Findings) -> None:
    findings.hold(not wanted - stand, f"{what} lost: {list((wanted - stand).items())[:3]}")
    findings.hold(not stand - wanted, f"{what} too many: {list((stand - wanted).items())[:3]}")
    findings.count(what, stand.total())
