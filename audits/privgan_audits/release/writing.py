"""The bundle, written: what was drawn again, and what a recipient reads, counts and checks beside it.

No file is copied: images come from the arrays that the gate drew, words from the record that it judged and from what
was offered. So an edited page or a rider cannot leave.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan import __version__
from privgan.arrays import Images
from privgan.dp.budget.ledger import Ledger
from privgan.dp.strength import WORDS
from privgan.errors import IntegrityError
from privgan.files import (
    SHAREABLE_FILE,
    open_new,
    readable_json,
    sha256_bytes,
    sha256_file,
    write_bytes,
    write_json,
    write_text,
)
from privgan.folders import list_files, require_space
from privgan.images.containers import Piece
from privgan.language import in_a_row, tr
from privgan.progress import Progress
from privgan.seals import fingerprint, in_toto, sign
from privgan.synthetic.other_forms import SplitImages
from privgan.synthetic.set_files import SetFiles, formats_of
from privgan.synthetic.splits import SPLITS, splits_csv
from privgan.synthetic.synthetic_set import MARKER, Manifest, SyntheticSet, write_manifest
from privgan_audits.gate.verdict import DIFFERENTIAL_PRIVACY, PASS, implied
from privgan_audits.record import project_of
from privgan_audits.release import bundle as layout
from privgan_audits.release.approval import APPROVAL, SignedApproval
from privgan_audits.release.joint.agreement import Agreement
from privgan_audits.release.judged import Judged
from privgan_audits.release.recipient.croissant import croissant
from privgan_audits.release.recipient.guide import guide_text
from privgan_audits.release.recipient.offer import Offer
from privgan_audits.release.recipient.packing import verifier
from privgan_audits.release.recipient.readme import Told, readme_text
from privgan_audits.telling.numbers import in_parts
from privgan_audits.telling.strength import Strength, strength_of

COMPOSITION = "of one run, or by a Renyi filter over runs chosen after others"
_SUMMARY_VERSION = 2
_BLOCK_BYTES = 8192  # of disk beside a file's content, at most


@dataclass(frozen=True, kw_only=True)
class Cleared:
    """Everything that had to be true before a signature: what leaves, and why it may.

    synthetic: the set that was audited. images: the same to the last bit, but drawn here. agreements: of a set of
    several hospitals the words of all of them, released_by whose release this is; of one hospital none.
    """

    synthetic: SyntheticSet
    images: Images
    ledger: Ledger
    judged: Judged
    permission: SignedApproval | None
    today: date
    agreements: tuple[Agreement, ...] = ()
    released_by: str = ""

    @property
    def record(self) -> Mapping[str, Any]:
        """audit.json."""
        return self.judged.record


def write_bundle(
    folder: Path, cleared: Cleared, offer: Offer, key: Ed25519PrivateKey, progress: Progress
) -> dict[str, Any]:
    """Write everything into an empty (staged) folder, in the current language, and sign it; returns what was signed.

    Args:
        folder: of the bundle.
        cleared: what may leave.
        offer: with the policy's words where it says nothing itself.
        key: the hospital's.
        progress: told of writing.

    Raises:
        IntegrityError: what was drawn is not, to the byte, what was audited.
    """
    predicate, name = _predicate(cleared, offer), fingerprint(key.public_key())
    files = _write_dataset(folder / layout.DATASET, cleared, progress)
    _write_forms(folder, cleared, files, offer)
    _write_public_report(folder, cleared, offer)
    if cleared.permission:
        write_bytes(folder / APPROVAL, cleared.permission.envelope, SHAREABLE_FILE)
    _write_words(folder, cleared.agreements)
    guide = guide_text(
        name,
        sha256_bytes(verifier()),
        approved=bool(cleared.permission),
        told=_told(cleared),
        sites={each.site: each.key_fingerprint for each in cleared.agreements},
    )
    told = Told(
        manifest=cleared.synthetic.manifest,
        predicate=predicate,
        strength=_weakest(cleared),
        forms=offer.forms,
        splits=tuple(split for split in SPLITS if split in files.splits),
        sites=cleared.agreements,
    )
    texts = {layout.GUIDE: guide, layout.GIT: layout.GIT_TEXT, layout.README: readme_text(told)}
    for path, text in texts.items():
        write_text(folder / path, text, SHAREABLE_FILE)
    data = {path: digest for path, digest in _digests(folder).items() if layout.is_data(path)}
    write_bytes(folder / layout.CROISSANT, readable_json(croissant(told, data)), SHAREABLE_FILE)
    return _seal(folder, predicate, key)


def _write_words(folder: Path, agreements: Sequence[Agreement]) -> None:
    """Of every hospital as it gave it, to the byte."""
    if agreements:
        (folder / layout.SITES).mkdir()
    for each in agreements:
        for place, content in zip(layout.places_of(each.site), astuple(each.letters), strict=True):
            write_bytes(folder / place, content, SHAREABLE_FILE)


def _digests(folder: Path) -> dict[str, str]:
    """Hex SHA-256 by path of everything that was written so far."""
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in list_files(folder)}


def _seal(folder: Path, predicate: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    subjects = _digests(folder)
    stated = in_toto(subjects, layout.PREDICATE_TYPE, predicate)
    layout.subjects_of(stated)  # refuses here what a recipient would have to refuse
    envelope = sign(stated, key)
    write_bytes(folder / layout.ATTESTATION, envelope, SHAREABLE_FILE)
    sums = layout.sums_text({**subjects, layout.ATTESTATION: sha256_bytes(envelope)})
    write_bytes(folder / layout.SUMS, sums, SHAREABLE_FILE)
    return {**predicate, "files": len(subjects) + 2, "key_fingerprint": fingerprint(key.public_key())}


def _told(cleared: Cleared) -> str:
    """The first thing that a recipient reads of the set."""
    strength = _weakest(cleared)
    project = in_parts(project_of(cleared.record).values())
    verdict = tr("Verdict {verdict}, {strength}.", verdict=tr(PASS), strength=strength)
    return in_a_row((tr("{project}.", project=project) if project else "", verdict, strength.rule))


def _weakest(cleared: Cleared) -> Strength:
    """Of several hospitals' promises the one that promises least."""
    own = strength_of(cleared.record, inside=False)
    words = [own.word, *(each.strength for each in cleared.agreements)]
    return replace(own, word=max(words, key=WORDS.index))


def _write_dataset(target: Path, cleared: Cleared, progress: Progress) -> SetFiles:
    """Write what was drawn here, and see that it is to the byte the set that was audited."""
    synthetic = cleared.synthetic
    audited = {**synthetic.files, MARKER: synthetic.sha256}
    require_space(target.parent, sum((synthetic.folder / name).stat().st_size + _BLOCK_BYTES for name in audited))
    target.mkdir()
    manifest = synthetic.manifest
    files = SetFiles(manifest, cleared.images, synthetic.labels, formats_of(synthetic.files), synthetic.records)
    files.write(target, progress)
    written = write_manifest(target, manifest)
    others = [name for name in audited.keys() | written.keys() if audited.get(name) != written.get(name)]
    if others:
        raise IntegrityError(
            f"Expected every file as this version of privgan writes it from the audited arrays, {len(others)} of "
            f"{len(audited)} are others: something was added, or another version wrote them. Generate a set again "
            "and audit it; drawing costs no privacy."
        )
    return files


def _write_forms(folder: Path, cleared: Cleared, files: SetFiles, offer: Offer) -> None:
    """The suggested split, and the images once more in the forms that were asked for."""
    classes, labels = cleared.synthetic.manifest.form.classes, cleared.synthetic.labels
    splits = files.splits
    named = [classes[label] for label in labels]
    write_text(folder / layout.SPLITS, splits_csv(files.homes, named, splits.tolist()), SHAREABLE_FILE)
    held = SplitImages(images=cleared.images, labels=labels, splits=splits, classes=classes)
    require_space(folder, len(offer.forms) * (cleared.images.nbytes + len(labels) * _BLOCK_BYTES))
    for form in offer.forms:
        for name, pieces in held.files(form):
            _write_pieces(folder / layout.FORMS / name, pieces)


def _write_pieces(path: Path, pieces: Iterable[Piece]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_new(path, SHAREABLE_FILE) as stream:
        stream.writelines(pieces)


def _write_public_report(folder: Path, cleared: Cleared, offer: Offer) -> None:
    from privgan_audits.report.public import Released, public_page
    from privgan_audits.report.write import render

    granted = cleared.permission.approval.facts() if cleared.permission else None
    sites = {each.site: each.approval.approval.facts() for each in cleared.agreements}
    released = Released(approval=granted, images=cleared.images, licence=offer.licence, sites=sites)
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
        **prior_of(cleared.synthetic.manifest),
        **_several(cleared),
    }


def _predicate(cleared: Cleared, offer: Offer) -> dict[str, Any]:
    manifest = cleared.synthetic.manifest
    return {
        **claims_of(cleared),
        "terms": offer.terms,
        "signed": cleared.today.isoformat(),
        "generator_sha256": manifest.generator_sha256,
        "config_sha256": manifest.config_sha256,
        "run_id": manifest.run_id,
        "cohort_id": manifest.cohort_id,
        **prior_of(manifest),
        **_several(cleared),
    }


def claims_of(cleared: Cleared) -> dict[str, Any]:
    """What a hospital claims of its own audit; to a recipient, and before that to hospitals that learned with it."""
    record = cleared.record
    return {
        "privgan_version": __version__,
        "project": project_of(record),
        "verdict": PASS,
        "strength": strength_of(record, inside=False).word,
        "scope": DIFFERENTIAL_PRIVACY,
        "privacy": _privacy(cleared),
        "overrides": list(record["overrides"]),
        "attempt": record["attempt"],
        "policy_sha256": cleared.judged.policy.sha256,
        "policy_looser_than_default": cleared.judged.policy.looser_than_default(),
        "audit_sha256": cleared.judged.approved.audit_sha256,
        "synthetic_sha256": cleared.synthetic.sha256,
        **({"approval": cleared.permission.approval.facts()} if cleared.permission else {}),
    }


def _several(cleared: Cleared) -> dict[str, Any]:
    """The hospitals whose members shaped a set, and which of them releases it; nothing of a set of one."""
    named = cleared.synthetic.manifest.federation
    return {"federation": asdict(named), "released_by": cleared.released_by} if named else {}


def prior_of(manifest: Manifest) -> dict[str, Any]:
    """The public images that shaped a set, as statements name them; nothing without any."""
    return {"prior": asdict(manifest.prior)} if manifest.prior else {}


def _privacy(cleared: Cleared) -> dict[str, Any]:
    """The run's own spend, and the limit that all runs on the cohort together keep.

    Their total stays inside: under a site anchor it may hang on whether one patient is in two cohorts. Of several
    hospitals the limit stands in the policy alone: the delta beside it follows from how many members one of them has.
    """
    manifest = cleared.synthetic.manifest
    if manifest.federation:
        return asdict(manifest.spend)
    return {
        **asdict(manifest.spend),
        "cohort_total_epsilon_at_most": cleared.judged.policy.max_epsilon,
        "cohort_total_composition": COMPOSITION,
        "cohort_delta": cleared.ledger.cap.delta,
    }
