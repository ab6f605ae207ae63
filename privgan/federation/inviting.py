"""An invitation is made: who, which images, at what cost; and what can come of it, before anything is spent."""

import math
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import privgan
from privgan.federation.exchange import Exchange
from privgan.federation.invitation import FILES, MASKED, PROTOCOL, Federation, Invitation, Site
from privgan.federation.letters import federation_of, invited
from privgan.folders import staged_folder
from privgan.gan.names import AUTO, BALANCED
from privgan.gan.training.planning import make_plan
from privgan.gan.training.presets import Choice, choose
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.settings import SpeedSettings, read_settings
from privgan.images.form import ImageForm
from privgan.kinds import FEDERATION


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of `invite`. patients: at most so many members at all sites together. config: a train.toml.

    delta: None takes the largest power of ten that is at most 1/(10 x patients). transport, colluding: see
    `Invitation`; None takes fewer than half of the sites, and of files nobody.
    """

    sites: tuple[Site, ...]
    epsilon: float
    patients: int
    delta: float | None = None
    transport: str = FILES
    colluding: int | None = None
    preset: str = AUTO
    config: Path | None = None


def invitation_for(asked: Asked, form: ImageForm) -> tuple[Invitation, Choice]:
    """What the sites would agree on, and what can come of it, as noisy as it will be.

    Raises:
        UsageError: a value is none that can be planned.
        InputRejectedError: too few patients.
    """
    draft = _planned(asked, form, preset=BALANCED)  # which preset it is does not change how noisy all is together
    chosen = choose(
        asked.patients,
        classes=len(form.classes),
        epsilon=draft.as_noisy_as,
        delta=draft.delta,
        named=asked.preset,
        modality=form.modality,
    )
    return _planned(asked, form, preset=chosen.preset), chosen


def _planned(asked: Asked, form: ImageForm, *, preset: str) -> Invitation:
    settings = read_settings(asked.config, preset=preset, members=asked.patients)
    settings = replace(settings, privacy=replace(settings.privacy, steps=0), speed=SpeedSettings())
    request = TrainRequest(epsilon=asked.epsilon, delta=asked.delta, settings=settings)
    plan, masked, count = make_plan(asked.patients, request), asked.transport == MASKED, len(asked.sites)
    colluding = asked.colluding if asked.colluding is not None else (count - 1) // 2 * masked
    together = max(1, count - colluding) if masked else 1  # whose noise nobody can take off
    return Invitation(
        nonce=secrets.token_hex(16),
        privgan_version=privgan.__version__,
        protocol=PROTOCOL,
        transport=asked.transport,
        sites=asked.sites,
        form=form,
        settings=settings,
        epsilon=asked.epsilon,
        delta=plan.delta,
        patients=asked.patients,
        noise=tuple(s / math.sqrt(together) for s in plan.warm_start),
        colluding=colluding,
    )


def invite(folder: Path, invitation: Invitation, key: Ed25519PrivateKey, *, force: bool) -> Federation:
    """Write a new folder for a federation, with the signed invitation in it.

    Raises:
        UsageError: the folder exists.
    """
    letter = invited(invitation, key)
    with staged_folder(folder, marker=FEDERATION.marker, force=force) as staging:
        Exchange.begun(staging, letter)
    return federation_of(letter, key.public_key())
