"""The published schema of audit.json: real records keep it, and it notices what it is there for."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from privgan.run import PriorNamed
from privgan_audits.report.schema import record_schema
from tests.audits.entries import passing
from tests.audits.report.recorded import record
from tests.places import ROOT

Record = dict[str, Any]
SCHEMA = json.loads((ROOT / "docs/reference/audit.schema.json").read_text())
EXAMPLES = sorted((ROOT / "docs/examples").glob("*/audit.json"))


def errors(content: Record) -> list[str]:
    """What the schema says against a record, by place."""
    found = Draft202012Validator(SCHEMA).iter_errors(json.loads(json.dumps(content)))
    return ["/".join(map(str, error.absolute_path)) for error in found]


def test_the_schema_is_one_and_is_made_of_the_questions() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert record_schema() == SCHEMA, "make schema"


def test_what_passes_keeps_it() -> None:
    assert errors(record(gallery_sha256=None, tests=passing())) == []


def test_what_shaped_a_set_beside_its_patients_keeps_it() -> None:
    """As a claim writes it, whatever was found out about the public images."""
    named = PriorNamed(source="an archive", licence="CC0 1.0", images=300, sha256="0" * 64)
    for prior in (named, replace(named, used=False, distance=1.02)):
        content = record(gallery_sha256=None, tests=passing())
        assert errors(content | {"prior": asdict(prior), "smooth_as": 24}) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_records_of_real_audits_keep_it(path: Path) -> None:
    assert errors(json.loads(path.read_text())) == []


BREAKS: list[tuple[str, Callable[[Record], object]]] = [
    ("verdict", lambda content: content.update(verdict="MAYBE")),
    ("", lambda content: content.pop("policy")),
    ("", lambda content: content.update(patient="x")),
    ("date", lambda content: content.update(date=7)),
    ("level", lambda content: content.update(level="0.01")),
    ("privacy/unit", lambda content: content["privacy"].update(unit="image")),
    ("tests/1/copies_of_members", lambda content: content["tests"][1].update(copies_of_members=-1)),
    ("tests/1", lambda content: content["tests"][1].pop("copies_of_members")),
    ("tests/3/auc", lambda content: content["tests"][3].update(auc=1.2)),
    ("tests/0/outcome", lambda content: content["tests"][0].update(outcome="skipped")),
    ("utility", lambda content: content["utility"].pop("diversity")),
    ("utility/realism/all", lambda content: content["utility"]["realism"]["all"].pop("reference")),
    ("utility/use/band", lambda content: content["utility"]["use"].update(band="splendid")),
    ("utility/teaching/marks", lambda content: content["utility"]["teaching"]["marks"].pop("gap")),
]


@pytest.mark.parametrize(("place", "change"), BREAKS)
def test_what_is_wrong_is_noticed_where_it_is(place: str, change: Callable[[Record], object]) -> None:
    """A wrong value, a missing key, a key too many: each at its own place, and nothing without the change."""
    content = record(gallery_sha256=None)
    before = errors(content)
    change(content)
    found = set(errors(content)) - set(before)
    assert place in found
    assert all(place.startswith(other) for other in found)
