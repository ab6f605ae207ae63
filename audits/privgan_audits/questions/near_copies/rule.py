"""T2 judged: synthetic images may not come closer to members than chance allows."""

from collections.abc import Iterator, Sequence

from privgan.language import kept
from privgan_audits.questions.rule import Entry, Rule, SafeSets
from privgan_audits.record import Findings

# T2 sees most copies before T7 does, and few patients hide from T3 but not from T8; their sliver of the error leaves
# T2's limit of detection as it would be without them.
SHARE = 0.48
SPACES = 8  # that rank patients, where the hospital brings no encoder; the pre-flight looks at no image


def statistical(f: Findings) -> Iterator[str]:
    """Members come first too often."""
    if f.is_rejected:
        yield kept("Synthetic images come closer to members than chance allows (p = {p}).", p=f"{f.number('p'):.2g}")


def safe(sets: SafeSets) -> Sequence[Entry]:
    """The p-value of a single space; several would only depend on each other."""
    from privgan_audits.questions.near_copies.statistic import near_copy_ps  # only who plans an audit needs it

    return [{"p": float(p)} for p in near_copy_ps(sets.places, sets.members)]


RULE = Rule(needed=("p",), share=SHARE, statistical=statistical, safe=safe)
