#!/usr/bin/env bash
# pydicom 3.0.2: of an enhanced CT, `apply_modality_lut` gives the stored numbers, 1024 away from Hounsfield units.
#
# Two files hold one slice of water. The classic one has Rescale Slope and Intercept at its top, the enhanced one (one
# file a volume, which newer scanners send) in a functional group, as PS3.3 C.7.6.16.2.9 wants it. "Apply the modality
# table" gives 0 for the former and 1024 for the latter: what is not at the top counts as not there, and no rescaling is
# taken for one that need not be done. Nothing warns. highdicom 0.28.2 gives 0 for both. Known as issue 2353 of pydicom.
#
# Seen (Python 3.11), water in Hounsfield units:
#   classic CT: pydicom 0, highdicom 0
#   enhanced CT: pydicom 1024, highdicom 0
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet pydicom==3.0.2 highdicom==0.28.2 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' 2>&1 | tee said
import highdicom
import numpy as np
from pydicom import dcmread, uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut


def item(**values):
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


RESCALE = {"RescaleSlope": "1", "RescaleIntercept": "-1024", "RescaleType": "HU"}


def slice_of_water(kind, **where):
    image = item(SOPClassUID=kind, Modality="CT", Rows=8, Columns=8, SamplesPerPixel=1, **where)
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        setattr(image, keyword, uid.generate_uid())
    image.PhotometricInterpretation, image.PixelRepresentation = "MONOCHROME2", 0
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PixelData = np.full((8, 8), 1024, "<u2").tobytes()
    image.save_as("image.dcm", enforce_file_format=True)
    return dcmread("image.dcm")


def seen(image):
    by_pydicom = apply_modality_lut(image.pixel_array, image).flat[0]
    by_highdicom = highdicom.Image.from_dataset(image).get_frame(1).flat[0]
    return f"pydicom {by_pydicom:.0f}, highdicom {by_highdicom:.0f}"


print("classic CT:", seen(slice_of_water(uid.CTImageStorage, **RESCALE)))
shared = item(PixelValueTransformationSequence=[item(**RESCALE)])
frame = item(PlanePositionSequence=[item(ImagePositionPatient=[0, 0, 0])])
groups = {"SharedFunctionalGroupsSequence": [shared], "PerFrameFunctionalGroupsSequence": [frame]}
print("enhanced CT:", seen(slice_of_water(uid.EnhancedCTImageStorage, NumberOfFrames=1, **groups)))
PY
diff said - <<'SEEN'
classic CT: pydicom 0, highdicom 0
enhanced CT: pydicom 1024, highdicom 0
SEEN
