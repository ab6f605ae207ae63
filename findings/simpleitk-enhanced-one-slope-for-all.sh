#!/usr/bin/env bash
# SimpleITK 2.5.7: every slice of an enhanced PET is scaled by the first slice's slope.
#
# In a PET each slice often fills its 16 bits, so that each has a slope of its own; an enhanced file (one file a volume)
# keeps them per frame, in the functional groups. Here the activity is 1000 Bq/ml in the first slice, 4000 in the second
# and 500 in the third, all stored as 1000. SimpleITK reads 1000 everywhere: an uptake of four times the first slice's
# is gone, and nothing warns. highdicom 0.28.2 gives what the file says, and of the same slices as classic files
# SimpleITK does so, too. Its reader, GDCM, takes the group of the first frame for all, as a remark on ITK's change 2010
# says.
#
# Seen (Python 3.11), in Bq/ml:
#   highdicom [1000, 4000, 500]
#   SimpleITK, classic [1000, 4000, 500]
#   SimpleITK, enhanced [1000, 1000, 1000]
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet simpleitk==2.5.7 pydicom==3.0.2 highdicom==0.28.2 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' 2>&1 | tee said
import highdicom
import numpy as np
import SimpleITK
from pydicom import dcmread, uid
from pydicom.dataset import Dataset, FileMetaDataset

SLOPES = ("1", "4", "0.5")
GRID = {"PixelSpacing": [4, 4], "SliceThickness": "3", "SpacingBetweenSlices": "3"}


def item(**values):
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def save(path, kind, number, frames, **where):
    image = item(SOPClassUID=kind, Modality="PT", StudyInstanceUID="2.25.1", FrameOfReferenceUID="2.25.2", **where)
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    image.SeriesInstanceUID, image.SOPInstanceUID, image.InstanceNumber = "2.25.3", uid.generate_uid(), number
    image.Rows = image.Columns = 8
    image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 0
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
    image.PixelData = np.full((frames, 8, 8), 1000, "<u2").tobytes()
    image.save_as(path, enforce_file_format=True)


places = [{"ImagePositionPatient": [0, 0, 3 * number]} for number in range(3)]
scales = [{"RescaleSlope": slope, "RescaleIntercept": "0", "RescaleType": "US"} for slope in SLOPES]
lies = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
groups = [
    item(PlanePositionSequence=[item(**place)], PixelValueTransformationSequence=[item(**scale)])
    for place, scale in zip(places, scales, strict=True)
]
shared = item(PlaneOrientationSequence=[item(**lies)], PixelMeasuresSequence=[item(**GRID)])
enhanced = {"SharedFunctionalGroupsSequence": [shared], "PerFrameFunctionalGroupsSequence": groups}
save("enhanced.dcm", uid.EnhancedPETImageStorage, 1, 3, NumberOfFrames=3, **enhanced)
names = [f"{number}.dcm" for number in range(3)]
for number, name in enumerate(names):
    place = {**GRID, **places[number], **scales[number], **lies, "Units": "BQML"}
    save(name, uid.PositronEmissionTomographyImageStorage, number + 1, 1, **place)


def activity(source):
    return [round(float(slices.flat[0])) for slices in SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(source))]


image = highdicom.Image.from_dataset(dcmread("enhanced.dcm"))
print("highdicom", [round(float(image.get_frame(number).flat[0])) for number in (1, 2, 3)])
print("SimpleITK, classic", [activity(name)[0] for name in names])
print("SimpleITK, enhanced", activity("enhanced.dcm"))
PY
diff said - <<'SEEN'
highdicom [1000, 4000, 500]
SimpleITK, classic [1000, 4000, 500]
SimpleITK, enhanced [1000, 1000, 1000]
SEEN
