"""The figures of proofs, as a table on a terminal and as docs/guarantees.md."""

import os
from pathlib import Path
from typing import Any

GUARANTEES = Path(__file__).parents[2] / "docs" / "guarantees.md"

_HEAD = """# Guarantees

What Kith promises, how often that was tried, and what broke. `make proof` tries all of it again
on any machine ({effort} run: {minutes:.0f} min on {cores} cores, PostgreSQL and Stripe's protocol real,
queues and mail in memory); `make proof ARGS=ledger` tries one group. Each proof is also run with
faults planted in the program, which it has to find. This page is written by
`make proof ARGS=--write`.
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


def document(results: list[dict[str, Any]], effort: str, seconds: float, cores: int) -> str:
    """docs/guarantees.md."""
    parts = [_HEAD.format(effort=effort, minutes=seconds / 60, cores=cores)]
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
            f"| {one['promise']} | {figures(one)} | {one['broken']} |"
            f" {found} of {one['planted']} | `make proof ARGS={one['name']}` |"
        )
    return "\n".join(parts) + "\n"


def write(results: list[dict[str, Any]], effort: str, seconds: float) -> None:
    """Write the document."""
    text = document(results, effort, seconds, os.cpu_count() or 1)
    GUARANTEES.write_text(text, encoding="utf-8")
