"""The whole path as processes, from hostile headers to the recipient's check, with identifiers planted everywhere."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from privgan.data.phantoms.phantoms import write_phantoms
from privgan_audits.report.usefulness import use
from tests.data.markers import plant

MARK = re.compile(rb"QZ\d\d[PF]\d{5}VK")
Privgan = Callable[..., subprocess.CompletedProcess[str]]
LINES = ("scan", "prepare", "plan", "train", "generate", "audit", "release", "budget", "doctor")


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 phantom patients as DICOM, in folders and files that are named after them, one file broken."""
    folder = tmp_path_factory.mktemp("hospital") / "dicom"
    folder.mkdir()
    write_phantoms(folder, patients=80)
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".csv")
    (files[0].parent / "Zebulon_Quixmire_19470213.dcm").write_bytes(files[0].read_bytes()[:900])
    _mark(folder, files)
    return folder


def _mark(folder: Path, files: list[Path]) -> None:
    """Marks in every place of every file, and the numbers that the label table must then name."""
    table, renamed = (folder / "labels.csv").read_text(), dict[str, str]()
    owners = {path.parent: number for number, path in enumerate(files)}
    for number, path in enumerate(files):
        before = dcmread(path, stop_before_pixels=True).PatientID
        assert len(set(plant(path, number, owners[path.parent]))) >= 36
        renamed[before] = dcmread(path, stop_before_pixels=True).PatientID
    for before, after in renamed.items():
        table = table.replace(before, after)
    (folder / "labels.csv").write_text(table)


def _planted(folder: Path) -> set[str]:
    """Every identifying string of the source: header values, folder and file names."""
    words = {"Zebulon", "Quixmire", "19470213"}
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in (".csv", "") and "Quixmire" not in path.name:
            header = dcmread(path, stop_before_pixels=True)
            for keyword in ("PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID", "SOPInstanceUID"):
                words.add(str(header.get(keyword, "")).split("^")[0])
            words.add(path.parent.name)
    return {word for word in words if len(word) >= 4}


@pytest.fixture(scope="module")
def finished(
    privgan: Privgan, hospital: Path, fast_config: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """The path run once; gives the working folder and everything every verb printed."""
    work = tmp_path_factory.mktemp("path")
    labels = hospital / "labels.csv"
    said: dict[str, str] = {}

    def step(name: str, *words: object, code: int = 0) -> None:
        done = privgan(*words, "-v", code=code)
        said[name] = done.stdout + done.stderr

    step("scan", "scan", hospital, "--csv", labels)
    prepare = ("prepare", hospital, work / "cohort", "--csv", labels, "--size", 28)
    step("prepare refused", *prepare, code=5)
    step("prepare", *prepare, "--accept-low-power")
    train = ("train", work / "cohort", work / "run", "--epsilon", 4, "--config", fast_config)
    step("train refused", *train, code=5)
    step("train", *train, "--accept-noise")
    step("generate", "generate", work / "run", work / "synthetic", "--count", 60)
    audit = ("audit", work / "synthetic", "--cohort", work / "cohort", "--run", work / "run")
    step("audit", *audit, "--report", work / "report", code=4)
    step("keygen", "keygen", work / "officer")
    release = ("release", work / "synthetic", "--cohort", work / "cohort", "--report", work / "report")
    release = (*release, "--run", work / "run")
    step("release", *release, "--to", work / "bundle", "--key", work / "officer.key", code=4)
    step("budget", "budget", work / "cohort")
    return work, said


def test_too_few_patients_are_inconclusive_and_stay_inside(finished: tuple[Path, dict[str, str]]) -> None:
    """Some fifty members cannot show that nothing leaks: exit 4 at audit and at release, and there is no bundle."""
    work, _ = finished
    record = json.loads((work / "report" / "audit.json").read_text())
    assert record["verdict"] == "INCONCLUSIVE"
    assert "accept-low-power" in json.dumps(record["overrides"])
    assert not (work / "bundle").exists()


def test_the_terminal_says_of_what_use_the_images_are(finished: tuple[Path, dict[str, str]]) -> None:
    """In the words of the report's first page, and nothing of it on the page that may leave."""
    work, said = finished
    record = json.loads((work / "report" / "audit.json").read_text())
    told = use(record["utility"])
    assert record["utility"]["use"]["band"] in told
    assert told in said["audit"]
    assert told.split(":")[0] in (work / "report" / "audit.html").read_text()
    assert told.split(":")[0] not in (work / "report" / "audit-public.html").read_text()


def test_no_planted_identifier_appears_anywhere(finished: tuple[Path, dict[str, str]], hospital: Path) -> None:
    """Not in what any verb said, nor in any file outside private/ that it wrote, as text or as UTF-16."""
    work, said = finished
    planted = _planted(hospital)
    assert len(planted) > 200
    for verb, text in said.items():
        assert not [word for word in planted if word in text], verb
    for path in work.rglob("*"):
        if not path.is_file() or "private" in path.relative_to(work).parts:
            continue
        content = path.read_bytes() + str(path.relative_to(work)).encode()
        assert not [word for word in planted if word.encode() in content], path.relative_to(work)
        assert not [word for word in planted if word.encode("utf-16-le") in content], path.relative_to(work)


def test_no_mark_of_any_place_appears_anywhere(finished: tuple[Path, dict[str, str]], hospital: Path) -> None:
    """Whatever place of a file held it: not in what was said, not in a name, not in a file, private/ included."""
    work, said = finished
    source = b"".join(path.read_bytes() for path in hospital.rglob("*.dcm"))
    assert len(set(MARK.findall(source))) > 36 * 80
    assert not MARK.search("".join(said.values()).encode())
    for path in work.rglob("*"):
        assert not MARK.search(str(path.relative_to(work)).encode())
        if path.is_file():
            content = path.read_bytes()
            assert not MARK.search(content), path.relative_to(work)
            assert not MARK.search(content.replace(b"\0", b"")), path.relative_to(work)  # as UTF-16


def test_identifiers_are_kept_only_as_keyed_digests(finished: tuple[Path, dict[str, str]], hospital: Path) -> None:
    """private/ holds no identifier in clear either, and is closed to others."""
    work, _ = finished
    private = work / "cohort" / "private"
    assert private.stat().st_mode & 0o077 == 0
    content = b"".join(p.read_bytes() for p in private.iterdir())
    assert not [word for word in _planted(hospital) if word.encode() in content]


def test_contract_of_what_is_on_disk(finished: tuple[Path, dict[str, str]]) -> None:
    """Names and dtypes that other tools rely on."""
    work, _ = finished
    images = np.load(work / "cohort" / "images.npy", mmap_mode="r")
    with np.load(work / "cohort" / "patients.npz") as columns:
        kinds = {name: columns[name].dtype.name for name in columns.files}
        split = columns["split"]
    assert images.dtype == np.uint8
    assert images.shape[1:] == (28, 28)
    assert kinds == {"patient": "int64", "label": "int64", "split": "uint8"}
    assert set(split.tolist()) == {0, 1}
    for name in ("cohort.json", "refused.jsonl", "private/ledger.jsonl"):
        assert (work / "cohort" / name).is_file()
    for name in ("run.json", "config.resolved.toml", "model/generator.safetensors", "model/config.json"):
        assert (work / "run" / name).is_file()
    for name in ("images.npz", "labels.csv", "manifest.json", "README.md", "dicom/000001/000001.dcm"):
        assert (work / "synthetic" / name).is_file()
    for name in ("audit.json", "audit.html", "audit-public.html"):
        assert (work / "report" / name).is_file()
    assert (work / "synthetic").stat().st_mode & 0o077 == 0


def test_an_edited_cohort_run_or_set_is_refused(
    privgan: Privgan, finished: tuple[Path, dict[str, str]], fast_config: Path, tmp_path: Path
) -> None:
    """One changed byte in images, weights or the synthetic set: exit 6 (7 for the ledger)."""
    work = tmp_path / "copy"
    shutil.copytree(finished[0], work)
    audit = ("audit", work / "synthetic", "--cohort", work / "cohort", "--report", tmp_path / "r")

    def with_changed(path: Path, code: int, *words: object) -> None:
        content = path.read_bytes()
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        privgan(*words, code=code)
        path.write_bytes(content)

    with_changed(work / "cohort" / "images.npy", 6, *audit)
    with_changed(work / "cohort" / "private" / "identifiers", 6, *audit)
    with_changed(work / "cohort" / "private" / "ledger.jsonl", 7, *audit)
    with_changed(work / "synthetic" / "labels.csv", 6, *audit)
    generate = ("generate", work / "run", tmp_path / "s", "--count", 2)
    with_changed(work / "run" / "model" / "generator.safetensors", 6, *generate)
    train = ("train", work / "cohort", tmp_path / "t", "--epsilon", 1, "--config", fast_config, "--accept-noise")
    with_changed(work / "cohort" / "patients.npz", 6, *train)
    (work / "cohort" / "cohort.json").unlink()
    privgan(*train, code=6)


def test_existing_outputs_are_refused_without_force(
    privgan: Privgan, finished: tuple[Path, dict[str, str]], hospital: Path, fast_config: Path
) -> None:
    """Every verb that makes a folder; and --force never replaces a cohort on which privacy was spent."""
    work, _ = finished
    privgan("generate", work / "run", work / "synthetic", "--count", 2, code=2)
    privgan("train", work / "cohort", work / "run", "--epsilon", 1, "--config", fast_config, "--accept-noise", code=2)
    audit = ("audit", work / "synthetic", "--cohort", work / "cohort")
    privgan(*audit, "--report", work / "report", code=2)
    privgan("prepare", hospital, work / "cohort", "--accept-low-power", code=7)
    privgan("prepare", hospital, work / "cohort", "--accept-low-power", "--force", code=7)
    privgan("keygen", work / "officer", code=2)
    privgan("generate", work / "run", work, "--count", 2, "--force", code=2)  # not a set: never replaced
