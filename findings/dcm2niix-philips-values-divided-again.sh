#!/usr/bin/env bash
# dcm2niix 1.0.20260724: an MR of Philips has other values than its rescale slope gives, by a factor of that scan's own.
#
# Rescale Slope turns 1000 stored into 2500, says the standard (PS3.3 C.11.1), and so SimpleITK 2.5.7 gives. Philips
# adds a private scale slope (2005,100E), by which dcm2niix divides by default: 20000 here, and with another scale slope
# another number. The file without the private element gives 2500. One set of scans, half converted here and half read
# there, or sent through an archive that drops private elements, has two scales, a factor of 8 apart. The slopes are in
# what it prints; whether they were used is not. `-p n` gives the standard's value (its help calls the default precise
# and the other display).
#
# Seen (Python 3.11), of 1000 stored:
#   private slope 0.05: dcm2niix 20000, dcm2niix -p n 2500, SimpleITK 2500
#   private slope 0.2: dcm2niix 5000, dcm2niix -p n 2500, SimpleITK 2500
#   no private slope: dcm2niix 2500, dcm2niix -p n 2500, SimpleITK 2500
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet dcm2niix==1.0.20260724 simpleitk==2.5.7 pydicom==3.0.2 numpy==2.3.5 2>/dev/null
cd "$home"
PATH="$home/venv/bin:$PATH" venv/bin/python - <<'PY' 2>&1 | tee said
import subprocess
from pathlib import Path

import numpy as np
import SimpleITK
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset


def save(scale):
    """A series of four slices; `scale` is the private scale slope, if there is one."""
    Path("series").mkdir(exist_ok=True)
    names = [f"series/{number}.dcm" for number in range(4)]
    for number, name in enumerate(names):
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        image.SOPClassUID, image.Modality, image.Manufacturer = uid.MRImageStorage, "MR", "Philips Medical Systems"
        image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = "2.25.1", "2.25.2", "2.25.3"
        image.SOPInstanceUID, image.SeriesNumber, image.InstanceNumber = uid.generate_uid(), 1, number + 1
        image.StudyDate, image.StudyTime, image.PatientID = "20260101", "120000", "P1"
        image.ImageType, image.ScanningSequence, image.SequenceVariant = ["ORIGINAL", "PRIMARY", "M"], "SE", "NONE"
        image.MRAcquisitionType, image.RepetitionTime, image.EchoTime, image.EchoNumbers = "2D", "2000", "20", "1"
        image.Rows = image.Columns = 8
        image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 0
        image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
        image.PixelSpacing, image.SliceThickness, image.SpacingBetweenSlices = [2, 2], "3", "3"
        image.ImagePositionPatient, image.ImageOrientationPatient = [0, 0, 3 * number], [1, 0, 0, 0, 1, 0]
        image.RescaleSlope, image.RescaleIntercept, image.RescaleType = "2.5", "0", "normalized"
        if scale is not None:
            private = image.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
            private.add_new(0x0D, "FL", 0.0)
            private.add_new(0x0E, "FL", scale)
        image.PixelData = np.full((8, 8), 1000, "<u2").tobytes()
        image.save_as(name, enforce_file_format=True)
    return names


def value(source):
    return f"{SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(source)).flat[0]:.0f}"


def seen(scale):
    names = save(scale)
    converted = {}
    for options in ((), ("-p", "n")):
        command = ["dcm2niix", *options, "-f", "scan", "-w", "1", "-o", ".", "series"]
        subprocess.run(command, check=True, capture_output=True)
        converted[" ".join(["dcm2niix", *options])] = value("scan.nii")
    return ", ".join(f"{tool} {number}" for tool, number in {**converted, "SimpleITK": value(names)}.items())


print("private slope 0.05:", seen(0.05))
print("private slope 0.2:", seen(0.2))
print("no private slope:", seen(None))
PY
diff said - <<'SEEN'
private slope 0.05: dcm2niix 20000, dcm2niix -p n 2500, SimpleITK 2500
private slope 0.2: dcm2niix 5000, dcm2niix -p n 2500, SimpleITK 2500
no private slope: dcm2niix 2500, dcm2niix -p n 2500, SimpleITK 2500
SEEN
