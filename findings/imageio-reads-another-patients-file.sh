#!/usr/bin/env bash
# imageio 2.38.1: asked for one patient's radiograph, `imread` gives that of another whose file is in the same folder.
#
# Three patients' radiographs are in a folder, each a study and a series of its own. `imageio.v3.imread(file)` reads the
# file, and then every DICOM file beside it; where these are of more than one series it gives the first of them, by the
# order of their UIDs, whichever file was named. All three patients get one's image. Alone in its folder each file is
# read as it is; so it is with `imageio.v2`, and with `plugin="pydicom"`. A line on the screen says how many series were
# found, and a DeprecationWarning, which Python hides by default, that this reader will be removed. That another file
# than the named one is given is said nowhere; the documentation says it of volumes alone (pull request 868 of imageio
# brought it, so that version 3 could read DICOM at all).
#
# Seen (Python 3.11), patients' values 1000, 2000 and 3000:
#   together: 3000, 3000, 3000
#   each alone: 1000, 2000, 3000
#   together, imageio.v2: 1000, 2000, 3000
#   together, plugin="pydicom": 1000, 2000, 3000
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet imageio==2.38.1 pydicom==3.0.2 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' 2>&1 | tee all
from pathlib import Path

import imageio.v2
import imageio.v3
import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

FOLDERS = {"together": ["together"] * 3, "each alone": ["first", "second", "third"]}


def save(folder, patient):
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    image.SOPClassUID, image.Modality = uid.ComputedRadiographyImageStorage, "CR"
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(image, keyword, f"1.2.3.{9 - patient}")  # the third patient's come first
    image.PatientID = image.PatientName = f"P{patient}"
    image.SeriesNumber = image.InstanceNumber = 1
    image.Rows = image.Columns = 4
    image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 0
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PixelData = np.full((4, 4), 1000 * patient, "<u2").tobytes()
    Path(folder).mkdir(exist_ok=True)
    path = f"{folder}/{patient}.dcm"
    image.save_as(path, enforce_file_format=True)
    return path


def say(name, read, paths):
    values = ", ".join(str(read(path).flat[0]) for path in paths)
    print(f"\nsaid {name}: {values}")


for name, folders in FOLDERS.items():
    paths = [save(folder, patient) for patient, folder in enumerate(folders, 1)]
    say(name, imageio.v3.imread, paths)
paths = [f"together/{patient}.dcm" for patient in (1, 2, 3)]
say("together, imageio.v2", imageio.v2.imread, paths)
say('together, plugin="pydicom"', lambda path: imageio.v3.imread(path, plugin="pydicom"), paths)
PY
sed -n 's/^said //p' all >said
diff said - <<'SEEN'
together: 3000, 3000, 3000
each alone: 1000, 2000, 3000
together, imageio.v2: 1000, 2000, 3000
together, plugin="pydicom": 1000, 2000, 3000
SEEN
