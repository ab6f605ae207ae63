"""Runs on cohorts with declared columns: one charge, one answer whatever a kill leaves, none where none is due."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from privgan.data.cohort.cohort import Cohort
from privgan.dp.budget.ledger import Ledger
from privgan.errors import IntegrityError, UsageError
from privgan.gan.image_model import RecordsSettings
from privgan.gan.networks import Discriminator, load_generator
from privgan.gan.networks.saving import WITH_RECORDS
from privgan.gan.training import beginning
from privgan.gan.training.planning import make_plan
from privgan.gan.training.runs import resume_run, start_run
from privgan.gan.warm_start.records import measure_records
from privgan.interruption import StopRequest
from privgan.records.schema import Schema
from privgan.records.table import Table
from privgan.run import MODEL_CONFIG, read_run
from tests.gan.small import small_training
from tests.gan.training.test_runs import REQUEST, Killed, _kill_before_finishing, _kill_before_the_generator

COLUMNS = {"sex": "category(F|M):patient", "age": "number(0..100)"}


@pytest.fixture
def told(cohort: Cohort) -> Cohort:
    """The same cohort with two declared columns."""
    rng, count = np.random.default_rng(0), len(cohort.labels)
    columns = {"sex": rng.choice(["", "F", "M"], count), "age": rng.uniform(0, 100, count)}
    facts = replace(cohort.facts, columns=COLUMNS)
    return replace(cohort, facts=facts, columns=columns)


@pytest.mark.parametrize("kill", [_kill_before_the_generator, _kill_before_finishing])
def test_a_kill_neither_asks_for_records_twice_nor_forgets_them(
    told: Cohort, tmp_path: Path, kill: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is part of the saved state: one query in the ledger, one answer, which the released model holds."""
    run, answers = tmp_path / "run", []

    def measure(*arguments: Any) -> Table:
        answers.append(measure_records(*arguments))
        return answers[-1]

    monkeypatch.setattr(beginning, "measure_records", measure)
    with pytest.MonkeyPatch.context() as patch:
        kill(patch)
        with pytest.raises(Killed):
            start_run(told, run, REQUEST, StopRequest(), force=False)
    facts = resume_run(told, run, REQUEST, StopRequest())
    (table,) = answers
    assert load_generator(run).records == table
    assert table.members == told.facts.members
    assert tuple(table.columns) == ("sex", "age")
    (charge,) = Ledger.read(told.ledger_path).of_kind("charge")
    assert [query["steps"] for query in charge["queries"]] == [1, 1, 1, 1, 1, 1, 4]
    assert charge["queries"][5]["noise_multiplier"] == facts.plan["records"] == table.noise
    assert facts.spend.epsilon <= REQUEST.epsilon


def test_without_declared_columns_nothing_is_asked_and_files_are_as_they_were(cohort: Cohort, tmp_path: Path) -> None:
    facts = start_run(cohort, tmp_path / "run", REQUEST, StopRequest(), force=False)
    assert "records" not in read_run(tmp_path / "run").plan
    assert "records" not in json.loads((tmp_path / "run" / MODEL_CONFIG).read_text())
    assert len(Ledger.read(cohort.ledger_path).queries(facts.run_id)) == 5


def test_settings_may_keep_columns_for_the_audit_alone(told: Cohort) -> None:
    silent = replace(REQUEST, settings=replace(REQUEST.settings, records=RecordsSettings(measure=False)))
    assert make_plan(told.facts.members, silent, told.schema) == make_plan(told.facts.members, silent)


def test_the_generator_draws_what_records_say_and_refuses_other_columns(told: Cohort, tmp_path: Path) -> None:
    run = tmp_path / "run"
    start_run(told, run, REQUEST, StopRequest(), force=False)
    loaded, config = load_generator(run), json.loads((run / MODEL_CONFIG).read_text())
    assert config["schema_version"] == WITH_RECORDS
    assert loaded.network.config.levels == told.schema.levels
    z = np.zeros(loaded.latent)
    drawn = [loaded.levels(z, np.array([0, sex, 5])) for sex in range(3)]
    assert not np.array_equal(drawn[1], drawn[2])
    for change in ({"records": None}, {"levels": [3]}, {"levels": []}, {"schema_version": 5}):
        (run / MODEL_CONFIG).write_text(json.dumps({**config, **change}))
        with pytest.raises(IntegrityError):
            load_generator(run)


def test_the_discriminator_is_told_records_unless_settings_say_otherwise(
    told: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fakes have records of the released table, patients their own; the charge is the same, the images are not."""
    heard: list[torch.Size] = []
    forward = Discriminator.forward

    def noted(self: Discriminator, images: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        heard.append(told.shape[1:])
        return forward(self, images, told)

    monkeypatch.setattr(Discriminator, "forward", noted)
    found = {}
    for judged in (True, False):
        settings = replace(REQUEST.settings, records=RecordsSettings(judged=judged))
        request, run = replace(REQUEST, settings=settings, epsilon=1.5, replay_seed=1), tmp_path / str(judged)
        found[judged] = start_run(told, run, request, StopRequest(), force=False)
        assert set(heard) == {torch.Size((3,) if judged else ())}
        heard.clear()
    assert found[True].plan == found[False].plan
    assert found[True].generator_sha256 != found[False].generator_sha256


def test_a_run_that_leaves_its_prior_out_still_draws_what_records_say(tmp_path: Path) -> None:
    """Its table and effects were released before anybody knew how far the prior lies."""
    training = small_training(tmp_path / "run")
    schema = Schema.of(COLUMNS)
    config = training.settings.generator_config(training.config.form, None, schema)
    left_out = replace(training, schema=schema, config=config).without_prior
    assert left_out.config.levels == schema.levels


def test_a_seeded_run_gives_the_same_table(told: Cohort, tmp_path: Path) -> None:
    request = replace(REQUEST, epsilon=1.5, replay_seed=1)
    digests = [
        start_run(told, tmp_path / str(number), request, StopRequest(), force=False).model for number in range(2)
    ]
    assert digests[0] == digests[1]


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_without_steps_images_get_what_records_leave(told: Cohort, share: float) -> None:
    """Nothing of epsilon is left over, and a larger share for records is a smaller one for images."""
    settings = replace(
        REQUEST.settings,
        privacy=replace(REQUEST.settings.privacy, steps=0),
        records=RecordsSettings(share=share),
    )
    request = replace(REQUEST, settings=settings)
    plan = make_plan(told.facts.members, request, told.schema)
    assert 0.97 * request.epsilon < plan.spend().epsilon <= request.epsilon
    alone = make_plan(told.facts.members, request)
    assert all(noisy > before for noisy, before in zip(plan.warm_start, alone.warm_start, strict=False))


def test_records_that_leave_nothing_for_images_are_refused(told: Cohort) -> None:
    settings = replace(
        REQUEST.settings, privacy=replace(REQUEST.settings.privacy, steps=0), records=RecordsSettings(share=0.999)
    )
    with pytest.raises(UsageError, match="share of epsilon for records"):
        make_plan(told.facts.members, replace(REQUEST, settings=settings), told.schema)


@pytest.mark.parametrize("change", [{"classes": 3}, {"noise": -1.0}, {"more": 1}, {"columns": {}}])
def test_a_broken_table_in_the_model_is_refused(told: Cohort, tmp_path: Path, change: dict[str, object]) -> None:
    run = tmp_path / "run"
    start_run(told, run, REQUEST, StopRequest(), force=False)
    config = json.loads((run / MODEL_CONFIG).read_text())
    (run / MODEL_CONFIG).write_text(json.dumps({**config, "records": {**config["records"], **change}}))
    with pytest.raises(IntegrityError):
        load_generator(run)
