"""The whole answer for one hospital: studied, put into sentences, written down; none of it leaves by itself."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from privgan import __version__
from privgan.data.cohort.cohort import Cohort
from privgan.files import PRIVATE_FILE, write_json, write_text
from privgan.kinds import AUGMENTATION
from privgan.progress import Progress, silent
from privgan_uses.augmenting.design import AugmentDesign
from privgan_uses.augmenting.hospital import sides_of, sizes_of
from privgan_uses.augmenting.lessons import patients_of, usual_changes
from privgan_uses.augmenting.page import page
from privgan_uses.augmenting.study import study
from privgan_uses.released import Released

PAGE = "augment.html"


def augment(
    given: Released,
    own: Cohort,
    folder: Path,
    design: AugmentDesign,
    rng: np.random.Generator,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Study what a released set is worth to a cohort, and write augment.json and augment.html into a staged folder.

    Args:
        given: the set, verified at this moment.
        own: the hospital's cohort; members are learned from, the others examined on.
        folder: exists, private.
        design: without sizes, those that the cohort has patients for.
        rng: of everything that is drawn.
        progress: hears of each training.

    Raises:
        UsageError: see `hospital.sides_of`.
    """
    sides = sides_of(given, own, rng)
    planned = replace(design, sizes=sizes_of(sides, design.sizes))
    changes = usual_changes(given.form.body_part)
    found = [learned.to_json(planned.arms, sides.names) for learned in study(sides, planned, changes, rng, progress)]
    content = {
        "schema_version": 1,
        "privgan_version": __version__,
        "cohort_id": own.facts.cohort_id,
        "origins": [asdict(origin) for origin in given.origins],
        "each_image_is_a_patient": own.facts.form.each_image_is_a_patient,
        "held_back": {name: len(patients_of(sides.test, label)) for label, name in enumerate(sides.names)},
        "repeats": planned.repeats,
        "steps": planned.steps,
        "changes": asdict(changes),
        "sizes": found,
    }
    write_json(folder / AUGMENTATION.marker, content, PRIVATE_FILE)
    write_text(folder / PAGE, page(content, planned.arms), PRIVATE_FILE)
    return content
