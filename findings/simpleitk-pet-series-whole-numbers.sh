#!/usr/bin/env bash
# SimpleITK 2.5.7: a PET series loses its fractions where the first slice's slope is a whole number.
#
# Every slice of a PET may have a rescale slope of its own. A series that is read at once gets the type of its first
# file: a slope of 1, as of a slice without activity, makes whole numbers of all, and what the other slopes give is cut
# off, not rounded. Here the values are SUV (Units GML): 0.95, 1.9 and 2.85 become 0, 1 and 2, a third lower and more.
# After another first slope the same slices keep theirs. Nothing warns. Reported as issue 1636 of SimpleITK, in 2022;
# asking for floating point (`ReadImage(names, sitkFloat32)`) helps.
#
# Seen (Python 3.11):
#   first slope 1: [0, 0, 1, 2]
#   first slope 0.5: [0.0, 0.95, 1.9, 2.85]
#   first slope 1, asked for float: [0.0, 0.95, 1.9, 2.85]
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet simpleitk==2.5.7 pydicom==3.0.2 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' 2>&1 | tee said
import numpy as np
import SimpleITK
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset


def save(slopes):
    """A series whose first slice is empty; every other one is full of 1900."""
    names = [f"{number}.dcm" for number in range(len(slopes))]
    for number, (name, slope) in enumerate(zip(names, slopes, strict=True)):
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        image.SOPClassUID, image.Modality = uid.PositronEmissionTomographyImageStorage, "PT"
        image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = "2.25.1", "2.25.2", "2.25.3"
        image.SOPInstanceUID, image.InstanceNumber = uid.generate_uid(), number + 1
        image.Rows = image.Columns = 8
        image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 0
        image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
        image.PixelSpacing, image.SliceThickness = [4, 4], "3"
        image.ImageOrientationPatient, image.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 3 * number]
        image.Units, image.RescaleSlope, image.RescaleIntercept = "GML", slope, "0"
        image.PixelData = np.full((8, 8), 1900 if number else 0, "<u2").tobytes()
        image.save_as(name, enforce_file_format=True)
    return names


def seen(slopes, *asked):
    values = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(save(slopes), *asked))[:, 0, 0]
    return [round(value, 2) for value in values.tolist()]


others = ["0.0005", "0.001", "0.0015"]
print("first slope 1:", seen(["1", *others]))
print("first slope 0.5:", seen(["0.5", *others]))
print("first slope 1, asked for float:", seen(["1", *others], SimpleITK.sitkFloat32))
PY
diff said - <<'SEEN'
first slope 1: [0, 0, 1, 2]
first slope 0.5: [0.0, 0.95, 1.9, 2.85]
first slope 1, asked for float: [0.0, 0.95, 1.9, 2.85]
SEEN
