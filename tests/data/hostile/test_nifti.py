"""NIfTI files that lie: each costs itself one code, little memory, and nothing of it is said."""

import gzip
import os
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan.data.formats.isolation import Job, run_isolated
from privgan.data.formats.nifti import header as header_module
from privgan.data.formats.nifti import reader
from privgan.data.formats.nifti.volume import MAX_BLOCK_BYTES
from privgan.data.formats.reading import Reading, Request
from privgan.data.formats.worker import configuration_of, decode, read_entry
from privgan.data.recipe import Recipe
from privgan.data.selection import Selection
from tests.data.volumes import FIELDS, nifti, written

BOX = np.arange(6 * 5 * 4, dtype=np.int16).reshape(6, 5, 4)
NAN, INFINITY = float("nan"), float("inf")
MARK = b"Zorkel^Vimbru"
ANYTHING = Recipe(preset="custom", window=(0, 100), size=28)
WHOLE = nifti(BOX)

LIES: dict[str, tuple[str, dict[str, Any]]] = {
    "another magic": ("not_nifti", {"magic": b"n+9\0"}),
    "Analyze, without magic": ("not_nifti", {"magic": bytes(4)}),
    "another header size": ("not_nifti", {"sizeof_hdr": 349}),
    "voxels elsewhere": ("nifti_pair", {"magic": b"ni1\0"}),
    "no dimensions": ("damaged", {"dim": (0, 6, 5, 4, 1, 1, 1, 1)}),
    "eight dimensions": ("damaged", {"dim": (8, 6, 5, 4, 1, 1, 1, 1)}),
    "negative count of dimensions": ("damaged", {"dim": (-3, 6, 5, 4, 1, 1, 1, 1)}),
    "an empty dimension": ("damaged", {"dim": (3, 6, 0, 4, 1, 1, 1, 1)}),
    "FreeSurfer's negative dimension": ("damaged", {"dim": (3, -1, 1, 1, 1, 1, 1, 1)}),
    "many volumes": ("multi_frame", {"dim": (4, 6, 5, 2, 2, 1, 1, 1)}),
    "vectors": ("multi_frame", {"dim": (5, 6, 5, 2, 1, 2, 1, 1)}),
    "a volume of tera voxels": ("too_large", {"dim": (3, 32767, 32767, 32767, 1, 1, 1, 1)}),
    "a long side": ("too_large", {"dim": (3, 20000, 1, 1, 1, 1, 1, 1)}),
    "more voxels than there are": ("truncated", {"dim": (3, 6, 5, 40, 1, 1, 1, 1)}),
    "colour": ("datatype", {"datatype": 128, "bitpix": 24}),
    "complex": ("datatype", {"datatype": 32, "bitpix": 64}),
    "bits": ("datatype", {"datatype": 1, "bitpix": 1}),
    "128 bits": ("datatype", {"datatype": 1536, "bitpix": 128}),
    "an unknown datatype": ("datatype", {"datatype": -7}),
    "another number of bits": ("damaged", {"bitpix": 8}),
    "a negative slope": ("scaling", {"scl_slope": -1.0}),
    "slope NaN": ("scaling", {"scl_slope": NAN}),
    "infinite slope": ("scaling", {"scl_slope": INFINITY}),
    "intercept NaN": ("scaling", {"scl_inter": NAN}),
    "a slope beyond numbers": ("non_finite_pixels", {"scl_slope": 3e38, "scl_inter": 3e38}),
    "voxels inside the header": ("damaged", {"vox_offset": 100.0}),
    "voxels at zero": ("damaged", {"vox_offset": 0.0}),
    "voxels before the file": ("damaged", {"vox_offset": -352.0}),
    "voxels nowhere": ("damaged", {"vox_offset": NAN}),
    "voxels at infinity": ("damaged", {"vox_offset": INFINITY}),
    "voxels between bytes": ("damaged", {"vox_offset": 352.5}),
    "voxels behind the file": ("truncated", {"vox_offset": 4096.0}),
    "voxels far behind": ("too_large", {"vox_offset": 3e38}),
    "a flat affine": ("no_orientation", {"srow": (0.0,) * 12}),
    "an affine of NaN": ("no_orientation", {"srow": (NAN,) * 12}),
    "two axes alike": ("no_orientation", {"srow": (1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)}),
    "a long quaternion": ("damaged", {"sform_code": 0, "qform_code": 1, "quatern": (9.0, 9.0, 9.0)}),
    "negative voxel sizes": ("damaged", {"sform_code": 0, "qform_code": 1, "pixdim": (1.0, -1.0, *[1.0] * 6)}),
    "an unknown space": ("damaged", {"sform_code": -3}),
}

CUT: dict[str, tuple[str, bytes]] = {
    "empty": ("empty_file", b""),
    "text": ("not_nifti", b"hello"),
    "half a header": ("not_nifti", WHOLE[:200]),
    "a header alone": ("truncated", WHOLE[:348]),
    "half the voxels": ("truncated", WHOLE[:-100]),
    "half a compressed file": ("truncated", gzip.compress(WHOLE)[:-40]),
    "a wrong checksum": ("damaged", gzip.compress(WHOLE)[:-8] + bytes(8)),
    "a broken compressed file": ("damaged", gzip.compress(WHOLE)[:30] + bytes(200)),
    "something else compressed": ("not_nifti", gzip.compress(b"x" * 1000)),
    "NIfTI-2": ("nifti_2", struct.pack("<i", 540) + b"n+2\0\r\n\x1a\n" + bytes(600)),
    "NIfTI-2, swapped": ("nifti_2", struct.pack(">i", 540) + b"n+2\0\r\n\x1a\n" + bytes(600)),
    "not a number in a voxel": ("non_finite_pixels", nifti(np.full((6, 5, 4), NAN, np.float32))),
}


def read(path: Path, **selection: Any) -> Reading:
    return read_entry(path, Request(kind=reader.__name__, recipe=ANYTHING, selection=Selection(**selection)))


def test_the_truth_is_read(tmp_path: Path) -> None:
    assert read(written(tmp_path / "a.nii", WHOLE)).code == ""


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize(("code", "fields"), LIES.values(), ids=LIES)
def test_each_lie_has_its_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], code: str, fields: dict[str, Any], suffix: str
) -> None:
    path = written(tmp_path / f"a{suffix}", nifti(BOX, **{"descrip": MARK, **fields}))
    reading = read(path)
    assert (reading.code, reading.images) == (code, None)
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize(("code", "content"), CUT.values(), ids=CUT)
def test_each_fragment_has_its_code(tmp_path: Path, code: str, content: bytes) -> None:
    (tmp_path / "a.nii.gz").write_bytes(content)
    assert read(tmp_path / "a.nii.gz").code == code


@pytest.mark.parametrize("name", ["a.img", "a.hdr", "A.IMG.GZ"])
def test_half_a_pair_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(WHOLE)
    assert read(tmp_path / name).code == "nifti_pair"


def zeros_compressed(front: bytes, count: int) -> bytes:
    """A whole gzip file of so many zero bytes behind a front, without their ever being there: one block, repeated."""
    packer, zeros, blocks = zlib.compressobj(9, wbits=-15), bytes(1 << 20), -(-count >> 20)
    first, block = (packer.compress(part) + packer.flush(zlib.Z_FULL_FLUSH) for part in (front, zeros))
    checksum = zlib.crc32(front)
    for _ in range(blocks):
        checksum = zlib.crc32(zeros, checksum)
    length = len(front) + (blocks << 20) & 0xFFFFFFFF
    head, tail = b"\x1f\x8b\x08" + bytes(7), struct.pack("<LL", checksum, length)
    return head + first + block * blocks + packer.flush() + tail


def test_what_was_packed_block_by_block_is_a_whole_file() -> None:
    assert gzip.decompress(zeros_compressed(WHOLE, 3 << 20)) == WHOLE + bytes(3 << 20)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, ""),  # the voxels it announces are few; the rest is never unpacked
        ({"dim": (3, 512, 512, 30000, 1, 1, 1, 1)}, "too_large"),
        ({"vox_offset": float(100 << 20)}, "too_large"),
        ({"magic": b"none"}, "not_nifti"),
    ],
)
def test_a_bomb_is_unpacked_only_as_far_as_it_may_be(tmp_path: Path, fields: dict[str, Any], code: str) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(zeros_compressed(nifti(BOX, **fields), 256 << 20))
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        assert read(path).code == code
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_slices_across_the_stored_planes_have_a_limit_of_their_own(tmp_path: Path) -> None:
    shape = (900, 900, 250)
    assert MAX_BLOCK_BYTES < np.prod(shape) * 2 < header_module.MAX_VOXEL_BYTES
    front = nifti(np.zeros((1, 1, 1), np.int16), dim=(3, *shape, 1, 1, 1, 1))
    path = tmp_path / "a.nii.gz"
    path.write_bytes(zeros_compressed(front, int(np.prod(shape)) * 2))
    assert read(path, axis="coronal").code == "too_large"
    assert read(path, axis="coronal", frames="middle").code == "blank"


def test_the_largest_volume_fits_into_a_worker(tmp_path: Path) -> None:
    """What the limits allow must not end in a worker that dies of it."""
    shape = (2896, 2896, 32)  # planes of 32 MiB
    front = nifti(np.zeros((1, 1, 1), np.float32), dim=(3, *shape, 1, 1, 1, 1))
    path = tmp_path / "a.nii.gz"
    path.write_bytes(zeros_compressed(front, header_module.MAX_VOXEL_BYTES))
    request = Request(kind=reader.__name__, recipe=ANYTHING, selection=Selection(frames="1-2"))
    narrow = Request(kind=reader.__name__, recipe=ANYTHING, selection=Selection(axis="sagittal", frames="1-700"))
    codes = []
    for each in (request, narrow):
        job = Job(target="privgan.data.formats.worker:handler", configuration=configuration_of(each), seconds=120)
        (answer,) = run_isolated(job, [os.fsencode(path)])
        codes.append(decode(answer, (28, 28)).code)
    assert codes == ["blank", "blank"]  # said after the last voxel


@pytest.mark.parametrize("seed", range(4))
def test_any_mutation_gets_one_code(tmp_path: Path, capfd: pytest.CaptureFixture[str], seed: int) -> None:
    rng, base = np.random.default_rng(seed), nifti(BOX, descrip=MARK, extension=MARK + bytes(19))
    seen = set()
    for number in range(100):
        content = bytearray(base)
        for _ in range(rng.integers(1, 4)):
            place, form = list(FIELDS.values())[rng.integers(len(FIELDS))]
            content[place + rng.integers(struct.calcsize(f"<{form}"))] = rng.integers(256)
        path = written(tmp_path / ("a.nii", "a.nii.gz")[number % 2], bytes(content))
        reading = read(path)
        assert (reading.images is None) == bool(reading.code)
        seen.add(reading.code)
    assert len(seen) > 3
    assert "".join(capfd.readouterr()) == ""


def test_a_volume_is_never_opened_by_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nibabel.load` unpacks what it is told to; a reader that used it would pass none of the limits above."""
    import nibabel

    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(nibabel, "load", never)
    monkeypatch.setattr(nibabel.Nifti1Image, "from_filename", never)
    assert read(written(tmp_path / "a.nii.gz", WHOLE)).code == ""
