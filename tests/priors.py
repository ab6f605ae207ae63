"""A prior as `privgan prior` leaves it, but for the learning: its network changes nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from privgan.arrays import Images
from privgan.files import sha256_file, write_bytes
from privgan.gan.networks.finish import Finish, FinishShape
from privgan.gan.networks.public_prior import CONTACT, IMAGES, WEIGHTS, Prior, PriorFacts, open_prior, write_prior
from privgan.images.form import ImageForm
from privgan.images.stored import as_stored

SOURCE, LICENCE = "the archive of Anytown", "CC0 1.0"


def make_prior(folder: Path, images: Images, source: str = SOURCE, kind: tuple[str, str] = ("", "")) -> Prior:
    """Of public images uint8 (n, h, h, c), in `folder`, which must not exist. kind: modality and body part."""
    folder.mkdir()
    form = ImageForm.of(images)
    np.save(folder / IMAGES, as_stored(images))
    shape = FinishShape(side=form.side, channels=form.channels, width=8)
    write_bytes(folder / WEIGHTS, save(Finish(shape, torch.Generator().manual_seed(0)).state_dict()))
    write_bytes(folder / CONTACT, b"no picture")
    facts = PriorFacts(
        source=source,
        licence=LICENCE,
        privgan_version="0.1.0",
        created="2026-01-31",
        images=len(images),
        form=replace(form, modality=kind[0], body_part=kind[1]),
        width=8,
        steps=0,
        digests={name: sha256_file(folder / name) for name in (WEIGHTS, IMAGES, CONTACT)},
    )
    write_prior(folder, facts)
    return open_prior(folder)
