"""README and tutorial as a newcomer pastes them, from top to bottom, into one shell: a PASS with two signatures.

Nothing in the commands is changed. `make demo` is played by a script on the PATH: for the README it draws phantoms
where the demo does; for the tutorial it is the demo itself, whose bundle is then damaged. The README's own variable
PRESET takes the preset that needs the fewest patients. That whole path takes minutes, so it runs under the mark
`study`; what is quick, that each line uses only what a line above has made, runs always.
"""

import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from privgan.data.phantoms.phantoms import write_phantoms
from privgan_audits.release.verify import verify
from privgan_cli.options import today
from tests.cli.conftest import environment
from tests.places import ROOT

DOCUMENTS = {"README.md": Path("chest-x-rays/bundle"), "docs/tutorial.md": Path("project/bundle")}
PATIENTS = 800  # of restricted-access: more than the 550 at which 95 of 100 safe sets pass
MADE_BY = {  # what a verb makes, by the place among its words or by its option
    "keygen": (1,),
    "prepare": (2,),
    "train": (2,),
    "generate": (2,),
    "audit": ("--report",),
    "release": ("--to",),
}
GIVEN = ("$IMAGES", "privgan-demo/bundle", "privgan-demo/keys/hospital.pub")  # the demo's, or your own


def blocks(document: str) -> list[str]:
    """The shell blocks of a document, in order."""
    return re.findall(r"^```sh\n(.*?)^```$", (ROOT / document).read_text(), flags=re.DOTALL | re.MULTILINE)


def commands(document: str) -> list[list[str]]:
    """The words of every privgan command in them."""
    lines = "\n".join(blocks(document)).replace("\\\n", " ").splitlines()
    pieces = [piece for line in lines for piece in line.split(";")]
    return [shlex.split(piece) for piece in pieces if piece.strip().startswith("privgan ")]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_line_uses_what_a_line_above_has_made(document: str) -> None:
    """Folders, keys and the policy; every word that names a file of the path is made before it is read."""
    made = set(GIVEN)
    for _, verb, *_ in (words := commands(document)):
        assert verb
    for command in words:
        verb, told = command[1], command[1:]
        made_here = set(MADE_BY.get(verb, ()))
        results = {told[place] for place in made_here if isinstance(place, int)}
        results |= {told[told.index(option) + 1] for option in made_here if isinstance(option, str)}
        used = {word for word in told[1:] if _is_place(word, told)} - results
        if verb == "keygen":
            results |= {f"{told[1]}.key", f"{told[1]}.pub"}
            used -= {"policy.toml"}
            results |= {"policy.toml"} if "--policy" in told else set()
        assert used <= made, command
        made |= results


@pytest.mark.parametrize("page", sorted((ROOT / "docs/how-to").glob("*.md")), ids=lambda page: page.stem)
def test_no_guide_prepares_or_audits_behind_the_officers_back(page: Path) -> None:
    """Whatever is copied from a guide: the cohort has the officer's policy, and the audit has it and the run."""
    lines = page.read_text().replace("\\\n", " ").splitlines()
    for line in (line.strip() for line in lines):
        if line.startswith(("privgan prepare ", "privgan audit ")):
            assert "--policy" in line, line
        if line.startswith("privgan audit ") and "--cohort" in line:
            assert "--run" in line, line


def _is_place(word: str, told: list[str]) -> bool:
    """Whether a word names a file or folder of the path."""
    return word.endswith((".key", ".pub", ".toml", "hospital", "officer")) or (
        word in {"cohort", "run", "synthetic", "report", "bundle", *GIVEN}
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_shell_that_knows_no_comments_does_the_same(document: str) -> None:
    """Interactive zsh, macOS' own, takes what follows a # for arguments, and an apostrophe there for a quote."""
    for line in "".join(blocks(document)).splitlines():
        assert " #" not in line
        assert not line.startswith("#") or not set(line) & set("'\"`$(){}[]*?!<>|&;\\")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_nobody_can_release_alone(document: str) -> None:
    """The officer's policy is there before the cohort, and both who read it demand the officer."""
    told = {words[1]: words for words in commands(document)}
    order = [words[1] for words in commands(document)]
    assert order.index("keygen") < order.index("prepare") < order.index("approve") < order.index("release")
    assert {"--policy", "policy.toml"} <= set(told["prepare"]) & set(told["audit"])
    assert "--run" in told["audit"]
    approver, releaser = (told[verb][told[verb].index("--key") + 1] for verb in ("approve", "release"))
    assert approver != releaser
    assert "--officer-key" in told["verify"]


@pytest.mark.study
@pytest.mark.parametrize("document", DOCUMENTS)
def test_pasted_from_top_to_bottom_it_passes_with_two_signatures(document: str, tmp_path: Path) -> None:
    tools, work = tmp_path / "bin", tmp_path / "work"
    tools.mkdir()
    work.mkdir()
    privgan = f'"{sys.executable}" -c "from privgan_cli.main import main; main()"'
    _script(tools / "privgan", f'exec {privgan} "$@"')
    if document == "README.md":
        (tmp_path / "phantoms").mkdir()
        write_phantoms(tmp_path / "phantoms", patients=PATIENTS)
        _script(tools / "make", f'mkdir privgan-demo && cp -R "{tmp_path / "phantoms"}" privgan-demo/dicom')
    else:
        _script(tools / "make", "exec privgan demo")
    variables = {**environment(), "PRESET": "restricted-access", "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    pasted = "\n".join(blocks(document)).replace(". .venv/bin/activate\nprintf", "printf")  # the PATH is ours
    done = subprocess.run(
        ["sh", "-s"],
        input=f"{pasted}\n",
        capture_output=True,
        text=True,
        env=variables,
        cwd=work,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "PASS" in done.stdout
    bundle = work / DOCUMENTS[document]
    keys = {"officer_key": bundle.parent / "officer.pub"}
    found = verify(bundle, bundle.parent / "hospital.pub", today=today(), **keys)
    assert (found.verdict, found.approval is not None) == ("PASS", True)
    if document != "README.md":
        assert "exit code 6" in done.stdout  # of the damaged bundle


def _script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
