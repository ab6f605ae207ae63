"""What several questions say of a bound: it lies above what the policy, or the claim, allows."""

from collections.abc import Iterator

from privgan.language import kept
from privgan_audits.record import Findings

BOOKS = "T6"  # whose claim an attack may disprove
_ALL_DIGITS = 17  # tell any two floats apart


def above(f: Findings, value: float, limit: float, sentence: str) -> Iterator[str]:
    """A measured value above the policy's limit, in a sentence that has both."""
    if f.measured and value > limit:
        yield kept(sentence, value=distinct(value, limit), limit=f"{limit:g}")


def proves_more_than_claimed(f: Findings) -> Iterator[str]:
    """An attack's lower bound on epsilon above the claim."""
    claimed = f.of(BOOKS).number("claimed_epsilon")
    if f.number("epsilon_lower_bound") > claimed:
        yield kept("An attack showed more than the claimed epsilon {epsilon} permits.", epsilon=f"{claimed:g}")


def distinct(value: float, limit: float, digits: int = 3) -> str:
    """The value with as many digits, at least `digits`, as it takes to read differently than the limit."""
    while digits < _ALL_DIGITS and float(f"{value:.{digits}g}") == float(f"{limit:g}"):
        digits += 1
    return f"{value:.{digits}g}"
