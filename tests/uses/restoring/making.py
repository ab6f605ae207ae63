"""A small restorer of phantoms, learned in few steps, for several tests."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from privgan.dp.spend import PrivacySpend
from privgan.images.form import ImageForm
from privgan_uses.released import Origin
from privgan_uses.restoring.make import Material, make_restorer
from privgan_uses.restoring.model import Restorer, open_restorer
from privgan_uses.restoring.request import USUAL, RestoreRequest
from tests.takes import takes

SIDE = 28
TODAY = date(2026, 11, 30)
FORM = ImageForm(side=SIDE, modality="CR", body_part="CHEST")
QUICK = replace(USUAL, width=8, batch=6, steps=3)
ORIGIN = Origin(
    set_sha256="1" * 64,
    cohort_id="fedcba9876543210",
    run_id="0123abcd4567ef89",
    spend=PrivacySpend(epsilon=3.0, delta=1e-5),
    images=160,
    title="Chests for teaching",
    licence="CC BY 4.0",
    purpose="teaching",
    recipient="Anytown University",
    until=TODAY.isoformat(),
    key_fingerprint="2" * 64,
)


def request(task: str = "denoise", **changes: Any) -> RestoreRequest:
    return RestoreRequest(**{"task": task, "learning": QUICK, **changes})


def material(form: ImageForm = FORM, count: int = 112) -> Material:
    images = np.repeat(takes(count, seed=0, side=form.side), form.channels, axis=3)
    return Material.of_public(images, form, source="phantoms of Anytown", licence="CC0 1.0")


def make_model(folder: Path, task: str = "denoise", form: ImageForm = FORM, **changes: Any) -> Restorer:
    """In a folder that must not exist."""
    folder.mkdir()
    make_restorer(material(form), folder, request(task, **changes), TODAY)
    return open_restorer(folder)
