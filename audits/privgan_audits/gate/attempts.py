"""An audit counts as an attempt before it looks, one at a time, and no attempt that something remembers gets lost.

Whoever may look at many sets and keep the one that looks best has found nothing out about that one. So the cohort's
ledger numbers audits as they begin, and a number lowers the level at which the verdict is given. What cannot be seen
from here: rehearsals on files whose cohort nobody names, and a ledger that somebody writes anew.
"""

import dataclasses
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from privgan.data.cohort.cohort import Cohort
from privgan.dp.budget.chain import queued
from privgan.dp.budget.ledger import Ledger
from privgan.errors import BudgetError, IntegrityError
from privgan.files import read_json, sha256_file, write_json
from privgan.language import to_tr
from privgan_audits.evidence.interface import Evidence
from privgan_audits.policy import Policy
from privgan_audits.record import RECORD

WAITING = to_tr("Another audit of this cohort is at work. This one waits for its end.")
AUDITED = "audited.json"  # in a run folder: the newest ledger entry that an audit of the run left
_LOCK = "audit.lock"
_log = logging.getLogger(__name__)
End = Callable[[str, str], None]


def attempt_of(evidence: Evidence) -> int:
    """Which attempt of its cohort an audit of the evidence is; 1 where no cohort is known, and nothing is counted."""
    ledger = evidence.ledger or (_ledger(evidence.rehearses) if evidence.rehearses else None)
    return ledger.attempt(evidence.synthetic_sha256) if ledger else 1


@contextmanager
def counted(evidence: Evidence, policy: Policy, report: Path) -> Iterator[tuple[Evidence, End]]:
    """Let an audit run as a counted attempt, if it has a cohort; while another one runs there, wait.

    Args:
        evidence: of the audit.
        policy: by which it will be judged.
        report: where the report will stand; what stands there now must be remembered.

    Yields:
        The evidence with the ledger as it is after the beginning; and what to call at the end, with the digest of
        audit.json and the verdict.

    Raises:
        BudgetError: the ledger is damaged, or lost an audit that the report or the run remembers.
    """
    cohort = evidence.cohort or evidence.rehearses
    if cohort is None:
        yield evidence, lambda _, __: None
        return
    with queued(cohort.ledger_path.with_name(_LOCK), lambda: _log.warning(WAITING)):
        ledger = _ledger(cohort)
        _require_remembered(report, cohort, ledger)
        if evidence.run:
            _require_left(evidence.run, ledger)
        ledger = ledger.begin_audit(
            evidence.synthetic_sha256, policy_sha256=policy.sha256, rehearsal=evidence.cohort is None
        )
        begun = ledger.entries[-1]
        _leave(evidence.run, ledger)

        def end(report_sha256: str, verdict: str) -> None:
            after = ledger.record_audit(begun, report_sha256=report_sha256, verdict=verdict)
            _leave(evidence.run, after)

        yield (dataclasses.replace(evidence, ledger=ledger) if evidence.ledger else evidence), end


def _ledger(cohort: Cohort) -> Ledger:
    return Ledger.of_cohort(cohort.ledger_path, cohort_sha256=cohort.sha256)


def _require_remembered(report: Path, cohort: Cohort, ledger: Ledger) -> None:
    """The report that is about to be replaced must be one that the ledger remembers, if it is of this cohort."""
    try:
        about, digest = read_json(report / RECORD).get("cohort"), sha256_file(report / RECORD)
    except (OSError, IntegrityError):
        return
    ours = isinstance(about, Mapping) and about.get("cohort_id") == cohort.facts.cohort_id
    ended = (*ledger.of_kind("audit"), *ledger.of_kind("rehearsed"))
    if ours and digest not in {entry["report_sha256"] for entry in ended}:
        raise BudgetError(
            "Expected the cohort's ledger to remember the audit whose report is to be replaced, it does not: its "
            "last lines were cut off, it was rolled back, or the report was edited. Restore the ledger's newest "
            "copy, or write the new report elsewhere."
        )


def _require_left(run: Path, ledger: Ledger) -> None:
    """The newest entry that an earlier audit left in the run's folder must be in the ledger."""
    if not (run / AUDITED).exists():
        return
    left = read_json(run / AUDITED)
    if left.get("cohort_sha256") == ledger.opening["cohort_sha256"]:
        ledger.require_whole(int(left["sequence"]), str(left["head"]))


def _leave(run: Path | None, ledger: Ledger) -> None:
    if run is not None and os.access(run, os.W_OK):  # an auditor may only be allowed to read
        left = {"cohort_sha256": ledger.opening["cohort_sha256"], "sequence": ledger.entries[-1]["sequence"]}
        write_json(run / AUDITED, {**left, "head": ledger.head})
