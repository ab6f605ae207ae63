"""What several questions say of a bound: it lies above what the policy, or the claim, allows."""

from collections.abc import Iterator

from privgan_audits.record import Findings

BOOKS = "T6"  # whose claim an attack may disprove
_ALL_DIGITS = 17  # tell any two floats apart


def above(f: Findings, value: float, limit: float, what: str) -> Iterator[str]:
    """A measured value above the policy's limit."""
    if f.measured and value > limit:
        yield f"{what} {distinct(value, limit)} where at most {limit:g} is allowed."


def proves_more_than_claimed(f: Findings) -> Iterator[str]:
    """An attack's lower bound on epsilon above the claim."""
    claimed = f.of(BOOKS).number("claimed_epsilon")
    if f.number("epsilon_lower_bound") > claimed:
        yield f"An attack showed more than the claimed epsilon {claimed:g} permits."


def distinct(value: float, limit: float, digits: int = 3) -> str:
    """The value with as many digits, at least `digits`, as it takes to read differently than the limit."""
    while digits < _ALL_DIGITS and float(f"{value:.{digits}g}") == float(f"{limit:g}"):
        digits += 1
    return f"{value:.{digits}g}"
