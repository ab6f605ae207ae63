#!/usr/bin/env bash
# SimpleITK 2.5.7: the Pixel Spacing of a radiograph is not read; lengths are the detector's, or of pixels of 1 mm.
#
# A radiograph says how far its pixels are apart on the detector (Imager Pixel Spacing) and, where it was calibrated,
# in the patient (Pixel Spacing, PS3.3 10.7.1). For CR, DX, MG, RF and XA the spacing of the image is the former even
# where both are there: here a third too much. A CR that has Pixel Spacing alone, as is allowed, gets 1 mm, more than
# six times too much, and nothing warns. The same header under CT is read as it says. The metadata keep what the file
# says: `GetMetaData("0028|0030")`.
#
# Seen (Python 3.11), in mm:
#   CR both 0.2
#   DX both 0.2
#   CR Pixel Spacing alone 1.0
#   CT both 0.15
#   CT Pixel Spacing alone 0.15
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet simpleitk==2.5.7 pydicom==3.0.2 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' 2>&1 | tee said
import SimpleITK
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

KINDS = {
    "CR": uid.ComputedRadiographyImageStorage,
    "DX": uid.DigitalXRayImageStorageForPresentation,
    "CT": uid.CTImageStorage,
}


def read(modality, **spacings):
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    image.SOPClassUID, image.Modality = KINDS[modality], modality
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(image, keyword, uid.generate_uid())
    image.Rows = image.Columns = 8
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    if modality == "CT":
        image.ImagePositionPatient, image.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    for keyword, value in spacings.items():
        setattr(image, keyword, [value, value])
    image.PixelData = bytes(2 * 8 * 8)
    image.save_as("image.dcm", enforce_file_format=True)
    return SimpleITK.ReadImage("image.dcm").GetSpacing()[0]


print("CR both", read("CR", PixelSpacing=0.15, ImagerPixelSpacing=0.2))
print("DX both", read("DX", PixelSpacing=0.15, ImagerPixelSpacing=0.2))
print("CR Pixel Spacing alone", read("CR", PixelSpacing=0.15))
print("CT both", read("CT", PixelSpacing=0.15, ImagerPixelSpacing=0.2))
print("CT Pixel Spacing alone", read("CT", PixelSpacing=0.15))
PY
diff said - <<'SEEN'
CR both 0.2
DX both 0.2
CR Pixel Spacing alone 1.0
CT both 0.15
CT Pixel Spacing alone 0.15
SEEN
