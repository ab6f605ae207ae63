"""Which forms exist, what is refused, and which images lie together in a file."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privgan.errors import UsageError
from privgan.synthetic.dicom.form import BITS, KINDS, DicomForm, files_of, neighbours, resolved
from privgan.synthetic.dicom.values import stored
from tests.synthetic.making import SEED


@pytest.mark.parametrize(
    ("modality", "kind", "bits"), [("CT", "ct", 12), ("MR", "mr", 12), ("CR", "cr", 8), ("DX", "dx", 8)]
)
def test_match_takes_the_modality_of_the_cohort(modality: str, kind: str, bits: int) -> None:
    assert resolved("match", modality=modality, bits=None, frames=1) == DicomForm(kind=kind, bits=bits)
    assert resolved("secondary-capture", modality=modality, bits=None, frames=4) == DicomForm(frames=4)
    assert resolved("match", modality=modality, bits=16, frames=1).bits == 16


@pytest.mark.parametrize(
    ("sop_class", "modality", "bits", "frames"),
    [
        ("match", "OT", None, 1),
        ("match", "", None, 1),
        ("match", "US", None, 1),
        ("match", "CT", 8, 1),
        ("match", "MR", 8, 1),
        ("match", "CR", None, 2),
        ("secondary-capture", "CR", 10, 1),
        ("secondary-capture", "CR", 0, 1),
        ("secondary-capture", "CR", None, 0),
        ("secondary-capture", "CR", None, 1025),
        ("enhanced", "CT", None, 1),
    ],
)
def test_forms_that_do_not_exist_are_refused(sop_class: str, modality: str, bits: int | None, frames: int) -> None:
    with pytest.raises(UsageError, match="Expected"):
        resolved(sop_class, modality=modality, bits=bits, frames=frames)


@given(st.lists(st.integers(0, 2), max_size=40), st.integers(1, 6))
@settings(deadline=None, derandomize=True)
def test_files_hold_neighbours_of_one_class_in_order(labels: list[int], frames: int) -> None:
    files = files_of(np.array(labels, dtype=np.int64), frames)
    assert [number for file in files for number in file] == list(range(len(labels)))
    assert all(1 <= len(file) <= frames and len({labels[number] for number in file}) == 1 for file in files)
    for one, other in itertools.pairwise(files):  # none could have held more
        assert len(one) == frames or labels[one.start] != labels[other.start]


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40), st.integers(2, 6))
@settings(deadline=None, derandomize=True)
def test_images_of_a_class_come_together_and_files_are_as_full_as_can_be(labels: list[int], frames: int) -> None:
    given = np.array(labels, dtype=np.int64)
    ordered = neighbours(given, frames, SEED)
    assert sorted(ordered.tolist()) == sorted(labels)
    fewest = sum(-(-labels.count(label) // frames) for label in set(labels))
    assert len(files_of(ordered, frames)) == fewest
    np.testing.assert_array_equal(neighbours(given, 1, SEED), given)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bits", BITS)
@given(st.floats(-3000, 3000), st.floats(1, 60000))
@settings(deadline=None, derandomize=True, max_examples=20)
def test_no_two_levels_are_stored_alike(kind: str, bits: int, low: float, width: float) -> None:
    if bits == 8 and kind in ("ct", "mr"):
        return
    levels = np.arange(256, dtype=np.uint8)
    for window in (None, (low, low + width)):
        values = stored(levels, DicomForm(kind=kind, bits=bits), window)
        assert len(np.unique(values)) == 256
        assert (np.diff(values.astype(int)) > 0).all()
        assert values.max() < 2**bits
