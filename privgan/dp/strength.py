"""How strong a promise is, in one word: whoever decides sees that an epsilon of 10 is not one of 1.

The tiers are those of Ponomareva et al. 2023, "How to DP-fy ML", section 5.2: up to 1 strong formal protection, up to
10 a reasonable level if attacks are measured as well, beyond that little or none by itself. Between 1 and 10 an odds
factor grows from 3 to 22,000; 3, where it is 20, parts a moderate promise from a weak one.
"""

import math
from dataclasses import dataclass

from privgan.errors import UsageError
from privgan.language import to_tr, tr

STRONG, MODERATE, WEAK, NONE = "strong", "moderate", "weak", "none"
WORDS = (STRONG, MODERATE, WEAK, NONE)  # from the strongest on


@dataclass(frozen=True, kw_only=True)
class Tiers:
    """Up to which epsilon, of everything that was asked of the patients, a promise has which word."""

    strong: float = 1.0
    moderate: float = 3.0
    weak: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.strong <= self.moderate <= self.weak < math.inf:
            raise UsageError(
                "Expected 0 < strong_epsilon <= moderate_epsilon <= weak_epsilon, got "
                f"{self.strong:g}, {self.moderate:g}, {self.weak:g}."
            )

    def word(self, epsilon: float | None) -> str:
        """One of WORDS; none where nothing is promised, or nothing is known.

        >>> [Tiers().word(epsilon) for epsilon in (1.0, 3.0, 8.0, 11.0, None)]
        ['strong', 'moderate', 'weak', 'none', 'none']
        """
        if epsilon is None or math.isnan(epsilon):
            return NONE
        limits = ((STRONG, self.strong), (MODERATE, self.moderate), (WEAK, self.weak))
        return next((word for word, most in limits if epsilon <= most), NONE)

    @property
    def rule(self) -> str:
        """The whole rule in a sentence."""
        return tr(
            "A promise is called strong up to epsilon {strong}, moderate up to {moderate}, weak up to {weak}, and "
            "none beyond that.",
            strong=f"{self.strong:g}",
            moderate=f"{self.moderate:g}",
            weak=f"{self.weak:g}",
        )


def promise_word(word: str) -> str:
    """As a noun beside a verdict.

    >>> promise_word("weak"), promise_word("none")
    ('weak promise', 'no promise')
    """
    return tr(_PROMISES[word])


_PROMISES = to_tr({STRONG: "strong promise", MODERATE: "moderate promise", WEAK: "weak promise", NONE: "no promise"})


def is_at_most(word: str, limit: str) -> bool:
    """Whether a word claims no more than another does.

    >>> is_at_most("weak", "moderate"), is_at_most("strong", "weak"), is_at_most("iron", "weak")
    (True, False, False)
    """
    return word in WORDS and WORDS.index(word) >= WORDS.index(limit)
