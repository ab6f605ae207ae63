"""PRIOR: what `privgan prior` learned from public images, as a folder, and as a run takes it in.

PRIOR/prior.json           where the images come from, under which terms, what was learned and how (public)
      finish.safetensors   the public detail network
      images.npy           the public images as they were read, uint8 (n, h, w) or (n, h, w, 3)
      contact.png          drawings before and after the network, beside public images

Nothing of a patient is in it. A run keeps a copy: what its images show may be a public image's, whose people and
terms matter, too, so that audits compare with these as well.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from privgan.config import from_table, inline, to_table
from privgan.errors import IntegrityError, UsageError
from privgan.files import read_marker, sha256_file, write_json
from privgan.gan.networks.finish import Finish, FinishShape
from privgan.gan.networks.states import filled
from privgan.gan.warm_start.strength import DetailBands
from privgan.images.form import ImageForm
from privgan.images.pixels import from_uint8
from privgan.images.stored import with_channels
from privgan.kinds import PRIOR, require_kind
from privgan.language import to_tr
from privgan.run import PriorNamed

SCHEMA_VERSION = 1
MARKER, WEIGHTS, IMAGES, CONTACT = PRIOR.marker, "finish.safetensors", "images.npy", "contact.png"
IN_RUN = "prior"  # the folder of a run that holds its prior
_LOOKED_AT, _AT_ONCE = 2000, 100  # images, for averages over them
_UNSAID = to_tr(
    "the prior does not say of which modality and body part its images are, so that they were not compared with the "
    "cohort's; `privgan prior --modality CR --body-part CHEST` would say it."
)
_COHORT_UNSAID = to_tr(
    "the cohort does not say of which modality and body part its images are, so that they were not compared with the "
    "prior's; `privgan prepare --modality CR --body-part CHEST` would say it."
)


@dataclass(frozen=True, kw_only=True)
class PriorFacts:
    """The content of prior.json. source, licence: of the public images, in their user's words.

    images: how many there are. form: side, channels, and what the images are called, as far as anybody says. width:
    of the detail network. steps: how long it learned. digests: of the other files, by name.
    """

    source: str
    licence: str
    privgan_version: str
    created: str
    images: int
    width: int
    steps: int
    digests: dict[str, str]
    form: ImageForm = field(metadata=inline("side", "channels", "modality", "body_part", side="image_size"))

    @property
    def shape(self) -> FinishShape:
        """Of the detail network."""
        return FinishShape(side=self.form.side, channels=self.form.channels, width=self.width)


@dataclass(frozen=True, kw_only=True, eq=False)
class Prior:
    """A prior whose files are as they were written. images: uint8 memory map (n, h, w, c)."""

    folder: Path
    facts: PriorFacts
    named: PriorNamed
    images: NDArray[np.uint8]

    def network(self) -> Finish:
        """The detail network, as it was learned.

        Raises:
            IntegrityError: its weights are not those of its shape.
        """
        network = Finish(self.facts.shape, None)
        if not filled(network, self.folder / WEIGHTS):
            raise IntegrityError("Expected weights that fit the prior's prior.json, they do not.")
        return network

    def powers(self, bands: DetailBands) -> Tensor:
        """The average of `DetailBands.powers` over public images, (numbers,), at most the first 2,000 of them."""
        some = range(0, min(len(self.images), _LOOKED_AT), _AT_ONCE)
        parts = [self.images[start : min(start + _AT_ONCE, _LOOKED_AT)] for start in some]
        return torch.cat([bands.powers(from_uint8(np.asarray(part))) for part in parts]).mean(0)

    def copy(self, folder: Path) -> None:
        """Put its files into a new folder."""
        folder.mkdir()
        for name in (MARKER, *self.facts.digests):
            shutil.copyfile(self.folder / name, folder / name)


def write_prior(folder: Path, facts: PriorFacts) -> None:
    """Write prior.json beside the files that it names."""
    write_json(folder / MARKER, {"schema_version": SCHEMA_VERSION, "kind": "prior", **to_table(facts)})


def open_prior(folder: Path) -> Prior:
    """A finished prior, every file checked against prior.json.

    Raises:
        UsageError: there is none.
        IntegrityError: a file was edited, or is missing.
    """
    require_kind(PRIOR, folder)
    table = read_marker(folder / MARKER, "prior", SCHEMA_VERSION)
    try:
        facts = from_table(PriorFacts, table)
    except (TypeError, UsageError):
        raise IntegrityError(f"Expected the fields of a prior in {folder / MARKER}.") from None
    if set(facts.digests) != {WEIGHTS, IMAGES, CONTACT}:
        raise IntegrityError("Expected the digests of a prior's three files in its prior.json.")
    for name, digest in facts.digests.items():
        if sha256_file(folder / name) != digest:
            raise IntegrityError(f"Expected the prior's {name} as it was written, it was edited. Learn it again.")
    images = np.load(folder / IMAGES, mmap_mode="r", allow_pickle=False)
    if images.dtype != np.uint8 or images.shape != (facts.images, *facts.form.shape):
        raise IntegrityError("Expected as many images of such a size as the prior's prior.json says.")
    named = PriorNamed(
        source=facts.source, licence=facts.licence, images=facts.images, sha256=sha256_file(folder / MARKER)
    )
    return Prior(folder=folder, facts=facts, named=named, images=with_channels(images))


def require_fitting(prior: Prior, form: ImageForm) -> None:
    """Raises:
    UsageError: the prior is of images of another size, or in grey where these are in colour; or both say of which
        modality or body part they are, and it is not one.
    """
    if prior.facts.form.contradicts(form):
        theirs, ours = prior.facts.form.called, form.called
        raise UsageError(
            f"Expected a prior of images called {ours}, as this cohort's are, got one of images called {theirs}: "
            "public images of another kind make a set worse than none. Nothing was charged. Learn one from images of "
            "the patients' kind; or, if either name is wrong, make that folder again with the right --modality and "
            "--body-part."
        )
    if (prior.facts.form.side, prior.facts.form.channels) != (form.side, form.channels):
        raise UsageError(
            f"Expected a prior of images of {form}, this one is of {prior.facts.form}. Learn another one with the "
            "cohort's --size, and --colour if it has colour."
        )


def uncompared(prior: Prior, form: ImageForm) -> str:
    """That nobody could compare the kinds of image, because one side does not say its own; empty where both do."""
    sides = ((prior.facts.form, _UNSAID), (form, _COHORT_UNSAID))
    return next((said for each, said in sides if not all(each.kind)), "")
