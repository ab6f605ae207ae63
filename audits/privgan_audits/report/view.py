"""From the audit's record to the page for the hospital; the one that may leave is `public`.

It is a function of audit.json alone, and of the report's own pictures, so that a report can be drawn again.
"""

from collections.abc import Iterator

from privgan.data.cohort.options import EACH_IMAGE_IS_A_PATIENT
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
from privgan_audits.telling.numbers import plain
from privgan_audits.telling.words import Fact


def internal_page(
    record: Record, audit_sha256: str, gallery: Gallery | None, approval: tuple[Fact, ...] = ()
) -> Page:
    """The page for the hospital: every measured number, the charts, the closest pairs, and who approved it."""
    policy = Policy.from_json(record["policy"])
    return Page(
        tier_note=frame.INTERNAL_NOTE,
        front=front(record),
        groups=inside_groups(record, policy),
        people=(*_people(record), _images(record)),
        promise=promise(record),
        detection_limit=detection_limit(record),
        limits=tuple(internal_limits(record, policy)),
        digests=(Fact(name="This record", value=audit_sha256, note="SHA-256 of audit.json"), *_digests(record)),
        how_to_verify=frame.VERIFY_INTERNAL,
        ledger=tuple(history(record["ledger"])),
        approval=approval,
        usefulness=usefulness(record["utility"]),
        pictures=pictures_of(gallery) if gallery else None,
        no_pictures=frame.NO_GALLERY if record["gallery_sha256"] and not gallery else "",
        planted=planted_copies(record),
        within_groups=copies_within_groups(record),
        notes=tuple(record["notes"]),
        appendix=tuple(appendix(record)),
    )


def _people(record: Record) -> Iterator[Fact]:
    counts = record["counts"]
    promised = record["privacy"]["epsilon"] is not None
    unit = "Unit of protection" if promised else "Unit of the tests"
    if EACH_IMAGE_IS_A_PATIENT in record["overrides"]:
        yield Fact(name=unit, value="the single image", note=frame.EACH_IMAGE)
    else:
        yield Fact(name=unit, value="the patient, with all images", note="not the single image")
    yield Fact(name="Scope", value=frame.SCOPES[record["scope"]])
    yield Fact(name="Members", value=plain(counts["members"]), note="patients whose images were learned from")
    held_back = plain(counts["non_members"])
    split = record["scope"] == DIFFERENTIAL_PRIVACY
    others = "patients held back by lot, for comparison" if split else "patients who were not, as the files have it"
    yield Fact(name="Non-members", value=held_back, note=others)
    size = plain(counts["image_size"])
    yield Fact(name="Synthetic images", value=plain(counts["synthetic"]), note=f"of {size} x {size} pixels")
    if prior := record.get("prior"):  # what a run names is public
        yield Fact(name="Public images", value=plain(prior["images"]), note=frame.PRIOR.format(**prior))
    preset = str(record["policy"]["preset"])
    yield Fact(name="Policy", value=preset, note=frame.POLICIES[preset])
    if record["cohort"] is None:
        yield Fact(
            name="Audit attempt", value="not counted", note="no cohort was named among whose attempts it counts"
        )
    else:
        stricter = "every further set is judged at a smaller error, and has to show more"
        yield Fact(name="Audit attempt", value=plain(record["attempt"]), note=stricter)


def _images(record: Record) -> Fact:
    counts = record["counts"]
    value = f"{plain(counts['member_images'])} of members, {plain(counts['non_member_images'])} of non-members"
    return Fact(name="Real images", value=value, note="how many they are stays inside")


def _digests(record: Record) -> Iterator[Fact]:
    yield Fact(name="Policy", value=str(record["policy"]["sha256"]), note="SHA-256")
    yield Fact(name="Synthetic set", value=str(record["synthetic"]["sha256"]), note="SHA-256 of its manifest")
    if prior := record.get("prior"):
        yield Fact(name="Public images", value=str(prior["sha256"]), note="SHA-256 of what was learned from them")
    if record.get("encoder"):
        yield Fact(name="Encoder", value=str(record["encoder"]["sha256"]), note="SHA-256, brought by the hospital")
