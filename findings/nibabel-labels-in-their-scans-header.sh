#!/usr/bin/env bash
# nibabel 5.4.2: of a label map saved with its scan's header, tumour comes back as liver, and liver as nothing.
#
# Masks are often made of an array of floating point, as `get_fdata` and `numpy.zeros` give, and saved with the affine
# and header of the scan that they belong to. The header says int16. Whole numbers up to 3 fit, but they are stretched
# over all 65536 steps, and a slope is written, a number of 32 bits: labels come back a hair off. Printed they look
# right; as whole numbers, which labels are, the four are 0, 0, 1 and 2. How many suffer depends on the greatest.
# Nothing warns. An array of whole numbers, or a header that says floating point, keeps them. Known as issues 1069 and
# 1344 of nibabel.
#
# Seen (Python 3.11), of background 0, liver 1, vessel 2, tumour 3:
#   floating point: read as [0.0, 1.0, 2.0, 3.0], as whole numbers [0, 0, 1, 2]
#   whole numbers: read as [0.0, 1.0, 2.0, 3.0], as whole numbers [0, 1, 2, 3]
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet nibabel==5.4.2 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python -W error - <<'PY' 2>&1 | tee said
import nibabel as nib
import numpy as np

nib.save(nib.Nifti1Image(np.full((4, 1, 1), 100, np.int16), np.eye(4)), "scan.nii")
scan = nib.load("scan.nii")
for name, kind in (("floating point", float), ("whole numbers", np.int16)):
    labels = np.arange(4, dtype=kind).reshape(scan.shape)
    nib.save(nib.Nifti1Image(labels, scan.affine, scan.header), "labels.nii")
    read = nib.load("labels.nii").get_fdata().ravel()
    print(f"{name}: read as {read.round(6).tolist()}, as whole numbers {read.astype(int).tolist()}")
PY
diff said - <<'SEEN'
floating point: read as [0.0, 1.0, 2.0, 3.0], as whole numbers [0, 0, 1, 2]
whole numbers: read as [0.0, 1.0, 2.0, 3.0], as whole numbers [0, 1, 2, 3]
SEEN
