"""T11 told: copies of public images."""

from privgan.language import tr
from privgan_audits.record import Record
from privgan_audits.telling.numbers import plain
from privgan_audits.telling.words import SINGLING_OUT, Answer, Label, Words


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    exact, near = test["exact_copies"], test["near_copies"]
    looked = tr(
        "Every synthetic image was compared with {count} public ones.", count=plain(test["compared_public_images"])
    )
    if not exact and not near:
        return Answer(answer=tr("none"), sentences=(looked, tr("None of them is a copy of one, exact or near.")))
    found = tr(
        "{exact} of them are public images, pixel for pixel, and {near} nearly are.",
        exact=plain(exact),
        near=plain(near),
    )
    terms = tr("Their people never agreed to be passed on as synthetic, and the images' terms hold for copies, too.")
    return Answer(answer=tr("{count} in the set", count=plain(exact + near)), sentences=(looked, found, terms))


WORDS = Words(
    title="Is a public image among the synthetic ones?",
    short="Copies of public images",
    tries="Compares every synthetic image with every public image that the generator learned from besides, turned, "
    "mirrored and moved a little, whatever the brightness.",
    caught="Exact copies, even a single one; near ones if they are closer than strangers come, and half as far as "
    "the public image is from all others. Not: a part of one, a rotation by a few degrees, or a mixture of two.",
    group=SINGLING_OUT,
    answer=answer,
    labels={
        "exact_copies": Label(name="Synthetic images identical to a public one", note="a single one is a FAIL"),
        "near_copies": Label(name="Nearly identical to a public one", note="a FAIL as well"),
        "compared_public_images": Label(name="Public images compared"),
    },
)
