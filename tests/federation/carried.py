"""Three sites, each with a copy of the folder that no other site sees, and letters that are brought to all."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from privgan.federation.carrying import Bag
from privgan.federation.exchange import Exchange
from privgan.federation.together import Progressed
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

    def answer(self, name: str) -> Progressed:
        """From its own folder."""
        return self.world.hospitals[name].answer(self.exchange(name))

    def carry(self) -> None:
        """Everything to everybody, the slow way."""
        for giver in self.world.hospitals:
            letters = self.bag(giver).given(self.bag(giver).places)
            for taker in self.world.hospitals:
                self.bag(taker).take(letters)
