"""What every question must have, and what adding one costs: a folder, and its line in QUESTIONS."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from privgan.errors import UsageError
from privgan_audits import questions
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.examine import run_audit
from privgan_audits.gate.preflight import chance_of_pass
from privgan_audits.gate.verdict import judge
from privgan_audits.policy import Policy
from privgan_audits.questions.question import Question
from privgan_audits.questions.rule import Rule
from privgan_audits.report.schema import record_schema
from tests.audits.entries import example_of, passing
from tests.audits.questions import throwaway
from tests.audits.report.reading import seen, written
from tests.audits.report.recorded import record

Draw = Callable[..., Sample]
Weigh = Callable[..., Evidence]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Question:
    """Its line in QUESTIONS."""
    monkeypatch.setattr(questions, "QUESTIONS", (*questions.QUESTIONS, throwaway.QUESTION))
    return throwaway.QUESTION


def judged(whistles: object) -> tuple[str, tuple[str, ...]]:
    content: dict[str, Any] = record(tests=passing())
    content["tests"][-1]["whistles"] = whistles
    verdict = judge(Policy(), content)
    return verdict.verdict, verdict.reasons


def test_a_new_question_is_judged(asked: Question) -> None:
    """Its rule refuses, its number must be one, and a record without it does not pass."""
    assert judged(0)[0] == "PASS"
    assert judged(1) == ("FAIL", ("The synthetic set whistles.",))
    assert judged(None) == ("INCONCLUSIVE", ("T77 gave no number for whistles.",))
    verdict = judge(Policy(), record(tests=passing()[:-1]))
    assert verdict.reasons == ("T77 did not run: its outcome is missing.",)
    assert verdict.against == {asked.id: "INCONCLUSIVE"}


def test_a_new_question_is_foretold(asked: Question, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who plan an audit meet it through what it finds in safe sets."""
    assert chance_of_pass(1333, 667, Policy(), 50) > 0.8
    loud = dataclasses.replace(asked.rule, safe=lambda sets: [{"whistles": 1}] * len(sets))
    everything = (*questions.QUESTIONS[:-1], dataclasses.replace(asked, rule=loud))
    monkeypatch.setattr(questions, "QUESTIONS", everything)
    assert chance_of_pass(1333, 667, Policy(), 50) == 0


@pytest.mark.usefixtures("planted_where_it_gates")
def test_a_new_question_is_measured_and_told(asked: Question, draw: Draw, weigh: Weigh, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    audited = run_audit(weigh(draw(rng, 20), draw(rng, 16, first=20), draw(rng, 9).images), Policy())
    assert audited.to_json()["tests"][-1] == {
        "id": "T77",
        "title": asked.words.title,
        "outcome": "measured",
        "whistles": 0,
    }
    folder = tmp_path / "report"
    folder.mkdir()
    inside, outside = (seen(page).text for page in written(folder, record(tests=passing())))
    assert asked.words.title in inside
    assert "Everybody listened" in inside
    assert "Whistles that were heard" in inside
    assert asked.words.title not in outside, "until the sheet can say what would have been seen"
    assert "Everybody listened" not in outside


def test_a_new_question_has_its_place_in_the_schema(asked: Question) -> None:
    content: dict[str, Any] = record(gallery_sha256=None, tests=passing())
    validator = Draft202012Validator(record_schema())
    assert not list(validator.iter_errors(content))
    content["tests"][-1]["whistles"] = -1
    assert [list(error.absolute_path) for error in validator.iter_errors(content)] == [["tests", 12, "whistles"]]
    assert asked.id in record_schema()["$defs"]


def test_every_question_has_one_title_and_an_id_of_its_own() -> None:
    for facts in ([asked.id for asked in questions.QUESTIONS], [asked.words.title for asked in questions.QUESTIONS]):
        assert len(set(facts)) == len(facts)
    titles = [asked.words.title for asked in questions.QUESTIONS]
    sources = "".join(path.read_text() for path in Path(questions.__file__).parents[1].rglob("*.py"))
    assert [title for title in titles if sources.count(f'"{title}"') != 1] == []


@pytest.mark.parametrize("asked", questions.QUESTIONS, ids=lambda asked: str(asked.id))
def test_every_question_is_whole(asked: Question) -> None:
    """Words for each number that the schema demands, a form that is told, and an example that has both."""
    schema, example = asked.findings_schema(), example_of(asked).PASSES
    assert set(schema["required"]) <= set(example)
    assert asked.words.answer(example).answer
    assert all(asked.words.answer(example).sentences)


def test_a_rule_refuses_or_says_that_it_only_informs() -> None:
    with pytest.raises(UsageError, match="only informs"):
        Rule()
    with pytest.raises(UsageError, match="only informs"):
        Rule(informative=True, needed=("p",))
