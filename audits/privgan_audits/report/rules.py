"""The policy's rules beside what they were applied to: exactly on the internal page, rounded on the public one.

The public rows are written one by one, so that each shows by itself what of a private value it lets through.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from privgan_audits.policy import Policy
from privgan_audits.report.numbers import exactly, humanised, plain, rounded_up
from privgan_audits.report.page import Fact, Limit
from privgan_audits.report.words import COPIES
from privgan_audits.verdict import GATING_COPIES, POWER

Record = Mapping[str, Any]
_JUDGED = "see the verdict"
_WEIGHT = ("no, for information", "yes")
_COPIES = "Copies of real images, identical but perhaps for brightness"
_IDENTIFIERS = "Identifiers of patients in the files"
_NEAR = "Near copies: p-value must not be below"
_AUC = "AUC of the membership attack, upper bound"
_TPR = "Members recognised at 1 % false accusations, upper bound"
_SEEN = "Smallest advantage in AUC that would have been seen"
_DETECTION = "Limit of detection, in distinct copied patients"
_EPSILON = "epsilon of the cohort in total, all runs"


def finding(record: Record, test: str, key: str) -> Any:
    """One finding of one test, or None when the test did not run or has no such finding."""
    return next((entry.get(key) for entry in record["tests"] if entry["id"] == test), None)


def public_limits(record: Record, policy: Policy) -> Iterator[Limit]:
    """Thresholds, with upper bounds rounded upwards to two decimals; nothing else of a private value."""
    yield Limit(name=_COPIES, required="none", measured=_JUDGED)
    yield Limit(name=_IDENTIFIERS, required="none", measured=_JUDGED)
    yield Limit(name=_NEAR, required=plain(policy.alpha), measured=_JUDGED)
    yield Limit(name=_AUC, required=f"at most {plain(policy.max_auc)}", measured=_at_most(record, "auc_upper"))
    yield Limit(name=_TPR, required=f"at most {plain(policy.max_tpr)}", measured=_at_most(record, "tpr_upper"))
    yield Limit(name=_DETECTION, required=f"at most {plain(_allowed(record, policy))}", measured=_JUDGED)
    yield _ledger_limit(record, policy)


def internal_limits(record: Record, policy: Policy) -> Iterator[Limit]:
    """The same rules with the numbers that the verdict read."""
    exact = [finding(record, "T1", key) for key in ("copies_of_members", "copies_of_other_patients")]
    copies = None if None in exact else sum(exact)
    seen = finding(record, "T3", "auc_se_when_safe")
    seen = None if seen is None else POWER * seen
    level = f"{plain(record['level'])} (attempt {plain(record['attempt'])}; Holm with T3)"
    yield Limit(name=_COPIES, required="none", measured=plain(copies))
    yield Limit(name=_IDENTIFIERS, required="none", measured=plain(finding(record, "T10", "identifiers_found")))
    yield Limit(name=_NEAR, required=level, measured=exactly(finding(record, "T2", "p")))
    for name, most, key in ((_AUC, policy.max_auc, "auc_upper"), (_TPR, policy.max_tpr, "tpr_upper")):
        yield Limit(name=name, required=f"at most {plain(most)}", measured=exactly(finding(record, "T3", key)))
    yield Limit(name=_SEEN, required=f"at most {plain(policy.max_detectable_auc)}", measured=exactly(seen))
    required = f"at most {plain(_allowed(record, policy))}"
    yield Limit(name=_DETECTION, required=required, measured=_worst_limit(record))
    yield _ledger_limit(record, policy)


def planted_copies(record: Record) -> Iterator[Fact]:
    """The limit of detection of each kind of planted copy."""
    missed = f"not even from {plain(finding(record, 'T0', 'copies_planted_at_most'))} patients"
    for kind, found in (finding(record, "T0", "limit_of_detection") or {}).items():
        patients = missed if found is None else f"{plain(found)} patients"
        yield Fact(name=COPIES.get(kind, humanised(kind)), value=patients, note=_WEIGHT[kind in GATING_COPIES])


def detection_limit(record: Record, policy: Policy) -> str:
    """How few copied patients the audit had to be able to find: from the policy and a public count alone."""
    return (
        f"To pass, the audit must reliably find {plain(_allowed(record, policy))} distinct copied patients of "
        f"{plain(record['counts']['members'])} members, also when the copies are mirrored, shifted or noisy."
    )


def _ledger_limit(record: Record, policy: Policy) -> Limit:
    total = finding(record, "T6", "cohort_total_epsilon")
    measured = "no ledger" if total is None else f"at most {rounded_up(total)}"
    return Limit(name=_EPSILON, required=f"at most {plain(policy.max_epsilon)}", measured=measured)


def _at_most(record: Record, key: str) -> str:
    value = finding(record, "T3", key)
    return f"at most {rounded_up(value)}" if isinstance(value, int | float) else "not measured"


def _allowed(record: Record, policy: Policy) -> int:
    return int(policy.largest_copied(record["counts"]["members"]))


def _worst_limit(record: Record) -> str:
    found = finding(record, "T0", "limit_of_detection")
    if not found:
        return "not measured"
    gating = [found.get(kind) for kind in GATING_COPIES]
    return "not found" if None in gating else plain(max(gating))
