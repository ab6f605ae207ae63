"""From measurements to one of four verdicts; the only place that judges.

`judge` is pure and reads nothing but the JSON of audit.json, so that `release` can judge again from the file.
Order: a hard rule broken is a FAIL whatever else is true; failed controls make the audit INVALID; then the
statistical FAIL; then whatever is missing, too weak or not a number is INCONCLUSIVE; only then PASS.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeGuard

from scipy import stats

from privgan_audits.policy import Policy
from privgan_audits.questions.controls.rule import RESPLIT_LEVEL
from privgan_audits.record import Findings, Record
from privgan_audits.stats.statistics import holm

PASS, FAIL, INVALID, INCONCLUSIVE = "PASS", "FAIL", "INVALID", "INCONCLUSIVE"
DIFFERENTIAL_PRIVACY, EMPIRICAL = "differential-privacy", "empirical"
GATING_COPIES = ("exact", "flip", "shift_2_px", "noise_2_percent")
POWER = 2.49  # standard errors between "safe" and "seen": 80 % power at the one-sided 5 % level

_NOTHING_FOUND = "Every test that this audit requires ran, had the power to see a leak, and found none."
_PERHAPS = "perhaps turned, mirrored, inverted or with another brightness"
_GENERATE_AGAIN = "If another version of privgan wrote them, generate the set again."
_UNLIKE = "not_as_audited"  # T10 has it for privgan sets alone
_FORM = "structure"  # of foreign DICOM files for information
_ALL_DIGITS = 17  # tell any two floats apart

REQUIRED = ("T0", "T1", "T2", "T3", "T6", "T7", "T8", "T10")
INFORMATIVE = ("T9",)  # never gates, whatever became of it
MAY_NOT_APPLY = ("T6", "T7", "T8", "T10")
# What of the family error each p-value gets. T2 sees most copies before T7 does, and few patients hide from T3 but
# not from T8; their sliver leaves T2's limit of detection as it would be without them.
SHARES = {"T2": 0.48, "T3": 0.48, "T7": 0.02, "T8": 0.02}


class Reason(NamedTuple):
    """Why a verdict is no PASS: which test says so (empty for the record itself), and a plain sentence."""

    test: str
    text: str


# A rule that compares with NaN never fires; without these numbers there is no PASS.
_NEEDED_NUMBERS = (
    ("T0", "split_p"),
    ("T0", "resplits"),
    ("T0", "small_p_near_copies"),
    ("T0", "small_p_membership"),
    ("T1", "copies_of_members"),
    ("T1", "copies_of_other_patients"),
    ("T2", "p"),
    ("T3", "p"),
    ("T3", "auc_lower"),
    ("T3", "auc_upper"),
    ("T3", "auc_se_when_safe"),
    ("T3", "tpr_lower"),
    ("T3", "tpr_upper"),
    ("T3", "epsilon_lower_bound"),
    ("T4", "epsilon_lower_bound"),
    ("T6", "claimed_epsilon"),
    ("T6", "cohort_total_epsilon"),
    ("T7", "p"),
    ("T8", "p"),
    ("T8", "largest_advantage_lower"),
    ("T8", "largest_advantage_upper"),
    ("T10", "identifiers_found"),
    ("T10", "unreadable_entries"),
)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """verdict: PASS, FAIL, INVALID or INCONCLUSIVE. reasons: all of them, plain words, worst first.

    level: the family error at which this attempt was judged. against: by test, the worst that it says.
    """

    verdict: str
    scope: str
    reasons: tuple[str, ...]
    level: float
    against: Mapping[str, str] = field(default_factory=dict)


def judge(policy: Policy, record: Record) -> Verdict:
    """Judge an audit by its record.

    Args:
        policy: the thresholds.
        record: the JSON object of audit.json; `verdict`, `scope` and `reasons` in it are not read.
    """
    attempt = record.get("attempt")
    level = policy.level(attempt) if isinstance(attempt, int) and attempt >= 1 else 0.0
    findings = Findings(policy=policy, record=record, level=level)
    said = [(name, reason) for name, rules in _STAGES for reason in rules(findings)]
    against: dict[str, str] = {}
    for name, reason in said:
        against.setdefault(reason.test, name)
    measured = findings.outcome("T6") == "measured"
    return Verdict(
        verdict=said[0][0] if said else PASS,
        scope=DIFFERENTIAL_PRIVACY if measured else EMPIRICAL,
        reasons=tuple(reason.text for _, reason in said) or (_NOTHING_FOUND,),
        level=level,
        against=against,
    )


def _hard(f: Findings) -> Iterator[Reason]:
    if f.number("T1", "copies_of_members") > 0:
        yield Reason("T1", f"At least one synthetic image is pixel for pixel a member's image ({_PERHAPS}).")
    if f.number("T1", "copies_of_other_patients") > 0:
        yield Reason(
            "T1", f"At least one synthetic image is a held back patient's image, pixel for pixel ({_PERHAPS})."
        )
    if f.number("T10", "identifiers_found") > 0:
        yield Reason("T10", "Identifying values of real patients were found in the files of the synthetic set.")
    if f.table("T10", _UNLIKE):
        yield Reason(
            "T10",
            f"What was audited is not what would leave: files differ from the audited images ({_kinds(f, _UNLIKE)}). "
            + _GENERATE_AGAIN,
        )
    if f.has_table("T10", _UNLIKE) and f.table("T10", _FORM):
        yield Reason(
            "T10",
            f"DICOM files of the set hold what privgan does not write, or lack what it does ({_kinds(f, _FORM)}). "
            + _GENERATE_AGAIN,
        )
    yield from _broken_promises(f)


def _broken_promises(f: Findings) -> Iterator[Reason]:
    for name, true in f.table("T6", "checks").items():
        if true is not True:
            yield Reason("T6", f"The privacy claim does not hold: {name.replace('_', ' ')} is not so.")
    total = f.number("T6", "cohort_total_epsilon")
    if total > f.policy.max_epsilon:
        yield Reason(
            "T6",
            f"The cohort's ledger adds up to epsilon {_distinct(total, f.policy.max_epsilon)}, above the policy's "
            f"{f.policy.max_epsilon:g}.",
        )
    if f.record.get("claim_not_private") is True:
        yield Reason("T6", "The run was seeded for a test: its noise can be replayed and protects nobody.")


def _kinds(f: Findings, key: str) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in f.table("T10", key).items())


def _controls(f: Findings) -> Iterator[Reason]:
    if f.number("T0", "split_p") < f.policy.split_alpha:
        yield Reason(
            "T0",
            "Members and non-members can be told apart without any synthetic image (another scanner, site or "
            "export?), so that no membership test between them means anything.",
        )
    for key in ("small_p_near_copies", "small_p_membership"):
        allowed = stats.binom.ppf(f.policy.resplit_quantile, f.number("T0", "resplits"), RESPLIT_LEVEL)
        if f.number("T0", key) > allowed:
            yield Reason("T0", f"Splitting members among themselves gave too many alarms ({key.replace('_', ' ')}).")


def _statistical(f: Findings) -> Iterator[Reason]:
    p = {test: f.number(test, "p") for test in SHARES}
    rejected = holm(p, f.level, SHARES)
    if "T2" in rejected:
        yield Reason("T2", f"Synthetic images come closer to members than chance allows (p = {p['T2']:.2g}).")
    auc, tpr = f.number("T3", "auc_lower"), f.number("T3", "tpr_lower")
    if "T3" in rejected and (auc > f.policy.fail_auc or tpr > f.policy.fail_tpr):
        yield Reason(
            "T3", f"Membership in the training data can be inferred from the synthetic set (p = {p['T3']:.2g})."
        )
    if "T7" in rejected:
        yield Reason("T7", f"Members are recognised in synthetic images more often than others (p = {p['T7']:.2g}).")
    if "T8" in rejected and f.number("T8", "largest_advantage_lower") > f.policy.max_attribute_advantage:
        yield Reason("T8", f"What is hidden about members can be read off the synthetic set (p = {p['T8']:.2g}).")
    claimed = f.number("T6", "claimed_epsilon")
    for test in ("T3", "T4"):
        if f.number(test, "epsilon_lower_bound") > claimed:
            yield Reason(test, f"An attack showed more than the claimed epsilon {claimed:g} permits.")


def _inconclusive(f: Findings) -> Iterator[Reason]:
    yield from _missing(f)
    for test, key in _NEEDED_NUMBERS:
        if f.outcome(test) == "measured" and math.isnan(f.number(test, key)):
            yield Reason(test, f"{test} gave no number for {key.replace('_', ' ')}.")
    if f.outcome("T6") == "measured" and not f.table("T6", "checks"):
        yield Reason("T6", "The privacy claim was not checked.")
    if f.outcome("T6") == f.outcome("T10") == "measured" and not all(
        f.has_table("T10", key) for key in (_UNLIKE, _FORM)
    ):
        yield Reason(
            "T10", "The files of the synthetic set were not compared with what was audited and what privgan writes."
        )
    if f.number("T10", "unreadable_entries") > 0:
        yield Reason(
            "T10",
            "Some entries of the synthetic set are not regular files and could not be searched for identifiers.",
        )
    if f.outcome("T0") == "measured":
        yield from _limits_of_detection(f)
    yield from _bounds(f)


def _missing(f: Findings) -> Iterator[Reason]:
    if f.level <= 0:
        yield Reason("", "The number of this audit attempt is unknown.")
    known = (*REQUIRED, *INFORMATIVE)
    others = [str(test.get("id")) for test in f.record.get("tests", ()) if test.get("id") not in known]
    for name in (*REQUIRED, *others):
        may_not_apply = name in MAY_NOT_APPLY or name in others
        if f.outcome(name) != "measured" and not (may_not_apply and f.outcome(name) == "not-applicable"):
            reason = str(f.test(name).get("reason", "its outcome is missing")).rstrip(".")
            yield Reason(name, f"{name} did not run: {reason}.")


def _limits_of_detection(f: Findings) -> Iterator[Reason]:
    allowed = f.policy.largest_copied(f.count("members"))
    limits = f.table("T0", "limit_of_detection")
    for name in GATING_COPIES:
        found = limits.get(name)
        if not (_is_count(found) and found <= allowed):
            shown = f"{found}" if _is_count(found) else f"more than {f.number('T0', 'copies_planted_at_most'):g}"
            yield Reason(
                "T0",
                f"Too weak to see copies ({name.replace('_', ' ')}): {shown} distinct patients would have to be "
                f"copied before they are surely found, at most {allowed:g} are allowed.",
            )


def _distinct(value: float, limit: float, digits: int = 3) -> str:
    """The value with as many digits, at least `digits`, as it takes to read differently than the limit."""
    while digits < _ALL_DIGITS and float(f"{value:.{digits}g}") == float(f"{limit:g}"):
        digits += 1
    return f"{value:.{digits}g}"


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _bounds(f: Findings) -> Iterator[Reason]:
    detectable = POWER * f.number("T3", "auc_se_when_safe")
    for test, value, limit, what in (
        (
            "T3",
            f.number("T3", "auc_upper"),
            f.policy.max_auc,
            "The share of right guesses of membership (AUC) may be",
        ),
        ("T3", f.number("T3", "tpr_upper"), f.policy.max_tpr, "Members recognised at 1 % false accusations may be"),
        (
            "T3",
            detectable,
            f.policy.max_detectable_auc,
            "The smallest advantage in AUC that would surely have been seen is",
        ),
        (
            "T8",
            f.number("T8", "largest_advantage_upper"),
            f.policy.max_attribute_advantage,
            "Hidden facts may be guessed better for members than for others by",
        ),
    ):
        if f.outcome(test) == "measured" and value > limit:
            yield Reason(test, f"{what} {_distinct(value, limit)} where at most {limit:g} is allowed.")


_STAGES: tuple[tuple[str, Callable[[Findings], Iterator[Reason]]], ...] = (
    (FAIL, _hard),
    (INVALID, _controls),
    (FAIL, _statistical),
    (INCONCLUSIVE, _inconclusive),
)
