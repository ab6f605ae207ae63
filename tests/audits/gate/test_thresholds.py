"""The policy's thresholds: looser ones are named, impossible ones refused, and a report cannot be given others."""

import dataclasses
import json
import math
from typing import Any

import pytest

from privgan.errors import IntegrityError, UsageError
from privgan_audits.policy import NO_THRESHOLDS, Policy

THRESHOLDS = [field.name for field in dataclasses.fields(Policy) if field.name not in NO_THRESHOLDS]
LOOSER = {
    "alpha": 0.001,
    "fail_auc": 0.6,
    "fail_tpr": 0.03,
    "max_auc": 0.6,
    "max_tpr": 0.06,
    "max_attribute_advantage": 0.1,
    "max_detectable_auc": 0.06,
    "max_copied_patients": 21,
    "max_copied_share": 0.02,
    "split_alpha": 1e-4,
    "resplit_quantile": 0.9999,
    "max_epsilon": 11.0,
    "min_chance_of_pass": 0.7,
    "strong_epsilon": 1.5,
    "moderate_epsilon": 4.0,
    "weak_epsilon": 11.0,
}


@pytest.mark.parametrize("name", THRESHOLDS)
def test_each_looser_threshold_is_named_and_a_tighter_one_is_not(name: str) -> None:
    loose = dataclasses.replace(Policy(), **{name: LOOSER[name]})
    assert [line.split()[0] for line in loose.looser_than_default()] == [name]
    default = getattr(Policy(), name)
    tight = default + (default - LOOSER[name]) / 100
    tight = 19 if name == "max_copied_patients" else tight
    assert dataclasses.replace(Policy(), **{name: tight}).looser_than_default() == []
    assert loose.sha256 != Policy().sha256


@pytest.mark.parametrize("name", THRESHOLDS)
@pytest.mark.parametrize("value", [math.nan, -1.0, math.inf])
def test_thresholds_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=name):
        dataclasses.replace(Policy(), **{name: value})


def test_a_policy_survives_the_report_and_an_edit_is_found(tmp_path: Any) -> None:
    path = tmp_path / "policy.toml"
    # At their defaults the three tiers are not written, so that older policies keep their digests.
    tiers = "strong_epsilon = 0.5\nmoderate_epsilon = 2.5\nweak_epsilon = 9.0\n"
    path.write_text(f"schema = 1\nmax_auc = 0.52\nalpha = 0.02\n{tiers}")
    policy = Policy.read(path)
    assert (policy.max_auc, policy.max_tpr) == (0.52, 0.05)
    table = json.loads(json.dumps(policy.to_json()))
    assert Policy.from_json(table) == policy
    for name in THRESHOLDS:
        with pytest.raises(IntegrityError):
            Policy.from_json(table | {name: LOOSER[name]})
        with pytest.raises(IntegrityError):
            Policy.from_json({key: value for key, value in table.items() if key != name})
    path.write_text("schema = 1\nmax_acu = 0.52\n")
    with pytest.raises(UsageError, match="max_auc"):
        Policy.read(path)
