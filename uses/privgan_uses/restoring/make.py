"""From released sets to a finished restorer: what is learned from, and the order in which files are written."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from privgan import __version__
from privgan.arrays import Flags, Images
from privgan.config import from_table
from privgan.errors import InputRejectedError, UsageError
from privgan.files import sha256_bytes, sha256_file, write_bytes, write_text
from privgan.images.form import ImageForm
from privgan.images.stored import as_stored
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan_uses.released import Origin, Released
from privgan_uses.restoring.damage import Coarse, Damage, damaged, usual
from privgan_uses.restoring.lesson import learn
from privgan_uses.restoring.measures import psnr
from privgan_uses.restoring.model import (
    CONTACT,
    PUBLIC,
    WEIGHTS,
    PublicNamed,
    RestorerFacts,
    pixel_digests,
    restored,
    write_restorer,
)
from privgan_uses.restoring.request import RestoreRequest

FEWEST = 100  # images
_TRIED, _SHOWN, _HELD = 200, 10, 10  # images tried on at most, shown in a row; without splits one in so many is tried
_TASK = to_tr("learning to restore")


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """What is learned from. images: uint8 (n, h, h, c). spared: (n,), those that it is tried on instead.

    shown: digests of those that are public.
    """

    images: Images
    spared: Flags
    form: ImageForm
    origins: tuple[Origin, ...] = ()
    public: tuple[PublicNamed, ...] = ()
    shown: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if (learned := int((~self.spared).sum())) < FEWEST:
            raise InputRejectedError(f"Expected at least {FEWEST} images to learn from, got {learned}.")

    @classmethod
    def of_sets(cls, sets: Released) -> "Material":
        """Released sets; what they suggest for testing is not learned from."""
        return cls(images=sets.images, spared=sets.splits != "train", form=sets.form, origins=sets.origins)

    @classmethod
    def of_public(cls, images: Images, form: ImageForm, *, source: str, licence: str) -> "Material":
        """Public images, read in this form."""
        digest = sha256_bytes(np.ascontiguousarray(images).tobytes())
        named = PublicNamed(source=source, licence=licence, images=len(images), sha256=digest)
        spared, shown = np.arange(len(images)) % _HELD == 0, frozenset(pixel_digests(images))
        return cls(images=images, spared=spared, form=form, public=(named,), shown=shown)

    def beside(self, other: "Material") -> "Material":
        """Both together, in the form of this one."""
        return Material(
            images=np.concatenate([self.images, other.images]),
            spared=np.concatenate([self.spared, other.spared]),
            form=self.form,
            origins=self.origins + other.origins,
            public=self.public + other.public,
            shown=self.shown | other.shown,
        )


def damage_of(request: RestoreRequest, form: ImageForm) -> Damage:
    """The task's damage with the values that were asked for.

    Raises:
        UsageError: one that this damage does not have, or that it does not fit the images.
    """
    base = usual(request.task, form, artefact=request.artefact, factor=request.factor)
    damage = from_table(type(base), request.damage, base)
    if isinstance(damage, Coarse) and form.side % damage.factor:
        raise UsageError(
            f"Expected images whose side is a multiple of {damage.factor} pixels to restore from smaller ones, these "
            f"are of {form}."
        )
    return damage


def make_restorer(
    material: Material, folder: Path, request: RestoreRequest, today: date, progress: Progress = silent
) -> RestorerFacts:
    """Learn, and write every file of a restorer into an empty folder. today: on which it is made, in UTC.

    Raises:
        UsageError: see `damage_of`; or there is no such device.
    """
    damage = damage_of(request, material.form)
    network, steps = learn(material.images[~material.spared], damage, material.form, request, tr(_TASK), progress)
    spared = np.flatnonzero(material.spared)[:_TRIED]
    good = material.images[spared if len(spared) else slice(_TRIED)]
    bad = damaged(good, damage, material.form, torch.Generator().manual_seed(request.settings.seed))
    better = restored(network, bad, damage)
    write_bytes(folder / CONTACT, _contact(good, bad, better))
    weights = {name: value.detach().contiguous() for name, value in network.state_dict().items()}
    write_bytes(folder / WEIGHTS, save(weights))
    if material.public:
        write_text(folder / PUBLIC, "".join(f"{digest}\n" for digest in sorted(material.shown)))
    facts = RestorerFacts(
        task=request.task,
        damage=damage,
        form=material.form,
        origins=material.origins,
        public=material.public,
        privgan_version=__version__,
        created=today.isoformat(),
        images=int((~material.spared).sum()),
        tried=len(good),
        damaged_psnr=float(psnr(good, bad).mean()),
        restored_psnr=float(psnr(good, better).mean()),
        learning=request.settings,
        steps=steps,
        digests={
            name: sha256_file(folder / name) for name in (WEIGHTS, CONTACT, *([PUBLIC] if material.public else []))
        },
    )
    write_restorer(folder, facts)
    return facts


def _contact(good: Images, bad: Images, better: Images) -> bytes:
    """A PNG: images of the sets, the same damaged, and the same restored."""
    from privgan.images.contact_sheet import contact_sheet
    from privgan.images.containers import png_bytes

    shown = np.concatenate([some[:_SHOWN] for some in (good, bad, better)])
    labels = np.repeat(np.arange(3), len(shown) // 3)
    return png_bytes(contact_sheet(as_stored(shown), labels, ("good", "damaged", "restored")))
