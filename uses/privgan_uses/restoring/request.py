"""What is asked of `privgan enhance train`; it checks itself before anything heavy is loaded."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from privgan.checks import one_of, positive, require_line
from privgan.config import from_table, read_toml
from privgan.errors import UsageError
from privgan.gan.finishing.settings import LearningSettings
from privgan.gan.names import AUTO, DEVICES
from privgan.images.form import ImageForm
from privgan.run import LONGEST_ORIGIN

DENOISE, SUPER_RESOLVE, ARTEFACT = "denoise", "super-resolve", "artefact"
TASKS, ARTEFACTS = (DENOISE, SUPER_RESOLVE, ARTEFACT), ("stripes", "ghosts", "streaks")
# What was damaged has a right answer, and nothing is finished freely: the distance from it decides, and the critic
# only keeps what comes out from being smoother than images are (Ledig et al. 2017).
USUAL = LearningSettings(width=32, steps=2000, batch=16, pairs=1000.0, textures=0.02, anchor=0.0)
# Detail learned longer from images that are not patients', patients' images do not have (docs/results/uses.md).
_TO_ENLARGE = 300  # steps


def usual(task: str) -> LearningSettings:
    """How a task is learned by whoever asks for nothing else."""
    return replace(USUAL, steps=_TO_ENLARGE) if task == SUPER_RESOLVE else USUAL


@dataclass(frozen=True, kw_only=True)
class PublicImages:
    """Public images to learn from beside released sets, or alone. source, licence: in words; neither may be left out.

    form: how they are read where they are alone; released sets say it otherwise.
    """

    path: Path
    source: str
    licence: str
    form: ImageForm | None = None

    def __post_init__(self) -> None:
        for name in ("source", "licence"):
            if not getattr(self, name).strip():
                raise UsageError(f"Expected a --{name} in words: a model says whose images it was learned from.")
        require_line(LONGEST_ORIGIN, source=self.source, licence=self.licence)


@dataclass(frozen=True, kw_only=True)
class RestoreRequest:
    """task: one of TASKS. artefact, factor: which one, and how much smaller; only of those tasks.

    damage: values of the damage that are not the usual ones, by name. learning: steps, seed and weights of losses,
    of which `anchor` and `firm` mean nothing here; None: what is `usual`. minutes: an end to the steps by the clock.
    """

    task: str
    artefact: str = "stripes"
    factor: int = 2
    damage: dict[str, Any] = field(default_factory=dict)
    learning: LearningSettings | None = None
    minutes: float | None = None
    device: str = AUTO

    def __post_init__(self) -> None:
        one_of(TASKS, task=self.task)
        one_of(ARTEFACTS, artefact=self.artefact)
        one_of(DEVICES, device=self.device)
        if self.factor not in (2, 4):
            raise UsageError(f"Expected a factor of 2 or 4, got {self.factor}.")
        if self.minutes is not None:
            positive(minutes=self.minutes)

    @property
    def settings(self) -> LearningSettings:
        """How it is learned."""
        return self.learning or usual(self.task)


@dataclass(frozen=True, kw_only=True)
class Rivals:
    """What a restorer is measured beside, but for what costs nothing.

    bundles, public_keys, public: everything that the model was learned from, for a plain network that learns from the
    same; left out without them. ceiling: what members' images would have taught. seed: of everything random.
    """

    bundles: tuple[Path, ...] = ()
    public_keys: tuple[Path, ...] = ()
    public: Path | None = None
    ceiling: bool = True
    seed: int = 0


def read_config(path: Path | None, task: str) -> tuple[dict[str, Any], LearningSettings]:
    """Values of the damage, and how to learn a task, from a file with the tables [damage] and [learning].

    Raises:
        UsageError: it cannot be read, or has an unknown key or a value out of range.
    """
    table = {} if path is None else read_toml(path)
    if unknown := sorted(table.keys() - {"damage", "learning"}):
        raise UsageError(f"Unknown key {unknown[0]!r} in the configuration. Known: damage, learning.")
    damage, learning = table.get("damage", {}), table.get("learning", {})
    if not (isinstance(damage, dict) and isinstance(learning, dict)):
        raise UsageError("Expected [damage] and [learning] as tables in the configuration.")
    return damage, from_table(LearningSettings, learning, usual(task))
