"""What is handed on installs what it says: a wheel of the packages alone, and a container that nobody runs as root.

No engine that builds containers is part of the tests: the file is read, not run.
"""

import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from privgan_cli.stack import TRAINING_STACK
from tests.places import ROOT

PACKAGES = {
    "privgan": ROOT,
    "privgan_audits": ROOT / "audits",
    "privgan_uses": ROOT / "uses",
    "privgan_cli": ROOT / "cli",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONTAINER = (ROOT / "Containerfile").read_text()
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", each, maxsplit=1)[0].lower() for each in requirements}


def test_who_only_signs_and_verifies_installs_neither_torch_nor_tools() -> None:
    light, extras = names(PROJECT["dependencies"]), PROJECT["optional-dependencies"]
    assert light.isdisjoint(names(extras["train"]) | names(extras["dev"]) | {"torch"})
    assert light.isdisjoint(name.lower() for name in TRAINING_STACK)


def test_nobody_is_sent_to_the_project_of_the_same_name() -> None:
    """On PyPI `privgan` is another's; an extra of what is already installed is ours."""
    told = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    told += [path for package, folder in PACKAGES.items() for path in (folder / package).rglob("*.py")]
    bare = re.compile(r"pip install [\"'`]*privgan(?![\[\w-])")
    pages = {path.relative_to(ROOT).as_posix() for path in told if bare.search(path.read_text())}
    history = {"CHANGELOG.md", *(page for page in pages if page.startswith("docs/decisions/"))}
    assert pages - history == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_whoever_imports_a_package_gets_its_types(package: str) -> None:
    assert (PACKAGES[package] / package / "py.typed").read_bytes() == b""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built without a network, by the backend that pyproject.toml names."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(folder / done.stdout.split()[-1])


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    expected = {
        path.relative_to(folder).as_posix()
        for package, folder in PACKAGES.items()
        for path in (folder / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == expected
    assert {f"{package}/py.typed" for package in PACKAGES} <= packed


def test_the_wheel_says_what_it_needs_and_is_one_for_all_systems(wheel: zipfile.ZipFile) -> None:
    metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    told = Parser().parsestr(wheel.read(metadata).decode())
    assert told["Requires-Python"] == ",".join(sorted(PROJECT["requires-python"].split(",")))
    always = [each for each in told.get_all("Requires-Dist", []) if "extra ==" not in each]
    assert names(always) == names(PROJECT["dependencies"])
    assert Path(str(wheel.filename)).name.endswith("-py3-none-any.whl")
    entry = wheel.read(metadata.replace("METADATA", "entry_points.txt")).decode()
    assert "privgan = privgan_cli.main:main" in entry


def steps() -> list[tuple[str, str]]:
    """Instruction and what it is given, of every step of the container file."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", CONTAINER, flags=re.MULTILINE))
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()]


def last_stage() -> list[tuple[str, str]]:
    found = steps()
    return found[max(place for place, (what, _) in enumerate(found) if what == "FROM") :]


def test_a_container_is_nobodys_root() -> None:
    users = [given for what, given in last_stage() if what == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])
    assert [what for what, _ in last_stage()][-4:] == ["USER", "WORKDIR", "ENTRYPOINT", "CMD"]  # no step after it


def test_a_container_starts_from_a_named_version() -> None:
    bases = [given.split()[0] for what, given in steps() if what == "FROM"]
    assert bases
    for base in bases:
        version = re.fullmatch(r"[a-z0-9.]+(?:/[a-z0-9-]+)+:(\d+\.\d+)-[a-z0-9-]+", base)
        assert version, base
        assert SpecifierSet(PROJECT["requires-python"]).contains(version[1])


def test_a_container_takes_from_the_checkout_what_a_wheel_needs_and_nothing_from_elsewhere() -> None:
    copied = [word for what, given in steps() if what == "COPY" for word in given.split()[:-1]]
    assert set(copied) == {
        *("constraints.txt", "pyproject.toml", "README.md", "LICENSE"),
        *("privgan", "audits/privgan_audits", "uses/privgan_uses", "cli/privgan_cli"),
    }
    assert all((ROOT / word).exists() for word in copied)
    assert not [given for what, given in steps() if what == "ADD" or "curl" in given or "wget" in given]
    sent = re.findall(r"^!(.+)$", (ROOT / ".containerignore").read_text(), flags=re.MULTILINE)
    assert set(sent) == set(copied)


def test_a_container_is_pinned_and_installed_without_a_network() -> None:
    first, last = ([given for what, given in stage if what == "RUN"] for stage in (steps(), last_stage()))
    assert "--constraint constraints.txt" in first[0]
    assert all("--no-index" in given for given in last if "pip" in given)
    pinned = {name.replace("_", "-") for name in names((ROOT / "constraints.txt").read_text().splitlines())}
    assert names([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["train"]]) <= pinned


def test_a_container_holds_no_secret_and_opens_no_port() -> None:
    assert not re.search(r"password|secret|token|\.key\b|\.pem\b|api[_-]?key", CONTAINER, flags=re.IGNORECASE)
    assert not [what for what, _ in steps() if what in {"EXPOSE", "VOLUME", "ADD"}]
