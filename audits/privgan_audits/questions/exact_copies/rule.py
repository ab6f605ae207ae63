"""T1 judged: a single copy is a FAIL."""

from collections.abc import Iterator, Sequence

from privgan.language import kept
from privgan_audits.questions.rule import Entry, Rule, SafeSets
from privgan_audits.record import Findings


def hard(f: Findings) -> Iterator[str]:
    """A real image is among the synthetic ones."""
    if f.number("copies_of_members") > 0:
        yield kept(
            "At least one synthetic image is pixel for pixel a member's image (perhaps turned, mirrored, inverted or "
            "with another brightness)."
        )
    if f.number("copies_of_other_patients") > 0:
        yield kept(
            "At least one synthetic image is a held back patient's image, pixel for pixel (perhaps turned, mirrored, "
            "inverted or with another brightness)."
        )
    # Records of earlier versions do not have it; where it is there, whatever is not zero counts.
    if "copies_of_both" in f.entry and f.number("copies_of_both") != 0:
        yield kept(
            "At least one synthetic image is, pixel for pixel, a picture that members and held back patients share "
            "(perhaps turned, mirrored, inverted or with another brightness). That is no proof that a member was "
            "copied, but a real picture is in the set: leave such pictures out of the source."
        )


def safe(sets: SafeSets) -> Sequence[Entry]:
    """No copy."""
    return [{"copies_of_members": 0, "copies_of_other_patients": 0}] * len(sets)


RULE = Rule(needed=("copies_of_members", "copies_of_other_patients"), hard=hard, safe=safe)
