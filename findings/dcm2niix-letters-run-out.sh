#!/usr/bin/env bash
# dcm2niix 1.0.20260724: of 60 patients' radiographs in one folder it writes 26 and drops 34.
#
# Each file is a patient, a study and a series of its own, all of one second and with Series Number 1, as an export of
# single radiographs is. File names are made of folder, time and series number, not of patient or UID; a letter tells
# those apart that collide, and after 26 there is none left. The exit code is 8; the files that are there look whole.
# Naming by patient (-f %i) or by instance UID keeps all 60.
#
# Seen (Python 3.11):
#   by default 26 exit 8
#   by patient 60 exit 0
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet dcm2niix==1.0.20260724 pydicom==3.0.2 numpy==2.3.5 2>/dev/null
cd "$home"
mkdir source default patient
venv/bin/python - <<'PY'
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

for number in range(60):
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = ComputedRadiographyImageStorage
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(image, keyword, generate_uid(entropy_srcs=[keyword, str(number)]))
    image.PatientID = image.PatientName = f"P{number:02d}"
    image.Modality, image.StudyDate, image.StudyTime = "CR", "20260101", "120000"
    image.SeriesNumber = image.InstanceNumber = 1
    image.Rows = image.Columns = 32
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
    image.PixelData = np.full((32, 32), number, np.uint8).tobytes()
    image.save_as(f"source/{number:02d}.dcm", enforce_file_format=True)
PY
count() {
    local code=0
    venv/bin/dcm2niix -o "$1" "${@:2}" source >/dev/null 2>&1 || code=$?
    echo "by $1 $(find "$1" -name '*.nii' | wc -l) exit $code"
}
{ count default; count patient -f %i; } | tee said
diff said - <<'SEEN'
by default 26 exit 8
by patient 60 exit 0
SEEN
