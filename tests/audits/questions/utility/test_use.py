"""The band of a set's use: each condition alone takes it away, and examples of real audits get what they deserve."""

import json
from pathlib import Path
from typing import Any

import pytest

from privgan_audits.questions.utility.use import GOOD, LIMITED, POOR, UNKNOWN, judge_use
from privgan_audits.report.usefulness import use
from tests.places import ROOT

REAL = {"coverage": 0.9, "precision": 0.9, "density": 1.0}


def found(*, collapse: str = "none", shapes: float | None = 0.6, reference: Any = REAL, **shares: float) -> Any:
    every = {name: {"synthetic": shares.get(name, 0.9) * REAL[name], "reference": reference[name]} for name in REAL}
    realism = {"reason": "few"} if shapes is None else {"shapes": {"synthetic": {"value": shapes}}}
    return {"fidelity": {"all": every}, "diversity": {"collapse": collapse}, "realism": realism}


def test_shares_are_those_of_the_reference() -> None:
    judged = judge_use(found(coverage=0.85))
    assert judged["band"] == GOOD
    assert judged["coverage"] == pytest.approx(0.85)
    assert judged["density"] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("changes", "band"),
    [
        ({"coverage": 0.79}, LIMITED),
        ({"precision": 0.79}, LIMITED),
        ({"density": 0.49}, LIMITED),
        ({"shapes": 0.76}, LIMITED),
        ({"shapes": None}, LIMITED),
        ({"collapse": "partial"}, LIMITED),
        ({"collapse": "severe"}, POOR),
        ({"coverage": 0.24}, POOR),
        ({"precision": 0.24}, POOR),
        ({"density": 0.24}, POOR),
        ({"coverage": float("nan")}, POOR),
        ({"coverage": 0.26, "density": 0.26, "precision": 0.26}, LIMITED),
        ({"reference": {**REAL, "coverage": 0.4}}, UNKNOWN),
        ({"reference": {**REAL, "precision": float("nan")}}, UNKNOWN),
    ],
)
def test_each_condition_counts_alone(changes: dict[str, Any], band: str) -> None:
    assert judge_use(found(**changes))["band"] == band


def test_without_likeness_nothing_is_said() -> None:
    assert judge_use(found() | {"fidelity": {"reason": "few"}}) == {"band": UNKNOWN}


@pytest.mark.parametrize(
    ("name", "band"), [("pass", LIMITED), ("fail", LIMITED), ("inconclusive", POOR), ("invalid", UNKNOWN)]
)
def test_the_examples_get_a_sensible_band(name: str, band: str) -> None:
    """By likeness alone if their records are older than realism."""
    utility = json.loads(Path(ROOT / "docs/examples" / name / "audit.json").read_text())["utility"]
    assert judge_use({"realism": {"reason": ""}} | utility)["band"] == band


def test_a_chest_ct_that_showed_nothing_is_of_poor_use_in_words() -> None:
    judged = judge_use(found(coverage=0.02, precision=0.06, density=0.01))
    told = use({"outcome": "measured", "use": judged})
    assert told.startswith("Of poor use: these images cover 2 % of what other real ones cover, and 6 % as many")
    assert "will not stand" in told


@pytest.mark.parametrize("band", [GOOD, LIMITED, POOR, UNKNOWN])
def test_every_band_has_its_sentence(band: str) -> None:
    shares = {} if band == UNKNOWN else {"coverage": 1.2, "precision": 0.5, "density": 0.5}
    told = use({"use": {"band": band, **shares}})
    assert band in told
    assert ("100 %" in told) == (band != UNKNOWN)
    assert use({"outcome": "not-run", "reason": "no non-members"}) == ""
