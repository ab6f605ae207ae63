"""A small restorer of phantoms, learned in few steps, for several tests."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from privgan.images.form import ImageForm
from privgan_uses.restoring.make import Material, make_restorer
from privgan_uses.restoring.model import Restorer, open_restorer
from privgan_uses.restoring.request import USUAL, RestoreRequest
from tests.takes import takes

SIDE = 28
TODAY = date(2026, 11, 30)
FORM = ImageForm(side=SIDE, modality="CR", body_part="CHEST")
QUICK = replace(USUAL, width=8, batch=6, steps=3)


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
