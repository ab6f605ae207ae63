"""What a user asks of `train`; it checks itself before anything heavy is loaded."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from privgan.checks import positive, strictly_within, within
from privgan.errors import UsageError
from privgan.gan.ranks.company import Company
from privgan.gan.training.settings import TrainSettings

if TYPE_CHECKING:
    from privgan.gan.networks.public_prior import Prior

_LEAST_MINUTES, _MOST = 1e-3, 1e9


@dataclass(frozen=True, kw_only=True)
class TrainRequest:
    """What a user asks of `train`. steps and minutes are alternatives; replay_seed stamps the run NOT PRIVATE.

    prior: what was learned from public images, to start from. company: who computes.
    """

    epsilon: float
    delta: float | None = None
    steps: int | None = None
    minutes: float | None = None
    settings: TrainSettings
    accept_delta: bool = False
    replay_seed: int | None = None
    prior: "Prior | None" = None
    company: Company = field(default_factory=Company)

    def __post_init__(self) -> None:
        positive(epsilon=self.epsilon)
        if self.delta is not None:
            strictly_within(0.0, 1.0, delta=self.delta)
        if self.steps is not None and self.minutes is not None:
            raise UsageError("Expected --steps or --minutes, got both.")
        if self.steps is not None:
            within(0, _MOST, steps=self.steps)
        if self.minutes is not None:
            within(_LEAST_MINUTES, _MOST, minutes=self.minutes)
