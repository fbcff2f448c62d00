"""Whether the books are right: asked by a schedule, and by tests after whatever they did."""

from chalicelib.core import log
from chalicelib.core.db import Connection, Transactions
from chalicelib.kernel.billing.invariants import queries


def violations(db: Connection) -> dict[str, list[str]]:
    """The rules that do not hold, each with the ids of some rows that break it."""
    found = {rule: db.all(finding) for rule, finding in queries.FINDING.items()}
    return {rule: [row[0] for row in rows] for rule, rows in found.items() if rows}


def check(transactions: Transactions) -> int:
    """Look for what breaks a rule, and write a line to be alarmed by for each; how many rows."""
    found = transactions.read(violations)
    for rule, subjects in found.items():
        log.line("invariant_violated", rule=rule, rows=len(subjects), subjects=subjects)
    return sum(len(subjects) for subjects in found.values())
