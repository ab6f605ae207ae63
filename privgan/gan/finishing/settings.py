"""How a detail network learns; checked before anything heavy is loaded."""

from dataclasses import dataclass

from privgan.checks import positive, within

FREE = 6  # one in so many of a batch has no pair


@dataclass(frozen=True, kw_only=True)
class LearningSettings:
    """width: of the network. steps, batch: how long, and images at once. pairs: weight of their distances,
    of which those of the critic's maps count `textures` times.

    anchor: weight of how far low frequencies are from where they belong, mean square a pixel; from the order `firm`
    on a tenth of it. rate: of the network's learning, of which the critic's is 4/3. seed: of everything random.
    """

    width: int = 32
    steps: int = 8000
    batch: int = 24
    pairs: float = 10.0
    textures: float = 1.0
    anchor: float = 200.0
    firm: int = 8
    rate: float = 3e-4
    seed: int = 0

    def __post_init__(self) -> None:
        positive(steps=self.steps, firm=self.firm)
        within(FREE, 4096, batch=self.batch)  # fewer have no drawing without a pair
        within(8, 256, width=self.width)
        within(1e-6, 0.1, rate=self.rate)
        within(0.0, 1e6, pairs=self.pairs, textures=self.textures, anchor=self.anchor)
