"""A recipient reads in the line of the verdict under which policy a set passed; a looser one is no bare PASS."""

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from privgan.errors import IntegrityError
from privgan.files import write_json
from privgan_audits.policy import DEFAULT, NO_THRESHOLDS, OWN, PRESETS, RESTRICTED_ACCESS, Policy, sha256_of
from privgan_audits.release.bundle import PUBLIC_PAGE, PUBLIC_SUMMARY
from privgan_audits.release.verify import VerifiedBundle
from privgan_cli.main import run
from tests.audits.releasing import Gate, Record, make_gate, sign_again

LOOSE = {
    "alpha": 0.0099,
    "fail_auc": 0.53,
    "fail_tpr": 0.021,
    "max_auc": 0.56,
    "max_tpr": 0.06,
    "max_attribute_advantage": 0.1,
    "max_detectable_auc": 0.06,
    "max_copied_patients": 21,
    "max_copied_share": 0.016,
    "split_alpha": 0.0009,
    "resplit_quantile": 0.9991,
    "max_epsilon": 11.0,
    "min_chance_of_pass": 0.79,
    "strong_epsilon": 1.1,
    "moderate_epsilon": 3.1,
    "weak_epsilon": 10.1,
}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return make_gate(tmp_path_factory.mktemp("gate"))


def released(gate: Gate, policy: Policy, overrides: tuple[str, ...] = ()) -> VerifiedBundle:
    gate.audit(
        lambda record: record.update(policy=policy.to_json(), overrides=list(overrides), level=policy.level(1))
    )
    gate.release(force=True)
    return gate.verify()


def test_every_threshold_is_tried() -> None:
    assert set(LOOSE) == {field.name for field in dataclasses.fields(Policy)} - {*NO_THRESHOLDS}


@pytest.mark.parametrize("name", LOOSE)
def test_a_looser_threshold_is_never_a_bare_pass(gate: Gate, name: str) -> None:
    loose = dataclasses.replace(Policy(), **{name: LOOSE[name]})
    line = released(gate, loose).verdict_line
    assert line.startswith("PASS UNDER A LOOSER POLICY, moderate promise (differential-privacy), policy own; ")
    assert f"{name} = {LOOSE[name]:g} instead of" in line


@pytest.mark.parametrize(("policy", "name"), [(Policy(), DEFAULT), (Policy(max_auc=0.54), OWN)])
def test_a_policy_that_asks_no_less_is_named(gate: Gate, policy: Policy, name: str) -> None:
    found = released(gate, policy, ("accept-delta",))
    assert (
        found.verdict_line == f"PASS, moderate promise (differential-privacy), policy {name}; override accept-delta"
    )


def test_the_command_and_the_page_say_it(gate: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    """On the console, for machines, and on the page that lies in the bundle."""
    looser = released(gate, PRESETS[RESTRICTED_ACCESS], ("accept-delta",)).looser
    command = ["verify", str(gate.root / "bundle"), "--public-key", str(gate.root / "site.pub")]
    assert run(command) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "PASS" in line]
    assert line.startswith(
        "PASS UNDER A LOOSER POLICY, moderate promise (differential-privacy), policy restricted-access; max_auc = 0.6"
    )
    assert all(detail in line for detail in (*looser, "override accept-delta", "epsilon 3 at delta 1e-05"))
    assert run([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["verdict"] == "PASS UNDER A LOOSER POLICY"
    assert said["policy"] == {"preset": "restricted-access", "looser_than_default": list(looser)}
    page = (gate.root / "bundle" / PUBLIC_PAGE).read_text()
    assert re.search(
        r"</span> PASS UNDER A LOOSER POLICY <span class=.strength pass.>moderate promise</span></h2>", page
    )
    assert "Verdict PASS, moderate promise" in (gate.root / "bundle" / "VERIFY.md").read_text()


def edited(bundle: Path, **changes: Any) -> str:
    """Let the public summary state another policy; returns the digest of its values."""
    summary = json.loads((bundle / PUBLIC_SUMMARY).read_text())
    policy = {**summary["policy"], **changes}
    write_json(bundle / PUBLIC_SUMMARY, {**summary, "policy": policy})
    return sha256_of(policy)


def test_a_default_that_was_another_is_told_by_both(gate: Gate) -> None:
    """A bundle of a version with other thresholds: what either version calls looser is told, and no preset's name."""
    released(gate, Policy())
    looser = ["max_elsewhere = 1 instead of 0"]
    sha256 = edited(gate.root / "bundle", max_auc=0.56, max_elsewhere=1, looser_than_default=looser)
    edited(gate.root / "bundle", sha256=sha256)

    def restate(predicate: Record) -> None:
        predicate.update(policy_sha256=sha256, policy_looser_than_default=looser)

    sign_again(gate, gate.root / "bundle", restate)
    found = gate.verify()
    assert (found.policy, found.looser) == (
        OWN,
        ("max_elsewhere = 1 instead of 0", "max_auc = 0.56 instead of 0.55"),
    )


def test_a_looser_policy_cannot_be_stated_as_the_default(gate: Gate) -> None:
    """By whoever holds the release key: the digest that the officer approved, beside another policy's values."""
    assert released(gate, PRESETS[RESTRICTED_ACCESS]).looser
    edited(gate.root / "bundle", **{**Policy().to_json(), "sha256": PRESETS[RESTRICTED_ACCESS].sha256})
    sign_again(gate, gate.root / "bundle", lambda predicate: predicate.update(policy_looser_than_default=[]))
    with pytest.raises(IntegrityError, match="policy in the public report"):
        gate.verify()


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "0" * 64},
        {"looser_than_default": ["max_auc = 0.6 instead of 0.55"]},
        {"max_auc": "a lot"},
        {"max_auc": 7.0},
        {"max_auc": 0.54},  # in a value alone: the digest, which is what an officer approved, is the other policy's
        {"preset": None, "sha256": None},
    ],
)
def test_a_policy_that_is_not_the_stated_one_is_refused(gate: Gate, change: Mapping[str, Any]) -> None:
    released(gate, Policy())
    edited(gate.root / "bundle", **change)
    sign_again(gate, gate.root / "bundle")
    with pytest.raises(IntegrityError, match="policy in the public report"):
        gate.verify()
