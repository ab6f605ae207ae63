"""What `prepare` can be told."""

from dataclasses import dataclass
from pathlib import Path

from privgan.checks import one_of, require_line
from privgan.data.identity import ACCEPTABLE, JOINABLE
from privgan.data.sources.wishes import Wishes
from privgan.errors import UsageError
from privgan.files import canonical_json, sha256_bytes, sha256_file

DEFAULT = Wishes()
ACCEPT_BURNED_IN, ACCEPT_UNMATCHED = "accept-burned-in", "accept-unmatched"
ACCEPT_IDENTITY = "accept-identity"  # and of which kind
EACH_IMAGE_IS_A_PATIENT = "each-image-is-a-patient"
NON_MEMBERS = 0.333  # share of the patients who are held back unless told otherwise
LONGEST_LINE = 100  # characters of a title or a contact


@dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """Everything `prepare` can be told; all of it public.

    reading: how the source is read; with a size, because a cohort's is never that of an image. non_members: fraction
    of patients held back for the audit. exclude: file of withdrawn patients' keys; accept_unmatched: some of them may
    be nobody's who was read. merge: file of numbers that are one person. join, accept_identity: kinds of doubtful
    patient numbers (see `identity`) that are one person, or are taken as they are. each_image_is_a_patient: of a
    source that does not say whose its images are; then a person with two images is two people. title, contact: of the
    project, in a line each, for every page and bundle.
    """

    reading: Wishes = DEFAULT
    non_members: float = NON_MEMBERS
    exclude: Path | None = None
    merge: Path | None = None
    accept_unmatched: bool = False
    join: tuple[str, ...] = ()
    accept_identity: tuple[str, ...] = ()
    each_image_is_a_patient: bool = False
    title: str = ""
    contact: str = ""

    def __post_init__(self) -> None:
        require_line(LONGEST_LINE, empty=True, title=self.title, contact=self.contact)
        if self.reading.size is None:
            raise UsageError("Expected the size of a cohort's images, got none.")
        if not 0 <= self.non_members < 1:
            raise UsageError(f"Expected 0 <= non_members < 1, a share such as 0.333, got {self.non_members}.")
        for kind in self.join:
            one_of(JOINABLE, join=kind)
        for kind in self.accept_identity:
            one_of(ACCEPTABLE, accept_identity=kind)

    def fingerprint(self) -> str:
        """Hex SHA-256 of all that decides what comes out, but the tables; files that are named count by content."""
        files = {"exclude": self.exclude, "merge": self.merge}
        contents = {name: sha256_file(file.resolve()) if file else "" for name, file in files.items()}
        values = {name: value for name, value in vars(self).items() if name not in ("reading", *files)}
        return sha256_bytes(canonical_json({"reading": self.reading.deciding(), **values, **contents}))
