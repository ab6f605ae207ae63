"""`doctor --attack-mechanism`: what it says of a sound mechanism and of a broken one."""

import json
from typing import Any

import pytest

from privgan.dp.mechanism import noisy_gradient
from privgan.dp.noise import replayable_generator
from privgan_cli.main import run
from privgan_cli.verbs import doctor


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_ATTACK_STEPS", 40)


def test_a_broken_mechanism_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3, and the attack that found it by name."""

    def repeated(*arguments: Any, **_: Any) -> None:
        noisy_gradient(*arguments, rng=replayable_generator(0))

    monkeypatch.setattr("privgan.gan.training.step.noisy_gradient", repeated)
    assert run(["doctor", "--attack-mechanism"]) == 3
    said = capsys.readouterr().out
    assert "FAILED  fresh noise" in said
    assert "passed  once a step" in said
    assert "Do not train" in said.splitlines()[-1]


def test_json_names_every_attack(capsys: pytest.CaptureFixture[str]) -> None:
    """A verdict a finding; the noise is fresh, so only the exact ones are certain."""
    assert run(["doctor", "--attack-mechanism", "--json"]) in {0, 3}
    attacks = json.loads(capsys.readouterr().out)["attacks"]
    assert {"name", "tried", "measured", "expected", "passed", "p_value"} == set(attacks[0])
    exact = {a["name"]: a["passed"] for a in attacks if a["p_value"] is None}
    assert all(exact[name] for name in ("clipping", "patient level", "public divisor", "no mixing", "once a step"))


def test_extras_that_are_missing_are_told_with_what_they_are_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing else of the machine is called ill for it."""
    monkeypatch.setitem(doctor._EXTRAS, "archive", ("no_such_module",))
    assert run(["doctor"]) == 0
    assert "privgan[archive]: not found (send and fetch)" in capsys.readouterr().out
    assert run(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["extras"]["archive"] is False
