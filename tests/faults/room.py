"""One room of proofs, run in a process of its own: `python -m tests.faults.room ledger full`.

Prints a line of JSON for each thing that happens: {"told": …} on the way, {"result": …} for
each proof.
"""

import importlib
import json
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

from tests.faults.proof import Findings, Planted, Proof, say
from tests.faults.world import World, world


def main(name: str, effort: str, only: list[str]) -> None:
    """Run the proofs of a room, or some of them, and their planted faults."""
    room = importlib.import_module(f"tests.faults.{name}")
    proofs: tuple[Proof, ...] = room.PROOFS
    with opened(room) as here:
        for proof in proofs:
            if not only or proof.name in only:
                say(json.dumps({"result": tried(proof, here, short=effort == "short")}))


def opened(room: ModuleType) -> AbstractContextManager[World]:
    """The world a room wants: its own `WORLD`, or the usual one."""
    make: Callable[[], AbstractContextManager[World]] = getattr(room, "WORLD", world)
    return make()


def tried(proof: Proof, here: World, *, short: bool) -> dict[str, Any]:
    """What came of a proof, and whether each fault planted was found."""
    started = time.monotonic()
    missed = [
        fault.name
        for fault in proof.planted
        if not _run(proof, here, fault.tries or proof.short, fault).broken
    ]
    findings = _run(proof, here, proof.short if short else proof.full, None)
    return {
        "name": proof.name,
        "promise": proof.promise,
        "tried": findings.tried,
        "figures": findings.figures,
        "broken": len(findings.broken),
        "worst": findings.worst,
        "planted": len(proof.planted),
        "missed": missed,
        "seconds": round(time.monotonic() - started, 1),
    }


def _run(proof: Proof, here: World, tries: int, fault: Planted | None) -> Findings:
    under = f"{proof.name}, {fault.name} planted" if fault else proof.name

    def tell(line: str) -> None:
        say(json.dumps({"told": f"{under}: {line}"}))

    findings = Findings(tell)
    here.empty()
    with fault.plant() if fault else nullcontext():
        try:
            proof.run(here, tries, findings)
        except Exception as error:  # noqa: BLE001  a proof that fails is a finding, and the next one runs
            if fault is None:
                findings.broken.append(traceback.format_exc())
            else:
                tell(f"the proof failed: {error!r}")
                findings.broken.clear()
    here.empty()
    return findings


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
