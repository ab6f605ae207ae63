"""Training as a user runs it: stopped, resumed, refused."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from privgan.dp.budget.ledger import Ledger
from tests.cli.forking import Warm

Privgan = Callable[..., subprocess.CompletedProcess[str]]


def _start(loaded: Warm, cohort: Path, run: Path, config: Path) -> int:
    return loaded.start("train", cohort, run, "--epsilon", 4, "--config", config, "--steps", 1500, "--accept-noise")


def _wait_for(there: Callable[[], bool]) -> None:
    for _ in range(600):
        if there():
            return
        time.sleep(0.1)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_a_stopped_run_can_be_resumed(
    privgan: Privgan,
    loaded: Warm,
    new_cohort: Callable[[], Path],
    fast_config: Path,
    tmp_path: Path,
    sent: int,
    code: int,
) -> None:
    """SIGTERM exits 75 and Ctrl-C 130; the run resumes to exactly the planned steps under one charge."""
    cohort, run = new_cohort(), tmp_path / "run"
    process = _start(loaded, cohort, run, fast_config)
    _wait_for((run / "private" / "state.safetensors").exists)
    time.sleep(1)
    os.kill(process, sent)
    stopped = loaded.wait(process)
    assert stopped.returncode == code, stopped.stderr
    assert "--resume" in stopped.stderr
    charged = Ledger.read(cohort / "private" / "ledger.jsonl").of_kind("charge")
    assert len(charged) == 1
    assert json.loads((run / "run.json").read_text())["state"] == "training"
    privgan("generate", run, tmp_path / "early", "--count", 3, code=2)  # there is no generator yet
    privgan("train", cohort, run, "--epsilon", 3, "--resume", code=2)  # what is charged cannot change
    # Cut the plan short by hand: the ledger notices.
    facts = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**facts, "plan": {**facts["plan"], "steps": 10}}))
    privgan("train", cohort, run, "--epsilon", 4, "--resume", code=7)


def test_an_old_or_foreign_state_is_refused(
    privgan: Privgan, loaded: Warm, new_cohort: Callable[[], Path], fast_config: Path, tmp_path: Path
) -> None:
    """Putting back an earlier checkpoint would reuse noise that was seen: exit 7."""
    cohort, run = new_cohort(), tmp_path / "run"
    quick = tmp_path / "quick.toml"
    quick.write_text(fast_config.read_text() + "checkpoint_seconds = 0.05\n")
    process = _start(loaded, cohort, run, quick)
    _wait_for((run / "private" / "state.safetensors").exists)
    shutil.copy(run / "private" / "state.safetensors", tmp_path / "old")
    _wait_for(lambda: len(Ledger.read(cohort / "private" / "ledger.jsonl").of_kind("checkpoint")) > 5)
    os.kill(process, signal.SIGTERM)
    loaded.wait(process)
    shutil.copy(tmp_path / "old", run / "private" / "state.safetensors")
    said = privgan("train", cohort, run, "--epsilon", 4, "--resume", code=7).stderr
    assert "older or a foreign" in said
    (run / "private" / "state.safetensors").unlink()
    privgan("train", cohort, run, "--epsilon", 4, "--resume", code=7)


@pytest.mark.parametrize("epsilon", ["0", "-1", "nan", "inf", "many"])
def test_impossible_epsilons_exit_2(
    privgan: Privgan, trained: tuple[Path, Path], tmp_path: Path, epsilon: str
) -> None:
    """Nothing is charged and no folder is made."""
    cohort, _ = trained
    before = (cohort / "private" / "ledger.jsonl").read_bytes()
    privgan("train", cohort, tmp_path / "run", f"--epsilon={epsilon}", code=2)
    assert not (tmp_path / "run").exists()
    assert (cohort / "private" / "ledger.jsonl").read_bytes() == before


def test_nothing_is_spent_on_what_noise_would_drown(
    privgan: Privgan, trained: tuple[Path, Path], fast_config: Path, tmp_path: Path
) -> None:
    """Refused before anything is charged, with what would be needed; the flag is what the other trainings have."""
    cohort, _ = trained
    before = (cohort / "private" / "ledger.jsonl").read_bytes()
    said = privgan("train", cohort, tmp_path / "run", "--epsilon", 1, "--config", fast_config, code=5).stderr
    assert "nothing can come of it" in said
    assert "patients a class" in said
    assert "--accept-noise" in said
    assert not (tmp_path / "run").exists()
    assert (cohort / "private" / "ledger.jsonl").read_bytes() == before


def test_other_refusals(privgan: Privgan, trained: tuple[Path, Path], fast_config: Path, tmp_path: Path) -> None:
    """delta, unknown keys, an existing run, an exhausted cap, a batch above the members, another cohort's run."""
    cohort, run = trained
    train = ("train", cohort, tmp_path / "run", "--epsilon")
    privgan("train", cohort, tmp_path / "run", code=2)  # epsilon has no default
    for delta in ("1", "0.5", "0", "nan", "-1e-5"):
        privgan(*train, 4, "--delta", delta, "--accept-noise", code=2)
    typo = tmp_path / "typo.toml"
    typo.write_text("schema = 1\n[privacy]\nbatchs = 20\n")
    assert "batch" in privgan(*train, 4, "--config", typo, "--accept-noise", code=2).stderr
    privgan("train", cohort, run, "--epsilon", 4, "--config", fast_config, "--accept-noise", code=2)
    assert "cap" in privgan(*train, 30, "--config", fast_config, "--accept-noise", code=7).stderr
    typo.write_text("schema = 1\n[privacy]\nbatch = 128\n")
    assert (
        "batch" in privgan(*train, 4, "--config", typo, "--accept-noise", code=5).stderr
    )  # more than this cohort has
    privgan("train", tmp_path / "nowhere", tmp_path / "run", "--epsilon", 4, code=2)
    assert not (tmp_path / "run").exists()
