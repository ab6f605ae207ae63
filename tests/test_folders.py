"""An output that an interruption leaves behind: kept and locked, taken up or thrown away, never open to others."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from privgan.errors import InputRejectedError, InterruptedRunError, PreemptedError, UsageError
from privgan.folders import recover, resumable_folder, unfinished_folder
from tests.places import ROOT

MARK, JOURNAL = "mark", "journal"


def _begin(target: Path, error: type[BaseException], *, resume: bool = False) -> None:
    """Write a journal and fail."""

    def fail() -> None:
        with resumable_folder(target, marker=MARK, journal=JOURNAL, resume=resume) as folder:
            (folder / JOURNAL).write_text("so far")
            (folder / "image").touch()
            raise error("as asked")

    with pytest.raises(error):
        fail()


def _finish(target: Path, *, resume: bool, force: bool = False) -> set[str]:
    """Finish, and say what was there before."""
    with resumable_folder(target, marker=MARK, journal=JOURNAL, resume=resume, force=force) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        found = {path.name for path in folder.iterdir()}
        (folder / MARK).touch()
    assert not unfinished_folder(target).exists()
    assert (target / MARK).is_file()
    return found


@pytest.mark.parametrize("error", [InterruptedRunError, PreemptedError])
def test_what_an_interruption_leaves_is_there_again(tmp_path: Path, error: type[BaseException]) -> None:
    """With `resume`, also after other commands tidied up; and the target appears at the end only."""
    target = tmp_path / "out"
    _begin(target, error)
    recover(target)
    assert [path.name for path in tmp_path.iterdir()] == [".out.unfinished"]
    assert _finish(target, resume=True) == {JOURNAL, "image"}


def test_without_resume_it_is_thrown_away(tmp_path: Path) -> None:
    _begin(tmp_path / "out", PreemptedError)
    assert _finish(tmp_path / "out", resume=False) == set()


@pytest.mark.parametrize("error", [InputRejectedError, UsageError, RuntimeError, KeyboardInterrupt])
def test_any_other_end_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    _begin(tmp_path / "out", error)
    assert not list(tmp_path.iterdir())


def test_a_wrong_word_does_not_cost_what_was_read_but_a_refusal_does(tmp_path: Path) -> None:
    _begin(tmp_path / "out", PreemptedError)
    _begin(tmp_path / "out", UsageError, resume=True)
    assert (unfinished_folder(tmp_path / "out") / "image").exists()
    _begin(tmp_path / "out", InputRejectedError, resume=True)
    assert not list(tmp_path.iterdir())


def test_there_must_be_something_to_go_on_with(tmp_path: Path) -> None:
    """Nothing: refused. A folder without a journal, from a kill at the first moment: begun anew."""
    with pytest.raises(UsageError, match="none has left"):
        _finish(tmp_path / "out", resume=True)
    unfinished_folder(tmp_path / "out").mkdir(mode=0o700)
    (unfinished_folder(tmp_path / "out") / "half").mkdir()
    assert _finish(tmp_path / "out", resume=True) == set()


def test_an_output_that_exists_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    _finish(tmp_path / "out", resume=False)
    unfinished_folder(tmp_path / "out").mkdir(mode=0o700)
    (unfinished_folder(tmp_path / "out") / JOURNAL).touch()
    for resume in (False, True):
        with pytest.raises(UsageError, match="--force"):
            _finish(tmp_path / "out", resume=resume)
    assert _finish(tmp_path / "out", resume=True, force=True) == {JOURNAL}


def test_a_kill_leaves_it_for_resume_and_unlocked(tmp_path: Path) -> None:
    """While the process lives nobody else may work there; after kill -9 the next may."""
    code = (
        "import sys; from pathlib import Path; from privgan.folders import resumable_folder\n"
        "with resumable_folder(Path(sys.argv[1]), marker='mark', journal='journal') as folder:\n"
        "    (folder / 'journal').touch(); print('there', flush=True); sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        for resume in (False, True):
            with pytest.raises(UsageError, match="Another process"):
                _finish(tmp_path / "out", resume=resume)
        process.send_signal(signal.SIGKILL)
    assert _finish(tmp_path / "out", resume=True) == {JOURNAL}


def test_a_planted_folder_is_not_worked_in(tmp_path: Path) -> None:
    """A link to elsewhere, and a folder that others may open."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    unfinished_folder(tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    unfinished_folder(tmp_path / "open").mkdir(mode=0o755)
    for name in ("link", "open"):
        for resume in (False, True):
            with pytest.raises(UsageError, match="Expected a folder of"):
                _finish(tmp_path / name, resume=resume)
