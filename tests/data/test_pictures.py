"""One picture under several numbers: one person's, or nobody's."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from privgan.data.cohort.cohort import open_cohort
from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.scan import scan
from privgan.data.pictures import MOST_HOLDERS, Pictures
from privgan.data.sources.wishes import Wishes
from tests.data.telling import told


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8)), max_size=30))
@settings(deadline=None, derandomize=True, max_examples=150)
def test_holders_equal_their_slow_twin(images: list[tuple[int, int]]) -> None:
    pictures, holders = Pictures(), defaultdict[int, set[int]](set)
    places = [pictures.add(np.full((4, 4), kind, np.uint8), number) for kind, number in images]
    for kind, number in images:
        holders[kind].add(number)
    nobodys = pictures.nobodys(np.array(places, dtype=np.int64)).tolist()
    assert nobodys == [len(holders[kind]) > MOST_HOLDERS for kind, _ in images]
    joined = {kind: {kind} for kind in range(9)}
    for one, other in pictures.pairs():
        joined[one] |= joined[other]
        for number in joined[one]:
            joined[number] = joined[one]
    for numbers in holders.values():
        for number in numbers if len(numbers) <= MOST_HOLDERS else ():
            assert numbers <= joined[number]


def cohort_of(tmp_path: Path, images: Any, patients: list[str], **options: Any) -> Any:
    np.savez(tmp_path / "a.npz", images=images, patient_id=np.array(patients))
    folder = tmp_path / f"cohort {len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    prepare(tmp_path / "a.npz", folder, told(non_members=0.0, **options))
    return open_cohort(folder)


def test_a_test_card_of_many_is_left_aside_and_nobody_becomes_somebody_else(tmp_path: Path) -> None:
    """20 people, each with one picture of their own, and all with the card, one with nothing else."""
    rng = np.random.default_rng(0)
    card = rng.integers(0, 256, (28, 28), dtype=np.uint8)
    images = np.stack([*rng.integers(0, 256, (20, 28, 28), dtype=np.uint8), *[card] * 21])
    patients = [*map("P{:02d}".format, range(20)), *map("P{:02d}".format, range(21))]
    cohort = cohort_of(tmp_path, images, patients)
    assert (cohort.facts.patients, cohort.facts.merged_patients) == (20, 0)
    assert cohort.facts.refused == {"shared_picture": 21}
    report = scan(tmp_path / "a.npz", Wishes(size=28))
    assert (report.refused, report.images, report.patients) == ({"shared_picture": 21}, 20, 20)
    (tmp_path / "gone.txt").write_text("P03\n")
    fewer = cohort_of(tmp_path, images, patients, exclude=tmp_path / "gone.txt")
    assert (fewer.facts.patients, fewer.facts.excluded_patients) == (19, 1)


def test_the_picture_of_three_numbers_is_one_persons(tmp_path: Path) -> None:
    images = np.random.default_rng(1).integers(0, 256, (12, 28, 28), dtype=np.uint8)
    images[1] = images[2] = images[0]
    cohort = cohort_of(tmp_path, images, [f"P{n:02d}" for n in range(12)])
    assert (cohort.facts.patients, cohort.facts.images, cohort.facts.refused) == (10, 12, {})


def test_blank_is_judged_before_padding_and_inversion(make_dicom: Callable[..., Any], tmp_path: Path) -> None:
    """An empty image twice as wide as tall has a band of black above and below: still empty, and nobody's."""
    for number in range(6):
        value = 4095 if number % 2 else 0
        empty = np.full((32, 64), value, np.uint16)
        make_dicom(tmp_path / f"{number}.dcm", empty, PhotometricInterpretation=f"MONOCHROME{1 + number // 3}")
    picture = np.random.default_rng(2).integers(0, 4096, (32, 64)).astype(np.uint16)
    make_dicom(tmp_path / "shown.dcm", picture)
    report = scan(tmp_path, Wishes())
    assert (report.refused, report.images) == ({"blank": 6}, 1)


def test_empty_slices_of_a_file_that_shows_something_are_left_out(
    make_dicom: Callable[..., Any], tmp_path: Path
) -> None:
    frames = np.zeros((5, 28, 28), np.uint8)
    frames[1:3] = np.random.default_rng(3).integers(0, 256, (2, 28, 28))
    make_dicom(tmp_path / "a.dcm", frames, NumberOfFrames=5, Rows=28, Columns=28)
    report = scan(tmp_path, Wishes())
    assert (report.images, report.refused) == (2, {})
    assert "3 blank frames or slices of files that show something were left out." in report.notes
