"""What is asked of the verbs that need more than paths, as frozen settings; see `surface`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from privgan.checks import one_of, positive, strictly_within, within
from privgan.errors import UsageError
from privgan.gan.names import AUTO, DEVICES, MOST_PROCESSES, PRESETS

if TYPE_CHECKING:
    from privgan.dp.plan import Plan
    from privgan.gan.training.presets import Choice
    from privgan.records.outlook import RecordsOutlook
    from privgan_audits.gate.preflight import Preflight

_EITHER = "Expected either --cohort (and --run), or --members and --non-members."


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """A training that might be; it checks itself.

    patients: members, who would be trained on. batch: expected patients a step.
    noise_multiplier or epsilon: one of them; the other follows. delta: None takes the largest power of ten that is
    at most 1/(10 x patients). non_members: share of all patients that would be held back. classes, minutes, preset,
    modality: for the choice of a preset. size: pixels a side, for what the images would take and show. columns: as
    `prepare` takes them, for what would come of records.
    """

    patients: int
    batch: int
    steps: int
    noise_multiplier: float | None = None
    epsilon: float | None = None
    delta: float | None = None
    non_members: float = 0.333
    classes: int = 2
    minutes: float | None = None
    preset: str = "auto"
    modality: str = ""
    size: int | None = None
    columns: str = ""
    accept_delta: bool = False

    def __post_init__(self) -> None:
        from privgan.data.recipe import LARGEST, SMALLEST

        within(SMALLEST, LARGEST, **_given(size=self.size))
        positive(patients=self.patients, batch=self.batch, steps=self.steps, classes=self.classes)
        if (self.noise_multiplier is None) == (self.epsilon is None):
            raise UsageError("Expected either a noise multiplier or an epsilon, and not both.")
        positive(**_given(noise_multiplier=self.noise_multiplier, epsilon=self.epsilon, minutes=self.minutes))
        strictly_within(0.0, 1.0, **_given(delta=self.delta))
        if not 0 <= self.non_members < 1:
            raise UsageError(f"Expected 0 <= non_members < 1, a share such as 0.333, got {self.non_members}.")
        one_of((AUTO, *PRESETS), preset=self.preset)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a training would cost, the preset that it would start from, and what its audit could see; in words what
    images of the asked size would take and show. records: what would come of declared columns; None without any.
    """

    plan: "Plan"
    choice: "Choice"
    preflight: "Preflight"
    of_size: tuple[str, ...] = ()
    records: "RecordsOutlook | None" = None


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """How to train; it checks itself. epsilon: the guarantee to reach, per patient; it has no default.

    steps or minutes: discriminator steps, all charged up front, or as many as fit. config: a train.toml. resume: go
    on with a stopped run under its own plan. prior: a folder made by `privgan prior`, to start from. replay_seed: for
    tests; the run is stamped NOT PRIVATE. processes: of this machine, which share the work.
    """

    epsilon: float
    delta: float | None = None
    steps: int | None = None
    minutes: float | None = None
    preset: str = "auto"
    config: Path | None = None
    measure_classes: bool = False
    device: str | None = None
    accept_delta: bool = False
    accept_noise: bool = False
    resume: bool = False
    force: bool = False
    prior: Path | None = None
    replay_seed: int | None = None
    processes: int = 1

    def __post_init__(self) -> None:
        from privgan.gan.training.request import TrainRequest
        from privgan.gan.training.settings import TrainSettings

        asked = {name: getattr(self, name) for name in ("epsilon", "delta", "steps", "minutes")}
        TrainRequest(settings=TrainSettings(), **asked)
        one_of((AUTO, *PRESETS), preset=self.preset)
        one_of(DEVICES, device=self.device or AUTO)
        within(1, MOST_PROCESSES, processes=self.processes)


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """What a set is examined against: a cohort (and run), or images that were trained on and others that were not.

    cohort: beside members, its images are not compared, but the look counts among its attempts. colour: with
    members, compare red, green and blue. encoder, encoder_trained_on: an ONNX file of your own, and in words what it
    learned from. accept_delta: take a large delta. each_image_is_a_patient: take files that do not say whose
    they are. Both are in red in every report. processes: of this machine, which share the work.
    """

    cohort: Path | None = None
    run: Path | None = None
    members: Path | None = None
    non_members: Path | None = None
    colour: bool = False
    encoder: Path | None = None
    encoder_trained_on: str | None = None
    accept_delta: bool = False
    each_image_is_a_patient: bool = False
    force: bool = False
    processes: int = 1

    def __post_init__(self) -> None:
        within(1, MOST_PROCESSES, processes=self.processes)
        if (self.encoder is None) != (self.encoder_trained_on is None):
            raise UsageError("Expected --encoder and --encoder-trained-on together.")
        if self.members is None and (self.cohort is None or self.non_members is not None):
            raise UsageError(_EITHER)
        if self.members is not None and self.run is not None:
            raise UsageError(f"{_EITHER} A run goes with its cohort.")
        if self.colour and self.members is None:
            raise UsageError("Expected --colour with --members alone: a cohort knows whether it is in colour.")


def _given(**values: float | None) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}
