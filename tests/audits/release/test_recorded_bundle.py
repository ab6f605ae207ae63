"""What a bundle says of the invented records in it, to people and to programs."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from privgan.files import sha256_file
from privgan.synthetic.synthetic_set import RECORDS, SyntheticSet, open_synthetic_set
from privgan_audits.release.recipient.croissant import croissant
from privgan_audits.release.recipient.readme import Told, readme_text
from privgan_audits.telling.strength import Strength
from tests.synthetic.recorded import COLUMNS, recorded_set

PREDICATE: dict[str, Any] = {
    "verdict": "PASS",
    "synthetic_sha256": "0" * 64,
    "signed": "2026-03-01",
    "privacy": {"epsilon": 3.0, "delta": 1e-5, "unit": "patient"},
    "project": {"title": "", "house": "", "contact": ""},
    "terms": {"licence": "cc-by-4.0", "citation": "Anytown Hospital: Chests, 2026"},
    "policy_looser_than_default": [],
    "overrides": [],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSet:
    return open_synthetic_set(recorded_set(tmp_path_factory.mktemp("bundle") / "dataset", 12, formats=("npz",)))


def told(made: SyntheticSet) -> Told:
    strength = Strength(word="moderate", epsilon=3.0, delta=1e-5, at_most=False, rule="by epsilon.")
    return Told(manifest=made.manifest, predicate=PREDICATE, strength=strength, forms=(), splits=("train",))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of rdflib, inside
def test_records_are_croissant_s_too(made: SyntheticSet) -> None:
    """By MLCommons' own library: no error, no warning, and every cell of records.csv, numbers as numbers."""
    library, folder = pytest.importorskip("mlcroissant"), made.folder.parent
    rows = ["image,file,label,split", *(f"{n},images.npz[{n}],normal,train" for n in range(12))]
    (folder / "splits.csv").write_text("\n".join(rows) + "\n")
    data = {place: sha256_file(folder / place) for place in ("splits.csv", f"dataset/{RECORDS}")}
    (folder / "croissant.json").write_text(json.dumps(croissant(told(made), data)))
    found = library.Dataset(jsonld=folder / "croissant.json")
    assert not found.metadata.ctx.issues.errors
    assert not found.metadata.ctx.issues.warnings
    records = list(found.records("records"))
    assert [record["records/image"] for record in records] == list(range(12))
    for place, name in enumerate(COLUMNS):
        cells = [record[f"records/{name}"] for record in records]
        wanted = made.records.cells[:, place].tolist()
        if name == "age":
            assert [0.0 if math.isnan(cell) else cell for cell in cells] == [float(cell or 0) for cell in wanted]
        else:
            assert [cell.decode() if isinstance(cell, bytes) else "" for cell in cells] == wanted


def test_each_column_is_told_as_it_was_declared(made: SyntheticSet) -> None:
    (images, records) = croissant(told(made), {})["recordSet"]
    fields = {field["name"]: field for field in records["field"]}
    assert list(fields) == ["image", "patient", *COLUMNS]
    assert "In this order: I, II, III; empty where unknown. Of the image." in fields["stage"]["description"]
    assert "A number from 0 to 100; empty where unknown. Of the patient." in fields["age"]["description"]
    assert images["@id"] == "images"
    plain = replace(told(made), manifest=replace(made.manifest, records=None))
    assert [each["@id"] for each in croissant(plain, {})["recordSet"]] == ["images"]


def test_the_first_page_lists_the_table_and_its_dictionary(made: SyntheticSet) -> None:
    """A page of sequences only where there are some; of a set without records nothing."""
    facts = made.manifest.records
    assert facts is not None
    texts = [
        readme_text(replace(told(made), manifest=replace(made.manifest, records=records)))
        for records in (None, facts, replace(facts, sequence="stage"))
    ]
    assert ["`dataset/records.csv`" in text for text in texts] == [False, True, True]
    assert ["`age`, `stage`" in text for text in texts] == [False, True, True]
    assert ["`dataset/lesson.html`" in text for text in texts] == [False, False, True]
    assert np.all(["{" not in text.split("```")[2] for text in texts])
