"""What `prepare` and `scan` can be told."""

from dataclasses import asdict, dataclass
from pathlib import Path

from privgan.checks import within
from privgan.data.columns import Wanted, column_types
from privgan.data.preprocess import LARGEST, PHOTO, SMALLEST, Recipe
from privgan.data.selection import EVERYTHING, Selection
from privgan.data.sources.source import Wishes
from privgan.errors import UsageError
from privgan.files import canonical_json, sha256_bytes, sha256_file

MOST_WORKERS = 64
ACCEPT_BURNED_IN = "accept-burned-in"


@dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """Everything `prepare` and `scan` can be told; all of it public.

    size: side of the images. preset, window, colour, roi: see `preprocess.Recipe`; preset None is chosen by the first
    readable file. non_members: fraction of patients held back for the audit. csv: label tables. exclude: file of
    withdrawn patients' keys. merge: file of numbers that are one person. classes: declared names. columns: further
    columns to keep, `name` or `name:type`. max_images: read only the first files or rows. selection: which DICOM
    files and frames are wanted. workers: processes that decode; None takes one a processor.
    """

    size: int = 64
    preset: str | None = None
    window: tuple[float, float] | None = None
    colour: bool = False
    roi: tuple[float, float, float, float] | None = None
    non_members: float = 0.333
    csv: tuple[Path, ...] = ()
    exclude: Path | None = None
    merge: Path | None = None
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    max_images: int | None = None
    selection: Selection = EVERYTHING
    workers: int | None = None
    accept_burned_in: bool = False

    def __post_init__(self) -> None:
        within(SMALLEST, LARGEST, size=self.size)
        if not 0 <= self.non_members < 1:
            raise UsageError(f"Expected 0 <= non_members < 1, got {self.non_members}.")
        if len(set(self.classes)) != len(self.classes) or not all(self.classes):
            raise UsageError("Expected different, non-empty class names.")
        column_types(self.columns)
        if self.workers is not None:
            within(1, MOST_WORKERS, workers=self.workers)
        preset = self._preset or "cxr"
        Recipe(preset=preset, size=self.size, window=self.window, roi=self.roi, colour=self.colour)  # checks them

    def fingerprint(self) -> str:
        """Hex SHA-256 of all that decides what comes out, but the tables; files that are named count by content."""
        values = {name: value for name, value in asdict(self).items() if name not in ("csv", "workers")}
        for name in ("exclude", "merge"):
            values[name] = sha256_file(values[name].resolve()) if values[name] else ""
        return sha256_bytes(canonical_json(values))

    @property
    def _preset(self) -> str | None:
        """A window without a preset means `custom`, colour without either `photo`."""
        return self.preset or ("custom" if self.window else PHOTO if self.colour else None)

    @property
    def wishes(self) -> Wishes:
        """The part that concerns reading."""
        return Wishes(
            size=self.size,
            preset=self._preset,
            window=self.window,
            colour=self.colour,
            roi=self.roi,
            csv=self.csv,
            classes=self.classes,
            columns=Wanted(types=column_types(self.columns)),
            max_images=self.max_images,
            selection=self.selection,
            workers=self.workers,
            accept_burned_in=self.accept_burned_in,
        )
