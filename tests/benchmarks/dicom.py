"""Reading DICOM beside a plain pydicom loop in one run; and what becomes of every real file at hand.

    python tests/benchmarks/dicom.py [--json]      images a second, one and two workers against the loop
    python tests/benchmarks/dicom.py --files       a Markdown table of the files in ../shared/data/dicom

The loop is what one writes in ten minutes: dcmread, pixel_array, rescale, window, Pillow's box filter; no checks, no
limits, no process of its own. Ours includes starting its workers. Medians of interleaved rounds, after a warm-up.
Libraries are imported where they are used: a worker imports this script again when it starts, as it does a user's.
"""

import itertools
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measuring import timed

sys.path.insert(0, str(Path(__file__).parents[2]))


KINDS = (  # name, transfer syntax, pixels a side, files
    ("slices, uncompressed", None, 512, 4000),
    ("slices, RLE", "1.2.840.10008.1.2.5", 512, 2000),
    ("slices, JPEG-LS", "1.2.840.10008.1.2.4.80", 512, 600),
    ("slices, JPEG 2000", "1.2.840.10008.1.2.4.90", 512, 600),
    ("radiographs, uncompressed", None, 2048, 300),
)
SIZE, ROUNDS, DIFFERENT = 64, 3, 4
PRESET = "ct-soft"
REAL = Path(__file__).parents[2].parent / "shared" / "data" / "dicom"


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """One line a kind of file."""
    for name, syntax, side, count in KINDS:
        files = folder / name
        files.mkdir()
        _write(files, _pictures(side), syntax, count)
        plain, one, two = timed(
            [lambda f=files: loop(f), lambda f=files: ours(f, 1), lambda f=files: ours(f, 2)], rounds=ROUNDS
        )
        yield {
            "what": name,
            "files": count,
            "pydicom_per_s": round(count / plain),
            "one_worker_per_s": round(count / one),
            "two_workers_per_s": round(count / two),
            "one_against_pydicom": round(plain / one, 2),
            "two_against_one": round(one / two, 2),
        }


def loop(folder: Path) -> int:
    """The plain loop over a folder; how many images."""
    import numpy as np
    from PIL import Image
    from pydicom import dcmread
    from pydicom.pixels import apply_rescale

    from privgan.data.recipe import PRESETS

    low, high = PRESETS[PRESET].window
    images = []
    for path in sorted(folder.iterdir()):
        dataset = dcmread(path)
        values = apply_rescale(dataset.pixel_array, dataset).astype(np.float32)
        unit = Image.fromarray(np.clip((values - low) / (high - low), 0, 1))
        images.append(np.asarray(unit.resize((SIZE, SIZE), Image.Resampling.BOX)))
    return len(images)


def ours(folder: Path, workers: int) -> int:
    """The same as `prepare` reads; how many images."""
    from privgan.data.sources.opening import open_source
    from privgan.data.sources.wishes import Wishes

    source = open_source(folder, Wishes(preset=PRESET, size=SIZE, workers=workers))
    return sum(entry.image is not None for entry in source.entries())


def _pictures(side: int) -> list[Any]:
    import numpy as np
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    smooth = [gaussian_filter(rng.standard_normal((side, side)), 6) for _ in range(DIFFERENT)]
    return [np.clip(8000 * image + 2000, 0, 4095).astype(np.uint16) for image in smooth]


def _write(folder: Path, pictures: list[Any], syntax: str | None, count: int) -> None:
    from tests.data.conftest import build_dicom

    scale = {"RescaleSlope": "1", "RescaleIntercept": "-1024", "Modality": "CT"}
    for number in range(count):
        dataset = build_dicom(
            pictures[number % DIFFERENT], BitsStored=12, HighBit=11, PatientID=str(number // 5), **scale
        )
        if syntax:
            dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(folder / f"{number:06d}.dcm", enforce_file_format=True)


def file_table() -> Iterator[str]:
    """A line for every real file: what its header announces, and what privgan does with it."""
    yield "| file | transfer syntax | pixels | as a picture | by `privgan scan --preset custom --window 0,4095` |"
    yield "|---|---|---|---|---|"
    from privgan.data.formats.dicom import reader as dicom
    from privgan.data.formats.reading import Request
    from privgan.data.formats.worker import read_entry
    from privgan.data.recipe import Recipe
    from privgan.data.selection import Selection

    recipe = Recipe(preset="custom", window=(0.0, 4095.0))
    asked = Request(kind=dicom.__name__, recipe=recipe)
    anything = Request(kind=dicom.__name__, recipe=recipe, selection=Selection(trusted=True))
    found = []
    for path in sorted(path for path in REAL.rglob("*") if path.is_file()):
        readable, scanned = (read_entry(path, request) for request in (anything, asked))
        frames = 0 if readable.images is None else len(readable.images)
        result = readable.code or ("read" if frames == 1 else f"read, {frames} images")
        found.append((path.parent.relative_to(REAL), path.name, (*_announced(path), result, scanned.code or "read")))
    for (folder, cells), files in itertools.groupby(found, key=lambda row: (row[0], row[2])):
        names = [name for _, name, _ in files]
        file = names[0] if len(names) == 1 else f"{len(names)} files, {names[0]} to {names[-1]}"
        yield f"| {folder}: {file} | {' | '.join(cells)} |"


def _announced(path: Path) -> tuple[str, str]:
    import warnings

    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = dcmread(path, stop_before_pixels=True)
            syntax = dataset.file_meta.get("TransferSyntaxUID", "")
            words = [
                str(dataset.get(name, "")) for name in ("PhotometricInterpretation", "BitsStored", "NumberOfFrames")
            ]
        except Exception:  # noqa: BLE001 - some files are broken on purpose
            return "", ""
    photometric, bits, frames = words
    pixels = f"{photometric}, {bits} bit" + (f", {frames} frames" if frames not in ("", "1") else "")
    return getattr(syntax, "name", ""), pixels if photometric else ""


def main() -> None:
    """See the head of this file."""
    if "--files" in sys.argv:
        sys.stdout.writelines(f"{line}\n" for line in file_table())
        return
    with tempfile.TemporaryDirectory() as folder:
        found = list(rows(Path(folder)))
    if "--json" in sys.argv:
        print(json.dumps({"rows": found}))
        return
    for row in found:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
