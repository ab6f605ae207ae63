#!/usr/bin/env bash
# SimpleITK 2.5.7: an enhanced CT whose frames are stored in another order than they lie is read shuffled, 1 mm a slice.
#
# Frames of an enhanced file (one file a volume) may come in any order: their positions and dimension indices say where
# each lies (PS3.3 C.7.6.16 and C.7.6.17). An interleaved scan of four slices, 5 mm apart, has every other one first.
# SimpleITK leaves them as they are stored and sets them 1 mm apart, though file and positions say 5 mm; nothing warns.
# Stored in the order in which they lie they are 5 mm apart. Two passes over two slices, first one, then the other,
# become a body of four slices. highdicom 0.28.2 sorts the former, and will not make one volume of the latter.
#
# Seen (Python 3.11), where each slice lies in mm and its values:
#   as they lie: SimpleITK [(0, 0), (5, 5), (10, 10), (15, 15)]
#   interleaved: SimpleITK [(0, 0), (1, 10), (2, 5), (3, 15)]
#   two passes: SimpleITK [(0, 0), (5, 5), (10, 0), (15, 5)]
#   interleaved: highdicom [(0, 0), (5, 5), (10, 10), (15, 15)]
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


def item(**values):
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def save(places):
    """One enhanced CT: each frame's values are how high it lies, in mm."""
    image = item(SOPClassUID=uid.EnhancedCTImageStorage, Modality="CT", NumberOfFrames=len(places))
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        setattr(image, keyword, uid.generate_uid())
    image.Rows = image.Columns = 8
    image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 0
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    organisation = item(DimensionOrganizationUID=uid.generate_uid())
    image.DimensionOrganizationSequence = [organisation]
    by = {"DimensionIndexPointer": 0x00209057, "FunctionalGroupPointer": 0x00209111}  # In-Stack Position Number
    image.DimensionIndexSequence = [item(DimensionOrganizationUID=organisation.DimensionOrganizationUID, **by)]
    grid = item(PixelSpacing=[1, 1], SliceThickness="5", SpacingBetweenSlices="5")
    shared = item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
        PixelMeasuresSequence=[grid],
        PixelValueTransformationSequence=[item(RescaleSlope="1", RescaleIntercept="0", RescaleType="HU")],
    )
    frames = []
    for place in places:
        number = sorted(set(places)).index(place) + 1
        stack = item(StackID="1", InStackPositionNumber=number, DimensionIndexValues=[number])
        where = item(ImagePositionPatient=[0, 0, place])
        frames.append(item(PlanePositionSequence=[where], FrameContentSequence=[stack]))
    image.SharedFunctionalGroupsSequence, image.PerFrameFunctionalGroupsSequence = [shared], frames
    image.PixelData = np.stack([np.full((8, 8), place, "<u2") for place in places]).tobytes()
    image.save_as("image.dcm", enforce_file_format=True)


def by_simpleitk(places):
    save(places)
    image = SimpleITK.ReadImage("image.dcm")
    heights = [image.TransformIndexToPhysicalPoint((0, 0, number))[2] for number in range(image.GetDepth())]
    return [(round(height), image[0, 0, number]) for number, height in enumerate(heights)]


def by_highdicom(places):
    save(places)
    volume = highdicom.Image.from_dataset(dcmread("image.dcm")).get_volume()
    heights = [volume.affine[2, 0] * number + volume.affine[2, 3] for number in range(volume.shape[0])]
    return sorted((round(height), int(volume.array[number, 0, 0])) for number, height in enumerate(heights))


print("as they lie: SimpleITK", by_simpleitk([0, 5, 10, 15]))
print("interleaved: SimpleITK", by_simpleitk([0, 10, 5, 15]))
print("two passes: SimpleITK", by_simpleitk([0, 5, 0, 5]))
print("interleaved: highdicom", by_highdicom([0, 10, 5, 15]))
PY
diff said - <<'SEEN'
as they lie: SimpleITK [(0, 0), (5, 5), (10, 10), (15, 15)]
interleaved: SimpleITK [(0, 0), (1, 10), (2, 5), (3, 15)]
two passes: SimpleITK [(0, 0), (5, 5), (10, 0), (15, 5)]
interleaved: highdicom [(0, 0), (5, 5), (10, 10), (15, 15)]
SEEN
