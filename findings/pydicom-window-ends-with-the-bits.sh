#!/usr/bin/env bash
# pydicom 3.0.2: one window on the same Hounsfield units gives grey levels in four ranges, by how they are stored.
#
# Four files hold the same Hounsfield units and the same window, -160 to 240; they differ in bits, sign and slope alone.
# `apply_voi_lut` (`apply_windowing`) stretches the window over what the stored type could hold after rescaling: to 3071
# of 12 bits, to 64511 of 16, from -32768 of signed ones. The least grey level is negative, the greatest one of four;
# no warning or attribute says which it was. The standard leaves the range to the program (PS3.3 C.11.2.1.2);
# a monitor does not care, but a training set of two makers' scanners has the same tissue at 1029 and at 31826.
#
# Seen (Python 3.11), of -160, 40 and 240 HU, window -160 to 240:
#   12 bits [-1024, 1029, 3071]
#   16 bits [-1024, 31826, 64511]
#   16 bits signed [-32768, 82, 32767]
#   12 bits, slope 0.5 [-1024, 2, 1024]
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet pydicom==3.0.2 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' 2>&1 | tee said
import numpy as np
from pydicom import dcmread, uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut

HOUNSFIELD = np.array([[-160, 40, 240]])


def windowed(bits, signed, slope, intercept):
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    image.SOPClassUID, image.SOPInstanceUID, image.Modality = uid.CTImageStorage, uid.generate_uid(), "CT"
    image.Rows, image.Columns = HOUNSFIELD.shape
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, bits, bits - 1, signed
    image.RescaleSlope, image.RescaleIntercept, image.RescaleType = slope, intercept, "HU"
    image.WindowCenter, image.WindowWidth = "40", "400"
    stored = (HOUNSFIELD - float(intercept)) / float(slope)
    image.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    image.save_as("image.dcm", enforce_file_format=True)
    image = dcmread("image.dcm")
    values = apply_modality_lut(image.pixel_array, image)
    assert np.array_equal(values, HOUNSFIELD)
    return [round(value) for value in apply_voi_lut(values, image)[0].tolist()]


print("12 bits", windowed(12, 0, "1", "-1024"))
print("16 bits", windowed(16, 0, "1", "-1024"))
print("16 bits signed", windowed(16, 1, "1", "0"))
print("12 bits, slope 0.5", windowed(12, 0, "0.5", "-1024"))
PY
diff said - <<'SEEN'
12 bits [-1024, 1029, 3071]
16 bits [-1024, 31826, 64511]
16 bits signed [-32768, 82, 32767]
12 bits, slope 0.5 [-1024, 2, 1024]
SEEN
