"""An audit that two processes share says to the last digit what one says; where they read different sets it ends."""

import errno
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from privgan.data.cohort.options import PrepareOptions
from privgan.data.sources.wishes import Wishes
from privgan.dp.budget.ledger import Ledger
from privgan.files import write_json
from privgan.folders import recover
from privgan.gan.ranks import meeting
from privgan.gan.ranks.together import Together
from privgan_audits import examine, questions
from privgan_audits.evidence.interface import NotRun
from privgan_audits.policy import Policy
from privgan_audits.questions.controls import spike_in
from privgan_audits.questions.utility import classifier
from privgan_audits.spaces import embedding, patches
from privgan_audits.spaces.lenses import references
from privgan_audits.terms import Terms
from privgan_cli import surface
from privgan_cli.asked import AuditOptions
from privgan_cli.company import audit_along, auditors, given
from privgan_cli.main import run
from tests.brief import GATING
from tests.cli.conftest import blobs
from tests.cli.samples import images_in, save
from tests.gan.ranks.forks import End, Work, after, ends, told_to_wait
from tests.gan.ranks.watching import require_nothing_outside, watched

BRIEF = (
    (classifier, "STEPS", 2),
    (embedding, "LEAST_STEPS", 2),
    (embedding, "EPOCHS", 0),
    (embedding, "COMPARED", 30),
    (embedding, "_BLOCK", 8),
    (patches, "_AT_ONCE", 4),
    (references, "_TILE", 60 * 4),
)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, AuditOptions]:
    """12 synthetic images, two of them a member's, and those whom they are compared with."""
    folder, drawn = tmp_path_factory.mktemp("three"), blobs(60, 3, 16)
    drawn[:2] = drawn[12:14]
    synthetic = save(folder / "synthetic.npz", drawn[:12], "s")
    members, others = save(folder / "members.npz", drawn[12:36], "m"), save(folder / "others.npz", drawn[36:], "n")
    return synthetic, AuditOptions(members=members, non_members=others)


def record_of(report: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((report / "audit.json").read_text())
    return told


@pytest.fixture(scope="module", autouse=True)
def tiny() -> Iterator[None]:
    """Audits that learn next to nothing, share out what has few rows, and draw no pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examine, "write_report", lambda folder, told, *_, **__: write_json(folder / "audit.json", told))
        patch.setattr(spike_in, "disguises_of", lambda _: GATING)
        for module, name, value in BRIEF:
            patch.setattr(module, name, value)
        yield


def shared_by(works: Sequence[tuple[Path, AuditOptions]], report: Path) -> list[End]:
    """An audit by as many processes, forks of this one; how they end."""
    return ends(auditing(works, report), report.parent)


def auditing(works: Sequence[tuple[Path, AuditOptions]], report: Path) -> list[Work]:
    """The parts of as many processes, as the command line has them under torchrun."""
    embedding._TRAINED.clear()

    def work(rank: int) -> None:
        synthetic, options = works[rank]
        told = {"PRIVGAN_MEETING": "m", "RANK": rank, "WORLD_SIZE": len(works), "LOCAL_WORLD_SIZE": len(works)}
        os.environ.update({name: str(value) for name, value in told.items()})
        if rank:
            audit_along(synthetic, report, options, auditors(synthetic, report, options))
        else:
            surface.audit(synthetic, report, options)

    return [lambda rank=rank: work(rank) for rank in range(len(works))]  # type: ignore[misc]


def test_two_processes_say_what_one_says(three: tuple[Path, AuditOptions], tmp_path: Path) -> None:
    """And say it to each other alone."""
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    surface.audit(three[0], alone, three[1])
    seen = watched(auditing([three, three], shared), tmp_path)
    assert seen.ends == [End(code=0)] * 2
    assert record_of(shared)["tests"] == record_of(alone)["tests"]
    assert record_of(shared) == record_of(alone)
    assert {test["id"] for test in record_of(alone)["tests"] if test["outcome"] == "measured"} >= {"T0", "T2", "T3"}
    assert not list(tmp_path.glob(".*"))
    require_nothing_outside(seen)


@pytest.mark.parametrize("changed", ["set", "members"])
def test_processes_that_read_different_sets_end_in_words(
    three: tuple[Path, AuditOptions], tmp_path: Path, changed: str
) -> None:
    """As many images, of the same name; nothing is written."""
    synthetic, options = three
    other, theirs = tmp_path / synthetic.name, options
    if changed == "set":
        save(other, blobs(12, 4, 16), "s")
    else:
        assert options.members is not None
        other = synthetic
        turned = save(tmp_path / options.members.name, images_in(options.members)[:, ::-1], "m")
        theirs = replace(options, members=turned)
    report = tmp_path / "report"
    found = shared_by([three, (other, theirs)], report)
    assert {end.error for end in found} == {"LostRankError"}
    assert all("one read others" in end.message for end in found)
    assert not report.exists()
    assert not list(tmp_path.glob(".*"))


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort among whose attempts an audit of files counts."""
    folder = tmp_path_factory.mktemp("counting")
    source, cohort = save(folder / "source.npz", blobs(60, 4, 28), "q"), folder / "cohort"
    options = PrepareOptions(reading=Wishes(size=28))
    surface.prepare(source, cohort, options, Terms(policy=Policy(), accept_low_power=True))
    return cohort


def typed(three: tuple[Path, AuditOptions], cohort: Path, report: Path, before: Callable[[int], object]) -> list[End]:
    """Two processes that are given the words of the command line, and what is done in each before it begins."""
    embedding._TRAINED.clear()
    words = ["audit", str(three[0]), "--report", str(report), *given(replace(three[1], cohort=cohort))]

    def work(rank: int) -> int:
        told = {"PRIVGAN_MEETING": "m", "RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}
        os.environ.update({name: str(value) for name, value in told.items()})
        sys.stderr = (report.parent / f"said-{rank}").open("w", buffering=1)
        before(rank)
        return run(words)

    return ends([lambda: work(0), lambda: work(1)], report.parent, within=120)


def begun(cohort: Path) -> int:
    """How many attempts are counted; none of them came to its end."""
    ledger = Ledger.read(cohort / "private" / "ledger.jsonl")
    assert not ledger.of_kind("rehearsed")
    return len(ledger.of_kind("begun"))


@pytest.mark.parametrize(("lost", "become"), [(0, "dead"), (1, "dead"), (1, "silent")])
def test_one_that_is_lost_while_they_share_ends_the_audit_that_counts(
    three: tuple[Path, AuditOptions],
    counting: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lost: int,
    become: str,
) -> None:
    """Killed, or stopped for good, among the rows that are shared out: the other says so, and nothing is written.

    Where rank 0 is killed, or one that it did not start hangs, the place where they met is left, closed to all
    others; the next start takes it away.
    """
    attempts = begun(counting)

    def before(rank: int) -> None:
        if rank == lost:
            number = {"dead": signal.SIGKILL, "silent": signal.SIGSTOP}[become]
            Together.joined = after(9, lambda: os.kill(os.getpid(), number), Together.joined)  # type: ignore[method-assign]

    assert meeting._PATIENCE_S == 3600  # an hour, as the how-to says
    monkeypatch.setattr(meeting, "_PATIENCE_S", 5.0)
    waits = told_to_wait(monkeypatch, tmp_path)
    found = typed(three, counting, tmp_path / "report", before)
    assert waits() == {5.0}
    assert (found[lost].code, found[1 - lost].code) == (-signal.SIGKILL, 75)
    assert lost == 0 or "does not answer" in (tmp_path / "said-0").read_text()
    assert begun(counting) == attempts + 1
    assert not (tmp_path / "report").exists()
    left = [path for path in tmp_path.glob(".*") if not path.name.endswith(".partial")]
    assert [path.stat().st_mode & 0o777 for path in left] == [0o700] * (lost == 0 or become == "silent")
    if lost == 0:
        recover(tmp_path / "report")
    assert not list(tmp_path.glob("*.partial"))


def test_a_full_disk_ends_the_audit_with_what_the_system_said(
    three: tuple[Path, AuditOptions], counting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing half-written is left; the attempt stays counted."""
    attempts = begun(counting)

    def full(folder: Path, *_: object, **__: object) -> None:
        (folder / "audit.json").write_text("{")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(examine, "write_report", full)
    monkeypatch.setattr(questions, "QUESTIONS", questions.QUESTIONS[:1])
    monkeypatch.setattr(examine, "measure_utility", lambda *_: NotRun(reason="nobody asks"))
    found = typed(three, counting, tmp_path / "report", lambda _: None)
    assert found[0].code == 2
    assert "disk is full" in (tmp_path / "said-0").read_text()
    assert begun(counting) == attempts + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["said-0", "said-1"]
