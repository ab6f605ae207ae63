"""T10 told: identifiers in the files."""

from collections.abc import Iterator

from privgan_audits.record import Record
from privgan_audits.telling.numbers import chances, humanised, plain
from privgan_audits.telling.words import LINKABILITY, P_NOTE, Answer, Fact, Label, Words


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    found = test["identifiers_found"]
    searched = f"{plain(test['files'])} files, every byte, were searched for {plain(test['known_identifiers'])} "
    searched += "identifiers of the source, known here only as keyed digests."
    kinds = "" if not found else f" By kind: {plain(test['by_category'])}."
    result = "None was found." if not found else f"{plain(found)} places hold one.{kinds}"
    sentences = (searched, result, _compared(test.get("not_as_audited")), *told(test))
    return Answer(answer="none" if not found else f"{plain(found)} places", sentences=sentences)


def _compared(differences: Record | None) -> str:
    if differences is None:
        return "Another program wrote the files, so that nobody knows what should be in them beside the images."
    if differences:
        return f"Files differ from what was audited: {plain(differences)}."
    return "Every file is what was audited."


def told(test: Record) -> Iterator[str]:
    """What labels, their counts, the order and the images say, in sentences; nothing of it counts for the verdict."""
    yield from _told_of_order(test.get("arrangement", {}))
    seen = test.get("lettering", {})
    if seen and seen["synthetic"]:
        yield (
            f"Text was seen in {plain(seen['synthetic'])} of {plain(seen['of_synthetic'])} synthetic images and in "
            f"{plain(seen['members'])} of {plain(seen['of_members'])} images of members: look at them."
        )


def _told_of_order(arranged: Record) -> Iterator[str]:
    if not arranged:
        return
    shares = " and of ".join(arranged["class_shares_of"])
    if shares:
        yield f"The set has exactly the class shares of {shares}: a private number, unless it was chosen beforehand."
    one = arranged["labels_of_one_member"]
    if one:
        yield f"{plain(one)} of its {plain(arranged['labels'])} labels are of one member alone."
    if arranged["order_p"] is not None:
        yield (
            f"How far its order follows that of the members: correlation {plain(arranged['order_correlation'])}; "
            f"chance alone looks so {chances(arranged['order_p'])}."
        )


def _arrangement(test: Record) -> Iterator[Fact]:
    arranged = test["arrangement"]
    shares = ", ".join(arranged["class_shares_of"]) or "nobody"
    yield Fact(name="Class shares are exactly those of", value=shares, note="not judged")
    yield Fact(
        name="Different labels",
        value=plain(arranged["labels"]),
        note=f"{plain(arranged['labels_of_one_member'])} of them of one member alone; not judged",
    )
    yield Fact(
        name="Order of the set and of the members, correlation within classes",
        value=plain(arranged["order_correlation"]),
        note=f"{P_NOTE}: {plain(arranged['order_p'])}; not judged",
    )


def _lettering(test: Record) -> Iterator[Fact]:
    seen = test["lettering"]
    for side, name in (("synthetic", "synthetic images"), ("members", "images of members")):
        yield Fact(
            name=f"Text seen in {name}",
            value=f"{plain(seen[side])} of {plain(seen['of_' + side])}",
            note="printed lines of five letters or more; not judged",
        )


def _places(test: Record) -> Iterator[Fact]:
    for place in test["places"]:
        yield Fact(name="Found in", value=place["file"], note=f"{place['kind']}: {place['category']}")


def _midi_b(test: Record) -> Iterator[Fact]:
    for name, row in test["midi_b"].items():
        value = f"{plain(row['violations'])} violations in {plain(row['checked'])} files ({row['basis']})"
        yield Fact(name=f"MIDI-B: {humanised(name)}", value=value, note=str(row["meaning"]))


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
