"""T0 judged: what must have been seen, and what must have stayed silent."""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeGuard

from privgan.language import kept
from privgan_audits.policy import Policy
from privgan_audits.questions.rule import Entry, Rule, SafeSets
from privgan_audits.record import Findings

PLAIN_COPIES = ("exact", "flip")
CHANGED_COPIES = (
    "noise_4_percent",
    "gamma_1_8",
    "left_half",
    "fine_detail",
    "blend_30_percent",
    "shift_6_percent",
    "rotation_10_degrees",
)
"""Some of each family of changes: they say that there are eyes for it, and may need twice as many patients."""
CHANGED_MAY_NEED = 2  # times as many patients as plain ones
GATING_COPIES = (*PLAIN_COPIES, *CHANGED_COPIES)
SEARCHED = 0.03  # share of the members up to which copies are planted, but at least:
SEARCHED_AT_LEAST = 40
_SEARCHED_AT_MOST = 200  # 3 % of 6,667. What T2 needs is a number of patients, in a cohort of any size
_MOST_COUNTED = 1 << 30  # splits; nobody made as many
RESPLIT_LEVEL = 0.05  # of the p-values that are counted in splits of members among themselves
_CALM = {"split_p": 1.0, "resplits": 200, "small_p_near_copies": 0, "small_p_membership": 0}


def invalid(f: Findings) -> Iterator[str]:
    """Members and non-members differ for another reason, or the tests cry wolf."""
    if f.number("split_p") < f.policy.split_alpha:
        yield kept(
            "Members and non-members can be told apart without any synthetic image (another scanner, site or "
            "export?), so that no membership test between them means anything."
        )
    for key in ("small_p_near_copies", "small_p_membership"):
        if f.number(key) > _most_alarms(f.policy.resplit_quantile, f.number("resplits")):
            alarms = key.replace("_", " ")
            yield kept("Splitting members among themselves gave too many alarms ({alarms}).", alarms=alarms)


def inconclusive(f: Findings) -> Iterator[str]:
    """Copies of more patients than the policy allows might go unseen."""
    if not f.measured:
        return
    limits = f.table("limit_of_detection")
    for name in GATING_COPIES:
        found, allowed = limits.get(name), _allowed(f.policy, name, f.count("members"))
        if not (_is_count(found) and found <= allowed):
            values = {"kind": name.replace("_", " "), "allowed": math.floor(allowed)}
            if _is_count(found):
                yield kept(
                    "Too weak to see copies ({kind}): {count} distinct patients would have to be copied before they "
                    "are surely found, at most {allowed} are allowed.",
                    count=found,
                    **values,
                )
            elif f.number("copies_planted_at_most") < allowed:
                yield kept(
                    "Too weak to see copies ({kind}): those of {count} distinct patients are not surely found, and "
                    "no more are ever planted, though {allowed} are allowed.",
                    count=f"{f.number('copies_planted_at_most'):g}",
                    **values,
                )
            else:
                yield kept(
                    "Too weak to see copies ({kind}): more than {count} distinct patients would have to be copied "
                    "before they are surely found, at most {allowed} are allowed.",
                    count=f"{f.number('copies_planted_at_most'):g}",
                    **values,
                )


def search_limit(members: int) -> int:
    """How many distinct copied patients are planted at most."""
    return min(max(SEARCHED_AT_LEAST, round(SEARCHED * members)), _SEARCHED_AT_MOST, members)


def _allowed(policy: Policy, kind: str, members: float) -> float:
    """From how many patients on copies of a gating kind must be found."""
    return policy.largest_copied(members) * (CHANGED_MAY_NEED if kind in CHANGED_COPIES else 1)


def safe(sets: SafeSets) -> Sequence[Entry]:
    """Controls that are as calm as can be; perfect copies are found from `sets.copies` patients on."""
    return [{**_CALM, "limit_of_detection": dict.fromkeys(GATING_COPIES, sets.copies)}] * len(sets)


@lru_cache
def _most_alarms(quantile: float, resplits: float) -> float:
    """As many as chance gives, but for 1 - quantile of all audits; NaN where `resplits` counts nothing."""
    from scipy import special  # scipy.stats knows it as well, and takes half a second to import

    if not (resplits >= 0 and resplits.is_integer()):
        return math.nan
    count = int(min(resplits, _MOST_COUNTED))
    too_few, most = -1, count
    while most - too_few > 1 and quantile < 1:
        middle = (too_few + most) // 2
        enough = special.bdtr(middle, count, RESPLIT_LEVEL) >= quantile
        too_few, most = (too_few, middle) if enough else (middle, most)
    return float(most)


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


RULE = Rule(
    needed=("split_p", "resplits", "small_p_near_copies", "small_p_membership"),
    invalid=invalid,
    inconclusive=inconclusive,
    safe=safe,
)
