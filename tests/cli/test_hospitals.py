"""Three hospitals as people use them: keys, an invitation, a yes of each, and three processes that answer."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan.dp.budget.ledger import Ledger
from privgan.run import read_run
from tests.cli.conftest import blobs, command, environment

Privgan = Callable[..., subprocess.CompletedProcess[str]]
NAMES = ("north", "south", "west")
START = "schema = 1\n[warm_start]\norder = 5\nfine_order = 6\n[model]\nlatent = 8\ngenerator_width = 8\n"
QUESTIONS = 4


@pytest.fixture(scope="module")
def home(privgan: Privgan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms split by patient into three hospitals, each with a cohort and a key."""
    folder = tmp_path_factory.mktemp("hospitals")
    owners = np.repeat(np.arange(180), 1 + np.arange(180) % 2)
    images, labels = blobs(len(owners), 5), owners % 2
    for number, name in enumerate(NAMES):
        own = owners % 3 == number
        np.savez(
            folder / f"{name}.npz",
            images=images[own],
            labels=labels[own].astype(np.int64),
            patient_id=np.array([f"QZX-{owner:05d}-PAT" for owner in owners[own]]),
            classes=np.array(["clear", "opacity"]),
        )
        asked = ("--size", 28, "--accept-low-power", "--max-epsilon", 20, "--site-anchor", folder / f"{name}-anchor")
        privgan("prepare", folder / f"{name}.npz", folder / name, *asked)
        privgan("keygen", folder / f"{name}-key", "--no-passphrase")
    (folder / "train.toml").write_text(START)
    return folder


def invited(home: Path, privgan: Privgan, *more: object) -> dict[str, Any]:
    """What `invite` says."""
    sites = [word for name in NAMES for word in ("--site", f"{name}={home / f'{name}-key.pub'}")]
    said = privgan(
        *("invite", home / "federation", "--like", home / "north", *sites, "--epsilon", 4, "--patients", 200),
        *("--key", home / "north-key.key", "--config", home / "train.toml", "--json", *more),
    )
    return dict(json.loads(said.stdout))


def words(home: Path, name: str) -> tuple[object, ...]:
    """What `join` and `answer` are told at a site."""
    keys = ("--key", home / f"{name}-key.key", "--invited-by", home / "north-key.pub")
    return home / "federation", home / name, home / f"run-{name}", *keys


def test_three_processes_end_in_one_generator(home: Path, privgan: Privgan, tmp_path: Path) -> None:
    """One of them is killed while it waits, and started again; each ledger is charged once."""
    told = invited(home, privgan, "--accept-noise")
    assert (told["sites"], told["questions"]) == (list(NAMES), QUESTIONS)
    assert told["as_noisy_as"] < 0.6 * told["epsilon"]
    for name in NAMES[:2]:
        privgan("join", *words(home, name))
    waiting = privgan("answer", *words(home, "north"), "--json", code=75)
    assert json.loads(waiting.stdout)["missing"] == ["west"]
    assert not Ledger.read(home / "north" / "private" / "ledger.jsonl").queries()
    assert "west：尚未加入" in privgan("sites", *_folder(home), "--language", "zh").stdout
    privgan("join", *words(home, "west"))

    first = _started(home, "north")
    while not list((home / "federation" / "answers").glob("*-north.dsse.json")):
        time.sleep(0.02)
        assert first.poll() is None
    first.send_signal(signal.SIGKILL)
    first.wait()
    started = [_started(home, name) for name in NAMES]
    ended = [process.communicate(timeout=300) for process in started]
    assert [process.returncode for process in started] == [0] * len(NAMES), ended
    facts = [read_run(home / f"run-{name}") for name in NAMES]
    assert {each.state for each in facts} == {"finished"}
    assert len({each.generator_sha256 for each in facts}) == 1
    for name in NAMES:
        ledger = Ledger.read(home / name / "private" / "ledger.jsonl")
        assert len(ledger.of_kind("charge")) == 1
        assert len(ledger.of_kind("answered")) == QUESTIONS
    standing = json.loads(privgan("sites", *_folder(home), "--json").stdout)
    assert [each["answered"] for each in standing["sites"]] == [QUESTIONS] * len(NAMES)
    made = tmp_path / "synthetic"
    privgan("generate", home / "run-south", made, "--count", 4, "--format", "npz")
    assert "Members of 3 hospitals" in (made / "README.md").read_text()
    manifest = json.loads((made / "manifest.json").read_text())
    assert manifest["federation"]["sha256"] == told["federation"]
    again = privgan("answer", *words(home, "south"))
    assert "all 4 questions are answered" in again.stdout
    alone = privgan("train", home / "south", home / "run-south", "--epsilon", 4, "--resume", code=2)
    assert "privgan answer" in alone.stderr


def _folder(home: Path) -> tuple[object, ...]:
    return home / "federation", "--invited-by", home / "north-key.pub"


def _started(home: Path, name: str) -> subprocess.Popen[str]:
    line = command("answer", *words(home, name), "--wait", 4)
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())


def test_nothing_can_come_of_too_few_patients(home: Path, privgan: Privgan, tmp_path: Path) -> None:
    """By the noise of all sites together; without --accept-noise nobody is invited."""
    sites = [word for name in NAMES for word in ("--site", f"{name}={home / f'{name}-key.pub'}")]
    asked = ("--like", home / "north", *sites, "--epsilon", 4, "--patients", 200, "--key", home / "north-key.key")
    said = privgan("invite", tmp_path / "federation", *asked, code=5).stderr
    assert "nothing can come of it" in said
    assert not list(tmp_path.iterdir())


def test_a_wrong_letter_is_told_by_its_site(home: Path, privgan: Privgan) -> None:
    """Whoever keeps the folder sees it, in their language, by exit code 6."""
    place = home / "federation" / "answers" / "01-west.dsse.json"
    kept = place.read_bytes()
    place.write_bytes(b"{}")
    said = privgan("sites", *_folder(home), "--language", "zh", code=6).stdout
    assert "站点 west 对提问 1 的应答：" in said
    place.write_bytes(kept)
