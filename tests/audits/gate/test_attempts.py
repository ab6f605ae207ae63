"""Attempts count before they look, one at a time; what is cut off the ledger is noticed where it left a trace."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan.dp.budget.anchor import SiteAnchor
from privgan.errors import BudgetError
from privgan.files import sha256_file
from privgan_audits import examine as examining
from privgan_audits.evidence.interface import Evidence
from privgan_audits.evidence.loading import COUNTED, UNCOUNTED, load_cohort_evidence, load_file_evidence
from privgan_audits.gate.attempts import WAITING, attempt_of, counted
from privgan_audits.policy import Policy
from privgan_audits.release.approval import Grant
from privgan_audits.release.render_again import render_again
from privgan_audits.release.signoff import draft_approval
from privgan_audits.report.words import frame
from tests.audits.conftest import Draw
from tests.audits.evidence.test_evidence import write_npz
from tests.audits.releasing import Gate
from tests.dp.test_anchor import cohort, ledger


def evidence_of(gate: Gate, run: bool = False) -> Evidence:
    root = gate.root
    return load_cohort_evidence(root / "synthetic", root / "cohort", root / "synthetic-run" if run else None)


def cut(gate: Gate, lines: int) -> None:
    path = gate.ledger.path
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-lines]))


class Killed(BaseException):
    """Stands for kill -9."""


def test_an_audit_that_dies_counts(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks, sees a failure coming, and ends the process has looked all the same."""

    def die(*_: object, **__: object) -> None:
        assert gate.ledger.entries[-1]["kind"] == "begun"
        raise Killed

    monkeypatch.setattr(examining, "run_audit", die)
    with pytest.raises(Killed):
        examining.examine(evidence_of(gate), gate.root / "report", Policy())
    assert gate.ledger.attempt("another") == 2
    assert not (gate.root / "report").exists()


def test_an_audit_is_judged_as_the_attempt_that_it_began_as(gate: Gate) -> None:
    """Its record holds its own beginning, and the ledger its end."""
    gate.begin("0" * 64)
    record = examining.examine(evidence_of(gate), gate.root / "report", Policy()).to_json()
    begun, audit = gate.ledger.entries[-2:]
    assert (record["attempt"], record["ledger"]["entries"][-1]) == (2, begun)
    assert (audit["begun"], audit["report_sha256"]) == (
        begun["hash"],
        sha256_file(gate.root / "report" / "audit.json"),
    )
    assert "audit begun" in (gate.root / "report" / "audit.html").read_text()


def test_audits_side_by_side_queue(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    """The second says that it waits, and begins, as the next attempt, when the first has ended."""
    first, second = evidence_of(gate), evidence_of(gate)
    object.__setattr__(second, "synthetic_sha256", "f" * 64)
    numbers: list[int] = []

    def look() -> None:
        with counted(second, Policy(), gate.root / "two") as (begun, end):
            numbers.append(attempt_of(begun))
            end("2" * 64, "FAIL")

    with counted(first, Policy(), gate.root / "one") as (begun, end):
        numbers.append(attempt_of(begun))
        other = threading.Thread(target=look)
        other.start()
        while not caplog.records:
            other.join(0.01)
        end("1" * 64, "FAIL")
    other.join()
    assert [record.getMessage() for record in caplog.records] == [WAITING]
    assert numbers == [1, 2]
    assert [entry["kind"] for entry in gate.ledger.entries[-4:]] == ["begun", "audit", "begun", "audit"]


def left_by_the_run(gate: Gate) -> Callable[[], object]:
    with counted(evidence_of(gate, run=True), Policy(), gate.root / "report") as (_, end):
        end("1" * 64, "FAIL")
    return lambda: counted(evidence_of(gate, run=True), Policy(), gate.root / "report").__enter__()


def left_by_the_report(gate: Gate) -> Callable[[], object]:
    gate.audit(verdict="FAIL")
    return lambda: counted(evidence_of(gate), Policy(), gate.root / "report").__enter__()


@pytest.mark.parametrize("leave", [left_by_the_run, left_by_the_report])
def test_lines_cut_off_are_noticed_by_what_they_left(
    gate: Gate, leave: Callable[[Gate], Callable[[], object]]
) -> None:
    """By the folder of the run, if it was audited too, and by a report that the next one would replace."""
    again = leave(gate)
    again()  # a whole ledger is no trouble
    cut(gate, 3)
    with pytest.raises(BudgetError, match="cut off"):
        again()
    assert [entry["kind"] for entry in gate.ledger.entries] == ["opened", "charge", "closed"]


def test_a_report_names_a_ledger_that_lost_it(gate: Gate) -> None:
    gate.audit(verdict="FAIL")
    cut(gate, 2)
    with pytest.raises(Exception, match="lost its last lines"):
        render_again(gate.root / "report", gate.root / "cohort")


def test_under_a_site_anchor_no_line_is_lost(tmp_path: Path) -> None:
    """Neither the end nor the beginning can be cut off; nothing else needs to remember them."""
    folder = cohort(tmp_path, "a", ["1"])
    begun = ledger(folder).begin_audit("s", policy_sha256="p")
    begun.record_audit(begun.entries[-1], report_sha256="r", verdict="FAIL")
    path = begun.path
    lines = path.read_bytes().splitlines(keepends=True)
    for kept in (2, 1):
        path.write_bytes(b"".join(lines[:kept]))
        with pytest.raises(BudgetError, match="rolled back"):
            ledger(folder)
    assert SiteAnchor.read(tmp_path / "anchor").of_kind("head")[-1]["ledger_sequence"] == 2


def files(tmp_path: Path, draw: Draw, **options: Any) -> Evidence:
    rng = np.random.default_rng(3)
    names = ("synthetic", "members", "others")
    samples = (draw(rng, 9, most=1), draw(rng, 6), draw(rng, 6, first=6))
    paths = [write_npz(tmp_path / f"{name}.npz", sample) for name, sample in zip(names, samples, strict=True)]
    return load_file_evidence(*paths, **options)


def test_a_rehearsal_counts_where_its_cohort_is_named(gate: Gate, draw: Draw) -> None:
    """It is an attempt, but no audit that a release could rest on; the record says so."""
    evidence = files(gate.root, draw, rehearses=gate.root / "cohort")
    record = examining.examine(evidence, gate.root / "report", Policy()).to_json()
    assert [entry["kind"] for entry in gate.ledger.entries[-2:]] == ["begun", "rehearsed"]
    assert (record["scope"], record["attempt"], record["cohort"]["cohort_id"]) == ("empirical", 1, "fedcba9876543210")
    assert COUNTED in record["notes"]
    assert gate.ledger.attempt("another") == 2
    assert render_again(gate.root / "report", gate.root / "cohort") == json.loads(
        (gate.root / "report" / "audit.json").read_text()
    )


def test_a_rehearsal_without_a_cohort_is_named_as_not_counted(gate: Gate, draw: Draw) -> None:
    before = gate.ledger.head
    record = examining.examine(files(gate.root, draw), gate.root / "report", Policy()).to_json()
    assert UNCOUNTED in record["notes"]
    assert gate.ledger.head == before
    for page in ("audit.html", "audit-public.html"):
        assert "not counted among a cohort&#39;s attempts" in (gate.root / "report" / page).read_text()
    assert UNCOUNTED.replace("'", "&#39;") in (gate.root / "report" / "audit.html").read_text()


def test_the_ledger_survives_a_rehearsal_of_the_released_set(gate: Gate) -> None:
    """A rehearsal after the audit does not take the audit's place."""
    gate.audit()
    synthetic = evidence_of(gate).synthetic_sha256
    ledger = gate.ledger.begin_audit(synthetic, policy_sha256="p", rehearsal=True)
    ledger.record_audit(ledger.entries[-1], report_sha256="r", verdict="FAIL")
    gate.release()


def test_a_set_that_failed_before_says_so(gate: Gate) -> None:
    """On the hospital's page and to the officer, who has no ledger at hand; not outside."""
    gate.audit(verdict="FAIL")
    entry = len(gate.ledger.entries) - 1
    gate.audit()
    words = {"purpose": "p", "recipient": "r", "reason": "n"}
    grant = Grant(officer="A", **words, approved="2026-01-31", until="2026-02-01")
    render_again(gate.root / "report")
    inside, outside = ((gate.root / "report" / name).read_text() for name in ("audit.html", "audit-public.html"))
    told = f"{frame.FAILED_BEFORE} Entry {entry} of the ledger."
    assert told in draft_approval(gate.root / "report", grant).warnings
    assert told in inside
    assert frame.FAILED_BEFORE not in outside
