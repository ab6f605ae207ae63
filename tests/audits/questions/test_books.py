"""T6: a promise that the books do not carry is refused, each way of breaking it by its own check."""

import dataclasses
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan.account import statement_of
from privgan.arrays import Images
from privgan.dp.accounting import epsilon
from privgan.dp.budget.ledger import Ledger
from privgan.dp.budget.renyi import RenyiFilter
from privgan.dp.gaussian import GaussianQueries
from privgan.dp.spend import PrivacySpend
from privgan.run import read_run, write_run
from privgan.synthetic.drawing import Asked, Drawing
from privgan.synthetic.seed import Seed
from privgan.synthetic.synthetic_set import open_synthetic_set
from privgan_audits.evidence.interface import Claim, Evidence, Measured, NotApplicable
from privgan_audits.evidence.loading import load_cohort_evidence
from privgan_audits.gate.verdict import judge
from privgan_audits.policy import Policy
from privgan_audits.questions import books
from privgan_audits.questions.books.words import together
from tests.audits.releasing import QUERIES, Gate, make_gate
from tests.synthetic.making import fill


def evidence_of(gate: Gate) -> Evidence:
    root = gate.root
    return load_cohort_evidence(root / "synthetic", root / "cohort", root / "synthetic-run")


def measured(evidence: Evidence) -> dict[str, Any]:
    outcome = books.QUESTION.measure(evidence, np.random.default_rng(0))
    assert isinstance(outcome, Measured)
    return dict(outcome.findings)


def broken(evidence: Evidence) -> set[str]:
    return {name for name, true in measured(evidence)["checks"].items() if true is not True}


def test_an_honest_claim_holds(gate: Gate) -> None:
    found = measured(evidence_of(gate))
    assert all(found["checks"].values())
    assert found["recomputed_epsilon"] == pytest.approx(epsilon(QUERIES, 1e-5))
    assert found["cohort_total_epsilon"] == pytest.approx(epsilon(QUERIES, 1e-5))


def spending(**changes: Any) -> Callable[[Claim], Claim]:
    return lambda claim: dataclasses.replace(claim, spend=dataclasses.replace(claim.spend, **changes))


LIES: list[tuple[Callable[[Claim], Claim], set[str]]] = [
    (spending(unit="image"), {"unit_is_the_patient"}),
    (spending(adjacency="replace-one"), {"adjacency_is_zero_out"}),
    (spending(delta=2e-5), {"delta_is_the_charged_one"}),
    (spending(epsilon=epsilon(QUERIES, 1e-5) / 1.002), {"epsilon_covers_the_ledger"}),
    (lambda claim: dataclasses.replace(claim, not_private=True), {"noise_is_not_seeded"}),
    (
        lambda claim: dataclasses.replace(claim, generator_sha256="0" * 64),
        {"generator_is_the_closed_one", "generator_is_the_runs"},
    ),
    (
        lambda claim: dataclasses.replace(claim, config_sha256="0" * 64),
        {"configuration_is_the_closed_one", "generator_is_the_runs"},
    ),
    (
        lambda claim: dataclasses.replace(claim, cohort_id="0" * 16),
        {"cohort_is_the_claims", "generator_is_the_runs"},
    ),
]


@pytest.mark.parametrize(("lie", "expected"), LIES)
def test_each_lie_breaks_its_own_check(gate: Gate, lie: Callable[[Claim], Claim], expected: set[str]) -> None:
    evidence = evidence_of(gate)
    assert evidence.claim is not None
    assert broken(dataclasses.replace(evidence, claim=lie(evidence.claim))) == expected


def shown(gate: Gate, rows: list[int]) -> None:
    """The set with these of its images, each with its label, written as privgan writes."""
    held = open_synthetic_set(gate.root / "synthetic")
    fill(gate.root / "synthetic", held.images[rows], held.labels[rows])


def with_images(change: Callable[[Images], Images], **told: Any) -> Callable[[Gate], None]:
    def plant(gate: Gate) -> None:
        held = open_synthetic_set(gate.root / "synthetic")
        fill(gate.root / "synthetic", change(held.images), held.labels, **told)

    return plant


def noise(images: Images) -> Images:
    return np.random.default_rng(0).integers(0, 256, images.shape, dtype=np.uint8)


def two_levels(images: Images) -> Images:
    return np.where(images < 128, images + 2, images - 2).astype(np.uint8)


def of_another_seed(gate: Gate) -> None:
    """Images of the very generator, but not those of the seed: of many that were drawn the best could be chosen."""
    held = open_synthetic_set(gate.root / "synthetic")
    seed = Seed(value=bytes(32))
    drawn = Drawing.of(gate.root / "synthetic-run", Asked.of(held.manifest), seed)
    fill(gate.root / "synthetic", drawn.images(), held.labels)


def relabelled(gate: Gate) -> None:
    held = open_synthetic_set(gate.root / "synthetic")
    fill(gate.root / "synthetic", held.images, 1 - held.labels)


def one_level_where_nothing_shows(images: Images) -> Images:
    """The last bit of one pixel in each image, as somebody writes who hides words in them."""
    other = images.copy()
    other[:, 5, 5] ^= 1
    return other


def with_words_of_its_own(gate: Gate) -> None:
    """Written into run.json before the set was drawn: every file agrees, and the words leave with each image."""
    run = gate.root / "synthetic-run"
    form = replace(read_run(run).form, body_part="RIDER 17 23")
    write_run(run, replace(read_run(run), form=form))
    with_images(lambda images: images, form=form)(gate)


IMAGES, LABELS, MANIFEST = "images_are_the_generators", "labels_are_the_seeds", "manifest_is_the_runs"
FORM = "form_is_the_cohorts"
FOREIGN: dict[str, tuple[Callable[[Gate], None], set[str]]] = {
    "any pictures": (with_images(noise), {IMAGES}),
    "two levels off": (with_images(two_levels), {IMAGES}),
    "a last bit of each": (with_images(one_level_where_nothing_shows), {IMAGES}),
    "another seed's": (of_another_seed, {IMAGES}),
    "in another order": (with_images(lambda images: images[::-1]), {IMAGES}),
    "one twice, in another's place": (with_images(lambda images: images[[0, 1, 2, 3, 4, 0]]), {IMAGES}),
    "a part of them": (lambda gate: shown(gate, [0, 1, 2, 3]), {LABELS, MANIFEST}),
    "some more": (lambda gate: shown(gate, [0, 1, 2, 3, 4, 5, 0]), {LABELS, MANIFEST}),
    "other labels": (relabelled, {LABELS}),
    "digits in the asked shares": (
        with_images(lambda images: images, class_policy="normal:1.00000000012345,effusion:1"),
        {LABELS, MANIFEST},
    ),
    "another body part": (
        lambda gate: with_images(
            lambda images: images,
            form=replace(open_synthetic_set(gate.root / "synthetic").manifest.form, body_part="RIDER"),
        )(gate),
        {FORM, LABELS, MANIFEST},
    ),
    "another body part in the run, too": (with_words_of_its_own, {FORM}),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_set_that_the_generator_did_not_draw_breaks_the_promise(gate: Gate, name: str) -> None:
    """Sealed before the audit, and written as privgan writes: nothing but the drawing can tell."""
    change, expected = FOREIGN[name]
    change(gate)
    evidence = evidence_of(gate)
    assert broken(evidence) == expected
    record = gate.record()
    found = next(test for test in record["tests"] if test["id"] == "T6")
    found.update(measured(evidence))
    verdict = judge(Policy(), record)
    assert verdict.verdict == "FAIL"
    assert any("is not so" in reason for reason in verdict.reasons)


def test_what_nobody_drew_again_does_not_pass(gate: Gate) -> None:
    """Without the run, without the seed, or of an older set that has none: missing evidence refuses."""
    root = gate.root
    assert measured(evidence_of(gate))["images_drawn_again"] == 6
    for each in (
        load_cohort_evidence(root / "synthetic", root / "cohort"),
        (root / "synthetic" / "SEED").unlink() or evidence_of(gate),  # type: ignore[func-returns-value]
    ):
        found = measured(each)
        assert found["images_drawn_again"] == 0
        assert all(found["checks"].values())
        record = gate.record()
        next(test for test in record["tests"] if test["id"] == "T6").update(found)
        verdict = judge(Policy(), record)
        assert verdict.verdict == "INCONCLUSIVE"
        assert "--run" in verdict.reasons[0]


def test_a_seeded_run_cannot_be_relabelled(tmp_path: Path) -> None:
    """The ledger remembers that the noise can be replayed, whatever run.json and the manifest say later."""
    evidence = evidence_of(make_gate(tmp_path))
    assert evidence.claim is not None
    assert evidence.cohort is not None
    ledger = Ledger.create(
        tmp_path / "seeded.jsonl",
        cohort_sha256=evidence.cohort.sha256,
        members=evidence.cohort.facts.members,
        delta=1e-5,
        max_epsilon=100.0,
    ).charge(evidence.claim.run_id, QUERIES, delta=1e-5, replayable=True)
    ledger = ledger.close(evidence.claim.run_id, **asdict(evidence.claim.model))
    assert broken(dataclasses.replace(evidence, ledger=ledger)) == {"noise_is_not_seeded"}


def test_a_claim_of_exactly_the_spent_epsilon_holds(gate: Gate) -> None:
    evidence = evidence_of(gate)
    assert evidence.claim is not None
    exact = PrivacySpend(epsilon=epsilon(QUERIES, 1e-5), delta=1e-5)
    assert broken(dataclasses.replace(evidence, claim=dataclasses.replace(evidence.claim, spend=exact))) == set()


def test_an_unknown_run_is_no_run(gate: Gate) -> None:
    evidence = evidence_of(gate)
    assert evidence.claim is not None
    stranger = dataclasses.replace(evidence.claim, run_id="f" * 16)
    assert {"run_is_charged_once", "run_is_closed_once"} <= broken(dataclasses.replace(evidence, claim=stranger))


def test_every_run_of_the_cohort_counts_into_the_total(gate: Gate) -> None:
    more = GaussianQueries(noise_multiplier=1.0, sample_rate=0.1, steps=50)
    gate.ledger.charge("another", [more], delta=1e-5)
    found = measured(evidence_of(gate))
    assert all(found["checks"].values())
    assert found["cohort_total_epsilon"] == pytest.approx(epsilon([*QUERIES, more], 1e-5))


def test_the_total_says_which_composition_it_is(gate: Gate) -> None:
    """Of one run there is one; of several the accountants compose a plan that nobody had, and a filter what was."""
    one = measured(evidence_of(gate))
    assert one["cohort_total_composition"] == "one run"
    assert one["cohort_filter_epsilon"] == one["cohort_total_epsilon"]
    more = GaussianQueries(noise_multiplier=1.5, sample_rate=0.1, steps=50)
    gate.ledger.charge("another", [more], delta=1e-5)
    two = measured(evidence_of(gate))
    assert two["cohort_total_composition"] == "as if all runs had been planned before the first"
    assert two["cohort_filter_epsilon"] > two["cohort_total_epsilon"]
    assert RenyiFilter.of(two["cohort_filter_epsilon"], 1e-5).admits([*QUERIES, more], [], delta=1e-5)
    told = together(two)
    assert "as if all runs had been planned" in told
    assert "is proven, by a Renyi filter" in told
    statement = statement_of(gate.root / "cohort").to_json()
    assert (statement["composition"], statement["filter_epsilon"]) == (
        two["cohort_total_composition"],
        two["cohort_filter_epsilon"],
    )


def test_a_large_delta_needs_the_users_word(gate: Gate) -> None:
    evidence = evidence_of(gate)
    assert evidence.claim is not None
    many = dataclasses.replace(evidence.members, patients=np.arange(len(evidence.members.patients)) % 2)
    claim = spending(delta=0.06)(evidence.claim)  # 2 members: 0.05 is the most
    large = dataclasses.replace(evidence, claim=claim, members=many)
    assert broken(large) == {"delta_is_the_charged_one", "delta_is_small_or_accepted"}
    assert broken(dataclasses.replace(large, accepted_delta=True)) == {"delta_is_the_charged_one"}


def test_without_claim_or_cohort_the_question_does_not_arise(gate: Gate) -> None:
    evidence = evidence_of(gate)
    for change in ({"claim": None}, {"cohort": None}, {"ledger": None}):
        outcome = books.QUESTION.measure(dataclasses.replace(evidence, **change), np.random.default_rng(0))
        assert isinstance(outcome, NotApplicable)
