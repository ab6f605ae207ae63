"""demo: the whole path on an invented hospital, every command printed as it runs."""

import shlex
import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from privgan.errors import UsageError
from privgan.language import tr
from privgan_cli.console import console
from privgan_cli.dispatch import dispatch
from privgan_cli.line import following
from privgan_cli.options import today

_MARKER = ".privgan-demo"
_CHANCE = 0.99  # nobody's first run should fail by luck
_PATIENTS = 4000  # more than that needs: at epsilon 5 the attack's AUC is a little above one half, not at it
_COUNT = 4000
_SIZE, _EPSILON = 64, 5.0
_POLICY, _APPROVED_DAYS = "policy.toml", 365


def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to work; replaced if it is a demo.")] = Path(
        "privgan-demo"
    ),
) -> int:
    """Run the whole path on an embedded phantom cohort: from invented patients to a verified bundle."""
    started = time.monotonic()
    _fresh(folder)
    from privgan.data.phantoms.phantoms import write_phantoms
    from privgan_audits.gate.preflight import smallest_cohort

    patients = max(_PATIENTS, smallest_cohort(_CHANCE))
    console.note(
        tr(
            "An invented hospital: {count} phantom patients as DICOM files, with invented names in the headers",
            count=patients,
        )
    )
    (folder / "dicom").mkdir()
    (folder / "keys").mkdir()
    images = write_phantoms(folder / "dicom", patients=patients, progress=console.progress)
    console.close()
    code = _show_and_run_all(context, [*_keys(folder), *_path(folder)])
    if code != 0:
        console.note(
            tr(
                "The demo stops here: exit code {code}. Everything is kept in {folder} to look at.",
                code=code,
                folder=folder,
            )
        )
        return code
    minutes = (time.monotonic() - started) / 60
    console.result(
        {"verdict": "PASS", "patients": patients, "images": images, "synthetic": _COUNT, "minutes": minutes},
        "",
        tr(
            "PASS: {count} synthetic images learned from {images} images of {patients} invented patients in "
            "{minutes} minutes.",
            count=_COUNT,
            images=images,
            patients=patients,
            minutes=f"{minutes:.1f}",
        ),
        *_to_look_at(folder),
        then=following.command("scan", "YOUR-IMAGES"),
    )
    return 0


def _to_look_at(folder: Path) -> Iterator[str]:
    yield tr("Look at:")
    yield tr("  {file}  the synthetic images", file=folder / "synthetic" / "contact-sheet.png")
    yield tr(
        "  {file}  what an attacker tried and what came of it (stays in the hospital)",
        file=folder / "report" / "audit.html",
    )
    yield tr("  {folder}  what may leave; README.md in it is what a recipient reads first", folder=folder / "bundle")
    yield tr("  privgan budget {folder}  what the cohort has spent", folder=folder / "cohort")


def _keys(folder: Path) -> list[list[str]]:
    """Two people: the officer, whose policy demands an approval, and the hospital's data engineer, who releases."""
    officer, hospital = (
        ["keygen", str(folder / "keys" / name), "--no-passphrase"] for name in ("officer", "hospital")
    )
    return [[*officer, "--policy", str(folder / _POLICY), "--house", "An invented hospital"], hospital]


def _path(folder: Path) -> list[list[str]]:
    at = {name: str(folder / name) for name in ("dicom", "cohort", "run", "synthetic", "report", "bundle")}
    called = ["--modality", "CR", "--body-part", "CHEST"]
    labels, policy = ["--csv", f"{at['dicom']}/labels.csv"], ["--policy", str(folder / _POLICY)]
    key = {name: str(folder / "keys" / name) for name in ("officer", "hospital")}
    prepare = ["prepare", at["dicom"], at["cohort"], *labels, *called, "--classes", "clear,opacity"]
    audit = ["audit", at["synthetic"], "--cohort", at["cohort"], "--run", at["run"], "--report", at["report"]]
    approve = [
        "approve",
        at["report"],
        "--cohort",
        at["cohort"],
        "--key",
        f"{key['officer']}.key",
        "--name",
        "Demo Officer",
    ]
    release = ["release", at["synthetic"], "--cohort", at["cohort"], "--run", at["run"], "--report", at["report"]]
    last = (today() + timedelta(days=_APPROVED_DAYS)).isoformat()
    return [
        ["doctor"],
        ["scan", at["dicom"], *labels],
        [*prepare, "--size", str(_SIZE), *policy],
        ["plan", "--patients", "2000", "--batch", "128", "--steps", "250", "--epsilon", f"{_EPSILON:g}"],
        ["train", at["cohort"], at["run"], "--epsilon", f"{_EPSILON:g}"],
        ["generate", at["run"], at["synthetic"], "--count", str(_COUNT)],
        [*audit, *policy],
        [
            *approve,
            "--key",
            f"{key['officer']}.key",
            "--until",
            last,
            "--purpose",
            "to see how it works",
            "--recipient",
            "nobody",
            "--yes",
        ],
        [*release, "--to", at["bundle"], "--key", f"{key['hospital']}.key"],
        ["verify", at["bundle"], "--public-key", f"{key['hospital']}.pub", "--officer-key", f"{key['officer']}.pub"],
        ["budget", at["cohort"]],
    ]


def _show_and_run_all(context: typer.Context, commands: Iterable[list[str]]) -> int:
    """The exit code of the first that refuses, or 0."""
    return next((code for words in commands if (code := _show_and_run(context, words))), 0)


def _show_and_run(context: typer.Context, words: list[str]) -> int:
    started = time.monotonic()
    console.note(f"\n$ privgan {shlex.join(words)}")
    # The demo's own answer comes at the end; the steps speak plainly even under --json, on stderr.
    code = dispatch(context.find_root().command, [*words, "--quiet"] if console.quiet else words)
    console.note(tr("  ({seconds} s)", seconds=f"{time.monotonic() - started:.0f}"))
    return code


def _fresh(folder: Path) -> None:
    """An empty demo folder; only a folder that a demo made is ever replaced."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARKER).is_file():
            raise UsageError(f"Expected a new folder or an older demo, {folder} holds something else.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).touch()
