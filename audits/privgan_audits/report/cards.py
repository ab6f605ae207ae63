"""The tests of a record as the cards of a page, in groups by what an attacker is after."""

from collections.abc import Iterator, Mapping

from privgan_audits.gate.verdict import INFORMATIVE, PASS, judge
from privgan_audits.policy import Policy
from privgan_audits.record import Record
from privgan_audits.report.page import Group, Question
from privgan_audits.report.told.told import told
from privgan_audits.report.words.tests import GROUPS, TESTS, QuestionWords, unknown_test
from privgan_audits.report.words.verdicts import (
    MEASURED_INSIDE,
    NOT_APPLICABLE,
    NOT_RUN,
    STATES,
    OutcomeWords,
)
from privgan_audits.telling.plots import Chart

Charts = Mapping[str, tuple[Chart, ...]]


def inside_groups(record: Record, policy: Policy, charts: Charts) -> tuple[Group, ...]:
    """For the hospital: what was measured, and what the verdict says against it."""
    against = judge(policy, record).against
    return _grouped(_inside(test, against.get(str(test["id"])), charts) for test in record["tests"])


def outside_groups(record: Record) -> tuple[Group, ...]:
    """For outside: what was tried, and whether it could be; of a set that passed, that nothing was found."""
    return _grouped(_outside(test, passed=record["verdict"] == PASS) for test in record["tests"])


def _grouped(questions: Iterator[Question]) -> tuple[Group, ...]:
    every = sorted(questions, key=lambda question: question.group)
    return tuple(
        Group(title=title, intro=intro, questions=tuple(question for question in every if question.group == number))
        for number, (title, intro) in GROUPS.items()
        if any(question.group == number for question in every)
    )


def _inside(test: Record, against: str | None, charts: Charts) -> Question:
    measured = test["outcome"] == "measured"
    said = told(test) if measured else None
    return _question(
        test,
        state=_state(test, against),
        answer=said.answer if said else "",
        measured=said.sentences if said else (_reason(test),),
        charts=charts.get(str(test["id"]), ()),
    )


def _outside(test: Record, *, passed: bool) -> Question:
    measured = test["outcome"] == "measured"
    state = _state(test, None) if passed or not measured else STATES["public"]
    # A reason may hold a count of patients that is nobody's business outside.
    return _question(test, state=state, answer="", measured=(MEASURED_INSIDE if measured else _lead(test).rstrip(),))


def _question(
    test: Record, *, state: OutcomeWords, answer: str, measured: tuple[str, ...], charts: tuple[Chart, ...] = ()
) -> Question:
    spoken = _words(test)
    return Question(
        id=str(test["id"]),
        title=spoken.title,
        short=spoken.short,
        group=spoken.group,
        state=state,
        answer=answer,
        tries=spoken.tries,
        measured=measured,
        caught=spoken.caught,
        charts=charts,
    )


def _state(test: Record, against: str | None) -> OutcomeWords:
    if against is not None:
        return STATES[against]
    if test["outcome"] != "measured":
        return STATES[test["outcome"]]
    if test["id"] in INFORMATIVE:
        return STATES["informative"]
    good = STATES["measured"]
    return OutcomeWords(label=_words(test).good, tone=good.tone, mark=good.mark)


def _words(test: Record) -> QuestionWords:
    return TESTS.get(str(test["id"])) or unknown_test(str(test["title"]))


def _reason(test: Record) -> str:
    reason = str(test.get("reason") or "").rstrip(".")
    return f"{_lead(test)}{reason[:1].upper()}{reason[1:]}." if reason else _lead(test).rstrip()


def _lead(test: Record) -> str:
    return NOT_RUN if test["outcome"] == "not-run" else NOT_APPLICABLE
