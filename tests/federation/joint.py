"""Three hospitals behind gates of their own: one run, an audit and an officer each, and the folder between them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from privgan.federation.exchange import Exchange
from privgan.files import sha256_file
from privgan.run import FederationNamed
from privgan.seals import open_signed, sign
from privgan.synthetic.synthetic_set import MARKER
from privgan_audits.release.joint.agreeing import agree, disagree
from privgan_audits.release.joint.agreement import Agreement, Letters, Sites
from privgan_audits.release.joint.gathering import Joint
from privgan_audits.release.release import Case, release
from privgan_audits.release.verify import VerifiedBundle, verify
from tests.audits.releasing import TODAY, Gate, Record, make_gate

NAMES = ("north", "south", "west")
NORTH, SOUTH, WEST = NAMES
FEDERATION = FederationNamed(sites=3, transport="files", colluding=0, patients=5000, sha256="ab" * 32)


@dataclass(frozen=True, kw_only=True)
class Together:
    """Three gates in folders of their own, and the folder between them."""

    root: Path

    def gate(self, name: str) -> Gate:
        """One hospital's."""
        return Gate(root=self.root / name)

    @property
    def bundle(self) -> Path:
        """Where it is released to."""
        return self.root / "bundle"

    @property
    def exchange(self) -> Exchange:
        """The folder."""
        return Exchange(folder=self.root / "federation")

    @property
    def sites(self) -> Sites:
        """As the invitation would name them."""
        keys = {name: self.gate(name).line_of("site") for name in NAMES}
        return Sites(federation=FEDERATION.sha256, keys=keys)

    @property
    def joint(self) -> Joint:
        """As the verbs make it."""
        return Joint(exchange=self.exchange, sites=self.sites)

    def case(self, name: str) -> Case:
        """Of one hospital."""
        root = self.root / name
        at = {part: root / part for part in ("synthetic", "cohort", "report")}
        return Case(**at, run=root / "synthetic-run", joint=self.joint)

    def letters(self, name: str) -> Letters:
        """A hospital's word, as it lies in the folder."""
        found = self.joint.word_of(name)
        assert found is not None
        return found

    def audit(self, name: str, change: Callable[[Record], object] = lambda _: None, **options: Any) -> None:
        """And have the officer approve, where it passed."""
        gate = self.gate(name)
        gate.audit(change, **options)
        if options.get("verdict", "PASS") == "PASS":
            gate.approve(name="officer", force=True)

    def agree(self, *names: str, today: date = TODAY) -> list[Agreement]:
        """These hospitals say yes, or all of them."""
        return [agree(self.case(name), self.gate(name).key, today=today) for name in names or NAMES]

    def disagree(self, name: str) -> None:
        """Say no."""
        disagree(self.joint, self.set_of(name), self.gate(name).key)

    def set_of(self, name: str) -> str:
        """The digest of a hospital's set."""
        return sha256_file(self.root / name / "synthetic" / MARKER)

    def put(self, name: str, letters: Letters) -> None:
        """Let something lie in the place of a hospital's word."""
        self.exchange.agree(name, letters.statement, letters.approval)

    def sign(self, name: str, change: Callable[[Record], object], signer: str = "") -> Letters:
        """A hospital's word with other claims, signed by itself or by another site."""
        letters = self.letters(name)
        said = open_signed(letters.statement, self.gate(name).key.public_key())
        told = json.loads(json.dumps(said))
        change(told)
        return Letters(statement=sign(told, self.gate(signer or name).key), approval=letters.approval)

    def release(self, name: str = NORTH, today: date = TODAY) -> Record:
        """By one of them."""
        return dict(release(self.case(name), self.bundle, self.gate(name).key, today=today))

    def verify(self, *names: str, **options: Any) -> VerifiedBundle:
        """Be a recipient who was given the keys of these hospitals, or of all."""
        keys = [self.root / name / "site.pub" for name in names or NAMES]
        return verify(self.bundle, keys, **{"today": TODAY, **options})


def make_together(root: Path) -> Together:
    """Audited, approved and agreed; not released yet."""
    together = Together(root=root)
    for name in NAMES:
        (root / name).mkdir(parents=True)
        make_gate(root / name, officer="officer", federation=asdict(FEDERATION), run_id=FEDERATION.run_id)
        together.audit(name)
    (root / "federation").mkdir()
    Exchange.begun(root / "federation", b"an invitation")
    together.agree()
    return together


def copied(together: Together, root: Path) -> Together:
    """The same, keys included, in a folder of its own: to be changed."""
    return Together(root=Path(shutil.copytree(together.root, root, dirs_exist_ok=True)))
