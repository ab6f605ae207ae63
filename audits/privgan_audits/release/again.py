"""What is about to leave, drawn and looked at once more: nothing that an audit said of it is taken over.

A record and the ledger's memory of it are files, and whoever may write both may write a PASS. What no file can say is
which images the run's generator draws from the set's seed. So the books, every image, the search for real and for
public pictures and the search for identifiers are done anew here, on what will be written.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from privgan.arrays import Images
from privgan.errors import AuditFailedError, IntegrityError, NotReleasableError
from privgan.progress import Progress
from privgan_audits.evidence.interface import Evidence, Measured, Outcome
from privgan_audits.questions import books, exact_copies, identifiers, public_copies
from privgan_audits.questions.books.measure import examined
from privgan_audits.questions.identifiers.measure import searched
from privgan_audits.questions.question import Question
from privgan_audits.record import ACCEPT_DELTA, Findings
from privgan_audits.release.judged import Judged


def drawn_again(evidence: Evidence, judged: Judged, progress: Progress) -> Images:
    """The images of a set as its run and its seed make them here: uint8, as they are stored.

    Args:
        evidence: of the set beside its cohort and its run.
        judged: the record of its audit.
        progress: listener.

    Raises:
        AuditFailedError: the books do not carry the claim, an image is not the generator's or is a real one, or an
            identifier is in a file.
        NotReleasableError: one of that could not be looked at.
        IntegrityError: this machine rounds a level otherwise than the one that drew the set.
    """
    evidence = dataclasses.replace(evidence, accepted_delta=ACCEPT_DELTA in judged.approved.overrides)
    found, redrawn = examined(evidence, progress)
    looked = [
        (books.QUESTION, Measured(findings=found)),
        (exact_copies.QUESTION, exact_copies.QUESTION.measure(evidence, np.random.default_rng(0), progress)),
        (identifiers.QUESTION, searched(evidence, progress)),
    ]
    if evidence.claim and evidence.claim.prior:
        public = public_copies.QUESTION.measure(evidence, np.random.default_rng(0), progress)
        looked.append((public_copies.QUESTION, public))
    _require_harmless(judged, evidence, looked)
    if redrawn is None or not redrawn.exact:
        raise IntegrityError(
            "Expected to draw this set to the last bit, this machine rounds a level of it otherwise. Release on the "
            "machine that drew it, or generate a set here and audit it; drawing costs no privacy."
        )
    return redrawn.images


def _require_harmless(judged: Judged, evidence: Evidence, outcomes: Sequence[tuple[Question, Outcome]]) -> None:
    """Judge what was measured by each question's own rule."""
    tests = [{"id": asked.id, **_entry(outcome)} for asked, outcome in outcomes]
    record: dict[str, Any] = {**judged.record, "tests": tests}
    record["counts"] = {**record["counts"], "synthetic": len(evidence.synthetic.images)}
    for asked, _ in outcomes:
        f = Findings(policy=judged.policy, record=record, level=0.0, about=asked.id)
        for reason in asked.rule.hard(f):
            raise AuditFailedError(f"Looked at again, this set fails; nothing may leave. {reason}")
        for reason in asked.rule.inconclusive(f):
            raise NotReleasableError(f"Looked at again, this set does not pass. {reason}")
        if not f.measured:
            raise NotReleasableError(
                f"Looked at again, this set does not pass: {asked.words.short} was not measured."
            )


def _entry(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Measured):
        return {"outcome": "measured", **outcome.findings}
    return {"outcome": "not-run"}
