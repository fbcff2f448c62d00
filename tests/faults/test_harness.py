"""The harness of the proofs: what it runs, and that a promise without a figure is seen."""

from contextlib import nullcontext

import pytest
from chalice.app import Chalice

from chalicelib.core import operations
from tests.faults import __main__ as hall
from tests.faults import table
from tests.faults.described import scene
from tests.faults.proof import Findings, Planted, Proof
from tests.faults.room import tried
from tests.faults.world import World


class _Nowhere(World):
    """A world in which nothing is."""

    def __init__(self) -> None:
        pass

    def empty(self) -> None:
        pass


def _sevens(_world: World, tries: int, findings: Findings) -> None:
    for number in range(tries):
        findings.count("numbers")
        findings.hold(number != 7, f"{number} is a seven")


def _proof(*, full: int, short: int, planted: tuple[Planted, ...] = ()) -> Proof:
    return Proof("tests.sevens", "No number is a seven.", _sevens, full, short, planted)


def test_a_promise_that_holds_is_told_with_how_often_it_was_tried() -> None:
    result = tried(_proof(full=5, short=2), _Nowhere(), short=False)
    assert (result["tried"], result["broken"], result["missed"]) == ({"numbers": 5}, 0, [])
    assert "5 numbers" in table.line(result)


def test_a_broken_promise_is_told_with_what_broke_it() -> None:
    result = tried(_proof(full=9, short=2), _Nowhere(), short=False)
    assert result["worst"] == ["7 is a seven"]
    assert "broken: 7 is a seven" in table.line(result)


def test_a_planted_fault_has_to_be_found() -> None:
    found = Planted("nine tries", nullcontext, tries=9)
    missed = Planted("three tries", nullcontext, tries=3)
    result = tried(_proof(full=5, short=2, planted=(found, missed)), _Nowhere(), short=True)
    assert (result["broken"], result["missed"]) == (0, ["three tries"])


def test_a_proof_that_fails_is_broken_and_finds_no_planted_fault() -> None:
    def fail(_world: World, _tries: int, _findings: Findings) -> None:
        raise ZeroDivisionError

    failing = Proof("tests.fails", "It fails.", fail, 1, 1, (Planted("any", nullcontext),))
    result = tried(failing, _Nowhere(), short=True)
    assert result["broken"] == 1
    assert result["missed"] == ["any"]


def test_every_promise_is_a_sentence_with_planted_faults_and_a_name_of_its_own() -> None:
    proofs = [proof for some in hall.rooms().values() for proof in some]
    assert len({proof.name for proof in proofs}) == len(proofs)
    for proof in proofs:
        assert proof.promise.endswith("."), proof.name
        assert proof.planted, proof.name
        assert proof.short <= proof.full, proof.name


def test_an_unknown_proof_is_refused_with_those_there_are() -> None:
    with pytest.raises(SystemExit, match="no such proof: nothing"):
        hall.chosen(["nothing"])


def test_every_promise_stands_in_the_guarantees_with_a_figure() -> None:
    text = table.GUARANTEES.read_text(encoding="utf-8")
    rows = {
        row.split("|")[1].strip(): row.split("|")[2].strip()
        for row in text.splitlines()
        if row.startswith("| ")
    }
    for some in hall.rooms().values():
        for proof in some:
            assert rows.get(proof.promise), f"{proof.name}: run `make proof ARGS=--write`"


def test_every_operation_is_described(app: Chalice) -> None:
    missing = operations.registered.keys() - scene.every().keys()
    assert not missing, f"describe them in tests/faults/described: {sorted(missing)}"
