#!/usr/bin/env bash
# dicompyler-core 0.5.6: one more outline makes a tumour a fifth as large; drawn on a single slice it has no volume.
#
# A structure set holds outlines, one or more a slice. Here a cylinder of 30 mm is drawn every 6 mm, and once more 1 mm
# above the middle. Its volume in the dose volume histogram falls from 37 to 7.4 cubic cm: the least distance of two
# outlines counts as the thickness of all. CTs have finer slices where it matters, and outlines are added by hand; what
# is read in cubic cm, as limits for the bowel or the brain are, is wrong by as much. A lesion drawn on one slice has
# thickness 0: its volume is 0 and its dose is 0 where 20 Gy is given. Nothing warns. The documentation has `thickness`
# as a way to set it, and does not say how it is found.
#
# Seen (Python 3.11, pydicom 2.4.4), volume in cubic cm and mean dose in Gy, 20 Gy everywhere:
#   every 6 mm: 37.0, 20.0
#   every 6 mm, and one more: 7.4, 20.0
#   one slice: 0.0, 0.0
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet dicompyler-core==0.5.6 pydicom==2.4.4 numpy==2.3.5 matplotlib==3.11.2 2>/dev/null
cd "$home"
venv/bin/python - 2>/dev/null <<'PY' | tee said
import numpy as np
from dicompylercore import dvhcalc
from pydicom import dcmread, uid
from pydicom.dataset import FileDataset, FileMetaDataset, Dataset

RADIUS, SIZE, SLICES = 20.0, 61, 21


def saved(name, kind, modality, **values):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = uid.ExplicitVRLittleEndian, kind
    meta.MediaStorageSOPInstanceUID = uid.generate_uid()
    data = FileDataset(name, {}, file_meta=meta, preamble=b"\0" * 128)
    data.is_little_endian, data.is_implicit_VR = True, False
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = kind, meta.MediaStorageSOPInstanceUID, modality
    for keyword, value in values.items():
        setattr(data, keyword, value)
    data.save_as(name, write_like_original=False)
    return dcmread(name)


def item(**values):
    data = Dataset()
    for keyword, value in values.items():
        setattr(data, keyword, value)
    return data


def outline(z):
    turn = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    points = [f"{at:.3f}" for angle in turn for at in (RADIUS * np.cos(angle), RADIUS * np.sin(angle), z)]
    return item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=len(turn), ContourData=points)


def structures(heights):
    return saved(
        "structures",
        uid.RTStructureSetStorage,
        "RTSTRUCT",
        StructureSetROISequence=[item(ROINumber=1, ROIName="GTV")],
        RTROIObservationsSequence=[item(ObservationNumber=1, ReferencedROINumber=1, RTROIInterpretedType="GTV")],
        ROIContourSequence=[item(ReferencedROINumber=1, ContourSequence=[outline(z) for z in heights])],
    )


dose = saved(
    "dose",
    uid.RTDoseStorage,
    "RTDOSE",
    ImagePositionPatient=[-60, -60, -30],
    ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
    PixelSpacing=[2, 2],
    GridFrameOffsetVector=[3 * number for number in range(SLICES)],
    FrameIncrementPointer=0x3004000C,
    DoseUnits="GY",
    DoseType="PHYSICAL",
    DoseSummationType="PLAN",
    DoseGridScaling="0.01",
    NumberOfFrames=SLICES,
    Rows=SIZE,
    Columns=SIZE,
    SamplesPerPixel=1,
    PhotometricInterpretation="MONOCHROME2",
    BitsAllocated=16,
    BitsStored=16,
    HighBit=15,
    PixelRepresentation=0,
    PixelData=np.full((SLICES, SIZE, SIZE), 2000, "<u2").tobytes(),
)
every = [-12, -6, 0, 6, 12]
for name, heights in (("every 6 mm", every), ("every 6 mm, and one more", [*every, 1]), ("one slice", [0])):
    histogram = dvhcalc.get_dvh(structures(heights), dose, 1)
    print(f"{name}: {histogram.volume:.1f}, {histogram.mean:.1f}")
PY
diff said - <<'SEEN'
every 6 mm: 37.0, 20.0
every 6 mm, and one more: 7.4, 20.0
one slice: 0.0, 0.0
SEEN
