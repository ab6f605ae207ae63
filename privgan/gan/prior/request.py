"""What is asked of `privgan prior`; it checks itself before anything heavy is loaded."""

from dataclasses import asdict, dataclass, field

from privgan import __version__
from privgan.checks import one_of, positive, require_line
from privgan.errors import UsageError
from privgan.files import canonical_json, sha256_bytes
from privgan.gan.finishing.settings import LearningSettings
from privgan.gan.names import AUTO, DEVICES
from privgan.gan.training.settings import TrainSettings
from privgan.run import LONGEST_ORIGIN


@dataclass(frozen=True, kw_only=True)
class PriorRequest:
    """What is asked of `privgan prior`. source, licence: of the images, in words; neither may be left out.

    modality, body_part: what they are called, else as they are read. settings: of the trainings to come. minutes: an
    end to the steps by the clock.
    """

    source: str
    licence: str
    modality: str = ""
    body_part: str = ""
    settings: TrainSettings = field(default_factory=TrainSettings)
    learning: LearningSettings = field(default_factory=LearningSettings)
    minutes: float | None = None
    device: str = AUTO

    def __post_init__(self) -> None:
        for name in ("source", "licence"):
            if not getattr(self, name).strip():
                raise UsageError(f"Expected a --{name} in words: a prior says whose images it was learned from.")
        require_line(LONGEST_ORIGIN, source=self.source, licence=self.licence)
        one_of(DEVICES, device=self.device)
        if self.minutes is not None:
            positive(minutes=self.minutes)

    def fingerprint(self, images: str) -> str:
        """Hex SHA-256 of what must not change between two halves of one learning; images: the digest of theirs."""
        parts = {name: asdict(getattr(self, name)) for name in ("settings", "learning")}
        return sha256_bytes(canonical_json({**parts, "images": images, "version": __version__}))
