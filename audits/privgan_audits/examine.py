"""A set is examined: every question is asked of one body of evidence, the answers are judged, told and remembered."""

import dataclasses
import hashlib
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from privgan.data.identifiers import require_nobody_named
from privgan.folders import staged_folder
from privgan.language import to_tr, tr
from privgan.memory import hand_back_freed_memory, keep_freed_memory
from privgan.progress import Progress, silent
from privgan_audits import questions
from privgan_audits.evidence.interface import Evidence, Measured, NotApplicable, NotRun, Outcome, Sample
from privgan_audits.evidence.read import read_by
from privgan_audits.evidence.whose import identifiers_of
from privgan_audits.gate.attempts import attempt_of, counted
from privgan_audits.gate.preflight import near_copy_level
from privgan_audits.gate.record_facts import record_facts
from privgan_audits.gate.verdict import Verdict, judge
from privgan_audits.policy import Policy
from privgan_audits.questions.question import Question
from privgan_audits.questions.utility.measure import measure as measure_utility
from privgan_audits.questions.utility.words import TITLE as USEFUL
from privgan_audits.record import ACCEPT_DELTA, RECORD, SALT_BYTES
from privgan_audits.release.rejecting import require_one_officer
from privgan_audits.report.gallery import Gallery
from privgan_audits.report.write import write_report

if TYPE_CHECKING:
    from privgan.gan.ranks.ranks import Ranks

SCHEMA_VERSION = 1
UTILITY = "utility"
_WRITING = to_tr("writing the report")
_LARGE = 1 << 24  # bytes; a step of a network that learns takes less at once


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
    keep_freed_memory(_LARGE)
    attempt = attempt_of(evidence)
    if evidence.cohort:
        require_nobody_named(identifiers_of(evidence.cohort), **policy.words)
    level = near_copy_level(policy, attempt, records=bool(evidence.synthetic.carried))
    accepted = ACCEPT_DELTA in overrides
    evidence = dataclasses.replace(evidence, level=level, accepted_delta=accepted)
    answered, useful = _answers(evidence, progress)
    facts = {
        "date": (today or datetime.now(UTC).date()).isoformat(),
        **record_facts(evidence, policy, attempt, overrides),
        "tests": [{"id": each.id, "title": each.words.title, **_entry(outcome)} for each, outcome in answered],
        UTILITY: _entry(useful),
    }
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
    internal = {each.id: outcome.internal for each, outcome in answered if isinstance(outcome, Measured)}
    return AuditRecord(verdict=verdict, content=content, internal=internal)


def load_questions() -> None:
    """A missing library is better found before an attempt is counted, and one that is there before threads are."""
    for asked in questions.QUESTIONS:
        asked.loaded()


def examine_along(evidence: Evidence) -> None:
    """Do another rank's share of an audit, which rank 0 judges; nothing is written.

    evidence: the same, with the ranks, read after rank 0 counted the attempt.

    Raises:
        LostRankError: it is not the same.
    """
    keep_freed_memory(_LARGE)
    _answers(evidence, silent)


def _answers(evidence: Evidence, progress: Progress) -> tuple[list[tuple[Question, Outcome]], Outcome]:
    """Of every question, and of what use the set is. Ranks that share the work all ask at rank 0's level."""
    if evidence.ranks is not None:
        from privgan.gan.ranks.rows import gathered_rows, require_one_reading

        require_one_reading(evidence.ranks, read_by(evidence))
        mine = np.array([evidence.level] if evidence.ranks.rank == 0 else [])
        evidence = dataclasses.replace(evidence, level=float(gathered_rows([mine], evidence.ranks)[0][0]))
    seed = _seed(evidence)
    asked, answered = questions.QUESTIONS, []
    for number, question in enumerate(asked):
        progress(tr("audit"), number, len(asked) + 1, _titled(question.id, question.words.title))
        rng = np.random.default_rng([number, *seed])
        answered.append((question, question.measure(evidence, rng, progress)))
        hand_back_freed_memory()
    progress(tr("audit"), len(asked), len(asked) + 1, _titled(UTILITY, USEFUL))
    useful = measure_utility(evidence, np.random.default_rng([len(asked), *seed]), progress)
    progress(tr("audit"), len(asked) + 1, len(asked) + 1)
    return answered, useful


def _titled(name: str, title: str) -> str:
    """A question as progress names it."""
    return tr("{name}: {reason}", name=name, reason=tr(title))


def examine(
    evidence: Evidence,
    report: Path,
    policy: Policy,
    *,
    overrides: Sequence[str] = (),
    force: bool = False,
    progress: Progress = silent,
    gather: Callable[[], AbstractContextManager["Ranks | None"]] = nullcontext,
) -> AuditRecord:
    """Audit, write the report, and let the cohort's ledger remember the beginning and the end of it.

    The beginning counts as an attempt, also when no end follows; the end is remembered before the report is there.
    gather: calls further processes, which `examine_along`, once the attempt is counted.

    Raises:
        UsageError: the report exists.
        IntegrityError: the policy names another officer's key than the cohort.
        BudgetError: the ledger is damaged, or lost an audit that something outside it remembers.
        LostRankError: one of several ranks ended, or read something else.
    """
    load_questions()
    if evidence.cohort:
        require_one_officer(evidence.cohort.facts.officer_key, policy.officer_key)
    with staged_folder(report, marker=RECORD, force=force) as folder, counted(evidence, policy, report) as count:
        evidence, end = count
        with gather() as ranks:
            shared = dataclasses.replace(evidence, ranks=ranks)
            record = run_audit(shared, policy, overrides=overrides, progress=progress)
        gallery = Gallery.of(record.internal, evidence)
        progress(tr(_WRITING), 0, 1)
        digest = write_report(folder, record.to_json(), gallery, salt=secrets.token_hex(SALT_BYTES))
        progress(tr(_WRITING), 1, 1)
        end(digest, record.verdict.verdict)
    return record


def _entry(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Measured(findings=findings, series=series):
            body = {**findings, "series": series} if series else findings
            return {"outcome": "measured", **_finite(body)}
        case NotApplicable(reason=reason, findings=findings):
            return {"outcome": "not-applicable", "reason": reason, **_finite(findings)}
        case NotRun(reason=reason):
            return {"outcome": "not-run", "reason": reason}


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
                digest.update(np.ascontiguousarray(array).data)
    return [int.from_bytes(digest.digest()[8 * word : 8 * word + 8], "big") for word in range(4)]
