#!/usr/bin/env bash
# pydicom 3.0.2: `pixel_array` of a YBR image is RGB, but the data set goes on saying YBR: colours are converted twice.
#
# Since 3.0 `pixel_array` turns YBR_FULL into RGB by default, as its release notes say. The data set that it belongs to,
# and that describes it, stays as it is in the file. Whoever converts by what it says, as was needed before 3.0 and as
# `convert_color_space(pixels, current, desired)` is made for, converts twice, and nothing can tell: tissue of (200,
# 120, 150) becomes paler by up to a quarter of the scale. Only `pixel_array(file, raw=True)` gives what is stored.
#
# Seen (Python 3.11), one pixel of pink tissue, (200, 120, 150):
#   says YBR_FULL
#   pixel_array near it
#   converted by what it says [232, 187, 184]
#   raw, converted near it
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
from pydicom.pixels import convert_color_space, pixel_array

TISSUE = np.full((8, 8, 3), (200, 120, 150), np.uint8)

image = Dataset()
image.file_meta = FileMetaDataset()
image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
image.SOPClassUID, image.SOPInstanceUID, image.Modality = uid.VLEndoscopicImageStorage, uid.generate_uid(), "ES"
image.Rows = image.Columns = 8
image.SamplesPerPixel, image.PlanarConfiguration, image.PhotometricInterpretation = 3, 0, "YBR_FULL"
image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
image.PixelData = convert_color_space(TISSUE, "RGB", "YBR_FULL").tobytes()
image.save_as("image.dcm", enforce_file_format=True)


def seen(pixels):
    pixel = pixels[0, 0].tolist()
    return "near it" if np.abs(np.subtract(pixel, TISSUE[0, 0])).max() <= 1 else pixel


image = dcmread("image.dcm")
pixels = image.pixel_array
print("says", image.PhotometricInterpretation)
print("pixel_array", seen(pixels))
print("converted by what it says", seen(convert_color_space(pixels, image.PhotometricInterpretation, "RGB")))
print("raw, converted", seen(convert_color_space(pixel_array(image, raw=True), "YBR_FULL", "RGB")))
PY
diff said - <<'SEEN'
says YBR_FULL
pixel_array near it
converted by what it says [232, 187, 184]
raw, converted near it
SEEN
