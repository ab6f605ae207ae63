"""The tests of a record as the cards of a page, in groups by what an attacker is after."""

from collections.abc import Iterator

from privgan.language import in_a_row, retold, tr
from privgan_audits import questions
from privgan_audits.gate.verdict import INVALID, judge
from privgan_audits.policy import Policy
from privgan_audits.questions.question import Question
from privgan_audits.record import Record
from privgan_audits.report.page import Card, Group
from privgan_audits.report.words.verdicts import NOT_APPLICABLE, NOT_RUN, STATES, OutcomeWords
from privgan_audits.telling.plots import Chart
from privgan_audits.telling.words import GROUPS, INFERENCE, Answer, Words


def inside_groups(record: Record, policy: Policy) -> tuple[Group, ...]:
    """For the hospital: what was measured, and what the verdict says against it."""
    against = judge(policy, record).against
    return _grouped(_inside(test, against.get(str(test["id"])), record) for test in record["tests"])


def _grouped(cards: Iterator[Card]) -> tuple[Group, ...]:
    every = sorted(cards, key=lambda card: card.group)
    return tuple(
        Group(title=tr(title), intro=tr(intro), questions=tuple(card for card in every if card.group == number))
        for number, (title, intro) in GROUPS.items()
        if any(card.group == number for card in every)
    )


def _inside(test: Record, against: str | None, record: Record) -> Card:
    words = words_of(test)
    said = words.answer(test) if test["outcome"] == "measured" else None
    return _card(
        test,
        state=_state(test, against, void=record["verdict"] == INVALID),
        answer=said.answer if said else "",
        measured=said.sentences if said else (_reason(test),),
        charts=words.charts(record),
    )


def _card(
    test: Record, *, state: OutcomeWords, answer: str, measured: tuple[str, ...], charts: tuple[Chart, ...] = ()
) -> Card:
    spoken = words_of(test)
    return Card(
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


def _state(test: Record, against: str | None, *, void: bool) -> OutcomeWords:
    """void: the controls failed, so that no good answer means anything."""
    if against is not None:
        return STATES[against].spoken
    if test["outcome"] != "measured":
        return STATES[test["outcome"]].spoken
    asked = _asked(test)
    if asked is not None and asked.rule.informative:
        return STATES["informative"].spoken
    if void:
        return STATES["void"].spoken
    words = words_of(test)
    good = STATES["measured" if words.ticked else "informative"]
    return OutcomeWords(label=words.good, tone=good.tone, mark=good.mark)


def words_of(test: Record) -> Words:
    """The words for an entry of the record, in the current language; for a question of another version, that there
    are none.
    """
    asked = _asked(test)
    return asked.words.spoken if asked else _unknown(str(test["title"]))


def _asked(test: Record) -> Question | None:
    return next((asked for asked in questions.QUESTIONS if asked.id == test["id"]), None)


def _unknown(title: str) -> Words:
    see, silent = tr("See the documentation of this test."), Answer(answer="", sentences=())
    return Words(title=title, short=title, tries=see, caught=see, group=INFERENCE, answer=lambda _: silent)


def _reason(test: Record) -> str:
    lead = tr(NOT_RUN if test["outcome"] == "not-run" else NOT_APPLICABLE)
    reason = retold(str(test.get("reason") or "")).rstrip(".。")
    return in_a_row((lead, tr("{reason}.", reason=f"{reason[:1].upper()}{reason[1:]}"))) if reason else lead
