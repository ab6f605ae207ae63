"""What an audit is given: checked cohorts and sets, or bare files with every assumption among the notes."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from privgan.data.cohort.cohort import MARKER
from privgan.dp.budget.ledger import Ledger
from privgan.errors import InputRejectedError, IntegrityError, UsageError
from privgan.files import sha256_file
from privgan.images.stored import as_stored
from privgan_audits.evidence.interface import Evidence, Measured, Sample
from privgan_audits.evidence.loading import load_cohort_evidence, load_file_evidence
from privgan_audits.examine import run_audit
from privgan_audits.policy import Policy
from privgan_audits.questions import exact_copies
from tests.audits.releasing import make_cohort, make_gate
from tests.synthetic.making import make_set

Draw = Callable[..., Sample]


def write_npz(path: Path, sample: Sample, *, name: str = "p") -> Path:
    patients = np.array([f"{name}{number}" for number in sample.patients])
    np.savez(path, images=as_stored(sample.images), labels=sample.labels, patient_id=patients)
    return path


def write_pictures(folder: Path, sample: Sample, *, table: bool) -> Path:
    folder.mkdir()
    rows = []
    for number, image in enumerate(as_stored(sample.images)):
        Image.fromarray(image).save(folder / f"{number:04d}.png")
        rows.append((f"{number:04d}.png", f"q{sample.patients[number]}", "a"))
    if table:
        with (folder / "labels.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([("file", "patient", "label"), *rows])
    return folder


def test_a_cohort_and_its_set_become_evidence(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    found = load_cohort_evidence(tmp_path / "synthetic", tmp_path / "cohort", tmp_path / "synthetic-run")
    assert (found.members.patient_count, len(found.synthetic.images)) == (2, 6)
    assert found.non_members is not None
    assert found.non_members.patients.tolist() == [2, 3]
    both = [found.members.images, found.non_members.images]
    assert np.array_equal(found.real, np.concatenate(both))
    assert all(np.shares_memory(found.real, side) for side in both)  # all real images are no further copy
    assert found.claim is not None
    assert (found.claim.spend.epsilon, found.claim.spend.delta, found.claim.not_private) == (3.0, 1e-5, False)
    assert found.ledger is not None
    assert found.ledger.head == gate.ledger.head


def test_edited_exchanged_and_missing_material_is_refused(tmp_path: Path) -> None:
    make_gate(tmp_path)
    synthetic, cohort = tmp_path / "synthetic", tmp_path / "cohort"
    with pytest.raises(UsageError):
        load_cohort_evidence(synthetic, tmp_path / "nowhere")
    with pytest.raises(UsageError):
        load_cohort_evidence(tmp_path / "nowhere", cohort)
    with pytest.raises(UsageError, match=r"Expected a run \(of .*is missing"):
        load_cohort_evidence(synthetic, cohort, tmp_path / "nowhere")
    text = (cohort / MARKER).read_text()
    (cohort / MARKER).write_text(text.replace("2026-01-31", "2026-01-30"))
    with pytest.raises(IntegrityError, match=r"cohort\.json and the ledger"):
        load_cohort_evidence(synthetic, cohort)
    (cohort / MARKER).write_text(text)
    (synthetic / "labels.csv").write_text("edited")
    with pytest.raises(IntegrityError):
        load_cohort_evidence(synthetic, cohort)


def test_a_set_of_another_size_than_the_cohort_is_refused(tmp_path: Path) -> None:
    cohort = make_cohort(tmp_path / "cohort")
    with pytest.raises(UsageError, match="32 x 32"):
        load_cohort_evidence(make_set(tmp_path / "set", image_size=28), _enlarged(cohort))


def _enlarged(cohort: Path) -> Path:
    np.save(cohort / "images.npy", np.zeros((4, 32, 32), np.uint8))
    facts = json.loads((cohort / MARKER).read_text())
    facts["image_size"], facts["digests"]["images.npy"] = 32, sha256_file(cohort / "images.npy")
    (cohort / MARKER).write_text(json.dumps(facts))
    ledger = cohort / "private" / "ledger.jsonl"
    ledger.unlink()
    Ledger.create(ledger, cohort_sha256=sha256_file(cohort / MARKER), members=2, delta=1e-5, max_epsilon=10.0)
    return cohort


@pytest.mark.usefixtures("planted_where_it_gates")
def test_files_of_every_kind_are_read_and_compared(draw: Draw, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    members, others, synthetic = draw(rng, 30), draw(rng, 20), draw(rng, 40, most=1)
    found = load_file_evidence(
        write_pictures(tmp_path / "synthetic", synthetic, table=False),
        write_npz(tmp_path / "members.npz", members),
        write_pictures(tmp_path / "others", others, table=True),
    )
    np.testing.assert_array_equal(found.synthetic.images, synthetic.images)
    np.testing.assert_array_equal(found.members.images, members.images)
    assert found.non_members is not None
    assert (found.members.patient_count, found.non_members.patient_count) == (30, 20)
    assert found.cohort is None
    assert any(note.startswith("The synthetic images: ") for note in found.notes)
    record = run_audit(found, Policy()).to_json()
    assert (record["verdict"], record["scope"], record["privacy"]["epsilon"]) == ("INCONCLUSIVE", "empirical", None)


def test_one_patient_on_both_sides_is_refused(draw: Draw, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    members, others = draw(rng, 6), draw(rng, 6, first=5)
    synthetic = write_npz(tmp_path / "synthetic.npz", draw(rng, 4))
    with pytest.raises(UsageError, match="1 ids are in both"):
        load_file_evidence(synthetic, write_npz(tmp_path / "x.npz", members), write_npz(tmp_path / "y.npz", others))


def test_files_without_patients_are_never_taken_for_the_same_person(draw: Draw, tmp_path: Path) -> None:
    """Both folders hold 0000.png; that is no patient's number."""
    rng = np.random.default_rng(2)
    x, y = (write_pictures(tmp_path / name, draw(rng, 5, most=1), table=False) for name in "xy")
    found = load_file_evidence(x, x, y)
    assert found.non_members is not None
    assert found.non_members.patients.min() > found.members.patients.max()


def test_labels_mean_the_same_on_every_side_and_columns_come_along(draw: Draw, tmp_path: Path) -> None:
    words = {"s": "acc", "m": "cba", "n": "bbd"}
    for seed, (name, labels) in enumerate(words.items()):
        images = as_stored(draw(np.random.default_rng(seed), 3, most=1).images)
        people = [f"{name}{number}" for number in range(3)]
        more = {"sex": np.array(["f", "m", "f"]), "number": np.arange(3) + 100}
        np.savez(tmp_path / f"{name}.npz", images=images, labels=np.array(list(labels)), patient_id=people, **more)
    found = load_file_evidence(*(tmp_path / f"{name}.npz" for name in words))
    assert found.classes == ("a", "c", "b", "d")
    for side, labels in zip((found.synthetic, found.members, found.non_members), words.values(), strict=True):
        assert side is not None
        assert "".join(found.classes[label] for label in side.labels) == labels
        assert side.columns["sex"].tolist() == ["f", "m", "f"]


def test_the_digest_stands_for_every_byte_and_name(draw: Draw, tmp_path: Path) -> None:
    sample = draw(np.random.default_rng(3), 4, most=1)
    folder = write_pictures(tmp_path / "x", sample, table=False)
    before = load_file_evidence(folder, folder, None).synthetic_sha256
    (folder / "0000.png").rename(folder / "9999.png")
    assert load_file_evidence(folder, folder, None).synthetic_sha256 != before


def test_missing_and_empty_inputs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        load_file_evidence(tmp_path / "nowhere.npz", tmp_path / "empty", None)
    with pytest.raises(InputRejectedError):
        load_file_evidence(tmp_path / "empty", tmp_path / "empty", None)


Pixels = NDArray[np.generic]


def as_npz(folder: Path, name: str, images: Pixels) -> Path:
    np.savez(folder / f"{name}.npz", images=images, patient_id=[f"{name}{row}" for row in range(len(images))])
    return folder / f"{name}.npz"


def as_pictures(folder: Path, name: str, images: Pixels) -> Path:
    (folder / name).mkdir()
    for row, image in enumerate(images):
        Image.fromarray(image).save(folder / name / f"{row}.png")
    return folder / name


def copies(evidence: Evidence) -> object:
    outcome = exact_copies.QUESTION.measure(evidence, np.random.default_rng(0))
    assert isinstance(outcome, Measured)
    return outcome.findings["copies_of_members"]


def deep(tones: int, seed: int = 0) -> NDArray[np.uint16]:
    """Two images of 16 bits with values below `tones`."""
    return np.random.default_rng(seed).integers(0, tones, (2, 32, 32)).astype(np.uint16)


def test_sixteen_bits_become_eight_in_every_format_alike(tmp_path: Path) -> None:
    images = deep(65536)
    found = load_file_evidence(as_pictures(tmp_path, "x", images), as_npz(tmp_path, "y", images), None)
    np.testing.assert_array_equal(as_stored(found.members.images), np.rint(images / 257).astype(np.uint8))
    np.testing.assert_array_equal(found.synthetic.images, found.members.images)
    assert copies(found) == 2
    assert copies(load_file_evidence(tmp_path / "x", as_npz(tmp_path, "z", deep(65536, seed=1)), None)) == 0


@pytest.mark.parametrize("write", [as_npz, as_pictures])
def test_images_that_differ_in_the_bits_that_are_lost_are_not_called_identical_without_a_note(
    tmp_path: Path, write: Callable[[Path, str, Pixels], Path]
) -> None:
    images = 257 * deep(255)
    found = load_file_evidence(write(tmp_path, "x", images), write(tmp_path, "y", images + np.uint16(1)), None)
    assert copies(found) == 0 or any("bit" in note for note in found.notes)


@pytest.mark.parametrize("write", [as_npz, as_pictures])
def test_twelve_bits_stored_in_sixteen_keep_their_tones_or_are_noted(
    tmp_path: Path, write: Callable[[Path, str, Pixels], Path]
) -> None:
    written = write(tmp_path, "x", deep(4096))
    found = load_file_evidence(written, written, None)
    assert len(np.unique(found.members.images)) > 200 or any("bit" in note for note in found.notes)


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.uint32, np.float32, np.float64, np.bool_])
def test_other_numbers_are_refused_instead_of_guessed_at(tmp_path: Path, kind: type[np.generic]) -> None:
    """Nobody knows what is black and white in them."""
    odd = as_npz(tmp_path, "odd", deep(2).astype(kind))
    even = as_npz(tmp_path, "even", deep(256).astype(np.uint8))
    for synthetic, members in ((odd, even), (even, odd)):
        with pytest.raises((UsageError, InputRejectedError), match="Expected"):
            load_file_evidence(synthetic, members, None)


def test_colour_is_refused_in_arrays_and_converted_with_a_note_in_pictures(tmp_path: Path) -> None:
    colour = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    grey = colour[..., 0]
    members = as_npz(tmp_path, "m", grey)
    with pytest.raises(InputRejectedError, match="colour"):
        load_file_evidence(as_npz(tmp_path, "c", colour), members, None)
    found = load_file_evidence(as_pictures(tmp_path, "c", colour), members, None)
    assert "The synthetic images: 2 colour files were converted to grey." in found.notes
    luminance = colour @ [0.299, 0.587, 0.114]
    assert np.abs(as_stored(found.synthetic.images) - luminance).max() < 1
    in_three = load_file_evidence(as_pictures(tmp_path, "g", np.repeat(grey[..., None], 3, axis=3)), members, None)
    np.testing.assert_array_equal(as_stored(in_three.synthetic.images), grey)
    assert copies(in_three) == 2
    assert not any("colour" in note for note in in_three.notes)
