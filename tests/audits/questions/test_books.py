"""T6: a promise that the books do not carry is refused, each way of breaking it by its own check."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan.dp.accounting import GaussianQueries, epsilon
from privgan.dp.budget.ledger import Ledger
from privgan.dp.spend import PrivacySpend
from privgan.errors import BudgetError
from privgan_audits.evidence.interface import Claim, Evidence, Measured, NotApplicable
from privgan_audits.evidence.loading import load_cohort_evidence
from privgan_audits.questions import books
from tests.audits.releasing import QUERIES, Gate, make_gate


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return make_gate(tmp_path)


def evidence_of(gate: Gate) -> Evidence:
    root = gate.root
    return load_cohort_evidence(root / "synthetic", root / "cohort", root / "synthetic-run")


def measured(evidence: Evidence) -> dict[str, Any]:
    outcome = books.QUESTION.measure(evidence, np.random.default_rng(0))
    assert isinstance(outcome, Measured)
    return dict(outcome.findings)


def broken(evidence: Evidence) -> set[str]:
    return {name for name, true in measured(evidence)["checks"].items() if true is not True}


def test_an_honest_claim_holds(gate: Gate) -> None:
    found = measured(evidence_of(gate))
    assert all(found["checks"].values())
    assert found["recomputed_epsilon"] == pytest.approx(epsilon(QUERIES, 1e-5))
    assert found["cohort_total_epsilon"] == pytest.approx(epsilon(QUERIES, 1e-5))


def spending(**changes: Any) -> Callable[[Claim], Claim]:
    return lambda claim: dataclasses.replace(claim, spend=dataclasses.replace(claim.spend, **changes))


LIES: list[tuple[Callable[[Claim], Claim], set[str]]] = [
    (spending(unit="image"), {"unit_is_the_patient"}),
    (spending(adjacency="replace-one"), {"adjacency_is_zero_out"}),
    (spending(delta=2e-5), {"delta_is_the_charged_one"}),
    (spending(epsilon=epsilon(QUERIES, 1e-5) / 1.002), {"epsilon_covers_the_ledger"}),
    (lambda claim: dataclasses.replace(claim, not_private=True), {"noise_is_not_seeded"}),
    (
        lambda claim: dataclasses.replace(claim, generator_sha256="0" * 64),
        {"generator_is_the_closed_one", "generator_is_the_runs"},
    ),
    (
        lambda claim: dataclasses.replace(claim, cohort_id="0" * 16),
        {"cohort_is_the_claims", "generator_is_the_runs"},
    ),
]


@pytest.mark.parametrize(("lie", "expected"), LIES)
def test_each_lie_breaks_its_own_check(gate: Gate, lie: Callable[[Claim], Claim], expected: set[str]) -> None:
    evidence = evidence_of(gate)
    assert evidence.claim is not None
    assert broken(dataclasses.replace(evidence, claim=lie(evidence.claim))) == expected


def test_a_seeded_run_cannot_be_relabelled(tmp_path: Path) -> None:
    """The ledger remembers that the noise can be replayed, whatever run.json and the manifest say later."""
    evidence = evidence_of(make_gate(tmp_path))
    assert evidence.claim is not None
    assert evidence.cohort is not None
    ledger = Ledger.create(
        tmp_path / "seeded.jsonl",
        cohort_sha256=evidence.cohort.sha256,
        members=evidence.cohort.facts.members,
        delta=1e-5,
        max_epsilon=100.0,
    ).charge(evidence.claim.run_id, QUERIES, delta=1e-5, replayable=True)
    ledger = ledger.close(evidence.claim.run_id, generator_sha256=evidence.claim.generator_sha256)
    assert broken(dataclasses.replace(evidence, ledger=ledger)) == {"noise_is_not_seeded"}


def test_a_claim_of_exactly_the_spent_epsilon_holds(gate: Gate) -> None:
    evidence = evidence_of(gate)
    assert evidence.claim is not None
    exact = PrivacySpend(epsilon=epsilon(QUERIES, 1e-5), delta=1e-5)
    assert broken(dataclasses.replace(evidence, claim=dataclasses.replace(evidence.claim, spend=exact))) == set()


def test_an_unknown_run_is_no_run(gate: Gate) -> None:
    evidence = evidence_of(gate)
    assert evidence.claim is not None
    stranger = dataclasses.replace(evidence.claim, run_id="f" * 16)
    assert {"run_is_charged_once", "run_is_closed_once"} <= broken(dataclasses.replace(evidence, claim=stranger))


def test_every_run_of_the_cohort_counts_into_the_total(gate: Gate) -> None:
    more = GaussianQueries(noise_multiplier=1.0, sample_rate=0.1, steps=50)
    gate.ledger.charge("another", [more], delta=1e-5)
    found = measured(evidence_of(gate))
    assert all(found["checks"].values())
    assert found["cohort_total_epsilon"] == pytest.approx(epsilon([*QUERIES, more], 1e-5))


def test_a_large_delta_needs_the_users_word(gate: Gate) -> None:
    evidence = evidence_of(gate)
    assert evidence.claim is not None
    many = dataclasses.replace(evidence.members, patients=np.arange(len(evidence.members.patients)) % 2)
    claim = spending(delta=0.06)(evidence.claim)  # 2 members: 0.05 is the most
    large = dataclasses.replace(evidence, claim=claim, members=many)
    assert broken(large) == {"delta_is_the_charged_one", "delta_is_small_or_accepted"}
    assert broken(dataclasses.replace(large, accepted_delta=True)) == {"delta_is_the_charged_one"}


def test_an_edited_run_or_generator_is_seen(gate: Gate) -> None:
    weights = gate.root / "synthetic-run" / "model" / "generator.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert broken(evidence_of(gate)) == {"generator_is_the_runs"}


def test_an_edited_ledger_does_not_even_open(gate: Gate) -> None:
    path = gate.root / "cohort" / "private" / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    charge = json.loads(lines[1])
    charge["queries"][0]["noise_multiplier"] = 9.0
    path.write_bytes(b"".join([lines[0], json.dumps(charge).encode() + b"\n", *lines[2:]]))
    with pytest.raises(BudgetError):
        evidence_of(gate)


def test_without_claim_or_cohort_the_question_does_not_arise(gate: Gate) -> None:
    evidence = evidence_of(gate)
    for change in ({"claim": None}, {"cohort": None}, {"ledger": None}):
        outcome = books.QUESTION.measure(dataclasses.replace(evidence, **change), np.random.default_rng(0))
        assert isinstance(outcome, NotApplicable)


def test_attempts_are_counted_by_the_ledger(gate: Gate) -> None:
    assert Ledger.read(gate.ledger.path).attempt(evidence_of(gate).synthetic_sha256) == 1
    gate.audit(verdict="FAIL")
    assert gate.ledger.attempt("0" * 64) == 2
