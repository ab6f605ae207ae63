"""A hundred thousand files: how long `prepare` takes, and that its memory does not follow the number of files."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom.filewriter import dcmwrite

from tests.data.conftest import build_dicom
from tests.data.descendants import below
from tests.places import ROOT

PER_PATIENT = 3
PIXELS = 28 * 28
MOST_BYTES_A_FILE = 1600  # that the parent may hold on to: numbers, digests and names
SCRIPT = (
    "import sys; from pathlib import Path\n"
    "from privgan.data.cohort.prepare import prepare\n"
    "from privgan.data.cohort.options import PrepareOptions\n"
    "from privgan.data.sources.wishes import Wishes\n"
    "if __name__ == '__main__':\n"
    "    options = PrepareOptions(reading=Wishes(size=28, preset='cxr'))\n"
    "    prepare(Path(sys.argv[1]), Path(sys.argv[2]), options)\n"
)


def written(folder: Path, files: int) -> Path:
    """One DICOM file by pydicom, then copies with other pixels, UIDs and patients in the same places."""
    tags = {
        "PatientID": "PAT-0000000",
        "PatientName": "Zorkel^N0000000",
        "SOPInstanceUID": "1.2.3.10000000",
        "StudyInstanceUID": "1.2.4.10000000",
        "SeriesInstanceUID": "1.2.5.10000000",
        "StudyDate": "20200101",
        "InstitutionName": "Vimbru",
    }
    stream = io.BytesIO()
    dcmwrite(stream, build_dicom(np.zeros((28, 28), np.uint8), **tags), enforce_file_format=True)
    header = stream.getvalue()[:-PIXELS]
    rng = np.random.default_rng(0)
    for number in range(files):
        patient = number // PER_PATIENT
        content = header.replace(b"1.2.3.10000000", b"1.2.3.1%07d" % number)
        for mark in (b"PAT-", b"^N", b"1.2.4.1", b"1.2.5.1"):
            content = content.replace(mark + b"0000000", mark + b"%07d" % patient)
        place = folder / f"ward{patient // 300:03d}" / f"patient{patient:07d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"image{number:07d}.dcm").write_bytes(content + rng.bytes(PIXELS))
    return folder


def peaks(process: int) -> Iterator[tuple[str, int]]:
    """Name and peak resident bytes of a process and of all below it, as far as they live."""
    for number in (str(process), *below(process)):
        status = dict(line.split(":", 1) for line in Path(f"/proc/{number}/status").read_text().splitlines())
        if "VmHWM" in status:
            yield number, int(status["VmHWM"].split()[0]) * 1024


def prepared(source: Path, target: Path) -> tuple[float, int, int]:
    """Seconds, and peak resident bytes of the parent and of the largest worker."""
    target.mkdir()
    words = [sys.executable, "-c", SCRIPT, str(source), str(target)]
    highest: dict[str, int] = {}
    began = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(words, env=environment) as process:
        while process.poll() is None:
            try:
                highest |= dict(peaks(process.pid))
            except (FileNotFoundError, ProcessLookupError):
                continue
            time.sleep(0.2)
    assert process.returncode == 0
    workers = [peak for number, peak in highest.items() if number != str(process.pid)]
    return time.monotonic() - began, highest[str(process.pid)], max(workers)


@pytest.mark.study
def test_memory_of_a_hundred_thousand_files(tmp_path: Path) -> None:
    """Twice: a tenth of the files, and all of them; the difference is what a file costs."""
    measured = {}
    for files in (10_000, 100_000):
        source = written(tmp_path / f"source{files}", files)
        seconds, parent, worker = prepared(source, tmp_path / f"cohort{files}")
        measured[files] = parent
        speed = f"{seconds:.0f} s, {files / seconds:.0f} files/s"
        memory = f"{parent / 1e6:.0f} MB in the parent, {worker / 1e6:.0f} MB in the largest worker"
        print(f"\n{files} files of {files // PER_PATIENT} patients: {speed}; peak resident memory {memory}")
    each = (measured[100_000] - measured[10_000]) / 90_000
    print(f"{each:.0f} bytes a file in the parent")
    assert each < MOST_BYTES_A_FILE
