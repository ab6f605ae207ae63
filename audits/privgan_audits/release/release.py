"""The gate: only a set whose audit passed, by the ledger's own memory of that audit, is signed and copied out.

Nothing that was said before is believed. The set and the cohort are checked byte for byte, the report must be the
one that the ledger remembers as this set's newest, and it is judged again here. Every image is drawn again from the
run and the seed, and searched for real pictures and identifiers: see `again`. No file is copied: what is drawn here
is what is written, and the public page from that report, so that an edited page or a rider cannot leave. Where an
officer's key is named, the officer must have approved that very report: see `signoff`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from privgan import __version__
from privgan.arrays import Images
from privgan.data.cohort.cohort import open_cohort
from privgan.dp.budget.chain import Entry
from privgan.dp.budget.ledger import Ledger
from privgan.errors import AuditFailedError, IntegrityError, NotReleasableError
from privgan.files import SHAREABLE_FILE, sha256_bytes, sha256_file, write_bytes, write_json, write_text
from privgan.folders import list_files, require_space, staged_folder
from privgan.progress import Progress, silent
from privgan.synthetic.set_files import SetFiles, formats_of
from privgan.synthetic.synthetic_set import MARKER, Manifest, SyntheticSet, open_synthetic_set, write_manifest
from privgan_audits.gate.verdict import DIFFERENTIAL_PRIVACY, PASS, implied
from privgan_audits.record import project_of
from privgan_audits.release import bundle as layout
from privgan_audits.release.approval import APPROVAL
from privgan_audits.release.judged import Judged, judge_again, read_record
from privgan_audits.release.recipient.guide import guide_text
from privgan_audits.release.recipient.packing import verifier
from privgan_audits.release.remembered import remembered_audit
from privgan_audits.release.signoff import SignedApproval, permission
from privgan_audits.seals import fingerprint, in_toto, sign
from privgan_audits.telling.strength import strength_of

COMPOSITION = "of one run, or by a Renyi filter over runs chosen after others"
_SUMMARY_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class Case:
    """The folders that a release looks into; they stay as they are.

    cohort: which the set's run was trained on. report: of the audit, with the officer's approval if there is one.
    run: which drew the set, and draws it again.
    """

    synthetic: Path
    cohort: Path
    report: Path
    run: Path


@dataclass(frozen=True, kw_only=True)
class Cleared:
    """Everything that had to be true before a signature: what leaves, and why it may.

    synthetic: the set that was audited. images: the same to the last bit, but drawn here.
    """

    synthetic: SyntheticSet
    images: Images
    ledger: Ledger
    judged: Judged
    permission: SignedApproval | None
    today: date

    @property
    def record(self) -> Mapping[str, Any]:
        """audit.json."""
        return self.judged.record


def release(
    case: Case,
    bundle: Path,
    key: Ed25519PrivateKey,
    *,
    today: date,
    force: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Sign a passed set and write the bundle that may leave the hospital.

    Args:
        case: the set, its cohort, and its audit.
        bundle: appears complete or not at all.
        key: see `seals.load_private_key`.
        today: the day that is signed, and on which an approval must hold; UTC.
        force: replace an older bundle of that name.
        progress: told of checking and writing.

    Returns:
        The signed predicate: privacy spend, verdict, digests.

    Raises:
        UsageError: a folder is missing, or the bundle exists.
        IntegrityError: the set, the cohort or the report is edited, foreign or superseded; a file of the set is not
            what privgan writes of its arrays; or the officer's approval is missing, foreign, ended or withdrawn.
        BudgetError: the ledger is damaged, or the cohort was charged again after the audit.
        AuditFailedError: the verdict is FAIL, the run was a test run without privacy, or what is drawn again is
            another set, holds a real picture, or names somebody.
        NotReleasableError: the verdict is INCONCLUSIVE or INVALID, or there is no privacy claim.
    """
    with staged_folder(bundle, marker=layout.ATTESTATION, force=force) as folder:
        cleared = clear(case, key.public_key(), today, progress)
        return _write_bundle(folder, cleared, key, progress)


def clear(case: Case, key: Ed25519PublicKey, today: date, progress: Progress = silent) -> Cleared:
    """Check everything that `release` requires, writing nothing; raises what `release` raises."""
    from privgan_audits.release.again import drawn_again  # draws, which whoever sends or verifies never needs

    record, digest = read_record(case.report)
    held, opened = open_synthetic_set(case.synthetic, progress), open_cohort(case.cohort)
    if held.manifest.not_private:
        raise AuditFailedError("The run behind this set was a test run, NOT PRIVATE: it is never released.")
    if held.manifest.cohort_id != opened.facts.cohort_id:
        raise IntegrityError("Expected the cohort that this set's run was trained on, got another one.")
    ledger = Ledger.of_cohort(opened.ledger_path, cohort_sha256=opened.sha256)
    remembered = remembered_audit(ledger, held.sha256, digest)
    judged = judge_again({**record, "attempt": remembered.attempt}, digest)  # never by the number it gives itself
    _require_own_claim(judged, held, remembered.entry)
    remembered.require_attempt(record)
    pinned = opened.facts.officer_key
    granted = permission(case.report, judged, ledger, pinned=pinned, release_key=key, today=today)
    images = drawn_again(case.synthetic, case.cohort, case.run, judged, progress)
    return Cleared(synthetic=held, images=images, ledger=ledger, judged=judged, permission=granted, today=today)


def _require_own_claim(judged: Judged, synthetic: SyntheticSet, entry: Entry) -> None:
    if entry["verdict"] != PASS:
        raise NotReleasableError("The remembered verdict is not the one that this version gives. Audit again.")
    said, what = judged.record["privacy"], judged.approved
    same_set = what.synthetic_sha256 == synthetic.sha256
    if judged.record.get("prior") != _prior(synthetic.manifest).get("prior"):
        raise IntegrityError("Expected the audit to name the public images that the set names. Audit again.")
    if not same_set or said != asdict(synthetic.manifest.spend) or entry["policy_sha256"] != what.policy_sha256:
        raise IntegrityError("Expected the audit of this set's own claim under the remembered policy.")


def _write_bundle(folder: Path, cleared: Cleared, key: Ed25519PrivateKey, progress: Progress) -> dict[str, Any]:
    _write_dataset(folder / layout.DATASET, cleared, progress)
    _write_public_report(folder, cleared)
    name = fingerprint(key.public_key())
    if cleared.permission:
        write_bytes(folder / APPROVAL, cleared.permission.envelope, SHAREABLE_FILE)
    guide = guide_text(name, sha256_bytes(verifier()), approved=bool(cleared.permission), told=_told(cleared))
    write_text(folder / layout.GUIDE, guide, SHAREABLE_FILE)
    write_text(folder / layout.GIT, layout.GIT_TEXT, SHAREABLE_FILE)
    subjects = {path.relative_to(folder).as_posix(): sha256_file(path) for path in list_files(folder)}
    predicate = _predicate(cleared)
    stated = in_toto(subjects, layout.PREDICATE_TYPE, predicate)
    layout.subjects_of(stated)  # refuses here what a recipient would have to refuse
    envelope = sign(stated, key)
    write_bytes(folder / layout.ATTESTATION, envelope, SHAREABLE_FILE)
    sums = layout.sums_text({**subjects, layout.ATTESTATION: sha256_bytes(envelope)})
    write_bytes(folder / layout.SUMS, sums, SHAREABLE_FILE)
    return {**predicate, "files": len(subjects) + 2, "key_fingerprint": name}


def _told(cleared: Cleared) -> str:
    """The first thing that a recipient reads of the set."""
    strength = strength_of(cleared.record, inside=False)
    project = "; ".join(filter(None, project_of(cleared.record).values()))
    return f"{project}. " * bool(project) + f"Verdict {PASS}, {strength}. {strength.rule}"


def _write_dataset(target: Path, cleared: Cleared, progress: Progress) -> None:
    """Write what was drawn here, and see that it is to the byte the set that was audited."""
    synthetic = cleared.synthetic
    audited = {**synthetic.files, MARKER: synthetic.sha256}
    require_space(target.parent, sum((synthetic.folder / name).stat().st_size + 8192 for name in audited))
    target.mkdir()
    manifest = synthetic.manifest
    SetFiles(manifest, cleared.images, synthetic.labels, formats_of(synthetic.files)).write(target, progress)
    written = write_manifest(target, manifest)
    others = [name for name in audited.keys() | written.keys() if audited.get(name) != written.get(name)]
    if others:
        raise IntegrityError(
            f"Expected every file as this version of privgan writes it from the audited arrays, {len(others)} of "
            f"{len(audited)} are others: something was added, or another version wrote them. Generate a set again "
            "and audit it; drawing costs no privacy."
        )


def _write_public_report(folder: Path, cleared: Cleared) -> None:
    from privgan_audits.report.public import Released, public_page
    from privgan_audits.report.write import render

    granted = cleared.permission.approval.facts() if cleared.permission else None
    released = Released(approval=granted, images=cleared.images)
    (folder / layout.REPORT).mkdir()
    write_text(folder / layout.PUBLIC_PAGE, render(public_page(cleared.record, released)), SHAREABLE_FILE)
    write_json(folder / layout.PUBLIC_SUMMARY, _public_summary(cleared), SHAREABLE_FILE)


def _public_summary(cleared: Cleared) -> dict[str, Any]:
    """What the verdict implies, and no more: numbers and outcomes come from private data and are not DP."""
    record = cleared.record
    return {
        "schema_version": _SUMMARY_VERSION,
        "kind": "audit-public",
        "project": project_of(record),
        "verdict": PASS,
        "strength": strength_of(record, inside=False).word,
        "scope": DIFFERENTIAL_PRIVACY,
        "privacy": _privacy(cleared),
        "policy": cleared.judged.policy.to_json(),
        "overrides": list(record["overrides"]),
        "attempt": record["attempt"],
        "answered": sorted(implied(DIFFERENTIAL_PRIVACY)),
        **_prior(cleared.synthetic.manifest),
    }


def _predicate(cleared: Cleared) -> dict[str, Any]:
    held, record = cleared.synthetic, cleared.record
    return {
        "privgan_version": __version__,
        "project": project_of(record),
        "signed": cleared.today.isoformat(),
        "verdict": PASS,
        "strength": strength_of(record, inside=False).word,
        "scope": DIFFERENTIAL_PRIVACY,
        "privacy": _privacy(cleared),
        "overrides": list(record["overrides"]),
        "attempt": record["attempt"],
        "policy_sha256": cleared.judged.policy.sha256,
        "policy_looser_than_default": cleared.judged.policy.looser_than_default(),
        "audit_sha256": cleared.judged.approved.audit_sha256,
        "synthetic_sha256": held.sha256,
        "generator_sha256": held.manifest.generator_sha256,
        "config_sha256": held.manifest.config_sha256,
        "run_id": held.manifest.run_id,
        "cohort_id": held.manifest.cohort_id,
        **_prior(held.manifest),
        **({"approval": cleared.permission.approval.facts()} if cleared.permission else {}),
    }


def _prior(manifest: Manifest) -> dict[str, Any]:
    """The public images that shaped the set; nothing without any."""
    return {"prior": asdict(manifest.prior)} if manifest.prior else {}


def _privacy(cleared: Cleared) -> dict[str, Any]:
    """The run's own spend, and the limit that all runs on the cohort together keep.

    Their total stays inside: under a site anchor it may hang on whether one patient is in two cohorts.
    """
    return {
        **asdict(cleared.synthetic.manifest.spend),
        "cohort_total_epsilon_at_most": cleared.judged.policy.max_epsilon,
        "cohort_total_composition": COMPOSITION,
        "cohort_delta": cleared.ledger.cap.delta,
    }
