#!/usr/bin/env bash
# nibabel 5.4.2: the header of a loaded NIfTI file does not say how its voxels are scaled.
#
# A file says slope 2 and intercept 10. Loaded, `header["scl_slope"]` and `header["scl_inter"]` are NaN, for every file;
# the numbers have moved to `dataobj.slope` and `dataobj.inter`, and `get_fdata()` applies them. Whoever takes stored
# voxels and scales them by the loaded header gets NaN everywhere, or, guarding against NaN, unscaled values: wrong
# Hounsfield units without a word. The same header read by itself, from the file's bytes, has the numbers.
#
# Seen (Python 3.11):
#   on disk 2.0 10.0
#   loaded header nan nan
#   loaded dataobj 2.0 10.0
#   header alone 2.0 10.0
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet nibabel==5.4.2 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' | tee said
import struct

import nibabel as nib
import numpy as np

image = nib.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4))
image.header.set_slope_inter(2, 10)
nib.save(image, "scaled.nii")
raw = open("scaled.nii", "rb").read()
loaded = nib.load("scaled.nii")
alone = nib.Nifti1Header(raw[:348])
print("on disk", *struct.unpack_from("<ff", raw, 112))
print("loaded header", loaded.header["scl_slope"], loaded.header["scl_inter"])
print("loaded dataobj", loaded.dataobj.slope, loaded.dataobj.inter)
print("header alone", alone["scl_slope"], alone["scl_inter"])
PY
diff said - <<'SEEN'
on disk 2.0 10.0
loaded header nan nan
loaded dataobj 2.0 10.0
header alone 2.0 10.0
SEEN
