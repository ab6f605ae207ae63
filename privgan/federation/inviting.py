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
from privgan.federation.questions import in_order, is_told
from privgan.folders import staged_folder
from privgan.gan.names import AUTO, BALANCED
from privgan.gan.networks.public_prior import Prior, require_fitting
from privgan.gan.training.planning import make_plan
from privgan.gan.training.presets import Choice, choose
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.settings import NO_COLUMNS, SpeedSettings, read_settings
from privgan.images.form import ImageForm
from privgan.kinds import FEDERATION
from privgan.records.schema import Schema


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of `invite`. patients: at most so many members at all sites together. config: a train.toml.

    delta: None takes the largest power of ten that is at most 1/(10 x patients). transport, colluding: see
    `Invitation`; None takes fewer than half of the sites, and of files nobody. measure_classes: ask for the classes'
    shares, too. prior: what all sites start from, None without any.
    """

    sites: tuple[Site, ...]
    epsilon: float
    patients: int
    delta: float | None = None
    transport: str = FILES
    colluding: int | None = None
    preset: str = AUTO
    config: Path | None = None
    measure_classes: bool = False
    prior: Prior | None = None


def invitation_for(asked: Asked, form: ImageForm, schema: Schema = NO_COLUMNS) -> tuple[Invitation, Choice]:
    """What the sites would agree on, and what can come of it, as noisy as it will be.

    schema: the columns that every site has declared.

    Raises:
        UsageError: a value is none that can be planned, or the prior is of other images.
        InputRejectedError: too few patients.
    """
    if asked.prior is not None:
        require_fitting(asked.prior, form)
    draft = _planned(
        asked, form, schema, preset=BALANCED
    )  # which preset it is does not change how noisy all is together
    chosen = choose(
        asked.patients,
        classes=len(form.classes),
        epsilon=draft.as_noisy_as,
        delta=draft.delta,
        named=asked.preset,
        modality=form.modality,
    )
    return _planned(asked, form, schema, preset=chosen.preset), chosen


def _planned(asked: Asked, form: ImageForm, schema: Schema, *, preset: str) -> Invitation:
    settings = read_settings(
        asked.config, preset=preset, members=asked.patients, measure_classes=asked.measure_classes
    )
    settings = replace(settings, privacy=replace(settings.privacy, steps=0), speed=SpeedSettings())
    request = TrainRequest(epsilon=asked.epsilon, delta=asked.delta, settings=settings, prior=asked.prior)
    plan, told = make_plan(asked.patients, request, schema), is_told(settings, schema)
    masked, count = asked.transport == MASKED, len(asked.sites)
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
        noise=tuple(s / math.sqrt(together) for s in in_order(plan, settings, told=told)),
        colluding=colluding,
        columns=schema.types,
        prior=None if asked.prior is None else asked.prior.named,
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
