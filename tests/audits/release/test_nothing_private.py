"""Whatever one patient's absence changes inside: as long as the verdict stays, what leaves is the same bytes."""

import base64
import copy
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from privgan.folders import list_files
from privgan_audits import questions
from privgan_audits.evidence.interface import Sample
from privgan_audits.examine import run_audit
from privgan_audits.gate.verdict import PASS, judge
from privgan_audits.policy import Policy
from privgan_audits.release.bundle import ATTESTATION, SUMS
from privgan_audits.report.public import public_page
from privgan_audits.report.write import render
from tests.audits.conftest import Draw, Weigh
from tests.audits.releasing import Gate, Record, make_gate

PLANNED = ("claimed_epsilon", "checks", "delta", "images_drawn_again")  # in public, or of the set alone
CHANGED = ("tests", "counts", "notes", "salt", "utility", "gallery_sha256")
ASKED = {asked.id: asked.rule for asked in questions.QUESTIONS}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return make_gate(tmp_path_factory.mktemp("gate"))


def changed(draw: st.DrawFn, value: Any) -> Any:
    """What another data set would have given instead of a measured value: of the same form, anything else."""
    match value:
        case bool() | None | str():
            return value
        case int():
            return draw(st.integers(0, 3 * value + 3))
        case float():
            return draw(st.floats(0.0, 1.0) | st.just(value) | st.floats(value - 0.01, value + 0.01))
        case Mapping():
            return {key: changed(draw, item) for key, item in value.items()}
        case _:
            return [changed(draw, item) for item in value]


def without_one(draw: st.DrawFn, record: Record) -> Record:
    """A record in which everything that is computed from patients may be another, and the verdict is the same.

    The claim and the books are the exception: they are planned in public. Their total is not: under a site anchor it
    counts the cohorts that share a patient.
    """
    digits = st.text("0123456789abcdef", min_size=64, max_size=64)
    return copy.deepcopy(record) | {
        "tests": [_answer(draw, test) for test in record["tests"]],
        "counts": record["counts"]
        | {key: draw(st.integers(1, 9000)) for key in ("member_images", "non_member_images")},
        "notes": [draw(st.text(max_size=9))],
        "salt": draw(digits),
        "utility": {"outcome": "not-run", "reason": draw(st.text(max_size=9))},
        "gallery_sha256": draw(st.none() | digits),
    }


def _answer(draw: st.DrawFn, test: Record) -> Record:
    rule, named = ASKED[test["id"]], {key: test[key] for key in ("id", "title")}
    planned = {key: test[key] for key in PLANNED} if test["id"] == "T6" else {}
    if not planned and (rule.informative or rule.may_not_apply) and draw(st.booleans()):
        return named | {"outcome": "not-applicable", "reason": draw(st.text(max_size=9))}
    found = {key: changed(draw, item) for key, item in test.items() if key not in (*named, "outcome")}
    return named | {"outcome": "measured"} | found | planned


def mild(draw: st.DrawFn, record: Record) -> Record:
    """As `without_one`, but with a few changes only, so that the verdict often stays."""
    other, wild = copy.deepcopy(record), without_one(draw, record)
    for place, test in enumerate(wild["tests"]):
        trial = copy.deepcopy(other)
        trial["tests"][place] = test
        if judge(Policy(), trial).verdict == PASS:
            other = trial
    return {**wild, "tests": other["tests"]}


records = st.composite(mild)


def left(gate: Gate, record: Record) -> dict[str, bytes]:
    """What leaves with a record, but for the two files that sign the others: of those, what they say."""
    gate.audit(lambda own: own.update(record))
    gate.release(force=True)
    bundle = gate.root / "bundle"
    files = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in list_files(bundle)}
    stated = json.loads(base64.b64decode(json.loads(files.pop(ATTESTATION))["payload"]))
    assert files.pop(SUMS)
    digest = stated["predicate"].pop("audit_sha256")  # salted: another one each time, and nobody can compute it
    assert not any(digest.encode() in content for content in files.values())
    return {**files, ATTESTATION: json.dumps(stated).encode()}


def private_parts(gate: Gate) -> Record:
    """The parts of the record that the tests here change."""
    own = gate.record()
    return {key: own[key] for key in ("attempt", "claim_not_private", *CHANGED)}


def test_what_leaves_does_not_depend_on_private_values(gate: Gate) -> None:
    """Over whatever may be measured while the verdict is PASS, the public page and the bundle are the same."""
    whole = private_parts(gate)
    expected = left(gate, whole)
    different = 0

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(records(whole))
    def removal(record: Record) -> None:
        nonlocal different
        assume(judge(Policy(), {**gate.record(), **record}).verdict == PASS)
        different += record["tests"] != whole["tests"]
        assert left(gate, record) == expected

    removal()
    assert different > 15


@pytest.mark.parametrize("verdict", ["FAIL", "INVALID", "INCONCLUSIVE"])
def test_other_verdicts_tell_no_more(gate: Gate, verdict: str) -> None:
    """Their public page is one for all records of that verdict."""
    whole = private_parts(gate)
    expected = render(public_page({**gate.record(), "verdict": verdict}))

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.composite(without_one)(whole))
    def removal(record: Record) -> None:
        assert (
            render(public_page({**gate.record(), **record, "verdict": verdict, "reasons": ["another"]})) == expected
        )

    removal()


@pytest.mark.usefixtures("planted_where_it_gates")
def test_audits_without_one_patient_each_have_one_page(draw: Draw, weigh: Weigh) -> None:
    """Real audits, members taken away one at a time; how many there are is public, as for the noise."""
    rng = np.random.default_rng(5)
    members, others, images = draw(rng, 14), draw(rng, 8, first=14), draw(rng, 30, most=1).images
    pages: dict[tuple[str, str], set[str]] = {}
    findings = set()
    for patient in (None, 0, 7):
        kept = members.patients != (-1 if patient is None else patient)
        sample = Sample(images=members.images[kept], labels=members.labels[kept], patients=members.patients[kept])
        record: dict[str, Any] = run_audit(weigh(sample, others, images), Policy()).to_json()
        record["counts"]["members"] = members.patient_count
        findings.add(json.dumps(record["tests"]))
        pages.setdefault((record["verdict"], record["scope"]), set()).add(render(public_page(record)))
    assert len(findings) == 3
    assert all(len(drawn) == 1 for drawn in pages.values())
