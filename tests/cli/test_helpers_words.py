"""What rank 0 is asked, the processes that it starts are asked: every option, as it was given."""

import os
from collections.abc import Mapping
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

import pytest

from privgan.gan.ranks.company import Company
from privgan.synthetic.generate import GenerateOptions
from privgan_cli import company as cli_company
from privgan_cli import surface
from privgan_cli.asked import AuditOptions
from privgan_cli.company import auditors, drawers
from privgan_cli.main import run

DRAWN: Mapping[str, Any] = {
    "count": 5,
    "formats": ("npz", "png"),
    "classes": "clear:1,opacity:3",
    "where": "stage=III,age=60..70",
    "sop_class": "match",
    "bits": 12,
    "frames": 3,
    "one_study": True,
    "sequence": "stage",
    "patients": 7,
}
AUDITED: Mapping[str, Any] = {
    "cohort": Path("a cohort"),
    "run": Path("run"),
    "members": Path("m.npz"),
    "non_members": Path("n.npz"),
    "colour": True,
    "encoder": Path("e.onnx"),
    "encoder_trained_on": "public X-rays, not --ours",
    "accept_delta": True,
    "each_image_is_a_patient": True,
    "force": True,
}
MINE = "processes"


def heard(company: Company, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The options with which the command line of another rank comes to its share."""
    told = list[Any]()
    monkeypatch.setattr(surface, "generate", lambda _run, _set, options, **_: told.append(options))
    monkeypatch.setattr(cli_company, "audit_along", lambda _set, _report, options, _company: told.append(options))
    for name, value in company.environments[0].items():
        monkeypatch.setenv(name, value)
    line = company.command
    assert run(line[line.index("privgan_cli") + 1 :]) == 0
    return told


def others_than(named: Mapping[str, Any], kind: Any) -> list[Field[Any]]:
    """Of a class of options, what has no value here: a new option gets one, or is named as rank 0's alone."""
    return [each for each in fields(kind) if each.name not in named]


@pytest.mark.parametrize("left_out", [("sequence", "patients"), ("count",), tuple(sorted({*DRAWN} - {"count"}))])
def test_all_draw_what_was_asked(left_out: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    assert not others_than(DRAWN, GenerateOptions)
    assert all(value != each.default for each in fields(GenerateOptions) for value in [DRAWN[each.name]])
    options = GenerateOptions(**{name: value for name, value in DRAWN.items() if name not in left_out})
    assert heard(drawers(2, Path("run"), Path("set"), options), monkeypatch) == [options]


@pytest.mark.parametrize(
    "left_out", [("run",), ("members", "non_members", "colour"), ("encoder", "encoder_trained_on")]
)
def test_all_audit_what_was_asked(left_out: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    assert [each.name for each in others_than(AUDITED, AuditOptions)] == [MINE]
    gone = {*left_out, *(() if "members" in left_out else ("run",))}
    options = AuditOptions(**{name: value for name, value in AUDITED.items() if name not in gone}, processes=2)
    told = heard(auditors(Path("set"), Path("report"), options), monkeypatch)
    assert told == [replace(options, processes=1)]
    assert os.environ["RANK"] == "1"
