"""A bundle that travelled badly fails, and says why and what to do."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from privgan.errors import IntegrityError, UsageError
from privgan.folders import list_files
from privgan_audits.release import bundle as layout
from tests.audits.release.test_verify import verify
from tests.audits.releasing import Gate


def litter(name: str) -> Callable[[Path], None]:
    def leave(bundle: Path) -> None:
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_bytes(b"x")

    return leave


@pytest.mark.parametrize("name", [".DS_Store", "dataset/Thumbs.db", "report/desktop.ini", "dataset/._labels.csv"])
def test_what_desktops_leave_is_named_with_the_way_out(released: Gate, bundle: Path, name: str) -> None:
    litter(name)(bundle)
    with pytest.raises(IntegrityError, match=f"The first: {name}. Desktops leave such files"):
        verify(bundle, released.root / "site.pub")


def test_another_extra_file_is_named_and_not_excused(released: Gate, bundle: Path) -> None:
    litter("dataset/rider.bin")(bundle)
    litter(".DS_Store")(bundle)
    with pytest.raises(IntegrityError, match=r"2 more\. The first: \.DS_Store\.$"):
        verify(bundle, released.root / "site.pub")


@pytest.mark.parametrize("name", ["dataset/labels.csv", layout.GUIDE, layout.ATTESTATION, layout.SUMS])
def test_changed_line_ends_are_recognised(released: Gate, bundle: Path, name: str) -> None:
    path = bundle / name
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(IntegrityError, match=f"of {name} its line ends were changed"):
        verify(bundle, released.root / "site.pub")


def test_an_edit_is_not_taken_for_changed_line_ends(released: Gate, bundle: Path) -> None:
    path = bundle / "dataset" / "labels.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + b"more\r\n")
    with pytest.raises(IntegrityError) as caught:
        verify(bundle, released.root / "site.pub")
    assert "line ends" not in str(caught.value)


def test_git_carries_a_bundle_unchanged(released: Gate, bundle: Path, tmp_path: Path) -> None:
    """Also where it is told to change line ends, as on Windows."""
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "core.autocrlf=true"]
    work = tmp_path / "work"
    shutil.copytree(bundle, work)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "bundle"]):
        subprocess.run([*git, *words], cwd=work, check=True, capture_output=True)
    for path in list_files(work):
        if ".git" not in path.relative_to(work).parts:
            path.unlink()
    subprocess.run([*git, "checkout", "-q", "--", "."], cwd=work, check=True, capture_output=True)
    shutil.rmtree(work / ".git")
    verify(work, released.root / "site.pub")


def test_a_bundle_one_folder_down_is_named(released: Gate, bundle: Path, tmp_path: Path) -> None:
    outer = tmp_path / "download"
    shutil.copytree(bundle, outer / "bundle")
    with pytest.raises(UsageError, match=f"verify {outer / 'bundle'}"):
        verify(outer, released.root / "site.pub")


def test_a_link_to_a_public_key_is_read(released: Gate, bundle: Path, tmp_path: Path) -> None:
    link = tmp_path / "hospital.pub"
    link.symlink_to(released.root / "site.pub")
    verify(bundle, link)
