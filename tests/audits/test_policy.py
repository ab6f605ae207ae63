"""Policy presets: what each demands, how one is chosen, and that a report cannot claim a name it does not have."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from scipy import optimize, stats

from privgan import seals
from privgan.errors import IntegrityError, UsageError
from privgan_audits.gate.verdict import judge
from privgan_audits.policy import DEFAULT, NO_THRESHOLDS, OPEN_RELEASE, OWN, PRESETS, RESTRICTED_ACCESS, Policy
from privgan_audits.questions.controls.rule import SEARCHED, SEARCHED_AT_LEAST
from privgan_audits.report.words.frame import POLICIES
from tests.audits.gate.test_verdict import good, test
from tests.places import ROOT

PAGE = ROOT / "docs/how-to/write-a-policy.md"
KEYS = [field.name for field in dataclasses.fields(Policy) if field.name not in NO_THRESHOLDS]


def test_the_presets_are_those_of_the_table() -> None:
    table = re.findall(r"^\| `(\w+)` \| `([\d.]+)` \| `([\d.]+)` \| `([\d.]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert [row[0] for row in table] == KEYS
    for column, name in enumerate((RESTRICTED_ACCESS, DEFAULT, OPEN_RELEASE), start=1):
        assert {row[0]: row[column] for row in table} == {key: str(getattr(PRESETS[name], key)) for key in KEYS}


def test_open_release_is_strictest_and_restricted_access_is_red() -> None:
    assert PRESETS[DEFAULT] == Policy()
    assert PRESETS[DEFAULT].looser_than_default() == PRESETS[OPEN_RELEASE].looser_than_default() == []
    red = [line.split()[0] for line in PRESETS[RESTRICTED_ACCESS].looser_than_default()]
    copied = ["max_copied_patients", "max_copied_share"]
    assert red == ["max_auc", "max_tpr", "max_attribute_advantage", "max_detectable_auc", *copied]


def ceilings(epsilon: float, delta: float = 1e-5) -> tuple[float, float]:
    """AUC and hits at 1 % false accusations of the best attack on Gaussian DP (Dong, Roth and Su 2022)."""
    normal = stats.norm

    def excess(mu: float) -> float:
        loss = normal.logcdf(-epsilon / mu - mu / 2)
        return float(normal.cdf(-epsilon / mu + mu / 2) - 2.718281828459045 ** (epsilon + loss) - delta)

    mu = optimize.brentq(excess, 1e-3, 20)
    return float(normal.cdf(mu / 2**0.5)), float(normal.cdf(normal.ppf(0.01) + mu))


@pytest.mark.parametrize(
    ("epsilon", "auc", "tpr"),
    [(0.5, 0.540, 0.014), (1, 0.575, 0.020), (2, 0.639, 0.034), (3, 0.694, 0.054), (4.5, 0.766, 0.096)],
)
def test_the_ceilings_in_the_table_are_right(epsilon: float, auc: float, tpr: float) -> None:
    assert ceilings(epsilon) == pytest.approx((auc, tpr), abs=6e-4)


def test_thresholds_stay_below_the_ceilings_that_justify_them() -> None:
    for name, epsilon in ((RESTRICTED_ACCESS, 2), (DEFAULT, 1), (OPEN_RELEASE, 0.5)):
        policy = PRESETS[name]
        assert policy.max_auc < ceilings(epsilon)[0]
        assert policy.max_detectable_auc == pytest.approx(policy.max_auc - 0.5)
        assert policy.max_copied_share <= SEARCHED
        assert policy.max_copied_patients <= SEARCHED_AT_LEAST


@pytest.mark.parametrize(
    ("key", "value", "passing"),
    [
        ("auc_upper", 0.59, {RESTRICTED_ACCESS}),
        ("auc_upper", 0.54, {RESTRICTED_ACCESS, DEFAULT}),
        ("tpr_upper", 0.09, {RESTRICTED_ACCESS}),
        ("tpr_upper", 0.04, {RESTRICTED_ACCESS, DEFAULT}),
        ("auc_se_when_safe", 0.019, {RESTRICTED_ACCESS, DEFAULT}),
        ("auc_se_when_safe", 0.012, {RESTRICTED_ACCESS, DEFAULT, OPEN_RELEASE}),
    ],
)
def test_the_same_numbers_pass_for_some_recipients_and_not_for_others(
    key: str, value: float, passing: set[str]
) -> None:
    record = good()
    test(record, "T3").update({"auc_upper": 0.51, "tpr_upper": 0.02, "auc_se_when_safe": 0.01, key: value})
    assert {name for name, policy in PRESETS.items() if judge(policy, record).verdict == "PASS"} == passing


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("schema = 1", *lines)))
    return path


def test_a_name_is_a_preset_and_a_path_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path(OPEN_RELEASE), "max_auc = 0.99")
    write(Path("house.toml"), "max_auc = 0.52")
    assert Policy.chosen(None) == Policy()
    for name, policy in PRESETS.items():
        assert Policy.chosen(name) == policy
    assert Policy.chosen(f"./{OPEN_RELEASE}").max_auc == 0.99
    assert Policy.chosen("house.toml").max_auc == Policy.chosen(str(tmp_path / "house.toml")).max_auc == 0.52
    with pytest.raises(UsageError, match="Did you mean 'open-release'"):
        Policy.chosen("open-relaese")
    for odd in ("", "house", ".."):
        with pytest.raises(UsageError, match=r"restricted-access.*\./FILE"):
            Policy.chosen(odd)
    with pytest.raises(UsageError, match="readable"):
        Policy.chosen("nowhere.toml")


def test_a_file_may_start_from_a_preset(tmp_path: Path) -> None:
    path = write(tmp_path / "p.toml", 'preset = "open-release"', "max_epsilon = 2")
    assert Policy.read(path) == dataclasses.replace(PRESETS[OPEN_RELEASE], max_epsilon=2.0)
    assert Policy.read(write(path, 'preset = "open-release"')) == PRESETS[OPEN_RELEASE]
    assert Policy.read(write(path)) == Policy()
    for wrong in ('preset = "open"', "preset = 3", 'preset = ["default"]', 'preset = "own"', 'presett = "default"'):
        with pytest.raises(UsageError):
            Policy.read(write(path, wrong))


def test_the_name_follows_from_the_thresholds(tmp_path: Path) -> None:
    path = write(tmp_path / "p.toml", 'preset = "open-release"', "max_auc = 0.9")
    assert Policy.read(path).preset == OWN
    spelt = [f"{key} = {getattr(PRESETS[OPEN_RELEASE], key)}" for key in KEYS]
    assert Policy.read(write(path, *spelt)).to_json() == PRESETS[OPEN_RELEASE].to_json()
    assert {policy.preset for policy in PRESETS.values()} | {OWN} == set(POLICIES)
    assert len({policy.sha256 for policy in PRESETS.values()}) == len(PRESETS)


def test_a_report_cannot_claim_another_name_or_hide_what_is_looser() -> None:
    table = json.loads(json.dumps(PRESETS[RESTRICTED_ACCESS].to_json()))
    assert Policy.from_json(table) == PRESETS[RESTRICTED_ACCESS]
    for edit in (
        {"preset": OPEN_RELEASE},
        {"preset": None},
        {"looser_than_default": []},
        {"more": 1},
        {"max_auc": 0.55},
        {"max_auc": "0.6"},
        {"sha256": Policy().sha256},
    ):
        with pytest.raises(IntegrityError):
            Policy.from_json(table | edit)
    for key in table:
        with pytest.raises(IntegrityError):
            Policy.from_json({name: value for name, value in table.items() if name != key})


def test_an_officers_key_is_part_of_the_policy_but_no_threshold(tmp_path: Path) -> None:
    line = seals.key_line(Ed25519PrivateKey.generate().public_key())
    path = write(tmp_path / "p.toml", 'preset = "restricted-access"', f'officer_key = "{line}"')
    policy, bare = Policy.read(path), PRESETS[RESTRICTED_ACCESS]
    assert (policy.preset, policy.looser_than_default()) == (RESTRICTED_ACCESS, bare.looser_than_default())
    assert policy.sha256 != bare.sha256
    assert Policy.from_json(json.loads(json.dumps(policy.to_json()))) == policy
    for wrong in (line[:-1], "hospital.pub", line.lower()):
        with pytest.raises(UsageError, match="officer_key in the policy"):
            Policy.read(write(path, f'officer_key = "{wrong}"'))
        with pytest.raises(IntegrityError):
            Policy.from_json({**policy.to_json(), "officer_key": wrong})
    with pytest.raises(IntegrityError):
        Policy.from_json({**policy.to_json(), "officer_key": ""})
