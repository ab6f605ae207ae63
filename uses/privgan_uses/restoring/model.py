"""MODEL: what `privgan enhance train` learned, as a folder that says where it comes from and what it is for.

MODEL/restorer.json          task, damage, form of the images, origins and their terms, learning, digests (public)
      restorer.safetensors   the network
      contact.png            good, damaged and restored images of the sets that it was learned from
      public.sha256          digests of the public images, if it was learned from any, each of its pixels as read

No patient's image was looked at: it is a function of what was released, under the terms of that.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from privgan.arrays import Images
from privgan.config import from_table, to_table
from privgan.errors import IntegrityError, UsageError
from privgan.files import read_marker, sha256_bytes, sha256_file, write_json
from privgan.gan.finishing.settings import LearningSettings
from privgan.gan.networks.finish import Finish, FinishShape
from privgan.gan.networks.states import filled
from privgan.images.blocks import at_once
from privgan.images.form import ImageForm
from privgan.images.pixels import from_uint8, to_levels
from privgan.kinds import RESTORER, require_kind
from privgan.language import kept, to_tr
from privgan_uses.released import Origin
from privgan_uses.restoring.damage import Damage, agreeing

SCHEMA_VERSION = 2
MARKER, WEIGHTS, CONTACT = RESTORER.marker, "restorer.safetensors", "contact.png"
PUBLIC = "public.sha256"
NOT_FOR_DIAGNOSIS = to_tr("Not for diagnosis: a network drew what it expects to see.")
_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class PublicNamed:
    """Public images that were learned from. sha256: of their pixels, as they were read."""

    source: str
    licence: str
    images: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class RestorerFacts:
    """The content of restorer.json.

    damage: what it undoes. images: learned from. tried: others of the same sets, on which `damaged_psnr` and
    `restored_psnr` (decibels, mean) were measured: how well it does on images of its own kind, not on patients.
    epsilon: further spent on it, which is nothing. steps: how long it learned.
    """

    task: str
    damage: Damage
    form: ImageForm
    origins: tuple[Origin, ...]
    public: tuple[PublicNamed, ...]
    privgan_version: str
    created: str
    images: int
    tried: int
    damaged_psnr: float
    restored_psnr: float
    learning: LearningSettings
    steps: int
    digests: dict[str, str]
    epsilon: float = 0.0
    intended_use: str = NOT_FOR_DIAGNOSIS

    @property
    def shape(self) -> FinishShape:
        """Of the network."""
        return shape_of(self.form, self.learning)

    @property
    def terms(self) -> tuple[str, ...]:
        """Under which it may be used: licences and permissions of everything that it was learned from."""
        said = [
            *((each.licence, _permitted(each)) for each in self.origins),
            *((each.licence,) for each in self.public),
        ]
        return tuple(dict.fromkeys(text for texts in said for text in texts if text))


def _permitted(origin: Origin) -> str:
    if not origin.purpose:
        return ""
    return kept(
        "for {purpose}, by {recipient}, until {day}",
        purpose=origin.purpose,
        recipient=origin.recipient,
        day=origin.until,
    )


def shape_of(form: ImageForm, learning: LearningSettings) -> FinishShape:
    """The detail network's shape, without its noise: whoever asks twice gets the same answer."""
    return FinishShape(side=form.side, channels=form.channels, width=learning.width, stirred=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Restorer:
    """A restorer whose files are as they were written. sha256: of restorer.json, which stands for all of them.

    public: digests of the public images that it learned from; see `pixel_digests`.
    """

    folder: Path
    facts: RestorerFacts
    sha256: str
    network: Finish
    public: frozenset[str] = frozenset()

    def restored(self, images: Images) -> Images:
        """Damaged images uint8 (n, h, h, c) as they may have been."""
        return restored(self.network, images, self.facts.damage)


def pixel_digests(images: Iterable[Images]) -> Iterator[str]:
    """Hex SHA-256 of the pixels of each image: equal for equal images of one form. For images that are public."""
    return (sha256_bytes(np.ascontiguousarray(image).tobytes()) for image in images)


def restored(network: Finish, images: Images, damage: Damage) -> Images:
    """What a network makes of images uint8 (n, h, h, c) with this damage; few at once, however many there are."""
    return np.concatenate([*_parts(network, images, damage), np.empty((0, *images.shape[1:]), np.uint8)])


def _parts(network: Finish, images: Images, damage: Damage) -> Iterator[Images]:
    step = at_once(_AT_ONCE, network.shape.side)
    for start in range(0, len(images), step):
        some = images[start : start + step]
        with torch.no_grad():
            made = network(from_uint8(some), torch.empty(len(some), 0))
        yield agreeing(np.rint(to_levels(made)).astype(np.uint8), some, damage)


def write_restorer(folder: Path, facts: RestorerFacts) -> None:
    """Write restorer.json beside the files that it names."""
    write_json(folder / MARKER, {"schema_version": SCHEMA_VERSION, "kind": "restorer", **to_table(facts)})


def open_restorer(folder: Path) -> Restorer:
    """A finished restorer, every file checked against restorer.json.

    Raises:
        UsageError: there is none.
        IntegrityError: a file was edited, is missing, or is another version's.
    """
    require_kind(RESTORER, folder)
    try:
        facts = from_table(RestorerFacts, read_marker(folder / MARKER, "restorer", SCHEMA_VERSION, learned=True))
    except (TypeError, UsageError):
        raise IntegrityError(f"Expected the fields of a restorer in {folder / MARKER}.") from None
    named = {WEIGHTS, CONTACT, *([PUBLIC] if facts.public else [])}
    if set(facts.digests) != named:
        raise IntegrityError("Expected the digests of a restorer's files in its restorer.json.")
    for name, digest in facts.digests.items():
        if sha256_file(folder / name) != digest:
            raise IntegrityError(f"Expected the restorer's {name} as it was written, it was edited. Learn it again.")
    network = Finish(facts.shape, None)
    if not filled(network, folder / WEIGHTS):
        raise IntegrityError("Expected weights that fit the restorer's restorer.json, they do not.")
    public = frozenset((folder / PUBLIC).read_text().split()) if facts.public else frozenset[str]()
    return Restorer(
        folder=folder, facts=facts, sha256=sha256_file(folder / MARKER), network=network.eval(), public=public
    )
