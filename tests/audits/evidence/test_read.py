"""The digest of what an audit read: another one for whatever is another, the same for what rank 0 alone knows."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from privgan.arrays import Images
from privgan.records.rows import Records
from privgan.run import WEIGHTS
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.evidence.read import read_by


def sample(first: int, count: int, **further: Any) -> Sample:
    images: Images = np.random.default_rng(first).integers(0, 256, (count, 8, 8, 1)).astype(np.uint8)
    numbers = np.arange(count)
    return Sample(images=images, labels=numbers % 2, patients=first + numbers, **further)


def encoder(digest: str) -> Any:
    return SimpleNamespace(facts=lambda: {"sha256": digest, "trained_on": "others"})


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    run = tmp_path / "run"
    (run / WEIGHTS).parent.mkdir(parents=True)
    (run / WEIGHTS).write_bytes(b"weights")
    codes = np.arange(6)[:, None]
    return Evidence(
        members=sample(0, 6, columns={"sex": np.array(list("FMFMFM"))}, codes=codes),
        non_members=sample(50, 4),
        synthetic=sample(90, 5, records=Records(codes=codes[:5], cells=codes[:5].astype(str))),
        synthetic_folder=tmp_path,
        synthetic_sha256="5" * 64,
        classes=("clear", "opacity"),
        run=run,
        encoder=encoder("e"),
    )


def changed(part: Sample, name: str) -> Sample:
    return replace(part, **{name: np.roll(getattr(part, name), 1, axis=0)})


@pytest.mark.parametrize("side", ["members", "non_members", "synthetic"])
@pytest.mark.parametrize("name", ["images", "labels", "patients"])
def test_other_rows_are_another_reading(evidence: Evidence, side: str, name: str) -> None:
    other = replace(evidence, **{side: changed(getattr(evidence, side), name)})  # type: ignore[arg-type]
    assert read_by(other) != read_by(evidence)


def test_whatever_else_is_another_is_another_reading(evidence: Evidence, tmp_path: Path) -> None:
    members, synthetic = evidence.members, evidence.synthetic
    assert synthetic.records is not None
    records = synthetic.records
    run = tmp_path / "other"
    shutil.copytree(tmp_path / "run", run)
    others = [
        replace(evidence, members=replace(members, columns={"sex": np.array(list("MMFMFM"))})),
        replace(evidence, members=replace(members, columns={"age": members.columns["sex"]})),
        replace(evidence, members=changed(members, "codes")),
        replace(evidence, members=replace(members, codes=None)),
        replace(evidence, synthetic=replace(synthetic, records=replace(records, codes=records.codes + 1))),
        replace(evidence, synthetic=replace(synthetic, records=replace(records, cells=records.cells[::-1]))),
        replace(evidence, non_members=None),
        replace(evidence, synthetic_sha256="6" * 64),
        replace(evidence, classes=("clear", "mass")),
        replace(evidence, cohort=SimpleNamespace(sha256="c")),  # type: ignore[arg-type]
        replace(evidence, rehearses=SimpleNamespace(sha256="c")),  # type: ignore[arg-type]
        replace(evidence, encoder=encoder("f")),
        replace(evidence, encoder=None),
        replace(evidence, numbered=False),
        replace(evidence, run=None),
    ]
    same = [replace(evidence, level=0.001, accepted_delta=True), replace(evidence, run=run)]
    digests = [read_by(each) for each in (evidence, *others)]
    assert len(set(digests)) == len(digests)
    assert {read_by(each) for each in same} == {read_by(evidence)}
    (run / WEIGHTS).write_bytes(b"Weights")
    assert read_by(replace(evidence, run=run)) not in digests
