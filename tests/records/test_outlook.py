"""What is said of records beforehand is what noise then does."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from privgan.gan.image_model import STARTS, RecordsSettings
from privgan.gan.training.planning import make_plan, outlook_of_records
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.settings import PRESETS, TrainSettings
from privgan.records.outlook import RecordsOutlook, records_outlook
from privgan.records.pairs import Pairs
from privgan.records.schema import Schema

SCHEMA = Schema.of({"sex": "category(F|M)", "age": "number(18..90)", "stage": "ordinal(I<II<III)"})


def looked(members: int, noise: float = 5.0) -> RecordsOutlook:
    return records_outlook(SCHEMA, classes=2, members=members, noise=noise, share=0.2, times=1.3)


def test_what_drowns_are_two_standard_errors_of_a_count() -> None:
    """Of the numbers that an answer without any patient gives."""
    pairs, rng = Pairs((2, *SCHEMA.levels)), np.random.default_rng(0)
    weights = np.repeat(pairs.weights, np.diff(pairs.starts))
    draws = [pairs.alone(rng.normal(0, 5.0, pairs.cells) / weights, 5.0)[0] for _ in range(2000)]
    for number, column in enumerate(looked(900).columns, start=1):
        found = 2 * np.std([draw[number] for draw in draws])
        assert column.drowns == pytest.approx(found, rel=0.05, abs=1)
        assert column.average == pytest.approx(900 / column.values, abs=0.5)


def test_a_column_whose_average_value_drowns_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """Bands drown first; with more patients nothing does."""
    many, few = looked(4000), looked(200)
    assert [column.drowned for column in many.columns] == [False, False, False]
    assert [column.drowned for column in few.columns] == [False, True, False]
    with caplog.at_level(logging.INFO):
        few.say()
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith("records: age drowns")
    assert len(caplog.records) == 4


@pytest.mark.parametrize("steps", [0, 20])
def test_images_bear_as_much_more_noise_as_is_said(steps: int) -> None:
    """With steps by one factor of the settings alone; without, the table's part is missing, too."""
    base = PRESETS["balanced"]
    settings: TrainSettings = replace(base, privacy=replace(base.privacy, steps=steps))
    request = TrainRequest(settings=settings, epsilon=3.0, delta=None)
    plan, alone = make_plan(1000, request, SCHEMA), make_plan(1000, request)
    said = outlook_of_records(plan, request, SCHEMA, 2)
    assert said is not None
    assert outlook_of_records(alone, request, SCHEMA, 2) is None
    assert plan.warm_start[1] / alone.warm_start[1] == pytest.approx(said.times)
    simple = RecordsSettings().times(STARTS["balanced"])
    assert (said.times == pytest.approx(simple)) if steps else (said.times > simple)
