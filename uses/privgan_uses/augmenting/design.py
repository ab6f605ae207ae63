"""How a study is laid out; known before anything is loaded, so that a wrong number is told at once."""

from dataclasses import dataclass, field

from privgan.checks import within
from privgan_uses.augmenting.arms import ARMS, Arm

SIZES = (5, 20, 100)


@dataclass(frozen=True, kw_only=True)
class AugmentDesign:
    """sizes: patients of each class to learn from; none: 5, 20 and 100, as far as there are so many.

    repeats: trainings of each lesson, from other patients. steps: of one's own images as they are; others take longer
    in proportion. arms: the lessons; all unless somebody measures some alone.
    """

    sizes: tuple[int, ...] = ()
    repeats: int = 6
    steps: int = 100
    arms: tuple[Arm, ...] = field(default_factory=lambda: ARMS)

    def __post_init__(self) -> None:
        for size in self.sizes:
            within(1, 100_000, patients=size)
        within(2, 1000, repeats=self.repeats)
        within(11, 100_000, steps=self.steps)

    def length(self, arm: Arm) -> int:
        """Steps of a training."""
        return round(arm.length * self.steps)

    @property
    def trainings(self) -> int:
        """How many there are in all."""
        return len(self.sizes) * self.repeats * len(self.arms)
