"""T11 judged: a single copy is a FAIL, as of a patient's image."""

from collections.abc import Iterator

from privgan.language import kept
from privgan_audits.questions.rule import Rule
from privgan_audits.record import Findings


def hard(f: Findings) -> Iterator[str]:
    """A public image is among the synthetic ones."""
    if f.number("exact_copies") > 0:
        yield kept(
            "At least one synthetic image is, pixel for pixel, a public image that the run started from (perhaps "
            "turned, mirrored, inverted or with another brightness)."
        )
    if f.number("near_copies") > 0:
        yield kept("At least one synthetic image is nearly a public image that the run started from.")


def inconclusive(f: Findings) -> Iterator[str]:
    """The set names public images, and nobody compared: a record of a set without any needs no such entry."""
    if f.record.get("prior") is not None and f.outcome in ("missing", "not-applicable"):
        yield kept("The set names public images, and nobody looked whether it holds copies of them.")


RULE = Rule(
    needed=("exact_copies", "near_copies"),
    may_be_absent=True,
    may_not_apply=True,
    hard=hard,
    inconclusive=inconclusive,
)
