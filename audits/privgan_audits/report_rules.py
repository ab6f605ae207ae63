"""Which rule of the policy was applied to which finding: the one table both pages show.

Only bounds are named here, never estimates, because the public page rounds and prints what it finds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from privgan_audits.report_numbers import humanised, plain, rounded_up
from privgan_audits.report_page import Fact, Limit


@dataclass(frozen=True, kw_only=True)
class Rule:
    """An upper bound that PASS requires to stay at or below a policy value."""

    name: str
    policy_key: str
    test: str
    finding: str


RULES = (
    Rule(name="AUC of the membership attack, upper bound", policy_key="max_auc", test="T3", finding="auc_upper"),
    Rule(
        name="Members recognised at 1 % false accusations, upper bound",
        policy_key="max_tpr",
        test="T3",
        finding="tpr_upper",
    ),
)


def finding(record: Mapping[str, Any], test: str, key: str) -> Any:
    """One finding of one test, or None when the test did not run or has no such finding."""
    return next((entry.get(key) for entry in record["tests"] if entry["id"] == test), None)


def public_limits(record: Mapping[str, Any]) -> Iterator[Limit]:
    """Thresholds with bounds rounded upwards to two decimals."""
    policy = record["policy"]
    for rule in RULES:
        value = finding(record, rule.test, rule.finding)
        shown = f"at most {rounded_up(value)}" if isinstance(value, int | float) else "not measured"
        yield Limit(name=rule.name, required=f"at most {plain(policy.get(rule.policy_key))}", measured=shown)


def internal_limits(record: Mapping[str, Any]) -> Iterator[Limit]:
    """Thresholds with the bounds as they were computed, then the policy's other values."""
    policy = record["policy"]
    for rule in RULES:
        measured = plain(finding(record, rule.test, rule.finding))
        yield Limit(name=rule.name, required=f"at most {plain(policy.get(rule.policy_key))}", measured=measured)
    shown = {rule.policy_key for rule in RULES} | {"sha256", "looser_than_default"}
    for key, value in policy.items():
        if key not in shown:
            yield Limit(name=humanised(key), required=plain(value), measured="")


def planted_copies(record: Mapping[str, Any]) -> Iterator[Fact]:
    """The limit of detection of each kind of planted copy."""
    for kind, found in (finding(record, "T0", "limit_of_detection") or {}).items():
        yield Fact(name=humanised(kind), value=plain(found))


def detection_limit() -> str:
    """How many distinct copied patients the audit had to be able to find, without private numbers."""
    return "This audit counts only if it reliably finds a small number of distinct copied patients."
