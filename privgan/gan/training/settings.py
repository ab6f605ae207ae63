"""train.toml: every setting of a training, with what touches the guarantee apart from what touches speed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from privgan.checks import one_of, positive, within
from privgan.config import from_table, read_toml
from privgan.gan.image_model import NOISE_OF_DETAIL, STARTS, ClassBalanceSettings, MixtureSettings, RecordsSettings
from privgan.gan.names import (
    AUTO,
    BALANCED,
    CONV,
    DEVICES,
    LARGE_COHORT,
    LOSSES,
    NETWORKS,
    NON_SATURATING,
    SLICES,
    SMALL_COHORT,
)
from privgan.gan.training.ladder import LadderSettings
from privgan.images.augmentation import AugmentationSettings
from privgan.images.form import ImageForm
from privgan.records.schema import Schema

if TYPE_CHECKING:
    from privgan.gan.networks import GeneratorConfig
    from privgan.gan.networks.public_prior import Prior

NO_COLUMNS = Schema()


@dataclass(frozen=True, kw_only=True)
class PrivacySettings:
    """batch: expected patients a step. images_per_patient: so many of a drawn patient's images at most are averaged.

    steps: discriminator steps, all charged before the first; 0 leaves the generator at its warm start.
    clipping_norm: C.
    """

    batch: int = 128
    images_per_patient: int = 2
    clipping_norm: float = 1.0
    steps: int = 250

    def __post_init__(self) -> None:
        positive(batch=self.batch, images_per_patient=self.images_per_patient)
        within(0, 1e9, steps=self.steps)
        positive(clipping_norm=self.clipping_norm)


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """network: conv, mlp (for small images) or autoencoder (conv that starts as a decoder of procedural images).

    latent: dimensions of z. Widths: channels of the generator's convolutions and the discriminator's first; `mlp` has
    eight times as many hidden units. autoencoder_steps: how long that decoder is fitted. adaptation_steps: how long a
    prior's network learns on from public images that were brought to what patients are like; 0 leaves it as it is.
    """

    network: str = CONV
    latent: int = 64
    generator_width: int = 32
    discriminator_width: int = 16
    autoencoder_steps: int = 200
    adaptation_steps: int = 150

    def __post_init__(self) -> None:
        one_of(NETWORKS, network=self.network)
        positive(latent=self.latent, autoencoder_steps=self.autoencoder_steps)
        within(0, 1e6, adaptation_steps=self.adaptation_steps)
        within(8, 512, generator_width=self.generator_width, discriminator_width=self.discriminator_width)


@dataclass(frozen=True, kw_only=True)
class RefinementSettings:
    """The adversarial part. loss: what the two players want. Adam's rates; fakes: a constant number in each
    discriminator step; showings: in how many of these each is shown; anchor: weight of the released moments in the
    generator's loss; average: decay of the generator's moving average.
    """

    loss: str = NON_SATURATING
    discriminator_rate: float = 1e-3
    generator_rate: float = 2e-4
    fakes: int = 128
    showings: int = 4
    anchor: float = 10.0
    average: float = 0.98

    def __post_init__(self) -> None:
        one_of(LOSSES, loss=self.loss)
        positive(
            discriminator_rate=self.discriminator_rate,
            generator_rate=self.generator_rate,
            fakes=self.fakes,
            showings=self.showings,
        )
        within(0.0, 1e6, anchor=self.anchor)
        within(0.0, 0.99999, average=self.average)


@dataclass(frozen=True, kw_only=True)
class SpeedSettings:
    """Changes nothing but time and memory. threads: of each process; 0 leaves the choice to torch.

    microbatch: images at once; more than 256 would let rounding pass what the noise is calibrated to.
    patience_seconds: without an answer another process counts as lost after so long.
    """

    device: str = AUTO
    microbatch: int = 256
    threads: int = 0
    checkpoint_seconds: float = 60.0
    patience_seconds: float = 300.0

    def __post_init__(self) -> None:
        one_of(DEVICES, device=self.device)
        within(1, 256, microbatch=self.microbatch)
        positive(checkpoint_seconds=self.checkpoint_seconds, patience_seconds=self.patience_seconds)


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """The whole of train.toml; every table and every key may be left out. preset: what the rest started from."""

    preset: str = BALANCED
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    warm_start: MixtureSettings = field(default_factory=MixtureSettings)
    class_balance: ClassBalanceSettings = field(default_factory=ClassBalanceSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    refinement: RefinementSettings = field(default_factory=RefinementSettings)
    ladder: LadderSettings = field(default_factory=LadderSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    speed: SpeedSettings = field(default_factory=SpeedSettings)
    records: RecordsSettings = field(default_factory=RecordsSettings)

    def start_ratios(self, *, told: bool, prior: bool) -> tuple[float, ...]:
        """The noises of the warm start's queries relative to each other, in the order they are asked.

        told: of records patients are asked one thing more: what these do to images. prior: with a prior another one:
        how strong detail is.
        """
        extra = (*([self.records.noise] if told else []), *([NOISE_OF_DETAIL] if prior else []))
        return (*self.warm_start.noise_ratios, *extra)

    def generator_config(
        self, form: ImageForm, prior: "Prior | None" = None, schema: Schema = NO_COLUMNS
    ) -> "GeneratorConfig":
        """The generator that is asked for, of images of this form, with what a public prior and records add."""
        from privgan.gan.networks import GeneratorConfig

        return GeneratorConfig(
            form=form,
            latent=self.model.latent,
            width=self.model.generator_width,
            network=self.model.network,
            finish=0 if prior is None else prior.facts.width,
            prior="" if prior is None else prior.named.sha256,
            levels=schema.levels if self.records.measure else (),
            **self.warm_start.constants,
        )


PRESETS: Mapping[str, TrainSettings] = {
    SMALL_COHORT: TrainSettings(
        preset=SMALL_COHORT,
        privacy=PrivacySettings(batch=64, steps=150),
        warm_start=STARTS[SMALL_COHORT],
    ),
    BALANCED: TrainSettings(preset=BALANCED),
    LARGE_COHORT: TrainSettings(
        preset=LARGE_COHORT,
        privacy=PrivacySettings(batch=256, steps=400),
        warm_start=STARTS[LARGE_COHORT],
        refinement=RefinementSettings(fakes=256),
    ),
    SLICES: TrainSettings(preset=SLICES, warm_start=STARTS[SLICES]),
}


def read_settings(
    path: Path | None,
    *,
    preset: str = BALANCED,
    members: int | None = None,
    device: str | None = None,
    measure_classes: bool = False,
) -> TrainSettings:
    """A preset, then train.toml, then the command line's device and wish to measure the class balance.

    `preset` is used unless the file names one of its own. members: patients to learn from, if they are known.

    Raises:
        UsageError: the file is missing, has an unknown key or a value out of range.
    """
    table = {} if path is None else read_toml(path)
    name = table.get("preset", preset)
    one_of(tuple(PRESETS), preset=name)
    base = PRESETS[name]
    # No more patients a step than there are, with some left to be drawn or not.
    batch = base.privacy.batch if members is None else max(1, min(base.privacy.batch, members // 2))
    base = replace(base, privacy=replace(base.privacy, batch=batch))
    settings = from_table(TrainSettings, table, base)
    if measure_classes:
        settings = replace(settings, class_balance=replace(settings.class_balance, measure=True))
    return settings if device is None else replace(settings, speed=replace(settings.speed, device=device))
