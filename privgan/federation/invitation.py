"""What the sites of a federation agree on before anybody answers: all of it public, and the same for all of them."""

import hashlib
import math
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np

import privgan
from privgan.checks import one_of, positive, strictly_within
from privgan.config import from_table, to_table
from privgan.dp.noise import NORM_SLACK, grid_of, replayable_generator
from privgan.dp.plan import Plan
from privgan.errors import IntegrityError, UsageError
from privgan.federation.questions import is_told, planned, questions
from privgan.files import canonical_json, sha256_bytes
from privgan.gan.training.settings import TrainSettings
from privgan.images.form import ImageForm
from privgan.records.schema import Schema
from privgan.run import FederationNamed, PriorNamed
from privgan.seals import key_of_line

PROTOCOL = 2
FILES, MASKED = "files", "masked"
MOST_SITES = 32
_NAME = re.compile("(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$)[a-z0-9][a-z0-9-]{0,31}")  # no device of Windows
_STREAM = 16  # numbers by which a stream of chance is known


@dataclass(frozen=True, kw_only=True)
class Site:
    """name: as files are called. key: the line of the public key with which the site signs."""

    name: str
    key: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                "Expected a site's name of at most 32 small letters, digits and -, such as heidelberg, got another."
            )
        key_of_line(self.key)


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """Who takes part, of which images, at what cost; it checks itself.

    form: of every site's cohort. settings: of the generator and of what is asked. epsilon, delta: what each site
    spends at most on its own patients. patients: at most so many members at all sites together. noise: that each site
    adds to its answer to each question. transport: how answers are added up. colluding: where they are masked, how
    many sites may tell each other all they know. columns: declarations of records by name, the same at every site.
    prior: the public images that all sites start from besides, None without any. nonce: so that no two invitations
    are the same.
    """

    nonce: str
    privgan_version: str
    protocol: int
    transport: str
    sites: tuple[Site, ...]
    form: ImageForm
    settings: TrainSettings
    epsilon: float
    delta: float
    patients: int
    noise: tuple[float, ...]
    colluding: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    prior: PriorNamed | None = None

    def __post_init__(self) -> None:
        positive(epsilon=self.epsilon, patients=self.patients, **{f"noise_{n}": s for n, s in enumerate(self.noise)})
        strictly_within(0.0, 1.0, delta=self.delta)
        limit = 1 / (10 * self.patients)
        if self.delta > limit:  # of the patients of all: one site's members would be told by its yes
            raise UsageError(
                f"Expected delta of at most 1/(10 x patients) = {limit:.2g}, got {self.delta:g}. A larger one may "
                "betray whole patients, and a site's yes would say how few it has. Invite with a smaller one."
            )
        one_of((FILES, MASKED), transport=self.transport)
        count = len(self.sites)
        if not 2 <= count <= MOST_SITES:
            raise UsageError(f"Expected 2 to {MOST_SITES} sites, got {count}.")
        if len({site.name for site in self.sites}) < count or len({site.key for site in self.sites}) < count:
            raise UsageError("Expected every site once, with a name and a key of its own; two have the same.")
        if self.transport == MASKED and count < 3:
            raise UsageError(
                "Expected three sites or more for masked answers: of two, each could take its own from the total and "
                "have the other's. Two sites add up files."
            )
        least, most = (1, count - 2) if self.transport == MASKED else (0, 0)
        if not least <= self.colluding <= most:
            raise UsageError(f"Expected {least} to {most} colluding sites of {count}, got {self.colluding}.")
        if self.schema.types != self.columns or self.prior not in (None, self.prior and self.prior.as_learned):
            raise UsageError("Expected columns as they are declared, and a prior that no run has judged yet.")
        asked = questions(self.settings, self.schema, prior=self.prior is not None)
        if len(self.noise) != asked or self.settings.privacy.steps:
            raise UsageError("Expected the noise of every question of a warm start without steps.")
        if not self.plan.spend().epsilon <= self.epsilon:
            raise UsageError("Expected noise that keeps the epsilon of the invitation, it is too little.")

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> Self:
        """The inverse of `to_json`.

        Raises:
            IntegrityError: of another version of privgan, or not as it was written.
        """
        if (table.get("protocol"), table.get("privgan_version")) != (PROTOCOL, privgan.__version__):
            raise IntegrityError(
                f"Expected an invitation of privgan {privgan.__version__}, another version wrote it: all sites need "
                "the same one."
            )
        try:
            return from_table(cls, table)
        except (UsageError, TypeError):
            raise IntegrityError("Expected the fields of an invitation, a value is odd or missing.") from None

    def to_json(self) -> dict[str, Any]:
        """What is signed."""
        return to_table(self)

    @cached_property
    def schema(self) -> Schema:
        """The declared columns of records."""
        return Schema.of(self.columns)

    @property
    def own_plan(self) -> Plan:
        """What a site's answers cost if they are read alone: with the site's own noise and no other."""
        return self._with(1)

    def _with(self, sites: float) -> Plan:
        """With the noise of so many sites together."""
        privacy, told = self.settings.privacy, is_told(self.settings, self.schema)
        listed = Plan(
            members=max(self.patients, privacy.batch),
            batch=privacy.batch,
            steps=0,
            delta=self.delta,
            noise_multiplier=1.0,
            clipping_norm=privacy.clipping_norm,
            fakes=self.settings.refinement.fakes,
            warm_start=tuple(s * math.sqrt(sites) for s in self.noise),
        )
        return planned(listed, self.settings, told=told)

    @property
    def plan(self) -> Plan:
        """What each site's ledger is charged: with the noise that nobody can take off an answer.

        Of files that is the site's own, all of it. Masked answers cannot be told from those of the other sites that
        do not collude, this site among them, each of which adds as much.
        """
        together = len(self.sites) - self.colluding if self.transport == MASKED else 1
        return self._with(together)

    @property
    def plan_of_totals(self) -> Plan:
        """The same with the noise that totals bear: that of all sites."""
        return self._with(len(self.sites))

    @property
    def as_noisy_as(self) -> float:
        """The epsilon at which one hospital with all these patients would bear as much noise."""
        return self.plan_of_totals.spend().epsilon

    def epsilon_known_to(self, sites: int) -> float:
        """What a patient has spent of whom so many of the sites speak.

        Of files these are so many answers, each with its own noise; of masked answers one total that moves so far.
        """
        if self.transport != MASKED:
            return self._with(1 / sites).spend().epsilon
        return self._with((len(self.sites) - self.colluding) / sites**2).spend().epsilon

    def longest(self, question: int, numbers: int) -> float:
        """No site's answer is longer but with a probability of 1e-14: all members one way, and the noise.

        A chi variable of n degrees of freedom is above sqrt(n) + 8 so rarely (Laurent and Massart 2000).
        """
        return self.patients + NORM_SLACK * self.noise[question - 1] * (math.sqrt(numbers) + 8)

    def longest_total(self, question: int, numbers: int) -> float:
        """The same of the sum of all answers."""
        return self.longest(question, numbers) * math.sqrt(len(self.sites))

    def grid(self, question: int) -> float:
        """What all numbers of an answer are multiples of."""
        return grid_of(self.noise[question - 1])

    def site_of(self, key: str) -> Site:
        """The site with this public key, by its line.

        Raises:
            UsageError: none has it.
        """
        for site in self.sites:
            if site.key == key:
                return site
        raise UsageError("Expected the key of a site that is invited, none of them has this one.")


@dataclass(frozen=True, kw_only=True)
class Federation:
    """An invitation as it was signed: its digest names the federation. run_id: of the run that every site has."""

    invitation: Invitation
    sha256: str

    @property
    def run_id(self) -> str:
        """The same at every site, so that no ledger can be charged for a federation twice."""
        return self.named.run_id

    @property
    def named(self) -> FederationNamed:
        """What runs and sets say of it."""
        asked = self.invitation
        return FederationNamed(
            sites=len(asked.sites),
            transport=asked.transport,
            colluding=asked.colluding,
            patients=asked.patients,
            sha256=self.sha256,
        )

    @cached_property
    def seed(self) -> int:
        """Of what is chance and public: first centres and weights, the same at every site."""
        return int(hashlib.sha256(f"chance of {self.sha256}".encode()).hexdigest(), 16) >> 193

    @cached_property
    def heard_nothing(self) -> str:
        """What is known of before the first question: a digest of the invitation and of the stream of chance."""
        stream = np.asarray(replayable_generator(self.seed).standard_normal(_STREAM), dtype="<f8")
        return sha256_bytes(canonical_json([self.sha256, sha256_bytes(stream.tobytes())]))
