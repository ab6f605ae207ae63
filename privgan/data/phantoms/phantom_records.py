"""What is known of invented patients, and what of it their pictures show: a truth that nobody has to estimate.

Age widens the heart, sex changes the outline, and an opacity grows with its stage; whoever has none has no stage.
Smoking shows nowhere, but advances the stage, and of some it is not known: by chance alone. Three young women in the
last stage, where nobody else is young, are the few whom a table of records must not point at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from privgan.arrays import Flags, Floats, Integers, Texts
from privgan.data.phantoms.phantom_images import (
    BODY_WIDTH,
    HEART_WIDTH,
    OPACITY_SIZE,
    OPACITY_STRENGTH,
    SHOULDER,
    Anatomy,
)

STAGES = ("I", "II", "III", "IV")
COLUMNS = (
    "sex:category(F|M):patient,age:number(18..90):patient,stage:ordinal(I<II<III<IV),smoker:category(no|yes):patient"
)
HEADER = ("sex", "age", "stage", "smoker")
YOUNGEST, OLDEST, YOUNG = 18, 90, 40  # years; below YOUNG nobody but the planted is in the last stage
PLANTED, PLANTED_AGES = 3, (19, 30)
UNKNOWN_SHARE = 0.2  # of patients of whom it is not known whether they smoke
_SMOKERS = {"F": 0.2, "M": 0.4}
_CUTS = (-0.6, 0.3, 1.1)  # between the stages, of a number that grows with age and smoking
_KEPT = 0.4  # of what makes people different otherwise, where a record says what is to be seen
_AGE = 54  # at which a heart is as wide as that of a phantom without a record
_A_YEAR = 0.0028  # by which a heart is wider, in halves of the picture
_OUTLINE = {"F": (0.80, -0.76), "M": (0.88, -0.84)}
_OPACITY = ((0.0, 0.0), (0.08, 0.24), (0.12, 0.32), (0.16, 0.40), (0.20, 0.48))


@dataclass(frozen=True, kw_only=True)
class PhantomRecords:
    """One value a patient (n,). sex: F or M. age: years. stage: from 1, 0 without an opacity. smoker: no, yes, or
    empty where it is not known.
    """

    sex: Texts
    age: Integers
    stage: Integers
    smoker: Texts

    @classmethod
    def draw(cls, opaque: Flags, rng: np.random.Generator, *, planted: bool) -> Self:
        """Draw the records of len(opaque) patients; the first few with an opacity are planted if some are to be."""
        n = len(opaque)
        sex = np.where(rng.random(n) < 0.5, "F", "M")
        age = np.clip(np.rint(rng.normal(_AGE, 17, n)), YOUNGEST, OLDEST).astype(np.int64)
        smokes = rng.random(n) < np.where(sex == "F", _SMOKERS["F"], _SMOKERS["M"])
        advanced = rng.standard_normal(n) + 0.8 * smokes + (age - _AGE) / 30 - 0.2
        stage = np.where(opaque, 1 + np.searchsorted(_CUTS, advanced), 0)
        stage = np.where(age < YOUNG, np.minimum(stage, len(STAGES) - 1), stage)
        unknown, young = rng.random(n) < UNKNOWN_SHARE, rng.integers(*PLANTED_AGES, n)
        few = np.flatnonzero(opaque)[: PLANTED if planted else 0]
        sex[few], age[few], stage[few] = "F", young[few], len(STAGES)
        return cls(sex=sex, age=age, stage=stage, smoker=np.where(unknown, "", np.where(smokes, "yes", "no")))

    def rows(self) -> Iterator[tuple[str, ...]]:
        """What a table says of each patient, in the order of HEADER."""
        names = ("", *STAGES)
        columns = (self.sex.tolist(), self.age.tolist(), self.stage.tolist(), self.smoker.tolist())
        return ((sex, str(age), names[stage], smoker) for sex, age, stage, smoker in zip(*columns, strict=True))

    def shape(self, anatomy: Anatomy) -> Anatomy:
        """The anatomy of these patients, in which what the records say is to be seen."""
        outline = np.array([_OUTLINE[sex] for sex in self.sex.tolist()]).reshape(-1, 2)
        seen = np.array(_OPACITY)[self.stage]
        heart, opacity = anatomy.heart.copy(), anatomy.opacity.copy()
        heart[:, 2] = _around(heart_width(self.age), heart[:, 2], HEART_WIDTH)
        opacity[:, 2] = _around(seen[:, 0], opacity[:, 2], OPACITY_SIZE)
        opacity[:, 3] = np.where(self.stage > 0, _around(seen[:, 1], opacity[:, 3], OPACITY_STRENGTH), 0)
        return replace(
            anatomy,
            heart=heart,
            opacity=opacity,
            body_width=_around(outline[:, 0], anatomy.body_width, BODY_WIDTH),
            shoulder=_around(outline[:, 1], anatomy.shoulder, SHOULDER),
        )


def heart_width(age: Integers) -> Floats:
    """Half the width of a heart in halves of the picture (n,), by age in years (n,): what the records say of it."""
    return HEART_WIDTH + _A_YEAR * (age - _AGE).astype(np.float64)


def _around(middle: Floats, drawn: Floats, usual: float) -> Floats:
    """What was drawn around a usual middle (n,), around others (n,) and closer to them."""
    return middle + _KEPT * (drawn - usual)
