"""The guarantee as it is handed on, from the plan to the recipient: a number is nothing without its unit."""

from dataclasses import dataclass

from privgan.checks import strictly_within
from privgan.errors import UsageError
from privgan.language import to_tr, tr

UNIT = to_tr("patient")
ADJACENCY = "zero-out"


@dataclass(frozen=True, kw_only=True)
class PrivacySpend:
    """A guarantee with everything needed to read it; epsilon and delta have no unit but the patient.

    epsilon: 0 where nothing was asked, infinite where no accountant has an answer. adjacency: what is done to one
    unit of two data sets that the guarantee compares.
    """

    epsilon: float
    delta: float
    unit: str = UNIT
    adjacency: str = ADJACENCY

    def __post_init__(self) -> None:
        if not self.epsilon >= 0:
            raise UsageError(f"Expected an epsilon of 0 or above, got {self.epsilon}.")
        strictly_within(0.0, 1.0, delta=self.delta)

    def __str__(self) -> str:
        return tr(
            "epsilon {epsilon} at delta {delta}, per {unit}",
            epsilon=f"{self.epsilon:.3g}",
            delta=f"{self.delta:g}",
            unit=tr(self.unit),
        )
