#!/usr/bin/env bash
# monai 1.6.1: loading an atlas gives regions other numbers, and some become one.
#
# The mouse brain atlas of the Allen Institute numbers regions up to nine digits; a NIfTI file keeps them as int32.
# `LoadImage` turns whatever it loads into float32, as its default says, also where the file is a label image of whole
# numbers: above 16,777,216 only some are left. Three regions here become one of a fourth number, which no table has,
# and their volumes add up. The affine, the file's type and the transform's name stay as they were, and nothing warns.
# `LoadImage(dtype=None)` keeps them; asking for int32 of the transforms that follow comes too late.
#
# Seen (Python 3.11, torch 2.13.0), numbers of regions:
#   file [7, 312782546, 312782550, 312782566]
#   loaded [7, 312782560]
#   loaded with dtype=None [7, 312782546, 312782550, 312782566]
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet --no-compile monai==1.6.1 torch==2.13.0 nibabel==5.4.2 numpy==2.3.5 2>/dev/null
cd "$home"
OMP_NUM_THREADS=1 venv/bin/python - 2>/dev/null <<'PY' | grep "\[" | tee said
import nibabel as nib
import numpy as np
from monai.transforms import LoadImage

REGIONS = [7, 312782546, 312782550, 312782566]

atlas = np.repeat(np.array(REGIONS, np.int32), 16).reshape(4, 4, 4)
nib.save(nib.Nifti1Image(atlas, np.eye(4)), "atlas.nii")


def regions(values):
    return np.unique(np.asarray(values)).astype(int).tolist()


print("file", regions(nib.load("atlas.nii").dataobj))
print("loaded", regions(LoadImage()("atlas.nii")))
print("loaded with dtype=None", regions(LoadImage(dtype=None)("atlas.nii")))
PY
diff said - <<'SEEN'
file [7, 312782546, 312782550, 312782566]
loaded [7, 312782560]
loaded with dtype=None [7, 312782546, 312782550, 312782566]
SEEN
