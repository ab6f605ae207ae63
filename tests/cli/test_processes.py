"""Work in several processes as a user starts it: with --processes, or through torchrun."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from privgan.dp.budget.ledger import Ledger
from privgan.errors import LostRankError, UsageError
from privgan.folders import staged_folder
from privgan.gan.ranks.company import Company
from privgan.gan.ranks.waiting import in_time
from privgan.run import WEIGHTS, read_run
from privgan.synthetic.class_shares import UNIFORM
from privgan.synthetic.drawing import Asked, Drawing
from privgan.synthetic.generate import GenerateOptions, draw, generate
from privgan.synthetic.set_files import SetFiles
from privgan.synthetic.synthetic_set import MARKER, open_synthetic_set
from privgan_cli.company import draw_along, in_silence, sharing
from privgan_cli.dispatch import dispatch
from privgan_cli.main import run
from tests.cell import addresses
from tests.cli.conftest import as_expected, environment
from tests.cli.forking import Warm
from tests.gan.ranks.forks import End, Work, ends
from tests.gan.ranks.watching import require_nothing_outside, watched

Privgan = Callable[..., subprocess.CompletedProcess[str]]
SEEDED = ("--epsilon", 4, "--accept-noise", "--not-private-seed", 5)


@pytest.fixture(scope="module")
def cohort(new_cohort: Callable[[], Path]) -> Path:
    return new_cohort()


def torchrun(*words: object, ranks: int) -> subprocess.CompletedProcess[str]:
    """`torchrun --standalone ... -m privgan_cli` with these words."""
    line = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", ranks, "-m", "privgan_cli", *words]
    asked = [sys.executable, *map(str, line)]
    return subprocess.run(asked, capture_output=True, text=True, env=environment(), timeout=300, check=False)


def test_both_ways_give_the_generator_of_one_process(
    privgan: Privgan, cohort: Path, fast_config: Path, tmp_path: Path
) -> None:
    """The same file, said once, on stdout of rank 0; each run is charged once."""
    before, words = len(Ledger.read(cohort / "private/ledger.jsonl").of_kind("charge")), ("--config", fast_config)
    privgan("train", cohort, tmp_path / "alone", *SEEDED, *words)
    done = privgan("train", cohort, tmp_path / "both", *SEEDED, *words, "--processes", 2)
    two = as_expected(torchrun("train", cohort, tmp_path / "two", *SEEDED, *words, ranks=2), 0)
    for said in (done, two):
        assert said.stdout.count("trained 6 steps") == 1
    assert len({read_run(tmp_path / name).generator_sha256 for name in ("alone", "both", "two")}) == 1
    assert len(Ledger.read(cohort / "private/ledger.jsonl").of_kind("charge")) == before + 3


def _children(process: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended meanwhile
            continue
        if parent == process:
            found.append(int(status.parent.name))
    return found


def test_a_process_that_is_killed_ends_the_training_in_words(
    loaded: Warm, cohort: Path, fast_config: Path, tmp_path: Path
) -> None:
    """Which, by what, and how to go on; in the reader's language, and the others leave."""
    run = tmp_path / "run"
    words = ("--epsilon", 4, "--accept-noise", "--config", fast_config, "--steps", 1500, "--processes", 3)
    process = loaded.start("train", cohort, run, *words, "--language", "zh")
    until = time.monotonic() + 200
    while not (run / "private" / "state.safetensors").exists() and time.monotonic() < until:
        time.sleep(0.1)
    first, second = sorted(_children(process))
    os.kill(second, signal.SIGKILL)
    done = as_expected(loaded.wait(process), 75)
    assert "SIGKILL" in done.stderr
    assert "--resume" in done.stderr
    assert "Expected" not in done.stderr
    assert not Path(f"/proc/{first}").exists()
    assert not (run / WEIGHTS).exists()
    assert read_run(run).state == "training"
    assert not list((run / "private").glob("*meeting*"))


@pytest.mark.parametrize("busy", ["with the others", "alone"])
def test_when_rank_0_is_killed_rank_1_says_so_for_all(tmp_path: Path, busy: str) -> None:
    """In the reader's language; also out of work that it does for itself. Others leave without a word."""

    def lose(company: Company) -> None:
        assert in_time(lambda: company.is_orphaned, 60)
        if busy == "alone":
            time.sleep(60)
        raise LostRankError("somebody does not answer")

    def other(environment: Mapping[str, str]) -> int:
        company = Company.of(1, (), environment)
        sys.stderr = (tmp_path / f"said-{company.rank}").open("w", buffering=1)
        (tmp_path / f"there-{company.rank}").touch()

        def app(**_: object) -> int:
            return in_silence(lambda: lose(company), company)

        code = dispatch(app, ["--language", "zh"])
        (tmp_path / f"code-{company.rank}").write_text(str(code))
        return code

    def first() -> None:
        for each in Company(size=3, meeting="m").environments:
            if not os.fork():
                os._exit(other(each))
        assert in_time(lambda: all((tmp_path / f"there-{rank}").exists() for rank in (1, 2)), 60)
        os.kill(os.getpid(), signal.SIGKILL)

    assert ends([first], tmp_path) == [End(code=-signal.SIGKILL)]
    assert in_time(lambda: "--resume" in (tmp_path / "said-1").read_text(), 30)
    said = (tmp_path / "said-1").read_text()
    assert "3 个中的第一个被强行终止" in said
    assert said.count("\n") == 1
    assert (tmp_path / "said-2").read_text() == ""
    if busy == "with the others":
        assert in_time(lambda: all((tmp_path / f"code-{rank}").exists() for rank in (1, 2)), 30)
        assert [(tmp_path / f"code-{rank}").read_text() for rank in (1, 2)] == ["75", "75"]


def test_what_cannot_train_together_is_refused(privgan: Privgan, cohort: Path, tmp_path: Path) -> None:
    """Before anything is charged or made."""
    for count in (0, 65, "many"):
        privgan("train", cohort, tmp_path / "run", "--epsilon", 4, f"--processes={count}", code=2)
    assert not (tmp_path / "run").exists()


def test_torchrun_says_who_this_is(tmp_path: Path) -> None:
    """One machine, one count; another start of it meets elsewhere. Without torchrun its variables mean nothing."""
    told = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_PORT": "4711"}
    named = {**told, "TORCHELASTIC_RUN_ID": "a"}
    company = Company.of(1, (), named)
    assert (company.rank, company.size, company.command) == (1, 2, ())
    assert company.place(tmp_path) == Company.of(1, (), {**named, "RANK": "0"}).place(tmp_path)
    assert company.place(tmp_path) != Company.of(1, (), {**named, "TORCHELASTIC_RUN_ID": "b"}).place(tmp_path)
    with pytest.raises(UsageError, match="one machine"):
        Company.of(1, (), {**named, "LOCAL_WORLD_SIZE": "1"})
    with pytest.raises(UsageError, match="got both"):
        Company.of(2, (), named)
    assert Company.of(1, (), told).size == 1


def drawn_by(size: int, run: Path, target: Path, lost: int = -1, asked: str = UNIFORM) -> list[End]:
    """How ranks end that draw a set; see `drawers`."""
    return ends(drawers(size, run, target, lost, asked), target.parent)


def drawers(size: int, run: Path, target: Path, lost: int = -1, asked: str = UNIFORM) -> list[Work]:
    """The parts of ranks which nobody starts in a set; one of them may be killed when it comes to draw.

    asked: of the last rank, which classes.
    """

    def work(rank: int) -> None:
        classes = asked if rank == size - 1 else UNIFORM
        options = GenerateOptions(count=40, formats=("npz",), classes=classes)
        company = Company(rank=rank, size=size, meeting="here")
        if rank == lost:
            Drawing._drawn = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment, method-assign, return-value]
        if rank:
            draw_along(run, target, options, company)
            return
        with staged_folder(target, marker=MARKER) as folder, sharing(company, target) as (ranks, seed):
            assert seed is not None
            generate(run, folder, options, seed, ranks=ranks)

    return [lambda rank=rank: work(rank) for rank in range(size)]  # type: ignore[misc]


def test_a_set_of_three_processes_is_the_one_that_its_seed_draws_alone(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    """To the byte: every file but the seed itself is the same. They talk to each other alone."""
    run, target = trained[1], tmp_path / "three"
    seen = watched(drawers(3, run, target), tmp_path)
    assert seen.ends == [End(code=0)] * 3
    made = open_synthetic_set(target)
    assert made.seed is not None
    (tmp_path / "alone").mkdir()
    draw(run, tmp_path / "alone", Asked.of(made.manifest), ("npz",), made.seed)
    both = [sorted(folder.rglob("*")) for folder in (target, tmp_path / "alone")]
    assert [path.name for path in both[0]] == [path.name for path in both[1]]
    for one, other in zip(*both, strict=True):
        assert one.is_dir() or one.read_bytes() == other.read_bytes()
    assert not list(tmp_path.glob(".*"))
    require_nothing_outside(seen)


def test_processes_that_draw_different_sets_end_in_words(trained: tuple[Path, Path], tmp_path: Path) -> None:
    """As many images, of other classes; and other weights are another manifest, too."""
    found = drawn_by(2, trained[1], tmp_path / "set", asked="clear:1,opacity:3")
    assert [end.error for end in found] == ["LostRankError"] * 2
    assert "one read others" in found[0].message
    assert not list(tmp_path.glob("*set*"))


def test_a_process_that_dies_leaves_no_set(trained: tuple[Path, Path], tmp_path: Path) -> None:
    """Nor the place where they met."""
    found = drawn_by(2, trained[1], tmp_path / "set", lost=1)
    assert (found[0].error, found[1].code) == ("LostRankError", -signal.SIGKILL)
    assert "nothing is released" in found[0].message
    assert not (tmp_path / "set").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_full_disk_leaves_no_set(
    trained: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor half of one; rank 0 says what the system said."""

    def full(_: object, folder: Path, *__: object) -> None:
        (folder / "images.npz").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SetFiles, "write", full)
    words = ["generate", str(trained[1]), str(tmp_path / "set"), "--count", "40", "--format", "npz"]

    def work(rank: int) -> int:
        told = {"PRIVGAN_MEETING": "m", "RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}
        os.environ.update({name: str(value) for name, value in told.items()})
        sys.stderr = (tmp_path / f"said-{rank}").open("w", buffering=1)
        return run(words)

    assert ends([lambda: work(0), lambda: work(1)], tmp_path) == [End(code=2), End(code=0)]
    assert "disk is full" in (tmp_path / "said-0").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["said-0", "said-1"]


def sockets_of(process: int) -> set[str]:
    """The addresses of all sockets of a process and of those that it starts, while it runs."""
    found, state = set[str](), Path(f"/proc/{process}/stat")
    while state.read_text().rpartition(")")[2].split()[0] != "Z":
        for each in (process, *_children(process)):
            found |= addresses(each)
        time.sleep(0.03)
    return found


def test_a_user_draws_with_two_processes(
    privgan: Privgan, loaded: Warm, trained: tuple[Path, Path], tmp_path: Path
) -> None:
    """Said once, with no port open to another machine; a proposal of several hospitals is drawn by one."""
    words = ("--count", 40, "--format", "npz", "--processes", 2)
    process = loaded.start("generate", trained[1], tmp_path / "set", *words)
    assert sockets_of(process) == {"127.0.0.1"}
    done = as_expected(loaded.wait(process), 0)
    assert done.stdout.count("40 synthetic images") == 1
    made = open_synthetic_set(tmp_path / "set")
    assert made.seed is not None
    drawing = Drawing.of(trained[1], Asked.of(made.manifest), made.seed)
    np.testing.assert_array_equal(drawing.images(), made.images)
    privgan("generate", trained[1], tmp_path / "other", "--count", 4, "--processes", 0, code=2)
    between = ("--federation", tmp_path, "--invited-by", tmp_path / "key", "--processes", 2)
    assert "--count" in privgan("generate", trained[1], tmp_path / "other", *between, code=2).stderr
