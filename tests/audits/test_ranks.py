"""An audit that two processes share says to the last digit what one says; where they read different sets it ends."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from privgan.files import write_json
from privgan_audits import examine
from privgan_audits.questions.controls import spike_in
from privgan_audits.questions.utility import classifier
from privgan_audits.spaces import embedding, patches
from privgan_audits.spaces.lenses import references
from privgan_cli import surface
from privgan_cli.asked import AuditOptions
from privgan_cli.company import audit_along, auditors
from tests.brief import GATING
from tests.cli.conftest import blobs
from tests.cli.samples import images_in, save
from tests.gan.ranks.forks import End, ends

BRIEF = (
    (classifier, "STEPS", 2),
    (embedding, "LEAST_STEPS", 2),
    (embedding, "EPOCHS", 0),
    (embedding, "COMPARED", 30),
    (embedding, "_BLOCK", 8),
    (patches, "_AT_ONCE", 4),
    (references, "_TILE", 60 * 4),
)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, AuditOptions]:
    """12 synthetic images, two of them a member's, and those whom they are compared with."""
    folder, drawn = tmp_path_factory.mktemp("three"), blobs(60, 3, 16)
    drawn[:2] = drawn[12:14]
    synthetic = save(folder / "synthetic.npz", drawn[:12], "s")
    members, others = save(folder / "members.npz", drawn[12:36], "m"), save(folder / "others.npz", drawn[36:], "n")
    return synthetic, AuditOptions(members=members, non_members=others)


def record_of(report: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((report / "audit.json").read_text())
    return told


@pytest.fixture(scope="module", autouse=True)
def tiny() -> Iterator[None]:
    """Audits that learn next to nothing, share out what has few rows, and draw no pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examine, "write_report", lambda folder, told, *_, **__: write_json(folder / "audit.json", told))
        patch.setattr(spike_in, "disguises_of", lambda _: GATING)
        for module, name, value in BRIEF:
            patch.setattr(module, name, value)
        yield


def shared_by(works: Sequence[tuple[Path, AuditOptions]], report: Path) -> list[End]:
    """An audit by as many processes, forks of this one, as the command line has them under torchrun."""
    embedding._TRAINED.clear()

    def work(rank: int) -> None:
        synthetic, options = works[rank]
        told = {"PRIVGAN_MEETING": "m", "RANK": rank, "WORLD_SIZE": len(works), "LOCAL_WORLD_SIZE": len(works)}
        os.environ.update({name: str(value) for name, value in told.items()})
        if rank:
            audit_along(synthetic, report, options, auditors(synthetic, report, options))
        else:
            surface.audit(synthetic, report, options)

    return ends([lambda rank=rank: work(rank) for rank in range(len(works))], report.parent)  # type: ignore[misc]


def test_two_processes_say_what_one_says(three: tuple[Path, AuditOptions], tmp_path: Path) -> None:
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    surface.audit(three[0], alone, three[1])
    assert shared_by([three, three], shared) == [End(code=0)] * 2
    assert record_of(shared)["tests"] == record_of(alone)["tests"]
    assert record_of(shared) == record_of(alone)
    assert {test["id"] for test in record_of(alone)["tests"] if test["outcome"] == "measured"} >= {"T0", "T2", "T3"}
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("changed", ["set", "members"])
def test_processes_that_read_different_sets_end_in_words(
    three: tuple[Path, AuditOptions], tmp_path: Path, changed: str
) -> None:
    """As many images, of the same name; nothing is written."""
    synthetic, options = three
    other, theirs = tmp_path / synthetic.name, options
    if changed == "set":
        save(other, blobs(12, 4, 16), "s")
    else:
        assert options.members is not None
        other = synthetic
        turned = save(tmp_path / options.members.name, images_in(options.members)[:, ::-1], "m")
        theirs = replace(options, members=turned)
    report = tmp_path / "report"
    found = shared_by([three, (other, theirs)], report)
    assert {end.error for end in found} == {"LostRankError"}
    assert all("one read others" in end.message for end in found)
    assert not report.exists()
    assert not list(tmp_path.glob(".*"))
