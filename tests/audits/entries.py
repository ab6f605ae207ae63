"""The entries of a record, one for each question that there is."""

import copy
from importlib import import_module
from types import ModuleType
from typing import Any

from privgan_audits import questions
from privgan_audits.questions.question import Question

Entry = dict[str, Any]


def passing() -> list[Entry]:
    """What a set that passes has in its record."""
    return [_entry(asked, example_of(asked).PASSES) for asked in questions.QUESTIONS]


def hostile() -> list[Entry]:
    """The same with hostile texts."""
    return [_entry(asked, example_of(asked).HOSTILE) for asked in questions.QUESTIONS]


def example_of(asked: Question) -> ModuleType:
    """The examples that lie beside a question's tests."""
    return import_module(f"tests.audits.questions.{asked.package.rpartition('.')[2]}.example")


def _entry(asked: Question, found: Entry) -> Entry:
    return copy.deepcopy({"id": asked.id, "title": asked.words.title, "outcome": "measured", **found})
