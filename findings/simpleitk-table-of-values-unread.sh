#!/usr/bin/env bash
# SimpleITK 2.5.7: a film's optical densities are read as the steps of its scanner, as their table is passed over.
#
# What a stored value means is said by a slope and an intercept or, where no straight line does it, by a table: Modality
# LUT Sequence, PS3.3 C.11.1, of which a file has one or the other. SimpleITK applies the slope, and leaves the table.
# Here 100, 200 and 300 stored are densities of 0.5, 1.1 and 2.6, in thousandths, as a digitised film may say; pydicom's
# modality table gives that. SimpleITK gives 100, 200 and 300: the third is three times the first, not five times, and
# no scale makes one of the other. A slope in the table's place is applied by both. Nothing warns, and the table is not
# among the metadata either.
#
# Seen (Python 3.11), in thousandths of optical density:
#   slope: pydicom [200, 400, 600], SimpleITK [200, 400, 600]
#   table: pydicom [500, 1100, 2600], SimpleITK [100, 200, 300]
#   metadata that name it: 0
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet simpleitk==2.5.7 pydicom==3.0.2 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' 2>&1 | tee said
import numpy as np
import SimpleITK
from pydicom import dcmread, uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut

STORED, DENSITIES = [0, 100, 200, 300], [0, 500, 1100, 2600]
table = Dataset()
table.add_new("LUTDescriptor", "US", [301, 0, 16])
table.add_new("LUTData", "US", np.interp(range(301), STORED, DENSITIES).astype(int).tolist())
table.ModalityLUTType = "OD"
for name in ("slope", "table"):
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    film.SOPClassUID, film.Modality = uid.ComputedRadiographyImageStorage, "CR"
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(film, keyword, uid.generate_uid())
    film.Rows, film.Columns = 1, 3
    film.SamplesPerPixel, film.PhotometricInterpretation, film.PixelRepresentation = 1, "MONOCHROME2", 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 16, 12, 11
    film.PixelData = np.array(STORED[1:], "<u2").tobytes()
    if name == "table":
        film.ModalityLUTSequence = [table]
    else:
        film.RescaleSlope, film.RescaleIntercept, film.RescaleType = "2", "0", "OD"
    film.save_as("film.dcm", enforce_file_format=True)
    read, image = dcmread("film.dcm"), SimpleITK.ReadImage("film.dcm")
    values = apply_modality_lut(read.pixel_array, read)[0].astype(int).tolist()
    print(f"{name}: pydicom {values}, SimpleITK {SimpleITK.GetArrayFromImage(image).ravel().tolist()}")
print("metadata that name it:", sum(key.startswith("0028|300") for key in image.GetMetaDataKeys()))
PY
diff said - <<'SEEN'
slope: pydicom [200, 400, 600], SimpleITK [200, 400, 600]
table: pydicom [500, 1100, 2600], SimpleITK [100, 200, 300]
metadata that name it: 0
SEEN
