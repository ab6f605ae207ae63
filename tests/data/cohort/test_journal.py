"""What `prepare` has read so far, remembered file by file."""

import math
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from privgan.data.cohort.journal import ROWS, Journal
from privgan.data.cohort.notes import Note
from privgan.data.identifiers import IdentifierDigests
from privgan.data.sources.source import Entry


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3)])
def test_several_images_of_one_file_are_remembered_together(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """A line is a file, whole or not there, with a row of pixels for each of its usable images."""
    digests, key = IdentifierDigests(bytes(32)), bytes(32)
    (tmp_path / "private").mkdir()
    rng = np.random.default_rng(2)
    files = [
        [
            Note.of(
                Entry(where=f"{file}", patient=f"p{file}", image=image),
                "damaged" if frame == 1 else "",
                digests,
                key,
            )
            for frame, image in enumerate(rng.integers(0, 256, (frames, *shape), dtype=np.uint8))
        ]
        for file, frames in enumerate((1, 4, 2))
    ]
    with Journal(tmp_path, shape, {}) as journal:
        assert list(journal.replay()) == []
        for noted in files:
            journal.append(noted)
        journal.commit()
    assert (tmp_path / ROWS).stat().st_size == 5 * math.prod(shape)
    with Journal(tmp_path, shape, {}) as journal:
        remembered = list(journal.replay())
        assert journal.files == 3
    for (note, image), (expected, pixels) in zip(remembered, chain.from_iterable(files), strict=True):
        assert note == expected
        assert (image is not None) == note.usable == (pixels is not None)
        assert image is None or np.array_equal(image, pixels)
    with (tmp_path / ROWS).open("r+b") as stream:  # a part of the last file's last row is gone
        stream.truncate(5 * math.prod(shape) - 1)
    with Journal(tmp_path, shape, {}) as journal:
        assert len(list(journal.replay())) == 5
        assert journal.files == 2
    assert (tmp_path / ROWS).stat().st_size == 4 * math.prod(shape)
