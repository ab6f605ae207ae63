"""Which patients' images the page shows, and where the classifier looks in each: internal, because they are real."""

from dataclasses import dataclass, field

import numpy as np

from privgan.arrays import Floats, Images, Integers
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_uses.teaching.classifier import Classifier
from privgan_uses.teaching.examining.occlusion import occlusion
from privgan_uses.teaching.examining.patients import Examined

RIGHT, WRONG = 2, 2  # patients of each class that are shown, called so and called otherwise
MOST_CLASSES = 10
_FOR, _AGAINST = np.array([255, 140, 0.0]), np.array([40, 120, 255.0])  # orange and blue: seen by everybody
_STRONGEST = 0.75  # of a pixel's colour


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """A real image and what of it the answer hangs on.

    image, looked: uint8 (h, h, c) and (h, h, 3). truth, called: names of classes. chance: of what it is called.
    """

    image: Images = field(repr=False)
    looked: Images = field(repr=False)
    truth: str
    called: str
    chance: float

    @property
    def right(self) -> bool:
        """Whether it is called what it is."""
        return self.truth == self.called


def pictures_of(
    classifier: Classifier, chances: Floats, patients: Examined, progress: Progress = silent
) -> list[Shown]:
    """For each class some patients that are called right and some that are not, the surest of each first."""
    rows = chosen(chances, patients)
    found, names = [], classifier.facts.classes
    for done, row in enumerate(rows, start=1):
        called = int(chances[row].argmax())
        image = patients.images[row]
        found.append(
            Shown(
                image=image,
                looked=overlaid(image, occlusion(classifier, image, called)),
                truth=names[int(patients.labels[row])],
                called=names[called],
                chance=float(chances[row, called]),
            )
        )
        progress(tr("looking where the model looks"), done, len(rows))
    return found


def chosen(chances: Floats, patients: Examined) -> list[int]:
    """Rows; no patient twice in a class."""
    called, found = chances.argmax(axis=1), list[int]()
    for label in np.unique(patients.labels)[:MOST_CLASSES]:
        for right, count in ((True, RIGHT), (False, WRONG)):
            rows = np.flatnonzero((patients.labels == label) & ((called == label) == right))
            surest = rows[np.argsort(-chances[rows, called[rows]], kind="stable")]
            found += _of_different(surest, patients.patients)[:count].tolist()
    return found


def _of_different(rows: Integers, patients: Integers) -> Integers:
    """The first row of each patient, in the same order."""
    first = np.unique(patients[rows], return_index=True)[1]
    return rows[np.sort(first)]


def overlaid(image: Images, held: Floats) -> Images:
    """An image uint8 (h, h, c) with what speaks for its class in orange and what speaks against in blue."""
    strength = np.abs(held) / max(float(np.abs(held).max()), 1e-9) * _STRONGEST
    colour = np.where(held[..., None] > 0, _FOR, _AGAINST)
    grey = np.broadcast_to(image.astype(np.float64), (*image.shape[:2], 3))
    mixed = grey * (1 - strength[..., None]) + colour * strength[..., None]
    return np.clip(np.round(mixed), 0, 255).astype(np.uint8)
