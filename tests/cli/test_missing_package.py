"""A library that is not there is named, before anything is counted."""

import sys
from pathlib import Path

import pytest

from privgan_audits import questions
from privgan_audits.examine import examine
from privgan_audits.policy import Policy
from privgan_cli.dispatch import dispatch
from tests.audits.questions.test_books import evidence_of
from tests.audits.releasing import make_gate


def test_it_is_a_refusal_that_names_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    def app(**_: object) -> None:
        raise ModuleNotFoundError("No module named 'absent.part'", name="absent.part")

    assert dispatch(app, []) == 2
    assert "Expected the package absent, it is not installed" in capsys.readouterr().err


def test_an_audit_that_cannot_import_counts_no_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = make_gate(tmp_path)
    name = f"{questions.QUESTIONS[-1].package}.measure"
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError):
        examine(evidence_of(gate), tmp_path / "report", Policy())
    assert not gate.ledger.of_kind("begun")
    assert not (tmp_path / "report").exists()
