"""What `prepare` answers, as an object and in words."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from privgan.language import retold, tr

if TYPE_CHECKING:
    from privgan_audits.enrol import Enrolled


def as_json(opened: "Enrolled") -> dict[str, Any]:
    """The object of `privgan prepare --json`."""
    facts, expected = opened.facts, opened.preflight
    return {
        "patients": facts.patients,
        "members": facts.members,
        "non_members": facts.non_members,
        "images": facts.images,
        "channels": facts.form.channels,
        "each_image_is_a_patient": facts.form.each_image_is_a_patient,
        "modality": facts.form.modality,
        "body_part": facts.form.body_part,
        "classes": list(facts.form.classes),
        "columns": facts.columns,
        "refused": facts.refused,
        "merged_patients": facts.merged_patients,
        "excluded_patients": facts.excluded_patients,
        "preflight": {
            "chance": expected.chance,
            "limit_of_detection": expected.limit_of_detection,
            "smallest_non_members": expected.smallest_non_members,
        },
        "shared_patients": opened.shared,
        "officer_key": facts.officer_key,
        "notes": list(facts.notes),
    }


def in_words(opened: "Enrolled") -> list[str]:
    """The same for people."""
    from privgan_cli.line.scanned import called

    facts, expected, form = opened.facts, opened.preflight, opened.facts.form
    side = tr("{side} px in colour", side=form.side) if form.colour else tr("{side} px", side=form.side)
    return [
        tr(
            "{images} images of {patients} patients: {members} members to learn from, {others} held back for the "
            "audit",
            images=facts.images,
            patients=facts.patients,
            members=facts.members,
            others=facts.non_members,
        ),
        tr(
            "classes {classes}; {side}, preset {preset}",
            classes=tr(", ").join(form.classes),
            side=side,
            preset=facts.preset,
        ),
        tr("called {name} in every output", name=called(form.modality, form.body_part)),
        *_records(facts.columns),
        tr(
            "{refused} files refused, {merged} numbers of patients merged with another, {withdrawn} withdrawn",
            refused=sum(facts.refused.values()),
            merged=facts.merged_patients,
            withdrawn=facts.excluded_patients,
        ),
        tr(
            "a set that leaks nothing passes the audit with probability {chance}; {seen}",
            chance=f"{expected.chance:.3f}",
            seen=_seen(expected.limit_of_detection),
        ),
        *_shared(opened.shared),
        *_pinned(facts.officer_key),
        *map(retold, facts.notes),
    ]


def _records(types: Mapping[str, str]) -> list[str]:
    """What records may hold, and what stays for the audit."""
    from privgan.records.schema import Schema  # and NumPy with it

    declared = Schema.of(types).types
    audited = [name for name in types if name not in declared]
    lines = (
        (
            declared,
            tr("records of {columns}", columns=tr(", ").join(f"{name}:{text}" for name, text in declared.items())),
        ),
        (audited, tr("columns for the audit alone: {columns}", columns=tr(", ").join(audited))),
    )
    return [line for there, line in lines if there]


def _shared(patients: int) -> list[str]:
    if not patients:
        return []
    return [
        tr(
            "{count} of the members are members of other cohorts of the site, too: what either spends counts for "
            "both",
            count=patients,
        )
    ]


def _pinned(officer_key: str) -> list[str]:
    if not officer_key:
        return []
    return [tr("nothing of this cohort is released without an approval by the officer's key")]


def _seen(limit: int | None) -> str:
    if limit is None:
        return tr("copies of patients may go unseen, however many")
    return tr("copies of {count} different patients or more are seen", count=limit)
