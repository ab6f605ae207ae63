"""Three invented hospitals with cohorts and keys of their own, in one process, and the folder between them."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan.data.cohort.cohort import Cohort, open_cohort
from privgan.data.cohort.options import PrepareOptions
from privgan.data.cohort.prepare import prepare
from privgan.data.sources.wishes import Wishes
from privgan.dp.budget.ledger import Ledger
from privgan.federation.exchange import Exchange
from privgan.federation.invitation import Federation, Invitation, Site
from privgan.federation.inviting import Asked, invitation_for, invite
from privgan.federation.joining import join
from privgan.federation.letters import federation_of, invited
from privgan.federation.together import Progressed, answer
from privgan.files import sha256_file
from privgan.gan.networks.public_prior import Prior
from privgan.seals import key_line

NAMES = ("north", "south", "west")
CONFIG = """schema = 1
[model]
latent = 8
generator_width = 8
discriminator_width = 8
adaptation_steps = 2
[warm_start]
order = 4
fine_order = 5
components = 2
rounds = 1
"""
QUESTIONS = 6  # of that warm start: means, moved means, products, levels, a round, products of components
PATIENTS, EPSILON = 200, 4.0


def make_cohorts(home: Path, patients: Sequence[int] = (60, 60, 60)) -> dict[str, Path]:
    """So many patients a hospital, one or two smooth images each, in two classes of other brightness."""
    from tests.cli.conftest import blobs

    made = {}
    for number, (name, count) in enumerate(zip(NAMES, patients, strict=True)):
        owners = np.repeat(np.arange(count), 1 + np.arange(count) % 2)
        images = np.clip(blobs(len(owners), number).astype(int) + 60 * (owners % 2)[:, None, None], 0, 255)
        source, folder = home / f"{name}.npz", home / name
        np.savez(
            source,
            images=images.astype(np.uint8),
            labels=(owners % 2).astype(np.int64),
            patient_id=np.array([f"QZX-{name}-{owner:05d}" for owner in owners]),
            classes=np.array(["clear", "opacity"]),
        )
        folder.mkdir()
        prepare(source, folder, PrepareOptions(reading=Wishes(size=28)))
        made[name] = folder
    return made


@dataclass(eq=False)
class Hospital:
    """A site of a test. keys: its own, and its inviter's public one."""

    name: str
    folder: Path
    run: Path
    inviter: Ed25519PrivateKey
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def cohort(self) -> Cohort:
        """Opened anew, as every command does."""
        return open_cohort(self.folder)

    @property
    def ledger(self) -> Ledger:
        """As it is now."""
        return Ledger.read(self.cohort.ledger_path)

    @property
    def site(self) -> Site:
        """As the invitation names it."""
        return Site(name=self.name, key=key_line(self.key.public_key()))

    def join(self, exchange: Exchange, prior: Prior | None = None, *, force: bool = False) -> None:
        """Say yes."""
        federation = federation_of(exchange.invitation, self.inviter.public_key())
        join(exchange, self.cohort, self.run, self.key, federation, prior=prior, force=force)

    def answer(self, exchange: Exchange) -> Progressed:
        """Answer what is asked next."""
        return answer(exchange, self.cohort, self.run, (self.key, self.inviter.public_key()))


@dataclass(eq=False)
class World:
    """Hospitals that are invited, and their folder."""

    hospitals: dict[str, Hospital]
    federation: Federation
    exchange: Exchange
    prior: Prior | None = None

    def join(self, *names: str) -> None:
        """These say yes, or all of them."""
        for name in names or self.hospitals:
            self.hospitals[name].join(self.exchange, self.prior)

    def invited_again(self, invitation: Invitation) -> "World":
        """The same hospitals, whose folder now holds another invitation by the same inviter."""
        inviter = next(iter(self.hospitals.values())).inviter
        letter = invited(invitation, inviter)
        (self.exchange.folder / "invitation.dsse.json").write_bytes(letter)
        return replace(self, federation=federation_of(letter, inviter.public_key()))

    def round(self, *names: str) -> list[Progressed]:
        """These answer, or all of them, one after the other."""
        return [self.hospitals[name].answer(self.exchange) for name in names or self.hospitals]

    def letter(self, question: int, name: str) -> Path:
        """Where a site's answer lies."""
        return self.exchange.folder / "answers" / f"{question:02}-{name}.dsse.json"


def make_world(
    made: dict[str, Path],
    home: Path,
    *,
    max_epsilon: float = 10.0,
    epsilon: float = EPSILON,
    transport: str = "files",
    prior: Prior | None = None,
    measure_classes: bool = False,
) -> World:
    """Cohorts of their own for every test, with nothing spent; the first hospital invites."""
    home.mkdir(exist_ok=True)
    inviter, hospitals = Ed25519PrivateKey.generate(), {}
    for name, folder in made.items():
        copy = Path(shutil.copytree(folder, home / name))
        hospitals[name] = Hospital(name=name, folder=copy, run=home / f"run-{name}", inviter=inviter)
        Ledger.create(
            copy / "private" / "ledger.jsonl",
            cohort_sha256=sha256_file(copy / "cohort.json"),
            members=open_cohort(copy).facts.members,
            delta=1e-3,
            max_epsilon=max_epsilon,
        )
    config = home / "train.toml"
    config.write_text(CONFIG)
    sites = tuple(hospital.site for hospital in hospitals.values())
    asked = Asked(
        sites=sites,
        epsilon=EPSILON,
        patients=PATIENTS,
        transport=transport,
        config=config,
        measure_classes=measure_classes,
        prior=prior,
    )
    first = next(iter(hospitals.values())).cohort
    invitation, _ = invitation_for(asked, first.facts.form, first.schema)
    federation = invite(home / "federation", invitation, inviter, force=False)
    exchange = Exchange(folder=home / "federation")
    return World(hospitals=hospitals, federation=federation, exchange=exchange, prior=prior)
