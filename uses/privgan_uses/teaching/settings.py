"""How a classifier learns: the same for every set unless somebody says otherwise."""

from dataclasses import dataclass

from privgan.checks import positive, within
from privgan.images.augmentation import AugmentationSettings

MOST_STEPS = 100_000


@dataclass(frozen=True, kw_only=True)
class TeachSettings:
    """steps: of learning at most. minutes: an end by the clock, if that comes first. seed: of everything random.

    column: the declared column of records.csv to learn; empty for the images' class.
    """

    steps: int = 600
    minutes: float | None = None
    seed: int = 0
    column: str = ""

    def __post_init__(self) -> None:
        within(1, MOST_STEPS, steps=self.steps)
        within(0, 2**63 - 1, seed=self.seed)
        if self.minutes is not None:
            positive(minutes=self.minutes)


CHANGES = AugmentationSettings(rotation_degrees=3, scale=0.03, shift=0.04)
"""Of every image that is learned from. None is mirrored: sides matter in a body, and in a digit."""
CONTRAST, BRIGHTNESS = 0.2, 0.1
"""How far an image's contrast (a ratio) and brightness (of the range from -1 to 1) may be changed, either way."""
