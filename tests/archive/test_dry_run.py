"""What `send --dry-run` says of an archive, and that it sends nothing."""

import json
from pathlib import Path

import pytest

from tests.archive.conftest import COUNT, Process
from tests.archive.orthanc import Orthanc
from tests.archive.test_send import files_of, require_silence, words


@pytest.mark.parametrize("way", ["url", "peer"])
def test_a_dry_run_tells_and_sends_nothing(
    process: Process, archive: Orthanc, released: Path, bundle: Path, way: str
) -> None:
    """Nor does it begin a journal; --echo asks the archive, which hears of no patient and keeps nothing."""
    to = getattr(archive, way)
    answer = json.loads(process(*words(released, bundle, to, "--dry-run", "--json")).stdout)
    size = sum(map(len, files_of(bundle)))
    told = {"schema_version": 1, "instances": COUNT, "bytes": size, "stored_before": 0, "sent": False}
    assert answer == {**told, "answered": False}
    asked = process(*words(released, bundle, to, "--dry-run", "--echo"))
    assert "talks to us" in asked.stdout
    assert f"{COUNT} of {COUNT} instances would go to {to}" in asked.stdout
    require_silence(asked.stdout + asked.stderr, bundle)
    assert archive.instances() == []
    assert [path.name for path in bundle.parent.iterdir()] == [bundle.name]
    process(*words(released, bundle, to))
    again = json.loads(process(*words(released, bundle, to, "--dry-run", "--json")).stdout)
    assert again == {**told, "stored_before": COUNT, "answered": False}


@pytest.mark.parametrize("to", ["http://127.0.0.1:9/dicom-web", "NOBODY@127.0.0.1:9"])
def test_a_dry_run_asks_nobody_unless_it_is_told_to(process: Process, released: Path, bundle: Path, to: str) -> None:
    assert "not asked" in process(*words(released, bundle, to, "--dry-run")).stdout
    process(*words(released, bundle, to, "--dry-run", "--echo"), code=75)
    process(*words(released, bundle, to, "--echo"), code=2)
    (bundle / "dataset" / "labels.csv").write_text("file,patient,label\n")
    process(*words(released, bundle, to, "--dry-run"), code=6)
