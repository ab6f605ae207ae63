"""T10 told: identifiers in the files."""

import re
from collections.abc import Iterator

from privgan.language import retold, to_tr, tr
from privgan_audits.record import Record
from privgan_audits.telling.keys import keyword
from privgan_audits.telling.numbers import chances, listed, plain
from privgan_audits.telling.words import LINKABILITY, Answer, Fact, Label, Words

_ENTRY = re.compile(r"entry (\d+)")
_SEEN_IN = to_tr({"synthetic": "Text seen in synthetic images", "members": "Text seen in images of members"})


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    found = test["identifiers_found"]
    searched = tr(
        "{files} files, every byte, were searched for {identifiers} identifiers of the source, known here only as "
        "keyed digests.",
        files=plain(test["files"]),
        identifiers=plain(test["known_identifiers"]),
    )
    compared = (_compared(test.get("not_as_audited")), *told(test))
    if not found:
        return Answer(answer=tr("none"), sentences=(searched, tr("None was found."), *compared))
    result = tr("{count} places hold one. By kind: {kinds}.", count=plain(found), kinds=plain(test["by_category"]))
    return Answer(answer=tr("{count} places", count=plain(found)), sentences=(searched, result, *compared))


def _compared(differences: Record | None) -> str:
    if differences is None:
        return tr("Another program wrote the files, so that nobody knows what should be in them beside the images.")
    if differences:
        return tr("Files differ from what was audited: {kinds}.", kinds=plain(differences))
    return tr("Every file is what was audited.")


def told(test: Record) -> Iterator[str]:
    """What labels, their counts, the order and the images say, in sentences; nothing of it counts for the verdict."""
    yield from _told_of_order(test.get("arrangement", {}))
    seen = test.get("lettering", {})
    if seen and seen["synthetic"]:
        yield tr(
            "Text was seen in {synthetic} of {of_synthetic} synthetic images and in {members} of {of_members} images "
            "of members: look at them.",
            **{name: plain(seen[name]) for name in ("synthetic", "of_synthetic", "members", "of_members")},
        )


def _told_of_order(arranged: Record) -> Iterator[str]:
    if not arranged:
        return
    shares = tr(" and of ").join(map(tr, arranged["class_shares_of"]))
    if shares:
        yield tr(
            "The set has exactly the class shares of {whom}: a private number, unless it was chosen beforehand.",
            whom=shares,
        )
    one = arranged["labels_of_one_member"]
    if one:
        yield tr(
            "{count} of its {labels} labels are of one member alone.",
            count=plain(one),
            labels=plain(arranged["labels"]),
        )
    if arranged["order_p"] is not None:
        yield tr(
            "How far its order follows that of the members: correlation {correlation}; chance alone looks so "
            "{chances}.",
            correlation=plain(arranged["order_correlation"]),
            chances=chances(arranged["order_p"]),
        )


def _arrangement(test: Record) -> Iterator[Fact]:
    arranged = test["arrangement"]
    shares = listed(map(tr, arranged["class_shares_of"])) or tr("nobody")
    yield Fact(name=tr("Class shares are exactly those of"), value=shares, note=tr("not judged"))
    one = plain(arranged["labels_of_one_member"])
    yield Fact(
        name=tr("Different labels"),
        value=plain(arranged["labels"]),
        note=tr("{count} of them of one member alone; not judged", count=one),
    )
    yield Fact(
        name=tr("Order of the set and of the members, correlation within classes"),
        value=plain(arranged["order_correlation"]),
        note=tr("how often chance alone looks at least this bad: {p}; not judged", p=plain(arranged["order_p"])),
    )


def _lettering(test: Record) -> Iterator[Fact]:
    seen = test["lettering"]
    for side, name in _SEEN_IN.items():
        yield Fact(
            name=tr(name),
            value=tr("{count} of {total}", count=plain(seen[side]), total=plain(seen["of_" + side])),
            note=tr("printed lines of five letters or more; not judged"),
        )


def _places(test: Record) -> Iterator[Fact]:
    for place in test["places"]:
        where, what = keyword(place["kind"]), keyword(place["category"])
        yield Fact(
            name=tr("Found in"), value=retold(place["file"]), note=tr("{where}: {what}", where=where, what=what)
        )


def _midi_b(test: Record) -> Iterator[Fact]:
    for name, row in test["midi_b"].items():
        value = tr(
            "{violations} violations in {checked} files ({basis})",
            violations=plain(row["violations"]),
            checked=plain(row["checked"]),
            basis=retold(row["basis"]),
        )
        yield Fact(name=f"MIDI-B: {keyword(name)}", value=value, note=retold(row["meaning"]))


WORDS = Words(
    title="Do names, numbers or dates of patients hide in the files?",
    short="Identifiers in the files",
    tries="Reads every byte: headers, file names, comments, private fields, encoded and compressed texts, for "
    "anything identifying, and compares every file with the images that were audited.",
    caught="Identifiers from the source files of four characters or more, numbers of six digits or more; files "
    "whose images or labels are not the audited ones. Text painted into images is "
    "counted where it is large and clear, and not read. Not: shorter ones, and labels that do not fit their images.",
    group=LINKABILITY,
    answer=answer,
    labels={
        "identifiers_found": Label(name="Places with a patient's identifier", note="a single one is a FAIL"),
        "by_category": Label(name="Kinds of identifiers found"),
        "files": Label(name="Files searched, every byte"),
        "structure": Label(name="Files with something odd in their structure", note="in a privgan set a FAIL"),
        "validator_complaints": Label(
            name="Complaints of the DICOM validator", note="of the first files; not judged"
        ),
        "not_as_audited": Label(name="Files that differ from the audited images", note="a single one is a FAIL"),
        "unreadable_entries": Label(name="Links and other entries that are not files"),
        "known_identifiers": Label(name="Identifiers searched for", note="known here only as keyed digests"),
    },
    special={"places": _places, "midi_b": _midi_b, "arrangement": _arrangement, "lettering": _lettering},
)
