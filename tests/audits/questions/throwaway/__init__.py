"""A question that no audit asks: what adding one costs is this folder and its line in QUESTIONS."""

from collections.abc import Iterator, Sequence

from privgan_audits.questions.question import Question
from privgan_audits.questions.rule import Entry, Rule, SafeSets
from privgan_audits.record import Findings, Record
from privgan_audits.telling.words import INFERENCE, Answer, Label, Words


def hard(f: Findings) -> Iterator[str]:
    """Somebody whistles."""
    if f.number("whistles") > 0:
        yield "The synthetic set whistles."


def safe(sets: SafeSets) -> Sequence[Entry]:
    """Silence."""
    return [{"whistles": 0}] * len(sets)


def answer(test: Record) -> Answer:
    """Loud or not."""
    return Answer(answer=f"{test['whistles']} whistles", sentences=("Everybody listened for a while.",))


WORDS = Words(
    title="Does the synthetic set whistle?",
    short="Whistling",
    tries="Listens.",
    caught="Whistles.",
    group=INFERENCE,
    answer=answer,
    labels={"whistles": Label(name="Whistles that were heard")},
)
QUESTION = Question(id="T77", package=__name__, rule=Rule(needed=("whistles",), hard=hard, safe=safe), words=WORDS)
