"""Whole audits of generated populations: what must fail, what must pass, and what nobody can say."""

import dataclasses
import json
from collections.abc import Callable
from types import SimpleNamespace as Encoder

import numpy as np
import pytest
from numpy.typing import NDArray

from privgan_audits.evidence.interface import Evidence, Measured, Sample
from privgan_audits.examine import AuditRecord, run_audit
from privgan_audits.policy import Policy
from privgan_audits.questions import QUESTIONS, exact_copies, near_copies
from privgan_audits.questions.membership.attacks import attack_scores
from privgan_audits.questions.scores import patient_scores
from privgan_audits.spaces.lenses.lenses import LENSES
from privgan_audits.spaces.patches import PATCHES

Draw = Callable[..., Sample]
Weigh = Callable[..., Evidence]

pytestmark = pytest.mark.usefixtures("planted_where_it_gates")


def entry(record: AuditRecord, name: str) -> dict[str, object]:
    return next(test for test in record.to_json()["tests"] if test["id"] == name)


def test_mirrored_copies_fail_and_their_pairs_are_ranked_first(draw: Draw, weigh: Weigh) -> None:
    rng = np.random.default_rng(16)
    members, others = draw(rng, 120, most=1), draw(rng, 60, first=120, most=2)
    rows = np.unique(members.patients, return_index=True)[1][:24]
    images = np.concatenate([draw(rng, 200, most=1).images, members.images[rows][:, :, ::-1]])
    evidence = weigh(members, others, images)
    outcome = near_copies.QUESTION.measure(evidence, np.random.default_rng(0))
    assert isinstance(outcome, Measured)
    assert outcome.findings["p"] < Policy().level(1) / 2
    assert outcome.findings["look_alikes"]["hashes"]["members"] >= 24
    pairs = outcome.internal["pairs"]
    assert {pair["real_row"] for pair in pairs} == set(rows.tolist())
    assert sum(pair["synthetic_row"] >= 200 for pair in pairs) == len(pairs) == 24


TURNS: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "as it is": lambda image: image,
    "mirrored": np.fliplr,
    "turned": lambda image: np.rot90(image, 3),
}


def test_one_exact_image_of_a_member_fails(draw: Draw, weigh: Weigh) -> None:
    """However it is turned; whole audits are made of one that is."""
    rng = np.random.default_rng(8)
    members, others = draw(rng, 24, most=2), draw(rng, 16, first=24, most=2)
    images = draw(rng, 60, most=1).images

    def beside(copy: NDArray[np.uint8]) -> Evidence:
        return weigh(members, others, np.concatenate([images[:50], copy[None], images[51:]]))

    for name, turn in TURNS.items():
        outcome = exact_copies.QUESTION.measure(beside(turn(members.images[11])), rng)
        assert isinstance(outcome, Measured)
        assert outcome.findings["copies_of_members"] == 1, name
        assert outcome.internal["pairs"] == [{"real_row": 11, "synthetic_row": 50}], name
    record = run_audit(beside(TURNS["turned"](members.images[11])), Policy())
    assert record.verdict.verdict == "FAIL"
    assert entry(record, "T1")["copies_of_members"] == 1
    assert record.internal["T1"]["pairs"] == [{"real_row": 11, "synthetic_row": 50}]
    held_back = run_audit(beside(TURNS["turned"](others.images[0])), Policy())
    assert (held_back.verdict.verdict, entry(held_back, "T1")["copies_of_other_patients"]) == ("FAIL", 1)


def test_sixty_patients_are_inconclusive_as_often_as_they_are_asked(draw: Draw, weigh: Weigh) -> None:
    """And whoever waits is told which test is at work."""
    rng = np.random.default_rng(9)
    notes: list[str] = []

    def listen(task: str, done: int, total: int, note: str = "") -> None:
        assert 0 <= done <= total
        notes.append(note.partition(":")[0])

    members, others, images = draw(rng, 40), draw(rng, 20, first=40), draw(rng, 100, most=1).images
    record = run_audit(weigh(members, others, images), Policy(), progress=listen)
    assert record.verdict.verdict == "INCONCLUSIVE"
    assert [name for name in (*(asked.id for asked in QUESTIONS), "utility") if name not in notes] == []
    assert run_audit(weigh(members, others, images), Policy()).to_json() == record.to_json()


def test_no_non_members_is_inconclusive_but_a_copy_still_fails(draw: Draw, weigh: Weigh) -> None:
    rng = np.random.default_rng(10)
    members, images = draw(rng, 300), draw(rng, 300, most=1).images
    assert run_audit(weigh(members, None, images), Policy()).verdict.verdict == "INCONCLUSIVE"
    copied = np.concatenate([images, members.images[:1]])
    assert run_audit(weigh(members, None, copied), Policy()).verdict.verdict == "FAIL"


def test_two_scanners_are_invalid(draw: Draw, weigh: Weigh) -> None:
    rng = np.random.default_rng(11)
    members, others = draw(rng, 120, most=1), draw(rng, 60, first=120, most=2)
    grey = 255 * (others.images / 255) ** 0.9 + rng.normal(0, 3, others.images.shape)
    other_scanner = dataclasses.replace(others, images=np.clip(grey, 0, 255).astype(np.uint8))
    record = run_audit(weigh(members, other_scanner, draw(rng, 40, most=1).images), Policy())
    assert record.verdict.verdict == "INVALID"
    json.dumps(record.to_json(), allow_nan=False)


def test_scores_do_not_know_who_was_a_member(draw: Draw, weigh: Weigh) -> None:
    rng = np.random.default_rng(12)
    one, other = draw(rng, 30), draw(rng, 30, first=30)
    images = draw(rng, 60, most=1).images
    either = weigh(one, other, images), weigh(other, one, images)
    here, there = map(patient_scores, either)
    for name in here.spaces:
        np.testing.assert_array_equal(here.spaces[name].patient, there.spaces[name].patient)
    np.testing.assert_array_equal(here.non_member, ~there.non_member)
    np.testing.assert_array_equal(here.canonical, there.canonical)
    ours, theirs = map(attack_scores, either)
    assert list(ours) == ["distance in pixels", "distance in embedding", "density ratio", "classifier"]
    for name, score in ours.items():  # a classifier's sums depend on the order of rows in their last digits
        np.testing.assert_allclose(score, theirs[name], rtol=1e-6, atol=1e-6)


def test_an_encoder_is_one_more_space_and_one_more_attack(draw: Draw, weigh: Weigh) -> None:
    """This one looks at the sharpest detail only, which the other spaces average away."""
    rng = np.random.default_rng(17)
    members, others = draw(rng, 90, most=1), draw(rng, 45, first=90, most=1)
    marks = rng.integers(0, 2, (len(members.images), 4, 4, 1)).astype(np.uint8)  # in the lowest bit of a corner
    members.images[:, :4, :4] = members.images[:, :4, :4] // 2 * 2 + marks
    images = draw(rng, 60, most=1).images
    images[:40, :4, :4] = images[:40, :4, :4] // 2 * 2 + marks[:40]
    encoder = Encoder(
        embed=lambda seen: (seen[:, :4, :4] % 2).reshape(len(seen), -1).astype(np.float32),
        facts=lambda: {"sha256": "e" * 64, "trained_on": "nothing"},
        trained_on="nothing",
    )
    evidence = dataclasses.replace(weigh(members, others, images), encoder=encoder)
    content = run_audit(evidence, Policy()).to_json()
    tests = {test["id"]: test for test in content["tests"]}
    assert set(tests["T2"]["spaces"]) == {"pixels", "embedding", "encoder", PATCHES, *(lens.name for lens in LENSES)}
    assert tests["T2"]["spaces"]["encoder"]["p"] < 1e-3 < tests["T2"]["spaces"]["pixels"]["p"]
    assert "distance in encoder" in tests["T3"]["attacks"]
    assert content["encoder"] == {"sha256": "e" * 64, "trained_on": "nothing"}
    assert any("nothing" in note for note in content["notes"])


def test_ties_and_constant_images_cause_no_crash_and_no_lie(draw: Draw, weigh: Weigh) -> None:
    """Black images, one patient with most of the images, a synthetic set of one repeated picture; and all black."""
    rng = np.random.default_rng(14)
    members, others = draw(rng, 30), draw(rng, 24, first=30)
    crowd = dataclasses.replace(members, patients=np.where(np.arange(len(members.images)) % 10, 0, members.patients))
    crowd.images[::7] = 0
    images = np.repeat(draw(rng, 1, most=1).images, 50, axis=0)
    images[:5] = 0
    record = run_audit(weigh(crowd, others, images), Policy())
    assert record.verdict.verdict == "INCONCLUSIVE"
    assert entry(record, "T1")["constant_images"] == 5
    black = [dataclasses.replace(side, images=np.zeros_like(side.images)) for side in (crowd, others)]
    everything_black = run_audit(weigh(*black, np.zeros_like(images[:9])), Policy())
    assert everything_black.verdict.verdict == "INCONCLUSIVE"
    assert everything_black.internal["T2"]["pairs"] == []
