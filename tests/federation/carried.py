"""Three sites, each with a copy of the folder that no other site sees, and letters that are brought to all."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from privgan.federation.carrying import Bag
from privgan.federation.exchange import Exchange
from privgan.federation.standing import propose
from privgan.federation.together import Progressed
from privgan.files import sha256_bytes
from privgan_audits.release.joint.agreement import Sites, no
from tests.federation.hospitals import World


@dataclass(eq=False)
class Apart:
    """A world whose folder lies once at every site, below `folders`, by the site's name."""

    world: World
    folders: Path

    @classmethod
    def of(cls, world: World, folders: Path) -> "Apart":
        """Everybody has been handed the invitation, and said yes in their own copy."""
        apart = cls(world=world, folders=folders)
        for name, hospital in world.hospitals.items():
            shutil.copytree(world.exchange.folder, folders / name)
            hospital.join(apart.exchange(name))
        return apart

    def exchange(self, name: str) -> Exchange:
        """A site's own."""
        return Exchange(folder=self.folders / name)

    def bag(self, name: str) -> Bag:
        """What a site gives along."""
        return Bag(exchange=self.exchange(name), site=name)

    @property
    def sites(self) -> Sites:
        """As the invitation names them."""
        keys = {name: hospital.site.key for name, hospital in self.world.hospitals.items()}
        return Sites(federation=self.world.federation.sha256, keys=keys)

    def propose(self, name: str, what: str) -> str:
        """A site would have all release a set; its digest."""
        hospital, sha256 = self.world.hospitals[name], sha256_bytes(what.encode())
        said = {"synthetic_sha256": sha256}
        propose(self.exchange(name), self.world.federation, hospital.site, said, hospital.key)
        return sha256

    def say(self, name: str, sha256: str, approval: bytes = b"") -> bytes:
        """A site's word on it, as it signs it: a no, beside which an approval may lie all the same."""
        word = no(self.sites, name, sha256, self.world.hospitals[name].key).statement
        self.exchange(name).agree(name, word, approval)
        return word

    def answer(self, name: str) -> Progressed:
        """From its own folder."""
        return self.world.hospitals[name].answer(self.exchange(name))

    def carry(self) -> None:
        """Everything to everybody, the slow way."""
        for giver in self.world.hospitals:
            letters = self.bag(giver).given(self.bag(giver).places)
            for taker in self.world.hospitals:
                self.bag(taker).take(letters)
