"""Text in images: counted among synthetic and real ones, told, and nothing that a verdict depends on."""

from pathlib import Path

import numpy as np

from privgan.arrays import Images
from privgan.images.stored import with_channels
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.questions.identifiers.lettering import lettering
from privgan_audits.questions.identifiers.words import told
from tests.cli.conftest import blobs
from tests.painting import painted


def written(images: Images, count: int) -> Images:
    """The first of them with a site's text, at four times the size."""
    large = np.repeat(np.repeat(images, 4, axis=1), 4, axis=2)
    for row in range(count):
        large[row] = painted(large[row].astype(float), "ST MARY HOSP", 14, 150, (0, 0))
    return large


def evidence_of(made: Images, real: Images) -> Evidence:
    return Evidence(
        members=sample(real),
        non_members=None,
        synthetic=sample(made),
        synthetic_folder=Path(),
        synthetic_sha256="0" * 64,
        classes=("a",),
    )


def sample(images: Images) -> Sample:
    numbers = np.arange(len(images))
    return Sample(images=with_channels(images), labels=np.zeros(len(images), np.int64), patients=numbers)


def test_what_a_site_burned_in_is_counted_on_both_sides() -> None:
    found = lettering(evidence_of(written(blobs(12, 1), 3), written(blobs(20, 2), 9)))
    assert found == {"synthetic": 3, "of_synthetic": 12, "members": 9, "of_members": 20}
    (sentence,) = told({"lettering": found})
    assert "3 of 12 synthetic images and in 9 of 20 images of members" in sentence


def test_without_text_nothing_is_told() -> None:
    found = lettering(evidence_of(written(blobs(12, 1), 0), written(blobs(20, 2), 9)))
    assert found["synthetic"] == 0
    assert not [*told({"lettering": found})]
