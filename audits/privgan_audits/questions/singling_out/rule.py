"""T12 judged: records may not single out members more often than others."""

from collections.abc import Iterator

from privgan.language import kept
from privgan_audits.questions.near_copies.rule import SHARE as NEAR_COPIES
from privgan_audits.questions.rule import Rule
from privgan_audits.record import Findings

SHARE = 0.02  # of the family error beside all others' 1, in sets that carry records; others are judged without it


def own_level(level: float) -> float:
    """What p has to be below for a FAIL, where T2's has to be below this level."""
    return level / NEAR_COPIES * SHARE


def statistical(f: Findings) -> Iterator[str]:
    """Of those whom a record singles out too many are members."""
    if f.is_rejected:
        yield kept(
            "Records in the set single out members more often than others (p = {p}).", p=f"{f.number('p'):.2g}"
        )


def inconclusive(f: Findings) -> Iterator[str]:
    """The set has records, and nobody asked: a record of a set without any needs no such entry."""
    if f.record.get("columns") and f.outcome in ("missing", "not-applicable"):
        yield kept("This set has records, and nobody looked whether they single anybody out.")


RULE = Rule(
    needed=("p",),
    may_be_absent=True,
    may_not_apply=True,
    share=SHARE,
    statistical=statistical,
    inconclusive=inconclusive,
)
