"""T1 judged: a single copy is a FAIL."""

from collections.abc import Iterator, Sequence

from privgan_audits.questions.rule import Entry, Rule, SafeSets
from privgan_audits.record import Findings

_PERHAPS = "perhaps turned, mirrored, inverted or with another brightness"


def hard(f: Findings) -> Iterator[str]:
    """A real image is among the synthetic ones."""
    if f.number("copies_of_members") > 0:
        yield f"At least one synthetic image is pixel for pixel a member's image ({_PERHAPS})."
    if f.number("copies_of_other_patients") > 0:
        yield f"At least one synthetic image is a held back patient's image, pixel for pixel ({_PERHAPS})."
    # Records of earlier versions do not have it; where it is there, whatever is not zero counts.
    if "copies_of_both" in f.entry and f.number("copies_of_both") != 0:
        yield (
            f"At least one synthetic image is, pixel for pixel, a picture that members and held back patients share "
            f"({_PERHAPS}). That is no proof that a member was copied, but a real picture is in the set: leave such "
            "pictures out of the source."
        )


def safe(sets: SafeSets) -> Sequence[Entry]:
    """No copy."""
    return [{"copies_of_members": 0, "copies_of_other_patients": 0}] * len(sets)


RULE = Rule(needed=("copies_of_members", "copies_of_other_patients"), hard=hard, safe=safe)
