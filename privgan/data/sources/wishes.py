"""What the user asks of a source: one value from the command line to the readers."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from privgan.checks import within
from privgan.data.columns import NOTHING, Wanted
from privgan.data.declared import require_sound
from privgan.data.naming import require_agreeing
from privgan.data.recipe import PHOTO, PICTURE, PRESETS, SMALLEST, Recipe
from privgan.data.selection import EVERYTHING, Selection
from privgan.data.sources.called import require_roles
from privgan.errors import UsageError

MOST_WORKERS = 64
DEFAULT_SIZE = 64


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How a source is to be read: public configuration.

    size: side of the images; None takes that of the first readable one. preset, window, colour, roi: see
    `recipe.Recipe`; preset None is chosen by the modality, on which all files must agree. csv: label tables.
    csv_columns: names of their columns, in lower case, with what each is (see `called`).
    classes: declared class names, empty when none were. columns: further columns to read. max_images: read only the
    first files or rows. selection: what of them is read. workers: processes that decode files; None takes one a
    processor, at most eight. look_at_all: look for text in the pixels of every file, not of some; see `lettering`.
    """

    size: int | None = DEFAULT_SIZE
    preset: str | None = None
    window: tuple[float, float] | None = None
    colour: bool = False
    roi: tuple[float, float, float, float] | None = None
    csv: tuple[Path, ...] = ()
    csv_columns: tuple[tuple[str, str], ...] = ()
    classes: tuple[str, ...] = ()
    columns: Wanted = NOTHING
    max_images: int | None = None
    selection: Selection = EVERYTHING
    workers: int | None = None
    look_at_all: bool = False

    def __post_init__(self) -> None:
        self.recipe(PICTURE, SMALLEST)  # checks what it is made of
        if self.named_preset is not None and not self.selection.trusted:
            require_agreeing(self.selection, PRESETS[self.named_preset])
        if len(set(self.classes)) != len(self.classes) or not all(self.classes):
            raise UsageError("Expected different, non-empty class names.")
        require_roles((role for _, role in self.csv_columns), self.columns.types)
        require_sound(self.columns.types, max(1, len(self.classes)))
        if self.max_images is not None and self.max_images < 1:
            raise UsageError(f"Expected max_images of at least 1, got {self.max_images}.")
        if self.workers is not None:
            within(1, MOST_WORKERS, workers=self.workers)

    @property
    def named_preset(self) -> str | None:
        """The preset that was asked for: a window alone means `custom`, colour alone `photo`."""
        return self.preset or ("custom" if self.window else PHOTO if self.colour else None)

    def recipe(self, preset: str, size: int) -> Recipe:
        """How images are prepared, where `preset` and `size` stand for those that nobody named.

        Raises:
            UsageError: the wishes contradict each other.
        """
        return Recipe(
            preset=self.named_preset or preset,
            size=size if self.size is None else self.size,
            window=self.window,
            roi=self.roi,
            colour=self.colour,
        )

    def deciding(self) -> dict[str, Any]:
        """All that decides what comes out, but the tables, which count by content; ready for JSON."""
        values = asdict(self) | {"columns": [self.columns.anything, *self.columns.types.items()]}  # in their order
        return {name: value for name, value in values.items() if name not in ("csv", "workers", "look_at_all")}
