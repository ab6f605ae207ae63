"""The run folder: what one training leaves behind, and which parts may be looked at.

RUN/run.json              what was trained, under which plan, and how far (no value read from images)
    config.resolved.toml  every setting that was in force
    model/                generator.safetensors, config.json: the released generator
    prior/                the public prior that it started from, if it did
    private/              resume state and metrics on real data; never leaves
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from privgan.checks import require_line
from privgan.config import from_table, inline, to_table
from privgan.dp.spend import PrivacySpend
from privgan.errors import IntegrityError, UsageError
from privgan.files import read_marker, sha256_file, write_json
from privgan.folders import PRIVATE_FOLDER
from privgan.images.form import ImageForm
from privgan.kinds import RUN
from privgan.language import in_a_row, to_tr, tr

SCHEMA_VERSION = 1
LONGEST_ORIGIN = 300  # characters of where public images come from, and of their terms
MARKER = RUN.marker
WEIGHTS, MODEL_CONFIG = "model/generator.safetensors", "model/config.json"
_ORDER = (  # of the keys, as it has always been; what is new follows
    *("run_id", "cohort_id", "privgan_version", "created", "state", "plan", "planned_steps", "finished_steps"),
    *("target_epsilon", "epsilon", "delta", "unit", "adjacency", "members"),
    *("image_size", "classes", "modality", "body_part", "generator_sha256", "accepted_delta", "not_private"),
    "window",
)

_SHAPED = to_tr(
    "Public images shaped these pictures: {count}, from {source}; terms: {licence}. Epsilon says nothing about the "
    "people on them."
)
_LEFT_OUT = to_tr(
    "Public images were given and shaped nothing of these pictures: {count}, from {source}; terms: {licence}. They "
    "are not of the patients' kind, so the run left them out."
)
_NEAR = to_tr(
    "Your public images lie {times} times as far from your patients as pictures of no kind would: nearer than "
    "those, so that they finish what is drawn. Close to 1 they help little."
)
_FAR = to_tr(
    "Your public images lie {times} times as far from your patients as pictures of no kind would: they say nothing "
    "of the patients' kind, and the run went on without them. That is known only once patients were asked, so that "
    "epsilon stays charged. Next time learn a prior from images of the same body part, projection and modality."
)
_HIDDEN = to_tr(
    "How far your public images lie from your patients is not known, because noise hides in what the patients "
    "differ: they finish what is drawn, as asked."
)


@dataclass(frozen=True, kw_only=True)
class ModelDigests:
    """Which generator a run has: hex SHA-256 of its weights, and of the constants that shape its images with them."""

    generator_sha256: str
    config_sha256: str

    @classmethod
    def of(cls, run: Path) -> Self:
        """Of the files as they lie there.

        Raises:
            IntegrityError: one is missing or no regular file.
        """
        return cls(generator_sha256=sha256_file(run / WEIGHTS), config_sha256=sha256_file(run / MODEL_CONFIG))


@dataclass(frozen=True, kw_only=True)
class PriorNamed:
    """What a run says of its prior: whose images, under which terms, how many, and the digest of its prior.json.

    source, licence: one line each, of at most `LONGEST_ORIGIN` characters: they leave with every set. used: False
    where its images lay too far from the patients, so that the run left it out. distance: how far they lie, as a
    multiple of pictures of no kind (`gan.finishing.nearness`); None before it was measured, or where noise hid it.
    """

    source: str
    licence: str
    images: int
    sha256: str
    used: bool = True
    distance: float | None = None

    def __post_init__(self) -> None:
        require_line(LONGEST_ORIGIN, source=self.source, licence=self.licence)

    @property
    def sentence(self) -> str:
        """For whoever looks at the pictures, in one line."""
        return tr(_SHAPED if self.used else _LEFT_OUT, **self._words)

    @property
    def measured(self) -> str:
        """For whoever trains, in one line: how far the public images lie from the patients."""
        if self.distance is None:
            return tr(_HIDDEN)
        return tr(_NEAR if self.used else _FAR, times=f"{self.distance:.2f}")

    @property
    def as_learned(self) -> Self:
        """The same without what a run found out about it."""
        return replace(self, used=True, distance=None)

    @property
    def _words(self) -> dict[str, str]:
        return {"count": f"{self.images:,}", "source": self.source, "licence": self.licence}


@dataclass(frozen=True, kw_only=True)
class FederationNamed:
    """What a run says of a federation: how many sites, by what they are added up, how many of them may collude, at
    most how many members together, and the digest of its invitation.
    """

    sites: int
    transport: str
    colluding: int
    patients: int
    sha256: str

    @property
    def run_id(self) -> str:
        """Of the run that every site has."""
        return self.sha256[:32]

    @property
    def cohort_id(self) -> str:
        """What stands for the cohorts of all sites together, so that a set is the same whichever of them draws it."""
        return self.sha256[:16]

    @property
    def sentence(self) -> str:
        """For whoever looks at the pictures, in one line."""
        shaped = tr(
            "Members of {sites} hospitals shaped these pictures, at most {patients} together. Epsilon is what each "
            "hospital spent on its own: a patient of several is promised less.",
            sites=self.sites,
            patients=f"{self.patients:,}",
        )
        if not self.colluding:
            return shaped
        among = tr(
            "It holds while no more than {count} of the hospitals tell each other all they know.",
            count=self.colluding,
        )
        return in_a_row((shaped, among))


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """The content of run.json.

    `not_private` is True for seeded test runs, whose noise can be replayed: audit and release refuse them.
    `state` is "training" until the planned steps are done, then "finished". `plan` is the public plan of `dp.plan`;
    `spend` is what it costs, `target_epsilon` what was asked for. `form` is the cohort's. `warnings`: what the
    generator's own images showed in training. `config_sha256` is empty in runs of versions that kept none. `prior`:
    the public images that it learned from besides, None without any. `federation`: of several hospitals, None for a
    run of one; `members` are then at most all of theirs together. `site`: which of them this run answers for.
    """

    run_id: str
    cohort_id: str
    privgan_version: str
    created: str
    state: str
    plan: dict[str, Any]
    planned_steps: int
    finished_steps: int
    target_epsilon: float
    spend: PrivacySpend = field(metadata=inline())
    members: int
    generator_sha256: str
    accepted_delta: bool
    not_private: bool
    form: ImageForm = field(metadata=inline(side="image_size"))
    warnings: tuple[str, ...] = ()
    config_sha256: str = ""
    prior: PriorNamed | None = None
    federation: FederationNamed | None = None
    site: str = ""

    @property
    def model(self) -> ModelDigests:
        """The generator that the run finished with."""
        return ModelDigests(generator_sha256=self.generator_sha256, config_sha256=self.config_sha256)

    @property
    def cohort_of_sets(self) -> str:
        """The cohort that its sets name; of several hospitals it is not this one's."""
        return self.federation.cohort_id if self.federation else self.cohort_id


def write_run(folder: Path, facts: RunFacts) -> None:
    """Write run.json atomically."""
    table = to_table(facts, _ORDER)
    if facts.federation is None:  # a run of one hospital says what it always said
        del table["federation"], table["site"]
    write_json(folder / MARKER, {"schema_version": SCHEMA_VERSION, "kind": "run", **table})


def read_run(folder: Path) -> RunFacts:
    """Read run.json.

    Raises:
        IntegrityError: it is missing, of another version, or has other fields.
    """
    table = read_marker(folder / MARKER, "run", SCHEMA_VERSION)
    try:
        return from_table(RunFacts, table)
    except (TypeError, UsageError):
        raise IntegrityError(f"Expected the fields of a privgan run in {folder / MARKER}.") from None


def make_run_folders(folder: Path) -> None:
    """Create an empty run folder with its parts."""
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    (folder / "model").mkdir(exist_ok=True)
    (folder / "private").mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


@contextmanager
def alone(run: Path) -> Iterator[None]:
    """Two processes that resume one run would release two noisy versions of the same steps, charged once."""
    import fcntl  # which Windows lacks, where bundles are verified

    with (run / "private" / "lock").open("ab") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError("Expected a run that no other process is training; wait for its end.") from None
        yield
