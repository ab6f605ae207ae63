"""Files and folders that appear whole or not at all, also around a kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from privgan.dp.budget.chain import extend_chain, read_chain, start_chain
from privgan.errors import IntegrityError, UsageError
from privgan.files import open_regular, read_marker, write_bytes, write_json
from privgan.folders import require_absent, require_space, staged_folder
from tests.places import ROOT


def _make(target: Path, text: str, *, force: bool = False) -> None:
    with staged_folder(target, marker="mark", force=force) as folder:
        (folder / "mark").write_text(text)


def test_a_folder_appears_whole_and_private(tmp_path: Path) -> None:
    """Nothing under its name before the end; 0700 after."""
    target = tmp_path / "out"
    with staged_folder(target, marker="mark") as folder:
        (folder / "mark").touch()
        assert not target.exists()
    assert target.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_error_leaves_the_old_folder(tmp_path: Path) -> None:
    """With --force too: the new one is gone, the old one untouched."""
    _make(tmp_path / "out", "old")

    def fail() -> None:
        with staged_folder(tmp_path / "out", marker="mark", force=True) as folder:
            (folder / "mark").write_text("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (tmp_path / "out" / "mark").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_only_our_own_folders_are_replaced(tmp_path: Path) -> None:
    """Existing: refused without force; without our marker: refused with it; a file or link: always."""
    _make(tmp_path / "out", "old")
    with pytest.raises(UsageError):
        require_absent(tmp_path / "out", marker="mark", force=False)
    _make(tmp_path / "out", "new", force=True)
    assert (tmp_path / "out" / "mark").read_text() == "new"
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis").touch()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "out")
    for foreign in (home, link, home / "thesis"):
        with pytest.raises(UsageError):
            require_absent(foreign, marker="mark", force=True)


def test_what_a_killed_process_left_is_tidied_up(tmp_path: Path) -> None:
    """Its half-made folder goes; a living process' folder stays; an old folder that was moved aside comes back."""
    code = (
        "import os, signal, sys; from pathlib import Path; from privgan.folders import staged_folder\n"
        "with staged_folder(Path(sys.argv[1]), marker='mark') as folder:\n"
        "    (folder / 'patient').touch(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "out")]
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(".out.*.partial"))) == 1
    assert not (tmp_path / "out").exists()
    with staged_folder(tmp_path / "out", marker="mark") as living:
        assert list(tmp_path.glob(".out.*.partial")) == [living]
        (living / "mark").write_text("first")
    (tmp_path / "out").rename(tmp_path / ".out.abcd.retired")
    with pytest.raises(UsageError):
        _make(tmp_path / "out", "second")
    assert (tmp_path / "out" / "mark").read_text() == "first"


def test_special_files_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    """A FIFO, a link, a folder and nothing at all."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for name in ("fifo", "link", "missing", "."):
        with pytest.raises(IntegrityError), open_regular(tmp_path / name):
            pass


def test_a_file_is_replaced_in_one_move(tmp_path: Path) -> None:
    """A failed write keeps the old content and no temporary file."""
    path = tmp_path / "f"
    write_bytes(path, b"old")
    with pytest.raises(TypeError):
        write_bytes(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str], bytes]]:
    """What was put on the disk: its name, all names beside it by then, and the content of a file."""
    found: list[tuple[str, list[str], bytes]] = []

    def remember(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        folder = path if path.is_dir() else path.parent
        found.append(
            (path.name, sorted(each.name for each in folder.iterdir()), b"" if path.is_dir() else path.read_bytes())
        )

    monkeypatch.setattr(os, "fsync", remember)
    return found


def test_a_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, synced: list[tuple[str, list[str], bytes]]
) -> None:
    """And then the name is: whoever finds it finds all of it, after a power cut, too."""
    write_bytes(tmp_path / "kept", b"all of it")
    (partial, before, content), (folder, after, _) = synced
    assert (before, content) == ([partial], b"all of it")
    assert (folder, after) == (tmp_path.name, ["kept"])


def test_an_entry_of_a_ledger_is_on_the_disk_before_anything_follows(
    tmp_path: Path, synced: list[tuple[str, list[str], bytes]]
) -> None:
    path = tmp_path / "ledger"
    start_chain(path, {"members": 7})
    extend_chain(path, read_chain(path, "ledger"), {"kind": "charge"}, "ledger")
    assert [content.count(b"\n") for _, _, content in synced] == [1, 2]
    assert synced[-1][2] == path.read_bytes()


def test_work_that_would_not_fit_is_refused_before_it_starts(tmp_path: Path) -> None:
    """More than is free: an error with both numbers."""
    with pytest.raises(UsageError, match="free"):
        require_space(tmp_path, 10**18)


def test_a_marker_of_another_kind_or_version_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "cohort.json", {"kind": "cohort", "schema_version": 1, "images": 3})
    assert read_marker(tmp_path / "cohort.json", "cohort", 1) == {"images": 3}
    for kind, version in (("run", 1), ("cohort", 2)):
        with pytest.raises(
            IntegrityError, match=f"Expected kind '{kind}', schema version {version} in .*got 'cohort', 1"
        ):
            read_marker(tmp_path / "cohort.json", kind, version)
    with pytest.raises(IntegrityError, match=r"Expected schema version 2 in .*got 1: .*Learn it again"):
        read_marker(tmp_path / "cohort.json", "cohort", 2, learned=True)
    with pytest.raises(IntegrityError, match="Expected kind 'run'"):
        read_marker(tmp_path / "cohort.json", "run", 2, learned=True)
