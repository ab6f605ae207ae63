"""Every network and every loss: trained, stopped, resumed, generated from, and refused when edited."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from privgan.config import from_table, read_toml
from privgan.data.cohort.cohort import Cohort
from privgan.dp.budget.ledger import Ledger
from privgan.errors import IntegrityError, PreemptedError, UsageError
from privgan.files import read_json, write_json
from privgan.gan.networks import load_generator
from privgan.gan.networks.saving import saved_discriminator
from privgan.gan.training import beginning
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.runs import resume_run, start_run
from privgan.gan.training.settings import ModelSettings, PrivacySettings, RefinementSettings, TrainSettings
from privgan.interruption import StopRequest
from privgan.run import read_run

REQUEST = TrainRequest(
    epsilon=4.0,
    settings=TrainSettings(
        privacy=PrivacySettings(batch=20, steps=4),
        model=ModelSettings(latent=8, generator_width=8, discriminator_width=8, autoencoder_steps=2),
        refinement=RefinementSettings(fakes=8),
    ),
)
CHOICES = [("mlp", "non-saturating"), ("autoencoder", "non-saturating"), ("conv", "hinge"), ("conv", "wasserstein")]


def _request(network: str, loss: str) -> TrainRequest:
    settings = REQUEST.settings
    model, refinement = replace(settings.model, network=network), replace(settings.refinement, loss=loss)
    return replace(REQUEST, settings=replace(settings, model=model, refinement=refinement))


@pytest.mark.parametrize(("network", "loss"), CHOICES)
def test_it_trains_stops_resumes_and_generates(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, loss: str
) -> None:
    """To the planned steps under one charge; the autoencoder is fitted once, not again on resuming."""
    run, stop, fits = tmp_path / "run", StopRequest(), []
    fit = beginning.fit_as_decoder
    monkeypatch.setattr(beginning, "fit_as_decoder", lambda *given: fits.append(fit(*given)))
    stop.note(15, None)
    with pytest.raises(PreemptedError):
        start_run(cohort, run, _request(network, loss), stop, force=False)
    facts = resume_run(cohort, run, REQUEST, StopRequest())  # under the run's own settings
    assert (facts.state, facts.finished_steps) == ("finished", 4)
    assert len(fits) == (network == "autoencoder")
    loaded = load_generator(run)
    assert loaded.network.config.network == network
    assert loaded.levels(np.zeros(loaded.latent), 0).shape == (28, 28)
    kept = from_table(TrainSettings, read_toml(run / "config.resolved.toml"))
    assert (kept.model.network, kept.refinement.loss) == (network, loss)


@pytest.mark.parametrize(("network", "other"), [("mlp", "conv"), ("conv", "mlp")])
def test_files_of_another_network_are_refused(cohort: Cohort, tmp_path: Path, network: str, other: str) -> None:
    """Generator and discriminator load as what they are and as nothing else."""
    run = tmp_path / "run"
    facts = start_run(cohort, run, _request(network, "non-saturating"), StopRequest(), force=False)
    config, ledger = load_generator(run).network.config, Ledger.read(cohort.ledger_path)
    kept = saved_discriminator(run, ledger, facts.run_id, beside=config)
    assert kept is not None
    assert kept(torch.zeros(2, 1, 28, 28), torch.zeros(2, dtype=torch.int64)).shape == (2,)
    forms = (replace(config.form, **change) for change in ({"channels": 3}, {"classes": ("a", "b")}, {"side": 56}))
    for foreign in (replace(config, network=other), *(replace(config, form=form) for form in forms)):
        with pytest.raises(IntegrityError):
            saved_discriminator(run, ledger, facts.run_id, beside=foreign)
    path = run / "model" / "config.json"
    table = read_json(path)
    for change in ({"network": other}, {"channels": 3}, {"channels": 2}, {"network": "transformer"}):
        write_json(path, {**table, **change})
        with pytest.raises(IntegrityError):
            load_generator(run)
    # Runs of before there was a choice.
    write_json(path, {key: value for key, value in table.items() if key not in ("network", "channels")})
    if network == "conv":
        assert load_generator(run).network.config == config


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(UsageError, match="autoencoder"):
        ModelSettings(network="unet")


def test_warnings_survive_a_resume_and_are_public(
    cohort: Cohort, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A rate that no generator survives: said when it is seen, once, also in run.json and after a stop."""
    run, stop, settings = tmp_path / "run", StopRequest(), REQUEST.settings
    settings = replace(
        settings,
        refinement=replace(settings.refinement, generator_rate=5.0),
        ladder=replace(settings.ladder, first=1),
    )
    stop.note(15, None)
    with pytest.raises(PreemptedError):
        start_run(cohort, run, replace(REQUEST, settings=settings), stop, force=False)
    before = [record.getMessage() for record in caplog.records]
    assert before
    facts = resume_run(cohort, run, REQUEST, StopRequest())
    said = [record.getMessage() for record in caplog.records]
    assert said[: len(before)] == before
    assert facts.warnings == read_run(run).warnings == tuple(said)
    assert len({warning.split(": ", 1)[1][-40:] for warning in said}) == len(said)
