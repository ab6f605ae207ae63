"""T1 told: exact copies."""

from collections.abc import Iterator

from privgan.language import tr, tr_count
from privgan_audits.record import Record
from privgan_audits.telling.numbers import plain
from privgan_audits.telling.words import SINGLING_OUT, Answer, Label, Words


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    ours, theirs = test["copies_of_members"], test["copies_of_other_patients"]
    looked = tr(
        "Every synthetic image was compared with {count} real ones.", count=plain(test["compared_real_images"])
    )
    shared = test.get("copies_of_both", 0)  # records of earlier versions do not have it
    if not ours and not theirs and not shared:
        return Answer(answer=tr("none"), sentences=(looked, tr("None of them is a real one.")))
    found = tr(
        "{members} of them are images of members, {others} of held-back patients.",
        members=plain(ours),
        others=plain(theirs),
    )
    answer = tr_count("1 real image in the set", "{count} real images in the set", ours + theirs + shared)
    return Answer(answer=answer, sentences=(looked, found, *_shared(test, shared)))


def _shared(test: Record, shared: int) -> Iterator[str]:
    """Who else holds a picture that was found: whether it shows one person or nobody."""
    if shared:
        yield tr(
            "{count} are of members and of held-back patients alike: no proof that a member was copied.",
            count=plain(shared),
        )
    if (holders := test.get("most_patients_of_a_copy", 0)) > 1:
        yield tr("One and the same picture is held by up to {count} patients.", count=plain(holders))


WORDS = Words(
    title="Is a real image among the synthetic ones?",
    short="Exact copies",
    tries="Looks every synthetic image up among real ones, also mirrored, turned by right angles, inverted, "
    "brighter or darker.",
    caught="Any such copy, even a single one. Not: a copy with one changed pixel, or whose greys were merged or "
    "clipped; those are the next question's.",
    group=SINGLING_OUT,
    answer=answer,
    labels={
        "copies_of_members": Label(
            name="Synthetic images identical to a member's alone", note="a single one is a FAIL"
        ),
        "rescaled_copies_of_members": Label(name="of these, with another brightness or inverted"),
        "copies_of_other_patients": Label(name="Identical to another real patient's alone", note="a FAIL as well"),
        "rescaled_copies_of_other_patients": Label(name="of these, with another brightness or inverted"),
        "copies_of_both": Label(
            name="Identical to a picture of members and of other patients",
            note="shared, such as a placeholder; no proof that a member was copied, but a FAIL as well",
        ),
        "most_patients_of_a_copy": Label(name="Patients who hold one such picture, at most"),
        "constant_images": Label(name="Constant images", note="show nothing and are nobody's"),
        "compared_real_images": Label(name="Real images compared"),
    },
)
