"""The verifier as one file: the same answers without privgan, without libraries but one, and as on Windows.

It runs in an interpreter that has the standard library and `cryptography` on its path and nothing else.
"""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from privgan.errors import IntegrityError
from privgan.files import sha256_bytes
from privgan.language import retold, speaking
from privgan_audits.release import bundle as layout
from privgan_audits.release.recipient.answer import answer, lines
from privgan_audits.release.recipient.packing import verifier
from privgan_audits.release.verify import verify
from tests.audits.release.test_guide import grant_again
from tests.audits.release.test_travel import litter
from tests.audits.release.test_verify import forged_signature
from tests.audits.releasing import Gate
from tests.in_chinese import english_in
from tests.places import ROOT

Alone = Callable[..., subprocess.CompletedProcess[str]]
RUN = "import runpy, sys; sys.path.insert(0, {libraries!r}); sys.argv = sys.argv[1:]; {before}; "
RUN += "runpy.run_path(sys.argv[0], run_name='__main__')"
# What Windows has not: modules, flags of open(2), and calls about systems and users.
MODULES = "fcntl", "resource", "pwd", "grp", "termios"
FLAGS = "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY", "O_SYNC"
CALLS = "uname", "sync", "getuid", "geteuid", "fchmod", "chown", "mkfifo"
AS_WINDOWS = (
    f"import os, io; [sys.modules.__setitem__(name, None) for name in {MODULES}]; "
    f"[delattr(os, name) for name in {(*FLAGS, *CALLS)}]; "
    "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='cp1252')"
)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Alone:
    """Run the file; `before` is done in its process first."""
    folder = tmp_path_factory.mktemp("alone")
    file, libraries = folder / "privgan-verify.pyz", folder / "libraries"
    file.write_bytes(verifier())
    libraries.mkdir()
    for name in ("cryptography", "cffi", "_cffi_backend"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        origin = origin.parent if spec.submodule_search_locations else origin
        (libraries / origin.name).symlink_to(origin)

    def run(*words: object, before: str = "pass", path: Path = libraries) -> subprocess.CompletedProcess[str]:
        code = RUN.format(libraries=str(path), before=before)
        line = [sys.executable, "-I", "-S", "-c", code, str(file), *map(str, words)]
        return subprocess.run(line, capture_output=True, text=True, cwd=folder, check=False)

    return run


@pytest.fixture
def plain(released: Gate) -> Path:
    """Without an approval, whose days would pass."""
    return released.root / "plain"


@pytest.fixture
def current(released: Gate, bundle: Path) -> Path:
    """With an approval that holds today."""
    today = datetime.now(UTC).date()
    grant_again(released, bundle, today.isoformat(), (today + timedelta(days=1)).isoformat())
    return bundle


@pytest.mark.parametrize("before", ["pass", AS_WINDOWS], ids=["here", "as-windows"])
def test_it_answers_as_privgan_does(released: Gate, current: Path, alone: Alone, before: str) -> None:
    key, officer = released.root / "site.pub", released.root / "officer.pub"
    found = verify(current, key, today=datetime.now(UTC).date(), officer_key=officer)
    words = (current, "--public-key", key, "--officer-key", officer)
    shown = alone(*words, before=before)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines() == list(lines(found))
    assert json.loads(alone(*words, "--json", before=before).stdout) == answer(found)


@pytest.mark.parametrize("before", ["pass", AS_WINDOWS], ids=["here", "as-windows"])
@pytest.mark.parametrize(
    "harm",
    [
        litter("dataset/rider.bin"),
        litter(".DS_Store"),
        lambda b: (b / "dataset/labels.csv").unlink(),
        lambda b: (b / "dataset/labels.csv").write_bytes(b"file,patient,label\n"),
        lambda b: (b / layout.SUMS).write_text("0" * 64 + "  VERIFY.md\n"),
        lambda b: (b / layout.GUIDE).rename(b.parent / "guide") and (b / layout.GUIDE).symlink_to(b.parent / "guide"),
        forged_signature,
    ],
    ids=["rider", "litter", "lost", "edited", "sums", "link", "forged"],
)
def test_it_finds_what_privgan_finds(
    released: Gate, bundle: Path, alone: Alone, before: str, harm: Callable[[Path], object]
) -> None:
    harm(bundle)
    with pytest.raises(IntegrityError) as refused:
        verify(bundle, released.root / "site.pub", today=datetime.now(UTC).date())
    done = alone(bundle, "--public-key", released.root / "site.pub", before=before)
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr == f"privgan-verify: {refused.value}\n"


def test_a_refusal_can_be_read_by_a_program(tmp_path: Path, released: Gate, alone: Alone) -> None:
    done = alone(tmp_path / "absent", "--public-key", released.root / "site.pub", "--json")
    assert done.returncode == json.loads(done.stdout)["error"]["exit_code"] == 2


def test_an_approval_that_ended_is_no_approval(released: Gate, bundle: Path, alone: Alone) -> None:
    grant_again(released, bundle, "2020-01-01", "2020-12-31")
    done = alone(bundle, "--public-key", released.root / "site.pub")
    assert done.returncode == 6
    assert "ended on 2020-12-31" in done.stderr


def test_without_cryptography_it_says_what_is_missing(plain: Path, alone: Alone, tmp_path: Path) -> None:
    done = alone(plain, "--public-key", "hospital.pub", path=tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "privgan-verify needs the package cryptography: python -P -m pip install cryptography"
    )


def test_it_holds_what_it_runs_and_nothing_else(released: Gate, plain: Path, alone: Alone, tmp_path: Path) -> None:
    """Every packed module is imported by a check, and none of another library's; and there is one table of words."""
    listing = (
        "import atexit; atexit.register(lambda: sys.stderr.write('\\n'.join(sorted("
        "m.__spec__.origin.partition('.pyz/')[2] for m in sys.modules.values() "
        "if getattr(m, '__spec__', None) and '.pyz/' in str(m.__spec__.origin)))))"
    )
    done = alone(plain, "--public-key", released.root / "site.pub", before=listing)
    assert done.returncode == 0
    (tmp_path / "file").write_bytes(verifier())
    packed = set(zipfile.ZipFile(tmp_path / "file").namelist()) - {"__main__.py", "privgan/languages/zh.json"}
    assert set(done.stderr.splitlines()) == packed


def test_every_installation_makes_the_same_file(plain: Path, tmp_path: Path) -> None:
    """Whatever the day, the user's mask and the folder, also one in which something lies; and the guide names it."""
    (tmp_path / "privgan_audits.py").write_text("raise SystemExit(9)\n")
    words = [sys.executable, "-P", "-m", "privgan_audits.release.recipient.packing", "out.pyz"]
    path = os.pathsep.join(filter(None, map(os.path.abspath, sys.path)))
    made = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, check=True, umask=0o077, env={"PYTHONPATH": path}
    )
    assert (tmp_path / "out.pyz").read_bytes() == verifier()
    assert made.stdout == f"{sha256_bytes(verifier())}  out.pyz\n"
    guide = (plain / layout.GUIDE).read_text()
    assert f"\n    {sha256_bytes(verifier())}\n" in guide
    for text in (guide, (ROOT / "docs/how-to/verify-a-bundle.md").read_text()):
        assert "`python -P -m" in text or "\npython -P -m" in text
        assert "python -m pip" not in text
        assert "python -m privgan" not in text
    again = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, env={"PYTHONPATH": path})
    assert again.returncode == 2
    assert "exists" in again.stderr


@pytest.mark.parametrize("before", ["pass", AS_WINDOWS], ids=["here", "as-windows"])
def test_it_speaks_as_privgan_does(released: Gate, current: Path, alone: Alone, before: str) -> None:
    """Without the library that reads catalogues; a program's answer is the same in every language."""
    key = released.root / "site.pub"
    found = verify(current, key, today=datetime.now(UTC).date())
    spoken = f"{before}; sys.stdout.reconfigure(encoding='utf-8')"
    words = (current, "--public-key", key, "--language")
    with speaking("zh"):
        assert alone(*words, "zh", before=spoken).stdout.splitlines() == list(lines(found))
    assert alone(*words, "en", before=spoken).stdout.splitlines() == list(lines(found))
    assert json.loads(alone(*words, "zh", "--json").stdout) == answer(found)


@pytest.mark.parametrize(
    "harm",
    [
        litter("dataset/rider.bin"),
        litter(".DS_Store"),
        lambda b: (b / "dataset/labels.csv").unlink(),
        lambda b: (b / "dataset/labels.csv").write_bytes(b"file,patient,label\n"),
        lambda b: (b / layout.SUMS).write_text("0" * 64 + "  VERIFY.md\n"),
        forged_signature,
    ],
    ids=["rider", "litter", "lost", "edited", "sums", "forged"],
)
def test_it_refuses_in_chinese_as_privgan_does(
    released: Gate, bundle: Path, alone: Alone, harm: Callable[[Path], object]
) -> None:
    harm(bundle)
    with pytest.raises(IntegrityError) as refused:
        verify(bundle, released.root / "site.pub", today=datetime.now(UTC).date())
    done = alone(bundle, "--public-key", released.root / "site.pub", "--language=zh", "--json")
    with speaking("zh"):
        assert done.stderr == f"privgan-verify: {retold(str(refused.value))}\n"
    assert not english_in(done.stderr.removeprefix("privgan-verify: "))
    assert json.loads(done.stdout)["error"]["message"] == str(refused.value)


def test_its_help_and_what_it_says_of_a_line(alone: Alone, tmp_path: Path) -> None:
    assert "核验发布包" in alone("--help", "--language", "zh").stdout
    missing = alone("--language", "zh")
    assert missing.returncode == 2
    assert missing.stderr.splitlines()[-1] == "privgan-verify：错误：缺少下列参数：bundle, --public-key"
    unread = alone(tmp_path, "--public-key", tmp_path / "none.pub", "--language", "zh")
    assert "应为密钥文件" in unread.stderr
    assert "需要软件包 cryptography" in alone("--language=zh", path=tmp_path).stderr
    assert "the following arguments are required" in alone().stderr
