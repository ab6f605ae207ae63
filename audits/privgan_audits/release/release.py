"""The gate: only a set whose audit passed, by the ledger's own memory of that audit, is signed and copied out.

Nothing that was said before is believed. The set and the cohort are checked byte for byte, the report must be the
one that the ledger remembers as this set's newest, and it is judged again here. Every image is drawn again from the
run and the seed, and searched for real pictures and identifiers: see `again`. No file is copied: what is drawn here
is what is written, and the public page from that report, so that an edited page or a rider cannot leave. Where an
officer's key is named, the officer must have approved that very report: see `signoff`.
"""

import os
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from privgan.data.cohort.cohort import Cohort, open_cohort
from privgan.data.identifiers import require_nobody_named
from privgan.dp.budget.chain import Entry
from privgan.dp.budget.ledger import Ledger
from privgan.errors import AuditFailedError, IntegrityError, NotReleasableError
from privgan.folders import staged_folder
from privgan.language import by_default
from privgan.progress import Progress, silent
from privgan.seals import key_line
from privgan.synthetic.synthetic_set import SyntheticSet, open_synthetic_set
from privgan_audits.evidence.whose import identifiers_of
from privgan_audits.gate.verdict import PASS
from privgan_audits.policy import Policy
from privgan_audits.release import bundle as layout
from privgan_audits.release.approval import APPROVAL
from privgan_audits.release.joint.gathering import Joint, require_own_word
from privgan_audits.release.judged import Judged, judge_again, read_record
from privgan_audits.release.recipient.offer import Offer
from privgan_audits.release.remembered import remembered_audit
from privgan_audits.release.signoff import permission
from privgan_audits.release.writing import Cleared, prior_of, write_bundle


@dataclass(frozen=True, kw_only=True)
class Case:
    """The folders that a release looks into; they stay as they are.

    cohort: which the set's run was trained on. report: of the audit, with the officer's approval if there is one.
    run: which drew the set, and draws it again. joint: of a set of several hospitals, the folder between them.
    """

    synthetic: Path
    cohort: Path
    report: Path
    run: Path
    joint: Joint | None = None


def release(
    case: Case,
    bundle: Path,
    key: Ed25519PrivateKey,
    *,
    today: date,
    offer: Offer | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Sign a passed set and write the bundle that may leave the hospital.

    Args:
        case: the set, its cohort, and its audit.
        bundle: appears complete or not at all.
        key: see `seals.load_private_key`.
        today: the day that is signed, and on which an approval must hold; UTC.
        offer: licence, citation and further forms of the images.
        force: replace an older bundle of that name.
        progress: told of checking and writing.

    Returns:
        The signed predicate: privacy spend, verdict, digests.

    Raises:
        UsageError: a folder is missing, or the bundle exists; or words were typed that the officer has not signed.
        InputRejectedError: licence or citation name somebody of the source.
        IntegrityError: the set, the cohort or the report is edited, foreign or superseded; a file of the set is not
            what privgan writes of its arrays; or the officer's approval is missing, foreign, ended or withdrawn.
        BudgetError: the ledger is damaged, or the cohort was charged again after the audit.
        AuditFailedError: the verdict is FAIL, the run was a test run without privacy, or what is drawn again is
            another set, holds a real picture, or names somebody.
        NotReleasableError: the verdict is INCONCLUSIVE or INVALID, there is no privacy claim, or of several hospitals
            one has not agreed.
    """
    with staged_folder(bundle, marker=layout.ATTESTATION, force=force) as folder:
        given = offer or Offer()
        if given.licence or given.citation:
            _require_fitting(given, case)
        agreements = case.joint.agreements(case.synthetic, today) if case.joint else ()
        cleared = replace(clear(case, key.public_key(), today, progress), agreements=agreements)
        require_own_word(cleared)
        offered = given.under(cleared.judged.policy, approved=bool(cleared.permission))
        with by_default(cleared.judged.policy.language):
            return write_bundle(folder, cleared, offered, key, progress)


def _require_fitting(offer: Offer, case: Case) -> None:
    """What was typed for the recipient is searched as the policy's words were; and refused early, before drawing."""
    typed = {"licence": offer.licence, "citation": offer.citation}
    require_nobody_named(identifiers_of(open_cohort(case.cohort)), **typed)
    policy = Policy.from_json(read_record(case.report)[0].get("policy", {}))
    offer.under(policy, approved=os.path.lexists(case.report / APPROVAL))


def clear(case: Case, key: Ed25519PublicKey, today: date, progress: Progress = silent) -> Cleared:
    """Check everything that `release` requires, writing nothing; raises what `release` raises."""
    from privgan_audits.evidence.loading import opened_evidence
    from privgan_audits.release.again import drawn_again  # draws, which whoever sends or verifies never needs

    record, digest = read_record(case.report)
    held, opened = open_synthetic_set(case.synthetic, progress), open_cohort(case.cohort)
    if held.manifest.not_private:
        raise AuditFailedError("The run behind this set was a test run, NOT PRIVATE: it is never released.")
    ledger = Ledger.of_cohort(opened.ledger_path, cohort_sha256=opened.sha256)
    released_by = _whose(case.joint, held, opened, ledger, key)
    remembered = remembered_audit(ledger, held.sha256, digest)
    judged = judge_again({**record, "attempt": remembered.attempt}, digest)  # never by the number it gives itself
    _require_own_claim(judged, held, remembered.entry)
    remembered.require_attempt(record)
    pinned = opened.facts.officer_key
    granted = permission(case.report, judged, ledger, pinned=pinned, release_key=key, today=today)
    if case.joint and granted is None:
        raise IntegrityError(
            "Expected the privacy officer's approval, which a set of several hospitals needs of each. The officer "
            "signs with 'privgan approve REPORT'."
        )
    images = drawn_again(opened_evidence(held, opened, ledger, case.run), judged, progress)
    return Cleared(
        synthetic=held,
        images=images,
        ledger=ledger,
        judged=judged,
        permission=granted,
        today=today,
        released_by=released_by,
    )


def _whose(joint: Joint | None, held: SyntheticSet, opened: Cohort, ledger: Ledger, key: Ed25519PublicKey) -> str:
    """Which of several hospitals this one is, empty where the set is of one alone, which must then be this one."""
    named, answered = held.manifest.federation, ledger.of_kind("answered", held.manifest.run_id)
    if joint is None and (named or answered):
        raise NotReleasableError(
            "Expected a set of one hospital's patients, members of several shaped this one: each has to audit it "
            "against its own and to agree, and no hospital can do that for the others. Name the folder between them "
            "with --federation."
        )
    if joint is None:
        if held.manifest.cohort_id != opened.facts.cohort_id:
            raise IntegrityError("Expected the cohort that this set's run was trained on, got another one.")
        return ""
    if named is None or not answered:
        raise IntegrityError(
            "Expected a set of several hospitals and the cohort that answered with them, got others."
        )
    if (named.sha256, named.sites) != (joint.sites.federation, len(joint.sites.keys)):
        raise IntegrityError("Expected the federation that this set was learned in, the folder is of another one.")
    return joint.sites.named(key_line(key))


def _require_own_claim(judged: Judged, synthetic: SyntheticSet, entry: Entry) -> None:
    if entry["verdict"] != PASS:
        raise NotReleasableError("The remembered verdict is not the one that this version gives. Audit again.")
    said, what = judged.record["privacy"], judged.approved
    same_set = what.synthetic_sha256 == synthetic.sha256
    if judged.record.get("prior") != prior_of(synthetic.manifest).get("prior"):
        raise IntegrityError("Expected the audit to name the public images that the set names. Audit again.")
    records = synthetic.manifest.records
    if judged.record.get("columns", {}) != (records.columns if records else {}):
        raise IntegrityError("Expected the audit to name the columns of the set's records. Audit again.")
    named = synthetic.manifest.federation
    if judged.record.get("federation") != (asdict(named) if named else None):
        raise IntegrityError("Expected the audit to name the hospitals that the set names. Audit again.")
    if not same_set or said != asdict(synthetic.manifest.spend) or entry["policy_sha256"] != what.policy_sha256:
        raise IntegrityError("Expected the audit of this set's own claim under the remembered policy.")
