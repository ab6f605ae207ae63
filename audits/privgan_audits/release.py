"""The gate: only a set whose audit passed, by the ledger's own memory of that audit, is signed and copied out.

Nothing that was said before is believed. The set and the cohort are checked byte for byte, the report must be the
one that the ledger remembers as this set's newest, and it is judged again here. The public page is rendered
anew from that report, so that an edited page cannot leave.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan import __version__
from privgan.data.cohort import open_cohort
from privgan.dp.budget.chain import Entry
from privgan.dp.budget.ledger import Ledger
from privgan.errors import AuditFailedError, BudgetError, IntegrityError, NotReleasableError, UsageError
from privgan.files import (
    SHAREABLE_FILE,
    list_files,
    open_new,
    open_regular,
    require_space,
    sha256_bytes,
    sha256_file,
    staged_folder,
    write_bytes,
    write_json,
    write_text,
)
from privgan.progress import Progress, silent
from privgan.synthetic.synthetic_set import MARKER, SyntheticSet, open_synthetic_set
from privgan_audits import bundle as layout
from privgan_audits.policy import Policy
from privgan_audits.report.write import RECORD, read_record
from privgan_audits.signing import fingerprint, sign, statement
from privgan_audits.verdict import DIFFERENTIAL_PRIVACY, FAIL, PASS, judge

_SUMMARY_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Approval:
    """Everything that had to be true before a signature: what leaves, and why it may.

    record: audit.json. audit_sha256: its digest, as the ledger remembers it.
    """

    synthetic: SyntheticSet
    ledger: Ledger
    policy: Policy
    record: Mapping[str, Any]
    audit_sha256: str


def release(
    synthetic: Path,
    cohort: Path,
    report: Path,
    bundle: Path,
    key: Ed25519PrivateKey,
    *,
    force: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Sign a passed set and write the bundle that may leave the hospital.

    Args:
        synthetic: the set's folder; it stays as it is.
        cohort: the cohort that the set's run was trained on.
        report: the folder of the audit.
        bundle: appears complete or not at all.
        key: see `signing.load_private_key`.
        force: replace an older bundle of that name.
        progress: told of checking and copying.

    Returns:
        The signed predicate: privacy spend, verdict, digests.

    Raises:
        UsageError: a folder is missing, or the bundle exists.
        IntegrityError: the set, the cohort or the report is edited, foreign or superseded.
        BudgetError: the ledger is damaged, or the cohort was charged again after the audit.
        AuditFailedError: the verdict is FAIL, or the run was a test run without privacy.
        NotReleasableError: the verdict is INCONCLUSIVE or INVALID, or there is no privacy claim.
    """
    with staged_folder(bundle, marker=layout.ATTESTATION, force=force) as folder:
        approval = approve(synthetic, cohort, report, progress)
        return _write_bundle(folder, approval, key, progress)


def approve(synthetic: Path, cohort: Path, report: Path, progress: Progress = silent) -> Approval:
    """Check everything that `release` requires, writing nothing; raises what `release` raises."""
    if not report.is_dir():
        raise UsageError(f"Expected a report folder, {report} is missing.")
    held, opened = open_synthetic_set(synthetic, progress), open_cohort(cohort)
    if held.not_private:
        raise AuditFailedError("The run behind this set was a test run, NOT PRIVATE: it is never released.")
    if held.cohort_id != opened.facts.cohort_id:
        raise IntegrityError("Expected the cohort that this set's run was trained on, got another one.")
    ledger = Ledger.of_cohort(opened.ledger_path, cohort_sha256=opened.sha256)
    record, digest = read_record(report / RECORD)
    entry = _remembered(ledger, held, digest)
    policy = _judged(record, held, entry)
    return Approval(synthetic=held, ledger=ledger, policy=policy, record=record, audit_sha256=digest)


def _remembered(ledger: Ledger, synthetic: SyntheticSet, digest: str) -> Entry:
    audits = [entry for entry in ledger.of_kind("audit") if entry["synthetic_sha256"] == synthetic.sha256]
    if not audits or audits[-1]["report_sha256"] != digest:
        raise IntegrityError(
            "Expected this set's newest audit as the cohort's ledger remembers it; this report is edited, "
            "superseded, or of another set. Audit again."
        )
    if ledger.charged_since(audits[-1]):
        raise BudgetError(
            "The cohort was charged again after this audit, so that its total is out of date. Audit again."
        )
    return audits[-1]


def _judged(record: Mapping[str, Any], synthetic: SyntheticSet, entry: Entry) -> Policy:
    """The policy, after the record passed it once more."""
    try:
        policy = Policy.from_json(record["policy"])
        verdict = judge(policy, record)
        claimed = tuple(record["privacy"][name] for name in ("epsilon", "delta", "unit", "adjacency"))
        same_set = record["synthetic"]["sha256"] == synthetic.sha256
        odd = not all(isinstance(name, str) for name in record["overrides"])
    except (KeyError, TypeError, AttributeError, ValueError):
        odd = True
    if odd:
        raise IntegrityError("Expected the record of an audit, a field of it is missing or odd.")
    if verdict.verdict == FAIL:
        raise AuditFailedError(f"The audit's verdict is FAIL; nothing may leave. {verdict.reasons[0]}")
    if verdict.verdict != PASS:
        raise NotReleasableError(
            f"Expected the verdict PASS, this audit's is {verdict.verdict}. {verdict.reasons[0]}"
        )
    if verdict.scope != DIFFERENTIAL_PRIVACY:
        raise NotReleasableError(
            "Expected an audit against the cohort with a privacy claim; this one judged files alone."
        )
    if (record.get("verdict"), record.get("scope"), entry["verdict"]) != (PASS, DIFFERENTIAL_PRIVACY, PASS):
        raise NotReleasableError("The recorded verdict is not the one that this version gives. Audit again.")
    own = (synthetic.epsilon, synthetic.delta, synthetic.unit, synthetic.adjacency)
    if not same_set or claimed != own or entry["policy_sha256"] != policy.sha256:
        raise IntegrityError("Expected the audit of this set's own claim under the remembered policy.")
    return policy


def _write_bundle(folder: Path, approval: Approval, key: Ed25519PrivateKey, progress: Progress) -> dict[str, Any]:
    _copy_dataset(folder / layout.DATASET, approval.synthetic, progress)
    _write_public_report(folder, approval)
    name = fingerprint(key.public_key())
    write_text(folder / layout.GUIDE, layout.guide_text(name), SHAREABLE_FILE)
    subjects = {path.relative_to(folder).as_posix(): sha256_file(path) for path in list_files(folder)}
    predicate = _predicate(approval)
    stated = statement(subjects, layout.PREDICATE_TYPE, predicate)
    layout.subjects_of(stated)  # refuses here what a recipient would have to refuse
    envelope = sign(stated, key)
    write_bytes(folder / layout.ATTESTATION, envelope, SHAREABLE_FILE)
    sums = layout.sums_text({**subjects, layout.ATTESTATION: sha256_bytes(envelope)})
    write_bytes(folder / layout.SUMS, sums, SHAREABLE_FILE)
    return {**predicate, "files": len(subjects) + 2, "key_fingerprint": name}


def _copy_dataset(target: Path, synthetic: SyntheticSet, progress: Progress) -> None:
    """Copy what the manifest names, and check the copies: a file may have changed since it was opened."""
    digests = {**synthetic.files, MARKER: synthetic.sha256}
    require_space(target.parent, sum((synthetic.folder / name).stat().st_size + 8192 for name in digests))
    for done, (name, digest) in enumerate(digests.items(), start=1):
        with open_regular(synthetic.folder / name) as stream:
            content: bytes = stream.read()
        if sha256_bytes(content) != digest:
            raise IntegrityError(f"Expected {name} as it was audited, it changed during the release.")
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        with open_new(copy, SHAREABLE_FILE) as stream:
            stream.write(content)
        progress("copying the synthetic set", done, len(digests))


def _write_public_report(folder: Path, approval: Approval) -> None:
    from privgan_audits.report.view import public_page
    from privgan_audits.report.write import render

    (folder / layout.REPORT).mkdir()
    write_text(folder / layout.PUBLIC_PAGE, render(public_page(approval.record)), SHAREABLE_FILE)
    write_json(folder / layout.PUBLIC_SUMMARY, _public_summary(approval), SHAREABLE_FILE)


def _public_summary(approval: Approval) -> dict[str, Any]:
    """Only what names no measurement: outcomes and p-values come from private data and are not DP."""
    record = approval.record
    return {
        "schema_version": _SUMMARY_VERSION,
        "kind": "audit-public",
        "verdict": PASS,
        "scope": DIFFERENTIAL_PRIVACY,
        "privacy": _privacy(approval),
        "policy": approval.policy.to_json(),
        "overrides": list(record["overrides"]),
        "attempt": record["attempt"],
        "tests": [{"id": test["id"], "outcome": test["outcome"]} for test in record["tests"]],
    }


def _predicate(approval: Approval) -> dict[str, Any]:
    held, record = approval.synthetic, approval.record
    return {
        "privgan_version": __version__,
        "signed": datetime.now(UTC).date().isoformat(),
        "verdict": PASS,
        "scope": DIFFERENTIAL_PRIVACY,
        "privacy": _privacy(approval),
        "overrides": list(record["overrides"]),
        "attempt": record["attempt"],
        "policy_sha256": approval.policy.sha256,
        "policy_looser_than_default": approval.policy.looser_than_default(),
        "audit_sha256": approval.audit_sha256,
        "synthetic_sha256": held.sha256,
        "generator_sha256": held.generator_sha256,
        "run_id": held.run_id,
        "cohort_id": held.cohort_id,
        "ledger_head": approval.ledger.head,
    }


def _privacy(approval: Approval) -> dict[str, Any]:
    """The run's own spend, and what all runs and queries on the cohort cost together."""
    held = approval.synthetic
    total = next(test["cohort_total_epsilon"] for test in approval.record["tests"] if test["id"] == "T6")
    return {
        "epsilon": held.epsilon,
        "delta": held.delta,
        "unit": held.unit,
        "adjacency": held.adjacency,
        "cohort_total_epsilon": total,
    }
