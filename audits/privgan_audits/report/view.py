"""From the audit's record to the page for the hospital; the one that may leave is `public`.

It is a function of audit.json alone, and of the report's own pictures, so that a report can be drawn again.
"""

from collections.abc import Iterator

from privgan.config import from_table
from privgan.data.cohort.options import EACH_IMAGE_IS_A_PATIENT
from privgan.language import retold, tr
from privgan.run import FederationNamed
from privgan_audits.gate.verdict import DIFFERENTIAL_PRIVACY
from privgan_audits.policy import Policy
from privgan_audits.record import Record
from privgan_audits.report.appendix import appendix
from privgan_audits.report.cards import inside_groups
from privgan_audits.report.front import front
from privgan_audits.report.gallery import Gallery
from privgan_audits.report.ledger import history
from privgan_audits.report.limits import (
    copies_within_groups,
    detection_limit,
    internal_limits,
    planted_copies,
)
from privgan_audits.report.page import Page
from privgan_audits.report.pictures import pictures_of
from privgan_audits.report.promise import promise
from privgan_audits.report.usefulness import usefulness
from privgan_audits.report.words import frame
from privgan_audits.telling.keys import humanised
from privgan_audits.telling.numbers import listed, plain
from privgan_audits.telling.words import Fact


def internal_page(
    record: Record, audit_sha256: str, gallery: Gallery | None, approval: tuple[Fact, ...] = ()
) -> Page:
    """The page for the hospital: every measured number, the charts, the closest pairs, and who approved it."""
    policy = Policy.from_json(record["policy"])
    return Page(
        tier_note=tr(frame.INTERNAL_NOTE),
        front=front(record),
        groups=inside_groups(record, policy),
        people=(*_people(record), _images(record)),
        promise=promise(record),
        detection_limit=detection_limit(record),
        limits=tuple(internal_limits(record, policy)),
        digests=(_digest(tr("This record"), audit_sha256, tr("SHA-256 of audit.json")), *_digests(record)),
        how_to_verify=tr(frame.VERIFY_INTERNAL),
        ledger=tuple(history(record["ledger"])),
        approval=approval,
        usefulness=usefulness(record["utility"]),
        pictures=pictures_of(gallery) if gallery else None,
        no_pictures=tr(frame.NO_GALLERY) if record["gallery_sha256"] and not gallery else "",
        planted=planted_copies(record),
        within_groups=copies_within_groups(record),
        notes=tuple(map(retold, record["notes"])),
        appendix=tuple(appendix(record)),
    )


def _people(record: Record) -> Iterator[Fact]:
    counts = record["counts"]
    promised = record["privacy"]["epsilon"] is not None
    unit = tr("Unit of protection") if promised else tr("Unit of the tests")
    if EACH_IMAGE_IS_A_PATIENT in record["overrides"]:
        yield Fact(name=unit, value=tr("the single image"), note=tr(frame.EACH_IMAGE))
    else:
        yield Fact(name=unit, value=tr("the patient, with all images"), note=tr("not the single image"))
    yield Fact(name=tr("Scope"), value=tr(frame.SCOPES[record["scope"]]))
    learned = tr("patients whose images were learned from")
    yield Fact(name=tr("Members"), value=plain(counts["members"]), note=learned)
    split = record["scope"] == DIFFERENTIAL_PRIVACY
    others = (
        tr("patients held back by lot, for comparison")
        if split
        else tr("patients who were not, as the files have it")
    )
    yield Fact(name=tr("Non-members"), value=plain(counts["non_members"]), note=others)
    size = tr("of {size} x {size} pixels", size=plain(counts["image_size"]))
    yield Fact(name=tr("Synthetic images"), value=plain(counts["synthetic"]), note=size)
    if fine := record.get("smooth_as"):
        smooth = tr("as images of {fine} pixels a side that were enlarged", fine=plain(fine))
        yield Fact(name=tr("Smoothness"), value=smooth, note=tr(frame.SMOOTH))
    if columns := record.get("columns"):
        declared = tr("; ").join(columns.values())
        yield Fact(name=tr("Records"), value=listed(map(humanised, columns)), note=declared)
    if prior := record.get("prior"):  # what a run names is public
        # Records of before cannot have left any out.
        note = frame.PRIOR if prior.get("used", True) else frame.LEFT_OUT
        yield Fact(name=tr("Public images"), value=plain(prior["images"]), note=tr(note, **prior))
    if named := record.get("federation"):
        note = from_table(FederationNamed, named).sentence
        yield Fact(name=tr("Hospitals"), value=plain(named["sites"]), note=note)
    preset = str(record["policy"]["preset"])
    yield Fact(name=tr("Policy"), value=preset, note=tr(frame.POLICIES[preset]))
    if record["cohort"] is None:
        uncounted = tr("no cohort was named among whose attempts it counts")
        yield Fact(name=tr("Audit attempt"), value=tr("not counted"), note=uncounted)
    else:
        stricter = tr("every further set is judged at a smaller error, and has to show more")
        yield Fact(name=tr("Audit attempt"), value=plain(record["attempt"]), note=stricter)


def _images(record: Record) -> Fact:
    counts = record["counts"]
    value = tr(
        "{members} of members, {non_members} of non-members",
        members=plain(counts["member_images"]),
        non_members=plain(counts["non_member_images"]),
    )
    return Fact(name=tr("Real images"), value=value, note=tr("how many they are stays inside"))


def _digests(record: Record) -> Iterator[Fact]:
    yield _digest(tr("Policy"), record["policy"]["sha256"], "SHA-256")
    yield _digest(tr("Synthetic set"), record["synthetic"]["sha256"], tr("SHA-256 of its manifest"))
    if prior := record.get("prior"):
        yield _digest(tr("Public images"), prior["sha256"], tr("SHA-256 of what was learned from them"))
    if record.get("encoder"):
        yield _digest(tr("Encoder"), record["encoder"]["sha256"], tr("SHA-256, brought by the hospital"))


def _digest(name: str, sha256: object, note: str) -> Fact:
    return Fact(name=name, value=str(sha256), note=note)
