"""The lesson page of a set whose patients go through all stages: a function of its manifest and its images."""

import math
import re

from privgan.arrays import Images
from privgan.images.stored import with_channels
from privgan.language import speaking, tr
from privgan.records.facts import RecordsFacts
from privgan.synthetic.lessons.page import PICTURE, Lesson, lesson_page
from privgan.synthetic.sequences import ordinal
from privgan.synthetic.synthetic_set import Manifest, patient_id

_MOST_PATIENTS, _MOST_BYTES = 50, 1 << 22  # of pixels: what a browser opens at once, and mail carries
_PICTURE = re.compile(re.escape(PICTURE) + "[A-Za-z0-9+/=]*")


def lesson_of(manifest: Manifest, records: RecordsFacts, images: Images) -> str:
    """The page, in the set's own language, of its first patients.

    Args:
        manifest: of a set with a sequence.
        records: what it says of these.
        images: uint8 (n, h, w) or (n, h, w, 3), the stages of a patient one after the other.
    """
    sequence, stages = records.sequence, ordinal(records.schema, records.sequence).values
    shown = with_channels(images[: len(stages) * shown_patients(manifest)])
    with speaking(manifest.language):
        source = tr(
            "Invented patients {first} to {last} of the set {run}, drawn by privgan {version}.",
            first=patient_id(manifest.run_id, 1),
            last=patient_id(manifest.run_id, len(shown) // len(stages)),
            run=manifest.run_id,
            version=manifest.privgan_version,
        )
        return lesson_page(Lesson(images=shown, column=sequence.replace("_", " "), stages=stages, source=source))


def shown_patients(manifest: Manifest) -> int:
    """How many patients the page shows: all of a small set."""
    visits = manifest.dicom.visits
    fit = max(1, _MOST_BYTES // (visits * math.prod(manifest.form.shape)))
    return min(_MOST_PATIENTS, fit, manifest.count // visits)


def without_pictures(page: str) -> str:
    """A page as it would be without its pictures, for whoever reads its words."""
    return _PICTURE.sub(PICTURE, page)
