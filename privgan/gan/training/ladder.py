"""How many discriminator steps a generator step waits for: the adaptive ladder of Bie, Kamath and Zhang (2023).

A noisy discriminator needs many steps before it has anything to teach. When it stops telling fresh fakes apart,
the generator waits longer from then on. The rule looks at fakes only: post-processing, free of privacy cost.
"""

from dataclasses import dataclass, replace

RUNGS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


@dataclass(frozen=True, kw_only=True)
class LadderSettings:
    """first: starting rung's steps. threshold: accuracy on fakes at or below which to climb. decay: of its average.

    grace: generator steps to wait after a climb.
    """

    first: int = 2
    threshold: float = 0.6
    decay: float = 0.9
    grace: int = 20


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """The state: discriminator steps a generator step, smoothed accuracy, generator steps since the last climb."""

    steps: int
    accuracy: float = 1.0
    since: int = 0

    def observe(self, accuracy: float, settings: LadderSettings) -> "Ladder":
        """The ladder after one generator step's accuracy on fresh fakes; it never goes down."""
        smooth = settings.decay * self.accuracy + (1 - settings.decay) * accuracy
        if self.since + 1 >= settings.grace and smooth <= settings.threshold:
            higher = next((rung for rung in RUNGS if rung > self.steps), self.steps)
            return Ladder(steps=higher, accuracy=smooth, since=0)
        return replace(self, accuracy=smooth, since=self.since + 1)
