#!/usr/bin/env bash
# dcmscale of DCMTK 3.6.7: a region cut out of a CT has pixels of twice the size, and lies where the whole image began.
#
# `+C left top width height` cuts without scaling: each pixel stays what it was. But Pixel Spacing is made anew as if
# the whole width had been squeezed into the region: half the columns, twice the millimetres; of a region that is not as
# square as the image each direction gets its own factor. Image Position stays that of the corner that was cut off. What
# measures 8 mm in the patient measures 16 mm, and an area is four times as large; nothing warns. The manual says of the
# option that it clips, and no more.
#
# Seen (Debian's dcmtk 3.6.7, Python 3.11):
#   whole: 64 x 64 pixels of 0.5 x 0.5 mm, the first 0 lies at 0.0
#   half: 32 x 32 pixels of 1.0 x 1.0 mm, the first 10 lies at 0.0
#   quarter wide: 16 x 32 pixels of 2.0 x 1.0 mm, the first 10 lies at 0.0
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
command -v dcmscale >/dev/null || { apt-get update -qq && apt-get install -y -qq dcmtk; } >/dev/null 2>&1
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet pydicom==3.0.2 numpy==2.3.5 2>/dev/null
cd "$home"
dcmscale --version | head -1
venv/bin/python - <<'PY' 2>&1 | tee said
import subprocess

import numpy as np
from pydicom import dcmread, uid
from pydicom.dataset import Dataset, FileMetaDataset

image = Dataset()
image.file_meta = FileMetaDataset()
image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
image.SOPClassUID, image.Modality = uid.CTImageStorage, "CT"
for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
    setattr(image, keyword, uid.generate_uid())
image.Rows = image.Columns = 64
image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 0
image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
image.PixelSpacing, image.SliceThickness = [0.5, 0.5], "1"
image.ImagePositionPatient, image.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
image.RescaleSlope, image.RescaleIntercept, image.RescaleType = "1", "0", "HU"
image.PixelData = np.tile(np.arange(64, dtype="<u2"), (64, 1)).tobytes()  # each value is the number of its column
image.save_as("whole.dcm", enforce_file_format=True)


def seen(path):
    image = dcmread(path)
    size = f"{image.Columns} x {image.Rows} pixels of {image.PixelSpacing[1]:.1f} x {image.PixelSpacing[0]:.1f} mm"
    return f"{size}, the first {image.pixel_array[0, 0]} lies at {float(image.ImagePositionPatient[0])}"


print("whole:", seen("whole.dcm"))
for name, region in (("half", "10 20 32 32"), ("quarter wide", "10 20 16 32")):
    subprocess.run(["dcmscale", "+C", *region.split(), "whole.dcm", "region.dcm"], check=True)
    print(f"{name}:", seen("region.dcm"))
PY
diff said - <<'SEEN'
whole: 64 x 64 pixels of 0.5 x 0.5 mm, the first 0 lies at 0.0
half: 32 x 32 pixels of 1.0 x 1.0 mm, the first 10 lies at 0.0
quarter wide: 16 x 32 pixels of 2.0 x 1.0 mm, the first 10 lies at 0.0
SEEN
