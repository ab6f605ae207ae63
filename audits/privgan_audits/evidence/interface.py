"""What an audit is given, and what each question may answer.

Measuring never judges, judging never measures, and the report does neither. There are three answers, so that
"did not run" can never look like "found nothing".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from privgan.arrays import Images, Integers, Texts
from privgan.data.cohort.cohort import Cohort
from privgan.data.identifiers import IdentifierDigests
from privgan.dp.budget.ledger import Ledger
from privgan.dp.spend import PrivacySpend
from privgan.errors import UsageError
from privgan.images.stored import are_images, joined
from privgan.language import to_tr
from privgan.records.rows import Records
from privgan.run import FederationNamed, ModelDigests, PriorNamed
from privgan.synthetic.seed import Seed
from privgan.synthetic.synthetic_set import Manifest

if TYPE_CHECKING:
    from privgan.gan.ranks.ranks import Ranks
    from privgan_audits.spaces.encoder import Encoder

NO_NON_MEMBERS = to_tr("there are no non-members to compare with")
SMALLEST_IMAGE = 8  # pixels; below it there is nothing left to compare


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Images of some patients.

    images: uint8 (n, h, w, c), c of 1 or 3; labels, patients: int64 (n,). A patient id means nothing
    outside one Evidence. columns: further attributes by name, str (n,) each, empty where nothing is known. codes: of
    patients of a cohort, what the declared columns say, int64 (n, columns). records: those of a synthetic set of
    privgan's, as they are written. Both None elsewhere.
    """

    images: Images
    labels: Integers
    patients: Integers
    columns: Mapping[str, Texts] = field(default_factory=dict)
    codes: Integers | None = None
    records: Records | None = None

    def __post_init__(self) -> None:
        shape = (len(self.images),)
        if not are_images(self.images) or self.labels.shape != shape or self.patients.shape != shape:
            raise UsageError("Expected images (n, h, w, 1) or (n, h, w, 3) with one label and one patient each.")
        if any(column.shape != shape for column in self.columns.values()):
            raise UsageError("Expected one value of each column for each image.")

    @property
    def carried(self) -> tuple[str, ...]:
        """The columns of which something is known, by name."""
        return tuple(sorted(name for name, values in self.columns.items() if (values != "").any()))

    def column(self, name: str) -> Texts:
        """Str (n,): a column, empty where nothing is known of it."""
        return self.columns.get(name, np.full(len(self.images), ""))

    @property
    def patient_count(self) -> int:
        """How many different patients the sample holds."""
        return len(np.unique(self.patients))


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the synthetic set's manifest says about its privacy, and the run that it names.

    origin: from what the run is said to have drawn the set; None where that is not known. prior: the public images
    that are said to have shaped it. federation: the hospitals whose members are; None of one alone.
    """

    run_id: str
    cohort_id: str
    spend: PrivacySpend
    generator_sha256: str
    config_sha256: str
    not_private: bool
    origin: "Origin | None" = None
    prior: PriorNamed | None = None
    federation: FederationNamed | None = None

    @property
    def model(self) -> ModelDigests:
        """The generator that is said to have drawn the set."""
        return ModelDigests(generator_sha256=self.generator_sha256, config_sha256=self.config_sha256)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The whole manifest, and the seed that stays in the hospital."""

    manifest: Manifest
    seed: Seed


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """Everything an audit may look at; members and non-members must share no patient.

    Compared by identity, so that tests of one audit can share what they computed from it.

    synthetic_folder: every byte below it is what would be released (files-only audits may give a single file).
    synthetic_sha256: digest of the manifest, or of the file or listing when there is no manifest.
    cohort, ledger: None in a files-only audit. claim: None when no differential privacy is claimed.
    run: the run folder, when given. rehearses: whose patients the files of a files-only audit are said to be of.
    level: a near-copy p-value below it makes the verdict FAIL whatever else was found (attempts lower it).
    accepted_delta: the user took a delta above 1/(10 x members) on themselves.
    numbered: whether members and non-members say whose each image is; otherwise each counts as one patient.
    identifiers: what bare files say of patients; a cohort has its own. Both are keyed digests.
    encoder: the user's own way to compare images, beside the audit's; None when none was given.
    ranks: the processes that share the work; None of one alone.
    """

    members: Sample
    non_members: Sample | None
    synthetic: Sample
    synthetic_folder: Path
    synthetic_sha256: str
    classes: tuple[str, ...]
    cohort: Cohort | None = None
    ledger: Ledger | None = None
    claim: Claim | None = None
    run: Path | None = None
    rehearses: Cohort | None = None
    identifiers: IdentifierDigests | None = None
    numbered: bool = True
    notes: tuple[str, ...] = ()
    level: float = 0.0029
    accepted_delta: bool = False
    encoder: "Encoder | None" = None
    ranks: "Ranks | None" = None

    def __post_init__(self) -> None:
        if self.non_members is not None and np.intersect1d(self.members.patients, self.non_members.patients).size:
            raise UsageError("Expected members and non-members to share no patient.")
        sizes = {part.images.shape[1:] for part in (self.members, self.non_members, self.synthetic) if part}
        height, width = self.synthetic.images.shape[1:3]
        if len(sizes) > 1 or height != width or height < SMALLEST_IMAGE:
            raise UsageError(
                f"Expected square images of one size of at least {SMALLEST_IMAGE} pixels, all grey or all in colour, "
                f"got {sizes}."
            )
        if not all(len(part.images) for part in (self.members, self.non_members, self.synthetic) if part):
            raise UsageError("Expected at least one image among members, non-members and synthetic images each.")

    @cached_property
    def real(self) -> Images:
        """All real images, members first: uint8 (n, h, h, c)."""
        return joined(*(side.images for side in (self.members, self.non_members) if side is not None))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A question was answered. findings: numbers and short texts that are judged; series: arrays that charts draw.

    internal: what only the internal report may show (rows of closest pairs, per-patient values).
    """

    findings: Mapping[str, Any]
    series: Mapping[str, Any] = field(default_factory=dict)
    internal: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NotApplicable:
    """The question does not arise (no privacy claim, no table, ...); never blocks a release by itself.

    findings: what was seen all the same; a hard rule may refuse it.
    """

    reason: str
    findings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NotRun:
    """Evidence that should exist is missing; blocks a PASS."""

    reason: str


Outcome = Measured | NotApplicable | NotRun
