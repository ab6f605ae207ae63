"""T8 judged: hidden facts may not be guessed much better of members than of others."""

from collections.abc import Iterator, Sequence

from privgan.language import kept, to_tr
from privgan_audits.questions.bounds import above
from privgan_audits.questions.rule import Entry, Rule, SafeSets
from privgan_audits.record import Findings

_MAY_BE = to_tr(
    "Hidden facts may be guessed better for members than for others by {value} where at most {limit} is allowed."
)
FEWEST = 10  # patients on each side of whom a value is known, without whom nothing can be compared
LOWER, UPPER = "largest_advantage_lower", "largest_advantage_upper"


def statistical(f: Findings) -> Iterator[str]:
    """An advantage that is no chance, and above what is allowed."""
    if f.is_rejected and f.number(LOWER) > f.policy.max_attribute_advantage:
        yield kept(
            "What is hidden about members can be read off the synthetic set (p = {p}).", p=f"{f.number('p'):.2g}"
        )


def inconclusive(f: Findings) -> Iterator[str]:
    """The advantage may be above what is allowed."""
    yield from above(f, f.number(UPPER), f.policy.max_attribute_advantage, _MAY_BE)


def safe(sets: SafeSets) -> Sequence[Entry]:
    """Facts that are guessed as often of members as of others but for chance; the strongest of them is judged."""
    from privgan_audits.questions.attributes.statistic import advantage_bounds  # only who plans an audit needs it

    known, found = sets.known.tolist(), list[Entry]()
    for right in sets.right.tolist():
        bounds = [
            advantage_bounds(ours, members, theirs, others)
            for (ours, theirs), (members, others) in zip(right, known, strict=True)
        ]
        lows, highs = zip(*bounds, strict=True)
        found.append({"p": 1.0, LOWER: max(lows), UPPER: max(highs)})
    return found


RULE = Rule(
    needed=("p", LOWER, UPPER),
    may_not_apply=True,
    share=0.02,
    statistical=statistical,
    inconclusive=inconclusive,
    safe=safe,
)
