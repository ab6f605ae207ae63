"""How images are described, asked about and drawn: public constants, so that whoever plans needs no torch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from privgan.checks import positive, strictly_within, within
from privgan.gan.names import BALANCED, LARGE_COHORT, SLICES, SMALL_COHORT


@dataclass(frozen=True, kw_only=True)
class ImageModel:
    """How images are described and drawn: public constants.

    order: cosine frequencies u + v < order vary from image to image. colour_order: differences of colour do so below
    it, and follow the light above. brightness, pose: bring every image to one brightness, into one pose first.
    align: move the parts of every image to where they lie on average, and let them move again when images are drawn;
    then the average of all images has frequencies up to fine_order. bend: distort what is drawn by so many 28ths of
    the frame (root mean square), as things of its kind vary; nothing is asked about it.
    components: Gaussians a class.
    """

    order: int = 15
    colour_order: int = 8
    fine_order: int = 24
    brightness: bool = False
    pose: bool = False
    align: bool = True
    bend: float = 0.3
    components: int = 1

    def __post_init__(self) -> None:
        positive(order=self.order, colour_order=self.colour_order, fine_order=self.fine_order)
        within(1, 200, components=self.components)
        within(0.0, 4.0, bend=self.bend)

    @property
    def constants(self) -> dict[str, Any]:
        """All of them by name."""
        return {part.name: getattr(self, part.name) for part in fields(ImageModel)}


@dataclass(frozen=True, kw_only=True)
class MixtureSettings(ImageModel):
    """Public constants of the queries.

    share: of the target epsilon, spent on them. rounds: of k-means.
    mean_radius, spread_radius: coefficients are clipped to these norms, in units of one pixel of range [-1, 1] (root
    mean square over the image), around grey and around the class mean. component_radius: the same around a
    component's mean, in units of the class's spread. count_share: the constant coordinate's part of a vector.
    mean_noise, tone_noise, round_noise: noise of those queries, and of each round, relative to the second moments;
    with `align` there are two queries of means.
    """

    share: float = 0.6
    rounds: int = 3
    mean_radius: float = 1.0
    spread_radius: float = 0.3
    component_radius: float = 1.3
    count_share: float = 0.3
    mean_noise: float = 2.0
    tone_noise: float = 3.0
    round_noise: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(mean_radius=self.mean_radius, spread_radius=self.spread_radius)
        positive(component_radius=self.component_radius, mean_noise=self.mean_noise)
        positive(tone_noise=self.tone_noise, round_noise=self.round_noise)
        strictly_within(0.0, 1.0, share=self.share, count_share=self.count_share)
        within(1, 20, rounds=self.rounds)

    @property
    def noise_ratios(self) -> tuple[float, ...]:
        """The noises of the queries in the order they are asked, relative to each other."""
        means = (self.mean_noise,) * (2 if self.align else 1)
        once = (*means, 1.0, self.tone_noise)
        return once if self.components == 1 else (*once, *(self.round_noise for _ in range(self.rounds)), 1.0)


@dataclass(frozen=True, kw_only=True)
class ClassBalanceSettings:
    """How common classes are. measure: whether to ask at all. share: of the target epsilon, spent on it."""

    measure: bool = False
    share: float = 0.05

    def __post_init__(self) -> None:
        strictly_within(0.0, 1.0, share=self.share)


@dataclass(frozen=True, kw_only=True)
class RecordsSettings:
    """Records beside the images, of a cohort with declared columns. measure: whether to ask at all. share: of the
    target epsilon, spent on how the columns are distributed. noise: of the query of what records do to images,
    relative to the second moments'. judged: whether the refinement's discriminator is told the records of the images
    that it judges.
    """

    measure: bool = True
    share: float = 0.2
    noise: float = 1.0
    judged: bool = True

    def __post_init__(self) -> None:
        positive(noise=self.noise)
        strictly_within(0.0, 1.0, share=self.share)

    def times(self, start: MixtureSettings) -> float:
        """How many times as large the noise of the other queries gets beside this one, for the same epsilon."""
        others = sum(ratio**-2 for ratio in start.noise_ratios)
        return math.sqrt(1 + self.noise**-2 / others)


# Of the query of how strong detail is, relative to the second moments': it costs less than a fiftieth of them all.
NOISE_OF_DETAIL = 6.0

STARTS: Mapping[str, MixtureSettings] = {
    SMALL_COHORT: MixtureSettings(share=0.85, order=12),
    BALANCED: MixtureSettings(),
    LARGE_COHORT: MixtureSettings(order=20, components=10),
    SLICES: MixtureSettings(order=20, components=10, rounds=2),
}
"""By preset."""
