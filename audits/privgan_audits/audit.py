"""Runs every test on one body of evidence and puts the answers, the policy and the verdict into one record."""

import dataclasses
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from privgan.dp.accounting import PrivacySpend
from privgan.dp.budget.ledger import Ledger
from privgan.dp.tradeoff import tpr_bound, tpr_bound_at
from privgan.memory import keep_freed_memory
from privgan.progress import Progress, silent
from privgan_audits.claim import StaticClaim
from privgan_audits.controls import Controls
from privgan_audits.duplicates import Duplicates
from privgan_audits.interface import Evidence, Measured, NotApplicable, NotRun, Outcome, Sample, Test
from privgan_audits.leak_scan.scan import IdentifierScan
from privgan_audits.membership import Membership
from privgan_audits.near_copies import NearCopies
from privgan_audits.policy import Policy
from privgan_audits.preflight import near_copy_level
from privgan_audits.verdict import Verdict, judge

SCHEMA_VERSION = 1
ACCEPT_DELTA = "accept-delta"
RATES = np.geomspace(1e-3, 1.0, 121)  # false-positive rates at which the ceiling is drawn
ALL_TESTS: tuple[Test, ...] = (Controls(), Duplicates(), NearCopies(), Membership(), StaticClaim(), IdentifierScan())


@dataclass(frozen=True, kw_only=True)
class AuditRecord:
    """One finished audit. content: audit.json. internal: per test, what only the internal report may show."""

    verdict: Verdict
    content: Mapping[str, Any]
    internal: Mapping[str, Mapping[str, Any]] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """audit.json."""
        return dict(self.content)


def run_audit(
    evidence: Evidence,
    policy: Policy,
    *,
    overrides: Sequence[str] = (),
    progress: Progress = silent,
    today: date | None = None,
) -> AuditRecord:
    """Attack the evidence with every test and judge.

    Deterministic: the only randomness is seeded by the digest of what is audited, so that auditing again
    gives the same answer.

    Args:
        evidence: from `load_cohort_evidence` or `load_file_evidence`.
        policy: the thresholds.
        overrides: the red flags that the user raised, e.g. ACCEPT_DELTA.
        progress: told the test at work.
        today: the day that the record is dated; the present one if left out.
    """
    keep_freed_memory()
    attempt = evidence.ledger.attempt(evidence.synthetic_sha256) if evidence.ledger else 1
    level, accepted = near_copy_level(policy, attempt), ACCEPT_DELTA in overrides
    evidence = dataclasses.replace(evidence, level=level, accepted_delta=accepted)
    seed = _seed(evidence)
    outcomes = []
    for number, test in enumerate(ALL_TESTS):
        progress("audit", number, len(ALL_TESTS), f"{test.id}: {test.title}")
        outcomes.append(test.run(evidence, np.random.default_rng([number, *seed]), progress))
    progress("audit", len(ALL_TESTS), len(ALL_TESTS))
    facts = {"date": (today or datetime.now(UTC).date()).isoformat(), **_facts(evidence, policy, attempt, overrides)}
    facts["tests"] = [_entry(test, outcome) for test, outcome in zip(ALL_TESTS, outcomes, strict=True)]
    verdict = judge(policy, facts)
    content = {
        "schema_version": SCHEMA_VERSION,
        "kind": "audit",
        "verdict": verdict.verdict,
        "scope": verdict.scope,
        "reasons": list(verdict.reasons),
        "level": verdict.level,
        **facts,
    }
    internal = {outcome.test: outcome.internal for outcome in outcomes if isinstance(outcome, Measured)}
    return AuditRecord(verdict=verdict, content=content, internal=internal)


def _facts(evidence: Evidence, policy: Policy, attempt: int, overrides: Sequence[str]) -> dict[str, Any]:
    """Everything in audit.json that no test measured."""
    spend = evidence.claim.spend if evidence.claim and evidence.ledger else None
    cohort = evidence.cohort
    no_claim = () if spend else ("No DP claim: what follows is what known attacks found, not a guarantee.",)
    return {
        "policy": policy.to_json(),
        "privacy": {
            "epsilon": spend.epsilon if spend else None,
            "delta": spend.delta if spend else None,
            "unit": spend.unit if spend else None,
            "adjacency": spend.adjacency if spend else None,
        },
        "claim_not_private": bool(evidence.claim and evidence.claim.not_private),
        "attempt": attempt,
        "overrides": list(overrides),
        "counts": _counts(evidence),
        "synthetic": {"sha256": evidence.synthetic_sha256, "count": len(evidence.synthetic.images)},
        "encoder": evidence.encoder.facts() if evidence.encoder else None,
        "cohort": {"cohort_id": cohort.facts.cohort_id, "sha256": cohort.sha256} if cohort else None,
        "notes": [*evidence.notes, *_declared(evidence), *no_claim],
        "ceiling": _ceiling(evidence, spend),
        "ledger": _books(evidence.ledger),
    }


def _ceiling(evidence: Evidence, spend: PrivacySpend | None) -> dict[str, list[float]] | None:
    """The accountant's ceiling on the true-positive rate of any attack, by false-positive rate; None without a claim.

    A claim without a charge has only its own word; T6 refuses it.
    """
    if spend is None or evidence.ledger is None:
        return None
    queries = evidence.ledger.queries()
    bound = tpr_bound(queries, RATES) if queries else tpr_bound_at(spend.epsilon, spend.delta, RATES)
    return {"fpr": RATES.tolist(), "tpr": bound.tolist()}


def _books(ledger: Ledger | None) -> dict[str, Any] | None:
    """Every entry of the cohort's ledger before this audit, and the hash that stands for all of them."""
    return {"entries": [dict(entry) for entry in ledger.entries], "head": ledger.head} if ledger else None


def _declared(evidence: Evidence) -> tuple[str, ...]:
    """What the user said of the encoder: one that learned from the members alone would make them look different."""
    encoder = evidence.encoder
    return (f"Encoder of the user's, declared to have learned from: {encoder.trained_on}.",) if encoder else ()


def _counts(evidence: Evidence) -> dict[str, int]:
    others = evidence.non_members
    return {
        "members": evidence.members.patient_count,
        "non_members": others.patient_count if others else 0,
        "member_images": len(evidence.members.images),
        "non_member_images": len(others.images) if others else 0,
        "synthetic": len(evidence.synthetic.images),
        "image_size": int(evidence.synthetic.images.shape[1]),
    }


def _entry(test: Test, outcome: Outcome) -> dict[str, Any]:
    head = {"id": test.id, "title": test.title}
    match outcome:
        case Measured(findings=findings, series=series):
            body = {**findings, "series": series} if series else findings
            return {**head, "outcome": "measured", **_finite(body)}
        case NotApplicable(reason=reason, findings=findings):
            return {**head, "outcome": "not-applicable", "reason": reason, **_finite(findings)}
        case NotRun(reason=reason):
            return {**head, "outcome": "not-run", "reason": reason}


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity; null stands for them, which every rule refuses."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _seed(evidence: Evidence) -> list[int]:
    """Four 64-bit words of a digest of everything that is compared."""
    digest = hashlib.sha256(evidence.synthetic_sha256.encode())
    for sample in (evidence.members, evidence.non_members, evidence.synthetic):
        if isinstance(sample, Sample):
            for array in (sample.images, sample.patients):
                digest.update(np.ascontiguousarray(array).tobytes())
    return [int.from_bytes(digest.digest()[8 * word : 8 * word + 8], "big") for word in range(4)]
