"""Whoever holds a set, a bundle or a report learns which public images shaped it; without any nothing is said."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan.errors import AuditFailedError, IntegrityError
from privgan.gan.networks.public_prior import IN_RUN, Prior
from privgan.images.stored import with_channels
from privgan.run import PriorNamed
from privgan.synthetic.synthetic_set import open_synthetic_set
from privgan_audits.evidence.interface import Measured
from privgan_audits.questions.public_copies import measure as public_copies
from privgan_audits.report.public import public_page
from privgan_audits.report.view import internal_page
from privgan_audits.report.write import render
from tests.audits.questions.identifiers.test_scan import scan
from tests.audits.releasing import Gate, Record, copied, make_cohort, make_gate, sign_again
from tests.priors import make_prior
from tests.synthetic.making import make_set

SENTENCE = (
    "Public images shaped these pictures: 1,200, from the archive of Anytown <b>; terms: CC0 1.0. Epsilon says "
    "nothing about the people on them."
)


@pytest.fixture(scope="module")
def prior(tmp_path_factory: pytest.TempPathFactory) -> Prior:
    images = np.random.default_rng(0).integers(0, 256, (1200, 28, 28, 1), dtype=np.uint8)
    return make_prior(tmp_path_factory.mktemp("public") / "prior", images, "the archive of Anytown <b>")


@pytest.fixture(scope="module")
def named(prior: Prior) -> Record:
    return asdict(prior.named)


@pytest.fixture(scope="module")
def untouched(prior: Prior, named: Record, tmp_path_factory: pytest.TempPathFactory) -> Gate:
    gate = make_gate(tmp_path_factory.mktemp("gate"), prior=named)
    prior.copy(gate.root / "synthetic-run" / IN_RUN)
    return gate


@pytest.fixture(scope="module")
def shaped(untouched: Gate, named: Record, tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """Released."""
    gate = copied(untouched, tmp_path_factory.mktemp("released"))
    gate.audit(lambda record: record.update(prior=named))
    gate.release()
    return gate


def test_card_and_manifest_name_it(shaped: Gate, named: Record) -> None:
    for folder in (shaped.root / "synthetic", shaped.root / "bundle" / "dataset"):
        assert json.loads((folder / "manifest.json").read_text())["prior"] == named
        assert SENTENCE in (folder / "README.md").read_text()
        assert named["sha256"] in (folder / "README.md").read_text()


def test_attestation_summary_and_verify_name_it(shaped: Gate, named: Record) -> None:
    summary = json.loads((shaped.root / "bundle" / "report" / "audit-public.json").read_text())
    assert summary["prior"] == named
    found = shaped.verify()
    assert found.prior == PriorNamed(**named)
    assert found.prior.sentence == SENTENCE


def test_both_pages_name_it(shaped: Gate, named: Record) -> None:
    record = shaped.record() | {"prior": named}
    page = internal_page(record, "0" * 64, None)
    (person,) = (fact for fact in page.people if fact.name == "Public images")
    assert person.value == "1,200"
    assert "epsilon says nothing about the people on them" in person.note
    assert [fact.value for fact in page.digests if fact.name == "Public images"] == [named["sha256"]]
    assert [limit.required for limit in page.limits if "public images" in limit.name] == ["none"]
    assert "&lt;b&gt;; terms: CC0 1.0" in render(page)
    sheet = public_page(record)
    assert SENTENCE in sheet.odds
    assert f"Public images {named['sha256']}." in sheet.verify
    assert [row.seen for row in sheet.rows if "public image" in row.question] != []
    released = (shaped.root / "bundle" / "report" / "audit-public.html").read_text()
    assert "Anytown &lt;b&gt;" in released
    assert "Copies of these public images" in released


def test_pages_say_that_a_prior_was_left_out(shaped: Gate, named: Record) -> None:
    record = shaped.record() | {"prior": {**named, "used": False, "distance": 1.02}}
    (person,) = (fact for fact in internal_page(record, "0" * 64, None).people if fact.name == "Public images")
    assert "shaped nothing" in person.note
    assert "epsilon says nothing" not in person.note
    odds = " ".join(map(str, public_page(record).odds))
    assert "Public images were given and shaped nothing of these pictures: 1,200, from the archive of Anytown" in odds
    assert "Public images shaped" not in odds


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


def test_a_forged_audit_releases_no_copy_of_a_public_image(
    gate: Gate, named: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record says that none was found; the gate looks for itself."""
    drawn = with_channels(open_synthetic_set(gate.root / "synthetic").images)
    copying = make_prior(tmp_path / "copying", drawn)
    monkeypatch.setattr(public_copies, "_held", lambda _: replace(copying, named=PriorNamed(**named)))
    gate.audit(lambda record: record.update(prior=named))
    with pytest.raises(AuditFailedError, match="a public image that the run started from"):
        gate.release()


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


def test_what_a_person_wrote_of_it_is_searched_like_all_else(named: Record, tmp_path: Path) -> None:
    cohort = make_cohort(tmp_path / "cohort", {"name": ["Zorkel Vimbru"]})
    clean = make_set(tmp_path / "clean", prior={**named, "source": "the archive of Anytown"})
    found = findings_of(clean, cohort)
    assert found["identifiers_found"] == 0
    assert found["not_as_audited"] == {}
    naming = make_set(tmp_path / "naming", prior={**named, "source": "pictures of Zorkel Vimbru"})
    assert findings_of(naming, cohort)["identifiers_found"] > 0
