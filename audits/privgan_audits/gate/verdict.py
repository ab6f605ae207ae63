"""From measurements to one of four verdicts; the only place that judges.

`judge` is pure and reads nothing but the JSON of audit.json, so that `release` can judge again from the file. What
forbids a release stands in each question's rule; here is the order. A hard rule broken is a FAIL whatever else is
true; failed controls make the audit INVALID; then the statistical FAIL; then whatever is missing, too weak or not a
number is INCONCLUSIVE; only then PASS.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import NamedTuple

from privgan.language import kept, to_tr
from privgan_audits import questions
from privgan_audits.policy import Policy
from privgan_audits.questions.bounds import BOOKS
from privgan_audits.questions.question import Question
from privgan_audits.questions.rule import Reasons, Rule, nothing
from privgan_audits.record import Findings, Record
from privgan_audits.stats.holm import holm

PASS, FAIL, INVALID, INCONCLUSIVE = "PASS", "FAIL", "INVALID", "INCONCLUSIVE"
DIFFERENTIAL_PRIVACY, EMPIRICAL = "differential-privacy", "empirical"
_MISSING = to_tr("its outcome is missing")
_NOTHING_FOUND = to_tr("Every test that this audit requires ran, had the power to see a leak, and found none.")


class Reason(NamedTuple):
    """Why a verdict is no PASS: which question says so (empty for the record itself), and a plain sentence."""

    test: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """verdict: PASS, FAIL, INVALID or INCONCLUSIVE. reasons: all of them, plain words, worst first.

    level: the family error at which this attempt was judged. against: by question, the worst that it says.
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
    judged = _by_question(findings)
    said = [(name, reason) for name, reasons in _STAGES for reason in reasons(judged)]
    said += [(INCONCLUSIVE, reason) for reason in _strange(findings)]
    against: dict[str, str] = {}
    for name, reason in said:
        against.setdefault(reason.test, name)
    return Verdict(
        verdict=said[0][0] if said else PASS,
        scope=DIFFERENTIAL_PRIVACY if findings.of(BOOKS).measured else EMPIRICAL,
        reasons=tuple(reason.text for _, reason in said) or (_NOTHING_FOUND,),
        level=level,
        against=against,
    )


def implied(scope: str) -> frozenset[str]:
    """The questions that every PASS of this scope has answered with numbers; what became of others is private.

    Whether another question arises may hang on a single patient, as it does with too few of one class.
    """
    always = {
        asked.id
        for asked in questions.QUESTIONS
        if not (asked.rule.informative or asked.rule.may_be_absent or asked.rule.may_not_apply)
    }
    return frozenset(always | {BOOKS}) if scope == DIFFERENTIAL_PRIVACY else frozenset(always)


Judged = Sequence[tuple[Question, Findings]]
"""Each question, with the record read for it."""


def _by_question(findings: Findings) -> Judged:
    """The record read for every question; which p-values are too small is decided over all that have one (Holm).

    One that a record need not have takes nothing from the others where it does not arise: what the set is made of
    decides that, before anybody is compared.
    """
    read = [(asked, findings.of(asked.id)) for asked in questions.QUESTIONS]
    arise = [(asked.id, asked.rule.share) for asked, f in read if f.measured or not asked.rule.may_be_absent]
    shares = {name: share for name, share in arise if share > 0}
    p = {asked.id: f.number("p") for asked, f in read if asked.id in shares}
    rejected = frozenset(holm(p, findings.level, shares))
    return [(asked, replace(f, rejected=rejected)) for asked, f in read] if rejected else read


def _of_all(stage: Callable[[Rule], Reasons]) -> Callable[[Judged], Iterator[Reason]]:
    """What every question's rule says at one stage."""

    def reasons(judged: Judged) -> Iterator[Reason]:
        for asked, f in judged:
            if (rule := stage(asked.rule)) is not nothing:  # a pre-flight comes here tens of thousands of times
                yield from (Reason(asked.id, text) for text in rule(f))

    return reasons


def _unanswered(judged: Judged) -> Iterator[Reason]:
    """Questions without an outcome that may pass."""
    for asked, f in judged:
        rule = asked.rule
        if not (rule.informative or (rule.may_be_absent and not f.entry)):
            yield from _not_run(f, may_not_apply=rule.may_not_apply)


def _without_number(judged: Judged) -> Iterator[Reason]:
    """Numbers that are none."""
    for asked, f in judged:
        for key in asked.rule.needed if asked.rule.needed and f.measured else ():
            if math.isnan(f.number(key)):
                what = key.replace("_", " ")
                yield Reason(asked.id, kept("{test} gave no number for {what}.", test=asked.id, what=what))


def _strange(findings: Findings) -> Iterator[Reason]:
    """What the record lacks as a whole, and questions in it that this version does not know."""
    if findings.level <= 0:
        yield Reason("", kept("The number of this audit attempt is unknown."))
    known = {asked.id for asked in questions.QUESTIONS}
    for test in findings.record.get("tests", ()):
        if (name := str(test.get("id"))) not in known:
            yield from _not_run(findings.of(name), may_not_apply=True)


def _not_run(f: Findings, *, may_not_apply: bool) -> Iterator[Reason]:
    if not f.measured and not (may_not_apply and f.outcome == "not-applicable"):
        reason = str(f.entry.get("reason", _MISSING)).rstrip(".")
        yield Reason(f.about, kept("{test} did not run: {reason}.", test=f.about, reason=reason))


_STAGES: tuple[tuple[str, Callable[[Judged], Iterator[Reason]]], ...] = (
    (FAIL, _of_all(attrgetter("hard"))),
    (INVALID, _of_all(attrgetter("invalid"))),
    (FAIL, _of_all(attrgetter("statistical"))),
    (INCONCLUSIVE, _unanswered),
    (INCONCLUSIVE, _without_number),
    (INCONCLUSIVE, _of_all(attrgetter("inconclusive"))),
)
