#!/usr/bin/env bash
# rt-utils 1.2.7: the mask of a drawn outline is larger than the outline, a lesion of 6 mm by three fifths.
#
# A structure set holds outlines in mm. `get_roi_mask_by_name` rounds each point to the nearest pixel and then fills
# with the border in it: whatever the line touches belongs to the mask, half a pixel and more on all sides. Of a circle
# drawn by hand on a CT of 1 mm pixels, the pixels with their centre inside come within 3 per cent of its area; the mask
# is 59 per cent too large for a radius of 3 mm, and 14 for one of 10. Masks that rt-utils wrote itself come back as
# they were, as it draws lines through the border's pixel centres, which hides it: 81 pixels leave as an outline of 66
# square mm, a fifth smaller for whoever reads it otherwise. No warning, and reading has no option to choose.
#
# Seen (Python 3.11), in square mm:
#   circle of radius 3 mm: area 28, pixel centres inside 29, mask 45
#   circle of radius 5 mm: area 79, pixel centres inside 81, mask 101
#   circle of radius 10 mm: area 314, pixel centres inside 317, mask 357
#   a mask of 81: written as an outline of 66, read back as 81
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet rt-utils==1.2.7 pydicom==3.0.2 opencv-python==4.11.0.86 numpy==1.26.4 2>/dev/null
cd "$home"
venv/bin/python - 2>/dev/null <<'PY' | grep -v Writing | tee said
from pathlib import Path

import numpy as np
from pydicom import dcmread, uid
from pydicom.dataset import Dataset, FileMetaDataset
from rt_utils import RTStructBuilder

ROWS, COLUMNS = np.mgrid[:64, :64]

Path("series").mkdir()
for number in range(3):
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    image.SOPClassUID, image.SOPInstanceUID, image.Modality = uid.CTImageStorage, uid.generate_uid(), "CT"
    image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = "2.25.1", "2.25.2", "2.25.3"
    image.PatientID = image.PatientName = image.StudyID = "P1"
    image.StudyDate, image.StudyTime, image.SeriesNumber, image.InstanceNumber = "20260101", "120000", 1, number + 1
    image.Rows = image.Columns = 64
    image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 0
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PixelSpacing, image.SliceThickness = [1, 1], "1"
    image.ImagePositionPatient, image.ImageOrientationPatient = [0, 0, number], [1, 0, 0, 0, 1, 0]
    image.RescaleSlope, image.RescaleIntercept = "1", "0"
    image.PixelData = bytes(64 * 64 * 2)
    image.save_as(f"series/{number}.dcm", enforce_file_format=True)


def inside(radius):
    return (ROWS - 30) ** 2 + (COLUMNS - 30) ** 2 <= radius**2


def read_back(path):
    return RTStructBuilder.create_from("series", path).get_roi_mask_by_name("lesion").sum()


mask = np.zeros((64, 64, 3), bool)
mask[:, :, 1] = inside(5)
written = RTStructBuilder.create_new("series")
written.add_roi(mask=mask, name="lesion")
written.save("written.dcm")
structures = dcmread("written.dcm")
contour = structures.ROIContourSequence[0].ContourSequence[0]
x, y, _z = np.array(contour.ContourData).reshape(-1, 3).T
outline = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2

turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
for radius in (3, 5, 10):
    points = np.stack([30 + radius * np.cos(turn), 30 + radius * np.sin(turn), np.ones(200)], axis=1)
    contour.ContourData, contour.NumberOfContourPoints = [f"{number:.3f}" for number in points.flat], 200
    structures.save_as("drawn.dcm")
    sizes = f"area {np.pi * radius**2:.0f}, pixel centres inside {inside(radius).sum()}, mask {read_back('drawn.dcm')}"
    print(f"circle of radius {radius} mm:", sizes)
print(f"a mask of {mask.sum()}: written as an outline of {outline:.0f}, read back as {read_back('written.dcm')}")
PY
diff said - <<'SEEN'
circle of radius 3 mm: area 28, pixel centres inside 29, mask 45
circle of radius 5 mm: area 79, pixel centres inside 81, mask 101
circle of radius 10 mm: area 314, pixel centres inside 317, mask 357
a mask of 81: written as an outline of 66, read back as 81
SEEN
