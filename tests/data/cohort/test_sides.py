"""A patient's number leads to the side, for merged patients under each number, and no number is kept."""

from pathlib import Path

import numpy as np
import pytest

from privgan.data.cohort.cohort import MEMBER, NON_MEMBER, open_cohort
from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.sides import PATIENTS, side_of, write_sides
from privgan.errors import IntegrityError
from tests.data.telling import told


def test_every_number_of_a_cohort_is_found_on_its_side(tmp_path: Path) -> None:
    """40 patients, two of them one person by an identical image, one withdrawn."""
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    images[7] = images[30]
    numbers = np.array([f"NUM-{n:03d}" for n in range(40)])
    np.savez(tmp_path / "images.npz", images=images, labels=np.zeros(40, np.int64), patient_id=numbers)
    (tmp_path / "out.txt").write_text("NUM-011\n")
    folder, met = tmp_path / "cohort", list[frozenset[str]]()
    folder.mkdir()
    prepare(tmp_path / "images.npz", folder, told(exclude=tmp_path / "out.txt"), meet=met.extend)
    cohort = open_cohort(folder)
    assert cohort.facts.merged_patients == 1
    sides = {number: side_of(folder, f" {number}\n") for number in numbers}
    assert [number for number, side in sides.items() if side is None] == ["NUM-011"]
    assert sides["NUM-007"] == sides["NUM-030"]
    assert side_of(folder, "NUM-999") is None
    for typed in ("num-005", " NUM-005.0", "0NUM-005", "NUM -005"):
        assert side_of(folder, typed) == (None if ".0" in typed else sides["NUM-005"]), typed
    # The slow twin: the side of the row that has this number.
    kept = [n for n in range(40) if n != 11]
    words = {MEMBER: "member", NON_MEMBER: "non-member"}
    assert [sides[numbers[n]] for n in kept] == [words[int(side)] for side in cohort.split]
    members = {number for number, side in sides.items() if side == "member"}
    assert set[str]().union(*met) == members | {number.lower() for number in members}
    assert len(met) == cohort.facts.members
    assert b"NUM" not in (folder / PATIENTS).read_bytes()


def test_one_number_of_two_issuers_counts_as_a_members(tmp_path: Path) -> None:
    """Whoever asks with the bare number hears the answer that matters more."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "hmac.key").write_bytes(bytes(32))
    people = [frozenset({"5", "5^^^A"}), frozenset({"5", "5^^^B"})]
    write_sides(tmp_path, bytes(32), people, [NON_MEMBER, MEMBER])
    assert [side_of(tmp_path, key) for key in ("5", "5^^^A", "5^^^B")] == ["member", "non-member", "member"]


@pytest.mark.parametrize("name", [PATIENTS, "private/hmac.key"])
def test_edited_digests_are_found(tmp_path: Path, name: str) -> None:
    images = np.random.default_rng(1).integers(0, 256, (30, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images=images, labels=np.zeros(30, np.int64), patient_id=np.arange(30))
    (tmp_path / "cohort").mkdir()
    prepare(tmp_path / "images.npz", tmp_path / "cohort", told())
    path = tmp_path / "cohort" / name
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(IntegrityError, match="edited"):
        open_cohort(tmp_path / "cohort")


def test_asking_about_nobody_finds_nobody(tmp_path: Path) -> None:
    """Neither a missing number nor its near spelling is patient 0."""
    images = np.random.default_rng(1).integers(0, 256, (30, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images=images, patient_id=np.arange(30))
    (tmp_path / "cohort").mkdir()
    prepare(tmp_path / "images.npz", tmp_path / "cohort", told())
    assert side_of(tmp_path / "cohort", "0") == side_of(tmp_path / "cohort", "000") is not None
    assert [side_of(tmp_path / "cohort", number) for number in ("nan", "", " ", "NULL")] == [None] * 4
