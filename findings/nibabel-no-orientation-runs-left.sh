#!/usr/bin/env bash
# nibabel 5.4.2: a NIfTI file that says nothing about how it lies is said to run to the patient's left.
#
# Saved without an affine, both codes in the header are 0: the file states no orientation. Loaded again, `affine` is
# diag(-1, 1, 1, 1) and its axes are L, A, S: a guess that mirrors left and right beside the identity that one would
# expect for "unknown", and that nothing marks as one. Two tools of which one guesses and one takes the identity show
# the heart on different sides. Only the codes tell a guess from a statement.
#
# Seen (Python 3.11):
#   codes on disk 0 0
#   axes L A S
#   diagonal -1.0 1.0 1.0 1.0
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

nib.save(nib.Nifti1Image(np.zeros((2, 3, 4), np.int16), None), "silent.nii")
raw = open("silent.nii", "rb").read()
affine = nib.load("silent.nii").affine
print("codes on disk", *struct.unpack_from("<hh", raw, 252))
print("axes", *nib.aff2axcodes(affine))
print("diagonal", *affine.diagonal())
PY
diff said - <<'SEEN'
codes on disk 0 0
axes L A S
diagonal -1.0 1.0 1.0 1.0
SEEN
