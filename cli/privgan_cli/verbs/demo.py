"""demo: the whole path on an invented hospital, or on three that learn together, every command printed as it runs."""

import shlex
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from privgan.errors import NotReleasableError, UsageError
from privgan.language import tr
from privgan_cli.console import console
from privgan_cli.dispatch import dispatch
from privgan_cli.line import demonstrated, following

_MARKER = ".privgan-demo"
_CHANCE = 0.99  # nobody's first run should fail by luck
_PATIENTS = 4000  # more than that needs: at epsilon 5 the attack's AUC is a little above one half, not at it
_COUNT = 4000
_SIZE, _EPSILON = 64, 5.0
_EACH, _TOGETHER, _SEVERAL_COUNT = 3000, 9000, 2000  # of three hospitals: patients of each, a bound on all, images
_SMALL, _EPSILON_EACH = 32, 3.0
_WAITING = 75  # of `answer`: others have to answer first


def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to work; replaced if it is a demo.")] = Path(
        "privgan-demo"
    ),
    hospitals: Annotated[int, typer.Option(help="1, or 3 that learn and release together.")] = 1,
) -> int:
    """Run the whole path on an embedded phantom cohort: from invented patients to a verified bundle."""
    if hospitals not in (1, len(demonstrated.SITES)):
        raise UsageError(f"Expected 1 hospital or {len(demonstrated.SITES)}, got {hospitals}.")
    started = time.monotonic()
    _fresh(folder)
    code, told = _of_one(context, folder) if hospitals == 1 else _of_several(context, folder)
    if code != 0:
        console.note(
            tr(
                "The demo stops here: exit code {code}. Everything is kept in {folder} to look at.",
                code=code,
                folder=folder,
            )
        )
        if code == NotReleasableError.exit_code:
            console.note(tr("A safe set ends so by chance, once in about thirty demos: another demo draws another."))
        return code
    minutes = (time.monotonic() - started) / 60
    words = {**told, "minutes": f"{minutes:.1f}"}
    several = tr(
        "PASS three times: {synthetic} synthetic images learned from {images} images of {patients} invented patients "
        "of three hospitals, in {minutes} minutes; the bundle bears the signatures of all three.",
        **words,
    )
    one = tr(
        "PASS: {count} synthetic images learned from {images} images of {patients} invented patients in {minutes} "
        "minutes.",
        count=told["synthetic"],
        **words,
    )
    console.result(
        {"verdict": "PASS", **told, "minutes": minutes},
        "",
        one if hospitals == 1 else several,
        *(_to_look_at(folder) if hospitals == 1 else _to_look_at_of_several(folder)),
        then=following.command("scan", "YOUR-IMAGES"),
    )
    return 0


def _of_one(context: typer.Context, folder: Path) -> tuple[int, dict[str, int]]:
    from privgan.data.phantoms.phantom_records import COLUMNS
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
    images = write_phantoms(folder / "dicom", patients=patients, records=True, progress=console.progress)
    console.close()
    lines = demonstrated.of_one(folder, columns=COLUMNS, size=_SIZE, epsilon=_EPSILON, count=_COUNT)
    return _show_and_run_all(context, lines), {"patients": patients, "images": images, "synthetic": _COUNT}


def _of_several(context: typer.Context, folder: Path) -> tuple[int, dict[str, int]]:
    from privgan.data.phantoms.phantoms import write_phantoms
    from privgan_audits.gate.preflight import smallest_cohort

    each, images = max(_EACH, smallest_cohort(_CHANCE)), 0
    console.note(
        tr("Three invented hospitals: {count} phantom patients each, whom none shows to the others", count=each)
    )
    for seed, site in enumerate(demonstrated.SITES):
        (folder / site / "dicom").mkdir(parents=True)
        images += write_phantoms(folder / site / "dicom", patients=each, seed=seed, progress=console.progress)
        console.close()
    told = {"patients": each * len(demonstrated.SITES), "images": images, "synthetic": _SEVERAL_COUNT}
    before = demonstrated.of_several(folder, size=_SMALL, epsilon=_EPSILON_EACH, patients=_TOGETHER)
    code = _show_and_run_all(context, before) or _answer_all(context, folder)
    return code or _show_and_run_all(context, demonstrated.of_all(folder, count=_SEVERAL_COUNT)), told


def _answer_all(context: typer.Context, folder: Path) -> int:
    """Round after round, until every hospital has the generator; or the exit code of the first that refuses."""
    waiting = demonstrated.answers(folder)
    while waiting:
        codes = [_show_and_run(context, words) for words in waiting]
        if refused := [code for code in codes if code not in (0, _WAITING)]:
            return refused[0]
        waiting = [words for words, code in zip(waiting, codes, strict=True) if code == _WAITING]
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


def _to_look_at_of_several(folder: Path) -> Iterator[str]:
    yield tr("Look at:")
    yield tr("  {folder}  what travelled between the hospitals, all of it", folder=folder / "federation")
    for site in demonstrated.SITES:
        yield tr(
            "  {file}  what an attacker tried and what came of it (stays in the hospital)",
            file=folder / site / "report" / "audit.html",
        )
    yield tr("  {folder}  what may leave; README.md in it is what a recipient reads first", folder=folder / "bundle")


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
