"""What `budget` tells, of whom it tells it, and what it refuses to tell; the site anchor as a user meets it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from privgan.dp.budget.ledger import Ledger
from privgan.dp.gaussian import GaussianQueries
from privgan.run import read_run
from tests.cli.conftest import environment

Privgan = Callable[..., subprocess.CompletedProcess[str]]
QUERY = GaussianQueries(noise_multiplier=3.0, sample_rate=0.1, steps=50)


def ledger_of(cohort: Path) -> Path:
    return cohort / "private" / "ledger.jsonl"


def test_the_account_of_a_cohort(privgan: Privgan, trained: tuple[Path, Path]) -> None:
    """The total, the cap, what still fits and one line a run; JSON and text say the same."""
    cohort, run = trained
    facts = read_run(run)
    told = json.loads(privgan("budget", cohort, "--json").stdout)
    first = told["runs"][0]
    assert (first["run_id"], first["state"], first["delta"]) == (facts.run_id, "closed", facts.spend.delta)
    assert first["epsilon"] == pytest.approx(facts.spend.epsilon)
    assert first["queries"] == sum(
        entry["steps"] for entry in Ledger.read(ledger_of(cohort)).of_kind("charge")[0]["queries"]
    )
    assert told["epsilon"] >= facts.spend.epsilon * 0.999
    assert told["site_anchor"] is None
    assert 0 < told["one_more_run"] < told["max_epsilon"] == 20
    said = privgan("budget", cohort).stdout
    for words in (
        facts.run_id,
        first["date"],
        "closed",
        f"epsilon {told['one_more_run']:.3g} fits",
        "no site anchor",
    ):
        assert words in said


def test_a_patient_is_found_without_being_named(privgan: Privgan, trained: tuple[Path, Path]) -> None:
    """Member, held back or unknown, with the runs; the number is repeated nowhere, also not from standard input."""
    cohort, run = trained
    with np.load(cohort / "patients.npz") as columns:
        owners, sides = columns["patient"].tolist(), columns["split"].tolist()
    side = dict(zip(owners, sides, strict=True))
    member = next(patient for patient in side if side[patient] == 0)
    held_back = next(patient for patient in side if side[patient] == 1)
    wanted = ((f"QZX-{member:05d}-PAT", "member"), (f"QZX-{held_back:05d}-PAT", "non-member"), ("QZX-9", None))
    for number, expected in wanted:
        done = privgan("budget", cohort, "--patient", number, "--json")
        told = json.loads(done.stdout)
        assert told["side"] == expected
        assert (read_run(run).run_id in told["runs"]) is (expected == "member")
        assert "QZX-" not in done.stdout + done.stderr
    line = [
        sys.executable,
        "-c",
        "from privgan_cli.main import main; main()",
        "budget",
        str(cohort),
        "--patient",
        "-",
    ]
    piped = subprocess.run(
        line, input=f"{wanted[0][0]}\n", capture_output=True, text=True, env=environment(), check=True, timeout=300
    )
    assert "a member of this cohort" in piped.stdout
    assert "QZX-" not in piped.stdout + piped.stderr
    privgan("budget", cohort, "--patient", " ", code=2)


@pytest.mark.parametrize("change", ["cut", "dropped", "emptied"])
def test_a_damaged_ledger_is_exit_7(
    privgan: Privgan, trained: tuple[Path, Path], tmp_path: Path, change: str
) -> None:
    """A torn last line, a missing one and an empty file each say what is wrong."""
    cohort = tmp_path / "cohort"
    shutil.copytree(trained[0], cohort)
    lines = ledger_of(cohort).read_bytes().splitlines(keepends=True)
    broken = {"cut": [*lines[:-1], lines[-1][:-9]], "dropped": [lines[0], *lines[2:]], "emptied": []}[change]
    ledger_of(cohort).write_bytes(b"".join(broken))
    said = privgan("budget", cohort, code=7).stderr
    assert {"cut": "cut off", "dropped": "follows a gap", "emptied": "empty"}[change] in said


def test_a_site_anchor_notices_copies_and_second_preparations(privgan: Privgan, source: Path, tmp_path: Path) -> None:
    """Copied back: exit 7. Prepared twice: counted, and what one cohort spends is spent for the other."""
    anchor, one, two = tmp_path / "anchor", tmp_path / "one", tmp_path / "two"
    # Well above 100 members in either, so that both have the same delta.
    words = ("--size", 28, "--non-members", 0.1, "--accept-low-power", "--max-epsilon", 5, "--json", "--site-anchor")
    privgan("prepare", source, one, *words, one / "anchor", code=2)
    first, second = (json.loads(privgan("prepare", source, at, *words, anchor).stdout) for at in (one, two))
    assert first["shared_patients"] == 0
    assert 0 < second["shared_patients"] <= min(first["members"], second["members"])
    shutil.copytree(one, tmp_path / "backup")
    spent = Ledger.read(ledger_of(one)).charge("one", [QUERY], delta=1e-5).spend()
    told = json.loads(privgan("budget", two, "--json").stdout)
    assert told["epsilon"] == pytest.approx(spent.epsilon)
    assert told["runs"] == []
    assert told["site_anchor"]["cohorts"] == 2
    assert "share members" in privgan("budget", one).stdout
    shutil.rmtree(one)
    (tmp_path / "backup").rename(one)
    assert "rolled back" in privgan("budget", one, code=7).stderr
    both = next(
        number
        for number in (f"QZX-{n:05d}-PAT" for n in range(150))
        if len(Ledger.read(ledger_of(two)).anchor.cohorts_of([number])) == 2  # type: ignore[union-attr]
    )
    elsewhere = json.loads(privgan("budget", two, "--patient", both, "--json").stdout)["elsewhere"]
    assert list(elsewhere.values()) == [["one"]]
    anchor.rename(tmp_path / "elsewhere")
    assert "Bring it back" in privgan("budget", two, code=7).stderr
