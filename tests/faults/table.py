"""The figures of proofs, as a table on a terminal and as docs/guarantees.md."""

import json
from pathlib import Path
from typing import Any

GUARANTEES = Path(__file__).parents[2] / "docs" / "guarantees.md"

KEPT = Path(__file__).parents[2] / "build" / "proofs.json"
"""What came of each proof when it last ran on this machine."""

_EFFORTS = {"full": "", "short": " (short run)"}
_HEAD = """# Guarantees

What Kith promises, how often that was tried, and what broke. `make proof` tries all of it again on
any machine; here two cores took {minutes:.0f} minutes of work. PostgreSQL, signatures and Stripe's
protocol are real, queues and mail are in memory. Each proof is also run with faults planted in the
program, which it has to find: {found} of {planted} were found. `make proof ARGS=--write` renews the
figures.
"""


def figures(result: dict[str, Any]) -> str:
    """What was tried and measured, in words."""
    tried = [f"{number:,} {what}" for what, number in result["tried"].items()]
    measured = [f"{what} {figure}" for what, figure in result["figures"].items()]
    return ", ".join(tried + measured)


def line(result: dict[str, Any]) -> str:
    """A line for a proof that has ended."""
    found = result["planted"] - len(result["missed"])
    state = "broken" if result["broken"] else "blind" if result["missed"] else "holds"
    told = (
        f"{state:6} {result['name']:34} {figures(result)};"
        f" broken {result['broken']}, planted faults found {found} of {result['planted']},"
        f" {result['seconds']:.0f} s"
    )
    wrong = [f"    broken: {one}" for one in result["worst"]]
    wrong += [f"    not found: {one}" for one in result["missed"]]
    return "\n".join([told, *wrong])


def report(results: list[dict[str, Any]], seconds: float) -> str:
    """The table of all proofs."""
    planted = sum(one["planted"] for one in results)
    missed = sum(len(one["missed"]) for one in results)
    broken = sum(one["broken"] for one in results)
    summary = (
        f"{len(results)} promises, {broken} broken; {planted - missed} of {planted} planted faults"
        f" found; {seconds / 60:.1f} min"
    )
    return "\n".join([*map(line, results), "", summary])


def kept() -> dict[str, dict[str, Any]]:
    """What came of each proof when it last ran here, by name."""
    if not KEPT.exists():
        return {}
    told: dict[str, dict[str, Any]] = json.loads(KEPT.read_text(encoding="utf-8"))
    return told


def keep(result: dict[str, Any]) -> None:
    """Keep what came of a run; a short one says less than a full one, and does not replace it."""
    told = kept()
    before = told.get(result["name"], result)
    held = not before["broken"] and not before["missed"]
    if result["effort"] == "short" and before["effort"] == "full" and held:
        return
    KEPT.parent.mkdir(exist_ok=True)
    told[result["name"]] = result
    KEPT.write_text(json.dumps(told, indent=1), encoding="utf-8")


def document(results: list[dict[str, Any]]) -> str:
    """docs/guarantees.md."""
    planted = sum(one["planted"] for one in results)
    missed = sum(len(one["missed"]) for one in results)
    minutes = sum(one["seconds"] for one in results) / 60
    parts = [_HEAD.format(minutes=minutes, found=planted - missed, planted=planted)]
    room = ""
    for one in results:
        if one["room"] != room:
            room = one["room"]
            parts.append(
                f"\n## {room.replace('_', ' ').capitalize()}\n\n"
                "| promise | tried | broken | planted faults found | command |\n"
                "| --- | --- | --- | --- | --- |"
            )
        found = one["planted"] - len(one["missed"])
        parts.append(
            f"| {one['promise']} | {figures(one)}{_EFFORTS[one['effort']]} | {one['broken']} |"
            f" {found} of {one['planted']} | `make proof ARGS={one['name']}` |"
        )
    return "\n".join(parts) + "\n"


def write(names: list[str]) -> None:
    """Write the document; SystemExit names the proofs that have not run here."""
    told = kept()
    if missing := [name for name in names if name not in told]:
        raise SystemExit(f"not written, for these have not run here: {', '.join(missing)}")
    results = sorted((told[name] for name in names), key=lambda one: (one["room"], one["name"]))
    GUARANTEES.write_text(document(results), encoding="utf-8")
