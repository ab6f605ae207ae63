"""A privacy officer's laptop has no training stack: what works there, and what the other verbs say.

The stack is made unimportable in processes of their own. What is left is the small install.
"""

import json
import os
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from privgan_cli.stack import TRAINING_STACK
from tests.audits.desk.client import make_desk_gate, open_desk, words
from tests.audits.releasing import Gate, make_gate
from tests.cli.conftest import as_expected, environment
from tests.cli.forking import Warm, warm
from tests.places import ROOT

Privgan = Callable[..., subprocess.CompletedProcess[str]]

BLOCKED = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(TRAINING_STACK)!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """With which the training stack is not installed."""
    folder = tmp_path_factory.mktemp("laptop")
    (folder / "sitecustomize.py").write_text(BLOCKED)
    given = environment()
    return {**given, "PYTHONPATH": os.pathsep.join((str(folder), given["PYTHONPATH"]))}


@pytest.fixture(scope="module")
def laptops(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """What commands are forks of where the training stack is not installed: the command line alone."""
    with warm(tmp_path_factory.mktemp("warm"), variables, light=()) as process:
        yield process


@pytest.fixture(scope="module")
def laptop(laptops: Warm) -> Privgan:
    """Run `privgan ...` there."""
    return lambda *words, code=0: as_expected(laptops.run(*words), code)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    gate = make_gate(tmp_path_factory.mktemp("gate"), officer="officer")
    gate.audit()
    return gate


def test_the_officers_verbs_work_to_their_end(laptop: Privgan, gate: Gate) -> None:
    """All but the release, which draws the set again: that is done where it was made."""
    root, report = gate.root, gate.root / "report"
    until = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    words = ("--purpose", "teaching", "--recipient", "Anytown University", "--reason", "it is small", "--yes")
    approve = ("approve", report, "--key", root / "officer.key", "--name", "Dr. Ada Byron", "--until", until, *words)
    assert json.loads(laptop(*approve, "--cohort", root / "cohort", "--json").stdout)["verdict"] == "PASS"
    assert "PASS" in laptop("report", report, "--cohort", root / "cohort").stdout
    assert "<svg" in (report / "audit.html").read_text(), "charts are drawn, too"
    gate.release(today=datetime.now(UTC).date())
    verify = ("verify", root / "bundle", "--public-key", root / "site.pub", "--officer-key", root / "officer.pub")
    assert "intact" in laptop(*verify).stdout
    revoke = ("revoke", report, "--key", root / "officer.key", "--cohort", root / "cohort", "--reason", "enough")
    assert "withdrawn" in laptop(*revoke).stdout
    assert "keep it" in laptop("keygen", root / "third", "--no-passphrase").stdout
    assert "one more run" in laptop("budget", root / "cohort").stdout
    assert "approve" in laptop("--help").stdout


def test_the_desk_needs_none_either(laptops: Warm, tmp_path: Path) -> None:
    """From its first page to a signature, with pictures to look at."""
    gate = make_desk_gate(tmp_path)
    with open_desk(gate, desks=laptops) as desk:
        officer = desk.visitor
        officer.enter(desk.address)
        assert "data:image/png" in officer.look("pairs").text
        officer.send("pairs", looked="yes")
        assert officer.send("words", **words()).step == "sign"
        officer.send("sign", typed=f"PASS {gate.record()['synthetic']['sha256'][:12]}")
        assert desk.closed()["reports"][0]["verdict"] == "PASS"


def test_a_plan_needs_no_trainer(laptop: Privgan) -> None:
    """Nor does a plan that a cohort is too small for, with a delta at which divergences answer."""
    plan = ("plan", "--patients", "2000", "--batch", "128", "--steps", "250")
    assert "a safe set passes" in laptop(*plan, "--epsilon", "5").stdout
    small = ("plan", "--patients", "200", "--batch", "20", "--steps", "10", "--noise-multiplier", "2")
    assert "No split" in laptop(*small, "--delta", "1e-12", code=5).stderr


@pytest.mark.parametrize(
    "words",
    [
        ("demo", "DIR"),
        ("doctor",),
        ("scan", "SOURCE"),
        ("prepare", "SOURCE", "COHORT"),
        ("train", "COHORT", "RUN", "--epsilon", "3"),
        ("generate", "RUN", "SYNTHETIC", "--count", "5"),
        ("audit", "SYNTHETIC", "--members", "SOURCE", "--report", "REPORT"),
        ("release", "SYNTHETIC", "--cohort", "COHORT", "--report", "REPORT", "--to", "BUNDLE", "--key", "KEY"),
        ("fetch", "http://127.0.0.1:9", "IMAGES"),
        ("send", "BUNDLE", "--public-key", "KEY", "--to", "http://127.0.0.1:9"),
    ],
    ids=lambda words: str(words[0]),
)
def test_every_other_verb_says_in_one_sentence_what_is_missing(
    laptop: Privgan, gate: Gate, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Whatever is asked of it: the sentence comes before anything is read, made or charged."""
    places = {"COHORT": str(gate.root / "cohort"), "SOURCE": str(gate.root / "synthetic")}
    given = [
        str(tmp_path / word) if word.isupper() and word not in places else places.get(word, word) for word in words
    ]
    refusal = laptop(*given, code=2).stderr.strip().splitlines()
    assert len(refusal) == 1
    assert 'pip install "privgan[train]"' in refusal[0]
    assert list(tmp_path.iterdir()) == []


def test_what_pip_brings_without_extras_is_not_the_training_stack() -> None:
    """By the names of distributions; and `train` brings all of it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    light, train = (
        {line.partition(">")[0] for line in lines}
        for lines in (project["dependencies"], project["optional-dependencies"]["train"])
    )
    assert light & set(TRAINING_STACK.values()) == set()
    assert train == set(TRAINING_STACK.values())
