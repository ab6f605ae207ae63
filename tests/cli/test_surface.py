"""The Python surface: light, whole, documented, and the same as the command line."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import privgan
from privgan.errors import UsageError
from tests.audits.releasing import make_gate
from tests.cli.conftest import environment
from tests.python_reference import PAGE, reference

Privgan = Callable[..., subprocess.CompletedProcess[str]]


def test_importing_it_is_light() -> None:
    heavy = ("torch", "numpy", "typer", "rich")
    code = f"import sys, privgan; dir(privgan); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout.strip() == "[]"


def test_everything_that_is_offered_is_there_and_documented() -> None:
    for name in privgan.__all__:
        assert getattr(privgan, name).__doc__
        assert name in dir(privgan)
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = privgan.nothing_of_the_kind
    assert PAGE.read_text() == reference(), "make reference"


def test_a_release_is_made_and_verified_as_by_the_verbs(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    gate.audit()
    names = {"synthetic": "synthetic", "cohort": "cohort", "report": "report", "run": "synthetic-run"}
    case = privgan.Case(**{part: tmp_path / name for part, name in names.items()})
    signed = privgan.release(case, str(tmp_path / "bundle"), gate.key, progress=privgan.silent)
    found = privgan.verify(tmp_path / "bundle", tmp_path / "site.pub", progress=privgan.silent)
    assert (found.files, found.verdict) == (signed["files"], "PASS")


def test_progress_goes_to_whoever_listens(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    gate.audit()
    gate.release()
    heard = []

    def listen(task: str, done: int, total: int, note: str = "") -> None:
        heard.append((task, done, total, note))

    privgan.verify(tmp_path / "bundle", tmp_path / "site.pub", progress=listen)
    assert heard


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="either --cohort"):
        privgan.audit(tmp_path, tmp_path / "report", privgan.AuditOptions())
