"""How a classifier learns: the same for every set unless somebody says otherwise."""

from dataclasses import dataclass

from privgan.checks import positive, within
from privgan.images.augmentation import AugmentationSettings

MOST_STEPS = 100_000


@dataclass(frozen=True, kw_only=True)
class TeachSettings:
    """steps: of learning at most. minutes: an end by the clock, if that comes first. seed: of everything random.

    look: pixels a side that are looked at, at most; larger images are averaged down.
    column: the declared column of records.csv to learn; empty for the images' class.
    """

    steps: int = 750
    minutes: float | None = None
    seed: int = 0
    look: int = 16
    column: str = ""

    def __post_init__(self) -> None:
        within(1, MOST_STEPS, steps=self.steps)
        within(0, 2**63 - 1, seed=self.seed)
        within(8, 1024, look=self.look)
        if self.minutes is not None:
            positive(minutes=self.minutes)


CHANGES = AugmentationSettings(rotation_degrees=10, scale=0.1, shift=0.05)
"""Of every image that is learned from. None is mirrored: sides matter in a body, and in a digit."""
CONTRAST, BRIGHTNESS, GAMMA, GRAIN = 0.4, 0.2, 0.4, 0.1
"""How far an image's contrast (a ratio), brightness (of the range from -1 to 1) and gamma (its logarithm) may be
changed, either way, and the largest standard deviation of the grain that is added: what a set cannot know of other
machines. Twice as much of all was too much."""
