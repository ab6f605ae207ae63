"""T1 told: exact copies."""

from privgan_audits.record import Record
from privgan_audits.telling.numbers import plain
from privgan_audits.telling.words import SINGLING_OUT, Answer, Label, Words


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    ours, theirs = test["copies_of_members"], test["copies_of_other_patients"]
    looked = f"Every synthetic image was compared with {plain(test['compared_real_images'])} real ones."
    if not ours and not theirs:
        return Answer(answer="none", sentences=(looked, "None of them is a real one."))
    found = f"{plain(ours)} of them are images of members, {plain(theirs)} of held-back patients."
    many = "images" if ours + theirs > 1 else "image"
    return Answer(answer=f"{plain(ours + theirs)} real {many} in the set", sentences=(looked, found))


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
        "copies_of_members": Label(name="Synthetic images identical to a member's", note="a single one is a FAIL"),
        "rescaled_copies_of_members": Label(name="of these, with another brightness or inverted"),
        "copies_of_other_patients": Label(name="Identical to another real patient's", note="a FAIL as well"),
        "rescaled_copies_of_other_patients": Label(name="of these, with another brightness or inverted"),
        "constant_images": Label(name="Constant images", note="show nothing and are nobody's"),
        "compared_real_images": Label(name="Real images compared"),
    },
)
