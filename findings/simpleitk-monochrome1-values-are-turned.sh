#!/usr/bin/env bash
# SimpleITK 2.5.7 turns the values of MONOCHROME1 images round, and then gives them the unit of the unturned ones.
#
# MONOCHROME1 says that low values are shown white; it says nothing about the values. A radiograph of 12 bits holds 300
# everywhere, with slope 1 and intercept -1024: 300 stored is -724 in the file's unit, as pydicom's modality table
# gives. SimpleITK gives 2771, that is 4095 - 300 - 1024: no stored value means that, and nothing warns. The same pixels
# under MONOCHROME2 are -724. Of the same signed value 300 it makes -1325. Lungs are dark in one tool and bright in
# the other, and whoever inverts MONOCHROME1 after reading, as one must with pydicom, turns it twice. highdicom 0.28.2
# does as SimpleITK does unless told `apply_presentation_lut=False`.
#
# Seen (Python 3.11):
#   MONOCHROME2: pydicom -724, SimpleITK -724, highdicom -724
#   MONOCHROME1: pydicom -724, SimpleITK 2771, highdicom 2771
#   MONOCHROME1, 16 bits signed: pydicom -724, SimpleITK -1325
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet simpleitk==2.5.7 highdicom==0.28.2 pydicom==3.0.2 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' 2>&1 | tee said
import highdicom
import numpy as np
import SimpleITK
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut


def radiograph(shown, bits, signed):
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    image.SOPClassUID, image.Modality = uid.ComputedRadiographyImageStorage, "CR"
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(image, keyword, uid.generate_uid())
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.Rows = image.Columns = 8
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, shown
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, bits, bits - 1, signed
    image.RescaleSlope, image.RescaleIntercept, image.RescaleType = "1", "-1024", "US"
    image.PixelData = np.full((8, 8), 300, np.uint16).tobytes()
    image.save_as("image.dcm", enforce_file_format=True)
    return image


def by_pydicom(image):
    return int(apply_modality_lut(image.pixel_array, image)[0, 0])


def by_simpleitk(_image):
    return int(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage("image.dcm")).flat[0])


def by_highdicom(image):
    return int(highdicom.Image.from_dataset(image).get_frame(1)[0, 0])


for shown in ("MONOCHROME2", "MONOCHROME1"):
    image = radiograph(shown, 12, 0)
    print(f"{shown}: pydicom {by_pydicom(image)}, SimpleITK {by_simpleitk(image)}, highdicom {by_highdicom(image)}")
image = radiograph("MONOCHROME1", 16, 1)
print(f"MONOCHROME1, 16 bits signed: pydicom {by_pydicom(image)}, SimpleITK {by_simpleitk(image)}")
PY
diff said - <<'SEEN'
MONOCHROME2: pydicom -724, SimpleITK -724, highdicom -724
MONOCHROME1: pydicom -724, SimpleITK 2771, highdicom 2771
MONOCHROME1, 16 bits signed: pydicom -724, SimpleITK -1325
SEEN
