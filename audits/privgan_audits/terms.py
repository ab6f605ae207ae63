"""Under which terms a cohort is opened, apart from how: they are refused before anything is loaded or read."""

from dataclasses import dataclass
from pathlib import Path

from privgan.checks import positive
from privgan_audits.policy import Policy


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Under which a cohort is opened.

    policy: the officer's thresholds, for the pre-flight, and the officer's key, which the cohort pins.
    max_epsilon: the cap that no sum of runs may pass.
    accept_low_power: go on below the policy's chance of a pass; stands in red in every report.
    force: replace an older cohort, unless privacy was spent on it.
    resume: go on where an interruption stopped.
    site_anchor: folder outside all cohorts that remembers this one; made when absent.
    """

    policy: Policy
    max_epsilon: float = 10.0
    accept_low_power: bool = False
    force: bool = False
    resume: bool = False
    site_anchor: Path | None = None

    def __post_init__(self) -> None:
        positive(max_epsilon=self.max_epsilon)
