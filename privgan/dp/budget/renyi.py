"""Which charges a cap admits when each run may be planned after seeing what the ones before it showed.

The accountants behind a printed epsilon compose queries that were fixed in advance. Runs are not: the second
one's noise may depend on the first one's images. A Renyi filter is proven for that (Feldman and Zrnic 2021,
"Individual privacy accounting via a Renyi filter"; Lecuyer 2021, "Practical privacy filters and odometers with
Renyi differential privacy"): at a fixed order, charge until the sum of Renyi divergences would pass a fixed budget.

>>> RenyiFilter.of(max_epsilon=10.0, delta=1e-5)
RenyiFilter(max_epsilon=10, delta=1e-05, order=3.725, budget=6.57)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from privgan.checks import positive, strictly_within
from privgan.dp.accounting import epsilon, spend_of
from privgan.dp.divergence import renyi
from privgan.dp.gaussian import GaussianQueries
from privgan.errors import BudgetError
from privgan.language import kept, to_tr

_HIGHEST_ORDER = 256.0  # tiny caps would ask for more, where binomials leave the range of floats
_LARGEST_CAP, _CAP_STEP = 1000.0, 1e-6  # epsilon, between which and to how much a smallest cap is looked for
_LEAST_ROOM = 1e-6  # of Renyi budget; no run fits into less


_AT_ITS_OWN, _AT_THAT = to_tr(
    (
        "at its own delta {delta}, which is smaller, it would spend {cost}",
        "at that delta it would spend {cost}",
    )
)
_NO_ROOM = to_tr("no further run fits: prepare fixed the cap for good")
_ROOM, _ROOM_AT = to_tr(
    (
        "one more run of up to about epsilon {room} fits",
        "one more run of up to about epsilon {room} fits, planned with --delta {delta} or less",
    )
)


@dataclass(frozen=True, kw_only=True)
class RenyiFilter:
    """A cap on epsilon at a delta, with the one order and the Renyi budget that stand for it.

    A charge is admitted if

    (a) it is the first one and its epsilon, by the accountants that print it, is at most the cap; or
    (b) the sum of Renyi divergences at `order` of everything charged, this one included, is at most `budget`.

    Whatever sequence is admitted is (max_epsilon, delta)-DP. The first charge was planned before anything was
    learned, so its queries are fixed in advance. Either its own sum is above the budget: then (b) admits nothing
    after it, the whole is that one composition, and (a) bounds it. Or its sum is within the budget: then
    every charge passed (b), the whole is an adaptive sequence that a filter of this budget lets through, so it
    has Renyi divergence at most `budget` at `order`, and `_budget` converts that into the cap. Which of the
    two it is depends on the first plan alone, not on data.
    """

    max_epsilon: float
    delta: float
    order: float
    budget: float

    def __post_init__(self) -> None:
        positive(max_epsilon=self.max_epsilon)
        strictly_within(0.0, 1.0, delta=self.delta)

    def __repr__(self) -> str:
        return (
            f"RenyiFilter(max_epsilon={self.max_epsilon:g}, delta={self.delta:g}, order={self.order:.4g}, "
            f"budget={self.budget:.4g})"
        )

    @classmethod
    def of(cls, max_epsilon: float, delta: float) -> Self:
        """The filter that a new ledger fixes for its cap."""
        positive(max_epsilon=max_epsilon)
        strictly_within(0.0, 1.0, delta=delta)
        order = _order(max_epsilon, delta)
        return cls(max_epsilon=max_epsilon, delta=delta, order=order, budget=_budget(max_epsilon, delta, order))

    @classmethod
    def opened(cls, entry: Mapping[str, Any]) -> Self:
        """The filter that an opening entry fixed.

        Raises:
            BudgetError: order and budget are missing, or do not follow from the cap: the entry was edited.
        """
        try:
            written = cls(**{name: float(entry[name]) for name in ("max_epsilon", "delta", "order", "budget")})
            fresh = cls.of(written.max_epsilon, written.delta)
        except (KeyError, TypeError, ValueError):
            raise BudgetError("Expected a cap, an order and a Renyi budget in the ledger's opening entry.") from None
        # Other machines may round logarithms differently in the last digit.
        if not (math.isclose(written.order, fresh.order) and math.isclose(written.budget, fresh.budget)):
            raise BudgetError("Expected the order and the Renyi budget of the ledger's cap, other ones were written.")
        return written

    def to_json(self) -> dict[str, float]:
        """The form kept in an opening entry."""
        return {"max_epsilon": self.max_epsilon, "delta": self.delta, "order": self.order, "budget": self.budget}

    def admits(self, before: Sequence[GaussianQueries], asked: Sequence[GaussianQueries], *, delta: float) -> bool:
        """Whether rule (a) or rule (b) lets a charge pass.

        Args:
            before: everything charged so far.
            asked: the queries of the new charge.
            delta: of the new run's own claim; (a) is taken at the smaller of the two, which is stricter.
        """
        if not before and spend_of(asked, min(delta, self.delta)).epsilon <= self.max_epsilon:
            return True
        return renyi([*before, *asked], self.order) <= self.budget

    def refusal(self, before: Sequence[GaussianQueries], asked: Sequence[GaussianQueries], *, delta: float) -> str:
        """The cap, what it is passed by and what would fit, in plain words; the arguments are those of `admits`."""
        if before:
            spent, total = (spend_of(q, self.delta).epsilon for q in (before, [*before, *asked]))
            passed = kept(
                "at that delta {spent:.3f} was spent before and {total:.3f} would be with it. Runs that are planned "
                "after seeing others are counted by a Renyi filter, which is stricter than these totals",
                spent=spent,
                total=total,
            )
        else:
            own, cost = delta < self.delta, spend_of(asked, min(delta, self.delta)).epsilon
            claimed = _AT_ITS_OWN if own else _AT_THAT
            passed = kept(claimed, delta=f"{delta:g}", cost=f"{cost:.3f}")
        fits = _NO_ROOM
        if room := self.room(before):
            fits = kept(_ROOM if delta <= self.delta else _ROOM_AT, room=f"{room:.3g}", delta=f"{self.delta:g}")
        return kept(
            "epsilon {cap:g} counted at delta {delta:g}: {reason}; {note}.",
            cap=self.max_epsilon,
            delta=self.delta,
            reason=passed,
            note=fits,
        )

    def room(self, before: Sequence[GaussianQueries]) -> float:
        """About how much epsilon one more run may have: what a single Gaussian query that just fits would cost."""
        if not before:
            return self.max_epsilon
        left = self.budget - renyi(before, self.order)
        if not left > _LEAST_ROOM:
            return 0.0
        noise = math.sqrt(self.order / (2 * left))  # the Renyi divergence of a Gaussian is order / (2 noise^2)
        return epsilon([GaussianQueries(noise_multiplier=noise, sample_rate=1.0, steps=1)], self.delta)


def smallest_cap(queries: Sequence[GaussianQueries], delta: float) -> float:
    """The smallest cap on epsilon whose filter lets all of these pass, by rule (b) alone; infinite above 1,000.

    Whoever releases only what stays within a limit that was fixed before is such a filter, and what is released is
    then (limit, delta)-DP, also where each run was chosen after seeing the ones before it.

    >>> once = [GaussianQueries(noise_multiplier=4.0, sample_rate=1.0, steps=1)]
    >>> round(smallest_cap(once, 1e-5), 2), round(smallest_cap(2 * once, 1e-5), 2)
    (1.06, 1.53)
    """
    if not queries:
        return 0.0
    low, high = 0.0, _LARGEST_CAP
    if not RenyiFilter.of(high, delta).admits(queries, [], delta=delta):
        return math.inf
    while high - low > _CAP_STEP:
        middle = (low + high) / 2
        fits = RenyiFilter.of(middle, delta).admits(queries, [], delta=delta)
        low, high = (low, middle) if fits else (middle, high)
    return high


def _order(max_epsilon: float, delta: float) -> float:
    """The order at which Gaussian noise spends a cap best: 1 + sqrt(L) / (sqrt(L + epsilon) - sqrt(L)).

    With rho = sum of 1 / (2 noise^2), epsilon = rho + 2 sqrt(rho L) and L = log(1 / delta) (Bun and Steinke 2016).
    """
    L = math.log(1 / delta)
    return min(1 + math.sqrt(L) / (math.sqrt(L + max_epsilon) - math.sqrt(L)), _HIGHEST_ORDER)


def _budget(max_epsilon: float, delta: float, order: float) -> float:
    """The Renyi divergence that implies (max_epsilon, delta)-DP.

    Canonne, Kamath and Steinke 2020, "The discrete Gaussian for differential privacy", Proposition 12, solved for
    the divergence; the same as Balle et al. 2020, Theorem 21.
    """
    return max_epsilon - math.log1p(-1 / order) + (math.log(delta) + math.log(order)) / (order - 1)
