"""The strength of a record's promise, in the policy's words, from everything that was ever asked of the patients."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from privgan.dp.strength import NONE, promise_word
from privgan.language import tr
from privgan_audits.policy import Policy
from privgan_audits.record import Record

_ANCHOR = "anchor_id"  # of a ledger's opening entry: its total may hang on who is a patient of two cohorts


@dataclass(frozen=True, kw_only=True)
class Strength:
    """word: see `dp.strength`. epsilon: of all runs on the cohort, at delta; None where nothing is promised or told.

    at_most: the epsilon is the policy's limit, which the total keeps. rule: how words are given, in a sentence.
    """

    word: str
    epsilon: float | None
    delta: float | None
    at_most: bool
    rule: str

    @property
    def promise(self) -> str:
        """The word with its noun."""
        return promise_word(self.word)

    def __str__(self) -> str:
        if self.epsilon is None or self.delta is None:
            return self.promise
        values = {"promise": self.promise, "epsilon": f"{self.epsilon:.3g}", "delta": f"{self.delta:g}"}
        if self.at_most:
            return tr("{promise} (all runs together: epsilon at most {epsilon} at delta {delta})", **values)
        return tr("{promise} (all runs together: epsilon {epsilon} at delta {delta})", **values)


def strength_of(record: Record, *, inside: bool) -> Strength:
    """How strong the promise of a record is.

    Args:
        record: audit.json.
        inside: for the hospital, from the total that T6 computed. Outside no finding is read: with one run charged
            the total is that run's; with several, or under a site anchor, where it may hang on whether one patient is
            in two cohorts, it is told by the policy's limit alone. Of a set of several hospitals the limit is told
            without the delta at which it holds, which says how large the hospital is.
    """
    policy = Policy.from_json(record["policy"])
    books, spent = record["ledger"], record["privacy"]["epsilon"]
    total = (_total(record) if inside else spent) if books and spent is not None else None
    if total is None or record["claim_not_private"]:
        return Strength(word=NONE, epsilon=None, delta=None, at_most=False, rule=policy.tiers.rule)
    hidden = not inside and not _is_only_run(books["entries"])
    epsilon = policy.max_epsilon if hidden else float(total)
    delta: float | None = float(books["entries"][0]["delta"])
    if record.get("federation") and not inside:  # a cohort's own delta has the digits of its size
        delta = None if hidden else float(record["privacy"]["delta"])
    return Strength(
        word=policy.tiers.word(epsilon),
        epsilon=epsilon,
        delta=delta,
        at_most=hidden,
        rule=policy.tiers.rule,
    )


def _is_only_run(entries: Sequence[Record]) -> bool:
    """Whether the cohort's total is what its one run cost."""
    return _ANCHOR not in entries[0] and sum(entry["kind"] == "charge" for entry in entries) == 1


def _total(record: Record) -> float | None:
    """Of all runs, as if planned before the first and as proven for runs chosen after others; the larger."""
    keys = ("cohort_total_epsilon", "cohort_filter_epsilon")
    found = [test[key] for test in record["tests"] for key in keys if key in test]
    known = [float(value) for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
    return max(known) if known and not any(map(math.isnan, known)) else None
