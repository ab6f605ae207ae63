"""Whoever holds a set, a bundle or a report learns which public images shaped it; without any nothing is said."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from privgan.errors import IntegrityError
from privgan.run import PriorNamed
from privgan_audits.evidence.interface import Measured
from privgan_audits.report.public import public_page
from privgan_audits.report.view import internal_page
from privgan_audits.report.write import render
from tests.audits.questions.identifiers.test_scan import scan
from tests.audits.releasing import Gate, Record, copied, make_cohort, make_gate, sign_again
from tests.synthetic.making import make_set

NAMED = {"source": "the archive of Anytown <b>", "licence": "CC0 1.0", "images": 10_000, "sha256": "a" * 64}
SENTENCE = (
    "Public images shaped these pictures: 10,000, from the archive of Anytown <b>; terms: CC0 1.0. Epsilon says "
    "nothing about the people on them."
)


def name_it(record: Record) -> None:
    record["prior"] = NAMED


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return make_gate(tmp_path_factory.mktemp("gate"), prior=NAMED)


@pytest.fixture(scope="module")
def shaped(untouched: Gate, tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """Released."""
    gate = copied(untouched, tmp_path_factory.mktemp("released"))
    gate.audit(name_it)
    gate.release()
    return gate


def test_card_and_manifest_name_it(shaped: Gate) -> None:
    for folder in (shaped.root / "synthetic", shaped.root / "bundle" / "dataset"):
        assert json.loads((folder / "manifest.json").read_text())["prior"] == NAMED
        assert SENTENCE in (folder / "README.md").read_text()
        assert NAMED["sha256"] in (folder / "README.md").read_text()


def test_attestation_summary_and_verify_name_it(shaped: Gate) -> None:
    summary = json.loads((shaped.root / "bundle" / "report" / "audit-public.json").read_text())
    assert summary["prior"] == NAMED
    found = shaped.verify()
    assert found.prior == PriorNamed(**NAMED)
    assert found.prior.sentence == SENTENCE


def test_both_pages_name_it(shaped: Gate) -> None:
    record = shaped.record() | {"prior": NAMED}
    page = internal_page(record, "0" * 64, None)
    (person,) = (fact for fact in page.people if fact.name == "Public images")
    assert person.value == "10,000"
    assert "epsilon says nothing about the people on them" in person.note
    assert [fact.value for fact in page.digests if fact.name == "Public images"] == [NAMED["sha256"]]
    assert [limit.required for limit in page.limits if "public images" in limit.name] == ["none"]
    assert "&lt;b&gt;; terms: CC0 1.0" in render(page)
    sheet = public_page(record)
    assert SENTENCE in sheet.odds
    assert f"Public images {NAMED['sha256']}." in sheet.verify
    assert [row.seen for row in sheet.rows if "public image" in row.question] != []
    released = (shaped.root / "bundle" / "report" / "audit-public.html").read_text()
    assert "Anytown &lt;b&gt;" in released
    assert "Copies of these public images" in released


@pytest.mark.parametrize(
    "change", [lambda said: said.pop("prior"), lambda said: said["prior"].update(licence="none at all")]
)
def test_a_signature_under_other_public_images_is_no_bundle(
    shaped: Gate, tmp_path: Path, change: Callable[[Any], object]
) -> None:
    gate = copied(shaped, tmp_path)
    sign_again(gate, gate.root / "bundle", change)
    with pytest.raises(IntegrityError, match="of the prior that the attestation names"):
        gate.verify()


def test_an_audit_that_does_not_name_it_is_refused(gate: Gate) -> None:
    gate.audit()
    with pytest.raises(IntegrityError, match="public images that the set names"):
        gate.release()


def test_without_any_nothing_is_said(tmp_path: Path) -> None:
    made = make_set(tmp_path / "synthetic")
    assert "prior" not in json.loads((made / "manifest.json").read_text())
    assert "ublic images" not in (made / "README.md").read_text()


def findings_of(synthetic: Path, cohort: Path) -> Mapping[str, Any]:
    outcome = scan(synthetic, cohort)
    assert isinstance(outcome, Measured)
    return outcome.findings


def test_what_a_person_wrote_of_it_is_searched_like_all_else(tmp_path: Path) -> None:
    cohort = make_cohort(tmp_path / "cohort", {"name": ["Zorkel Vimbru"]})
    clean = make_set(tmp_path / "clean", prior={**NAMED, "source": "the archive of Anytown"})
    found = findings_of(clean, cohort)
    assert found["identifiers_found"] == 0
    assert found["not_as_audited"] == {}
    naming = make_set(tmp_path / "naming", prior={**NAMED, "source": "pictures of Zorkel Vimbru"})
    assert findings_of(naming, cohort)["identifiers_found"] > 0
